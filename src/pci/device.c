/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci/device.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/log.h"
#include "kvm/machine.h"
#include "pci/root.h"

/*
 * Theory of operation
 *
 * Configuration space is an array of bytes with a mask of what the guest may
 * write. A write changes the bytes first; then whatever depends on them (BARs,
 * MSI-X, INTx, the device) is made to follow. One mutex per function orders
 * these accesses, those to its BARs, and resets. Interrupts do not take it.
 */

#define CAPABILITIES_START 0x40 /* behind the header */
#define CAPABILITIES_END   0x100
#define INTERRUPT_PIN_A    1

uint16_t pci_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t pci_get32(const uint8_t *at)
{
	return pci_get16(at) | (uint32_t)pci_get16(at + 2) << 16;
}

void pci_set16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

void pci_set32(uint8_t *at, uint32_t value)
{
	pci_set16(at, (uint16_t)value);
	pci_set16(at + 2, (uint16_t)(value >> 16));
}

static bool overlaps(unsigned int offset, unsigned int size, unsigned int field,
		     unsigned int field_size)
{
	return offset < field + field_size && field < offset + size;
}

static bool intx_asserted(void *context)
{
	const struct pci_device *device = context;

	return device->ops->intx_asserted(device);
}

static bool has_intx(const struct pci_device *device)
{
	return device->ops->intx_asserted != NULL;
}

static void describe(struct pci_device *device, const struct pci_identity *id)
{
	uint8_t *config = device->config;

	pci_set16(config + PCI_VENDOR_ID, id->vendor);
	pci_set16(config + PCI_DEVICE_ID, id->device);
	pci_set32(config + PCI_CLASS_REVISION,
		  id->class_code << 8 | id->revision);
	pci_set16(config + PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor);
	pci_set16(config + PCI_SUBSYSTEM_ID, id->subsystem_device);
	device->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	device->writable[PCI_INTERRUPT_LINE] = 0xff;
	pci_set16(device->writable + PCI_COMMAND,
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			  PCI_COMMAND_INTX_DISABLE);
}

static int add_intx(struct pci_device *device)
{
	int gsi = MACHINE_INTX_GSI_BASE +
		  (int)device->slot % MACHINE_INTX_GSI_COUNT;

	device->config[PCI_INTERRUPT_PIN] = INTERRUPT_PIN_A;
	device->config[PCI_INTERRUPT_LINE] = (uint8_t)gsi;
	return intx_init(&device->intx, pci_root_irq(device->root), gsi,
			 intx_asserted, device);
}

int pci_device_init(struct pci_device *device, struct pci_root *root,
		    unsigned int slot, const struct pci_identity *identity,
		    const struct pci_device_ops *ops)
{
	int rc;

	device->ops = ops;
	device->root = root;
	device->slot = slot;
	device->capability_end = CAPABILITIES_START;
	rc = -pthread_mutex_init(&device->lock, NULL);
	if (rc < 0)
		return rc;
	describe(device, identity);
	if (has_intx(device))
		rc = add_intx(device);
	if (rc < 0)
		pthread_mutex_destroy(&device->lock);
	return rc;
}

void pci_device_destroy(struct pci_device *device)
{
	pci_device_reset(device);
	pci_root_detach(device->root, device);
	msix_destroy(device->msix);
	if (has_intx(device))
		intx_destroy(&device->intx);
	pthread_mutex_destroy(&device->lock);
}

int pci_capability_add(struct pci_device *device, uint8_t id, unsigned int size)
{
	unsigned int at = device->capability_end;
	uint8_t *config = device->config;

	if (size > CAPABILITIES_END - at)
		return -ENOSPC;
	config[at + PCI_CAP_LIST_ID] = id;
	if (device->capability_last)
		config[device->capability_last + PCI_CAP_LIST_NEXT] =
			(uint8_t)at;
	else
		config[PCI_CAPABILITY_LIST] = (uint8_t)at;
	config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	device->capability_last = at;
	device->capability_end = (at + size + 3) & ~3U;
	return (int)at;
}

