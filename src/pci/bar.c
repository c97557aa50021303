/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/pci_regs.h>

#include "kvm/bus.h"
#include "pci/device.h"
#include "pci/root.h"

/*
 * Theory of operation
 *
 * The address bits below a BAR's size are read-only zeros in configuration
 * space, so that sizing (write ones, read back; PCI 3.0, 6.2.5.1) needs no
 * code. After each write that may matter pci_bars_update() compares where each
 * BAR should be with where it is, and moves it. Accesses that another vCPU
 * began before a move arrive with their old offset, which is the same register.
 */

#define BAR_SIZE_MIN   16
#define BAR32_SIZE_MAX (1ULL << 31)

static bool is_64bit(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_MEM64 ||
	       bar->kind == PCI_BAR_MEM64_PREFETCH;
}

static unsigned int bar_register(const struct pci_bar *bar)
{
	return PCI_BASE_ADDRESS_0 + bar->index * 4;
}

static uint64_t bar_address(const struct pci_bar *bar)
{
	const uint8_t *at = bar->device->config + bar_register(bar);
	uint64_t address = pci_get32(at) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;

	if (is_64bit(bar))
		address |= (uint64_t)pci_get32(at + 4) << 32;
	return address;
}

static void bar_read(void *context, uint64_t offset, void *data,
		     unsigned int size)
{
	const struct pci_bar *bar = context;
	struct pci_device *device = bar->device;

	pthread_mutex_lock(&device->lock);
	if (device->msix && bar->index == device->msix_bar)
		msix_read(device->msix, offset, data, size);
	else
		device->ops->bar_read(device, bar->index, offset, data, size);
	pthread_mutex_unlock(&device->lock);
}

static void bar_write(void *context, uint64_t offset, const void *data,
		      unsigned int size)
{
	const struct pci_bar *bar = context;
	struct pci_device *device = bar->device;

	pthread_mutex_lock(&device->lock);
	if (device->msix && bar->index == device->msix_bar)
		msix_write(device->msix, offset, data, size);
	else
		device->ops->bar_write(device, bar->index, offset, data, size);
	pthread_mutex_unlock(&device->lock);
}

static const struct bus_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
};

static void tell_device(struct pci_bar *bar)
{
	struct pci_device *device = bar->device;

	if (device->ops->bar_mapped)
		device->ops->bar_mapped(device, bar->index, bar->mapped);
}

static void unmap(struct pci_bar *bar)
{
	uint64_t address = bar->mapped;

	bar->mapped = PCI_BAR_UNMAPPED;
	tell_device(bar);
	(void)bus_remove(pci_root_mmio(bar->device->root), address);
}

/* Where another BAR is already, this one stays unmapped. */
static void map(struct pci_bar *bar, uint64_t address)
{
	if (bus_add(pci_root_mmio(bar->device->root), address, bar->size,
		    &bar_ops, bar) < 0)
		return;
	bar->mapped = address;
	tell_device(bar);
}

static uint64_t wanted_address(const struct pci_bar *bar)
{
	uint16_t command = pci_get16(bar->device->config + PCI_COMMAND);
	uint64_t address = bar_address(bar);

	if (!(command & PCI_COMMAND_MEMORY) ||
	    !pci_root_decodes(bar->device->root, address, bar->size))
		return PCI_BAR_UNMAPPED;
	return address;
}

void pci_bars_update(struct pci_device *device)
{
	unsigned int i;

	/* First off, then on: a BAR may move to where another one was. */
	for (i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &device->bar[i];

		if (bar->kind != PCI_BAR_NONE &&
		    bar->mapped != PCI_BAR_UNMAPPED &&
		    bar->mapped != wanted_address(bar))
			unmap(bar);
	}
	for (i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &device->bar[i];

		if (bar->kind != PCI_BAR_NONE &&
		    bar->mapped == PCI_BAR_UNMAPPED &&
		    wanted_address(bar) != PCI_BAR_UNMAPPED)
			map(bar, wanted_address(bar));
	}
}

int pci_bars_assign(struct pci_device *device)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &device->bar[i];
		uint8_t *at = device->config + bar_register(bar);
		uint64_t address;
		int rc;

		if (bar->kind == PCI_BAR_NONE)
			continue;
		rc = pci_root_allocate(device->root, bar->size, is_64bit(bar),
				       &address);
		if (rc < 0)
			return rc;
		pci_set32(at, (uint32_t)address |
				      (pci_get32(at) &
				       (uint32_t)~PCI_BASE_ADDRESS_MEM_MASK));
		if (is_64bit(bar))
			pci_set32(at + 4, (uint32_t)(address >> 32));
	}
	return 0;
}

static uint32_t type_bits(enum pci_bar_kind kind)
{
	switch (kind) {
	case PCI_BAR_MEM64:
		return PCI_BASE_ADDRESS_MEM_TYPE_64;
	case PCI_BAR_MEM64_PREFETCH:
		return PCI_BASE_ADDRESS_MEM_TYPE_64 |
		       PCI_BASE_ADDRESS_MEM_PREFETCH;
	default:
		return PCI_BASE_ADDRESS_MEM_TYPE_32;
	}
}

int pci_bar_add(struct pci_device *device, unsigned int index,
		enum pci_bar_kind kind, uint64_t size)
{
	struct pci_bar bar = {
		.device = device,
		.index = index,
		.kind = kind,
		.size = size,
		.mapped = PCI_BAR_UNMAPPED,
	};
	uint64_t mask = ~(size - 1);
	unsigned int at;

	if (index + is_64bit(&bar) >= PCI_BARS || kind == PCI_BAR_NONE ||
	    size < BAR_SIZE_MIN || (size & (size - 1)) != 0 ||
	    (kind == PCI_BAR_MEM32 && size > BAR32_SIZE_MAX))
		return -EINVAL;
	at = bar_register(&bar);
	device->bar[index] = bar;
	pci_set32(device->config + at, type_bits(kind));
	pci_set32(device->writable + at, (uint32_t)mask);
	if (is_64bit(&bar))
		pci_set32(device->writable + at + 4, (uint32_t)(mask >> 32));
	return 0;
}