int pci_msix_add(struct pci_device *device, unsigned int bar,
		 unsigned int vectors)
{
	uint8_t *capability;
	int at;
	int rc;

	rc = msix_create(vectors, pci_root_irq(device->root), &device->msix);
	if (rc < 0)
		return rc;
	device->msix_bar = bar;
	rc = pci_bar_add(device, bar, PCI_BAR_MEM64,
			 msix_bar_size(device->msix));
	if (rc < 0)
		return rc;
	at = pci_capability_add(device, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	if (at < 0)
		return at;
	device->msix_capability = (unsigned int)at;
	capability = device->config + at;
	pci_set16(capability + PCI_MSIX_FLAGS, (uint16_t)(vectors - 1));
	pci_set32(capability + PCI_MSIX_TABLE, bar);
	pci_set32(capability + PCI_MSIX_PBA,
		  msix_pba_offset(device->msix) | bar);
	pci_set16(device->writable + at + PCI_MSIX_FLAGS,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	return 0;
}

bool pci_msix_enabled(const struct pci_device *device)
{
	return device->msix_enabled;
}

static void follow_intx(struct pci_device *device)
{
	uint16_t command = pci_get16(device->config + PCI_COMMAND);
	bool connected = device->intx_in_use && !device->msix_enabled &&
			 !(command & PCI_COMMAND_INTX_DISABLE);
	int rc;

	if (!has_intx(device))
		return;
	rc = intx_set_connected(&device->intx, connected);
	if (rc < 0)
		log_line("PCI slot %u has no interrupt line: %s", device->slot,
			 strerror(-rc));
}

static void follow_msix(struct pci_device *device)
{
	uint16_t flags;
	bool enabled;

	if (!device->msix)
		return;
	flags = pci_get16(device->config + device->msix_capability +
			  PCI_MSIX_FLAGS);
	enabled = flags & PCI_MSIX_FLAGS_ENABLE;
	msix_set_control(device->msix, enabled, flags & PCI_MSIX_FLAGS_MASKALL);
	if (enabled == device->msix_enabled)
		return;
	device->msix_enabled = enabled;
	if (device->ops->interrupts_changed)
		device->ops->interrupts_changed(device);
}

void pci_intx_use(struct pci_device *device, bool in_use)
{
	device->intx_in_use = in_use;
	follow_intx(device);
}

void pci_intx_assert(struct pci_device *device)
{
	intx_assert(&device->intx);
}

/* PCI 3.0, 6.2.3: the state of the device, whether it may interrupt or not. */
static void refresh_status(struct pci_device *device)
{
	bool asserted = has_intx(device) && !device->msix_enabled &&
			device->ops->intx_asserted(device);

	device->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	if (asserted)
		device->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
}

static bool beyond_end(unsigned int offset, unsigned int size)
{
	return offset >= PCI_CONFIG_SIZE || size > PCI_CONFIG_SIZE - offset;
}

void pci_config_read(struct pci_device *device, unsigned int offset, void *data,
		     unsigned int size)
{
	if (beyond_end(offset, size)) {
		memset(data, 0xff, size);
		return;
	}
	pthread_mutex_lock(&device->lock);
	if (overlaps(offset, size, PCI_STATUS, 1))
		refresh_status(device);
	if (device->ops->config_read)
		device->ops->config_read(device, offset, size);
	memcpy(data, device->config + offset, size);
	pthread_mutex_unlock(&device->lock);
}

static void follow(struct pci_device *device, unsigned int offset,
		   unsigned int size)
{
	bool command = overlaps(offset, size, PCI_COMMAND, 2);

	if (command || overlaps(offset, size, PCI_BASE_ADDRESS_0, 4 * PCI_BARS))
		pci_bars_update(device);
	if (device->msix &&
	    overlaps(offset, size, device->msix_capability + PCI_MSIX_FLAGS, 2))
		follow_msix(device);
	follow_intx(device);
	if (device->ops->config_written)
		device->ops->config_written(device, offset, size);
}

void pci_config_write(struct pci_device *device, unsigned int offset,
		      const void *data, unsigned int size)
{
	const uint8_t *bytes = data;

	if (beyond_end(offset, size))
		return;
	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < size; i++) {
		uint8_t mask = device->writable[offset + i];
		uint8_t *at = &device->config[offset + i];

		*at = (uint8_t)((*at & ~mask) | (bytes[i] & mask));
	}
	follow(device, offset, size);
	pthread_mutex_unlock(&device->lock);
}

void pci_device_reset(struct pci_device *device)
{
	pthread_mutex_lock(&device->lock);
	if (device->ops->reset)
		device->ops->reset(device);
	memcpy(device->config, device->initial, sizeof(device->config));
	device->intx_in_use = false;
	pci_bars_update(device);
	follow_msix(device);
	if (device->msix)
		msix_reset(device->msix);
	follow_intx(device);
	pthread_mutex_unlock(&device->lock);
}
