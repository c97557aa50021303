/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci/root.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/machine.h"

/*
 * Theory of operation
 *
 * Bus 0 with up to 32 single-function devices. Their configuration space is
 * reached in two ways that do the same: ECAM (PCIe 6.1, 7.2.2) and the address
 * and data ports (PCI 3.0, 3.2.2.3.2). Where no device is, reads give all ones.
 *
 * There is no firmware: BARs get their addresses when a device is plugged in.
 * Which devices there are is fixed while vCPUs run, so looking one up takes no
 * lock.
 */

#define BRIDGE_VENDOR 0x1b36 /* Red Hat's, for virtual devices */
#define BRIDGE_DEVICE 0x0008 /* a PCIe host bridge without registers */
#define BRIDGE_CLASS  0x060000

#define ADDRESS_PORT_SIZE 4
#define DATA_PORT         (MACHINE_PCI_CONFIG_PORT + 4)
#define DATA_PORT_SIZE    4
#define ADDRESS_ENABLE    0x80000000U
#define ADDRESS_BITS      0x80fffffcU /* those that exist */

/* A range of addresses for BARs, given out from @next on. */
struct window {
	uint64_t base;
	uint64_t size;
	uint64_t next;
};

/**
 * struct pci_root - The root complex
 * @config:	What it is built on
 * @address:	The address port; guests order their own accesses
 * @low, @high:	Windows for BARs
 * @slot:	Devices by number, NULL where none is
 * @bridge:	Device 0
 */
struct pci_root {
	struct pci_root_config config;
	_Atomic uint32_t address;
	struct window low;
	struct window high;
	struct pci_device *slot[PCI_SLOTS];
	struct pci_device bridge;
};

static struct pci_device *find(const struct pci_root *root, unsigned int bus,
			       unsigned int devfn)
{
	if (bus != 0 || (devfn & 7) != 0)
		return NULL;
	return root->slot[devfn >> 3];
}

static void read_config(struct pci_root *root, unsigned int bus,
			unsigned int devfn, unsigned int offset, void *data,
			unsigned int size)
{
	struct pci_device *device = find(root, bus, devfn);

	if (device)
		pci_config_read(device, offset, data, size);
	else
		memset(data, 0xff, size);
}

static void write_config(struct pci_root *root, unsigned int bus,
			 unsigned int devfn, unsigned int offset,
			 const void *data, unsigned int size)
{
	struct pci_device *device = find(root, bus, devfn);

	if (device)
		pci_config_write(device, offset, data, size);
}

static void ecam_read(void *context, uint64_t offset, void *data,
		      unsigned int size)
{
	read_config(context, offset >> 20 & 0xff, offset >> 12 & 0xff,
		    offset & 0xfff, data, size);
}

static void ecam_write(void *context, uint64_t offset, const void *data,
		       unsigned int size)
{
	write_config(context, offset >> 20 & 0xff, offset >> 12 & 0xff,
		     offset & 0xfff, data, size);
}

static const struct bus_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

/* Only a doubleword is the register; Linux tries what a byte does. */
static void address_read(void *context, uint64_t offset, void *data,
			 unsigned int size)
{
	const struct pci_root *root = context;
	uint32_t address =
		atomic_load_explicit(&root->address, memory_order_relaxed);

	(void)offset;
	memset(data, 0xff, size);
	if (size == sizeof(address))
		memcpy(data, &address, size);
}

static void address_write(void *context, uint64_t offset, const void *data,
			  unsigned int size)
{
	struct pci_root *root = context;
	uint32_t address;

	(void)offset;
	if (size != sizeof(address))
		return;
	memcpy(&address, data, size);
	atomic_store_explicit(&root->address, address & ADDRESS_BITS,
			      memory_order_relaxed);
}

static const struct bus_ops address_ops = {
	.read = address_read,
	.write = address_write,
};

static void data_read(void *context, uint64_t offset, void *data,
		      unsigned int size)
{
	struct pci_root *root = context;
	uint32_t address =
		atomic_load_explicit(&root->address, memory_order_relaxed);

	memset(data, 0xff, size);
	if (address & ADDRESS_ENABLE)
		read_config(root, address >> 16 & 0xff, address >> 8 & 0xff,
			    (address & 0xfc) + (unsigned int)offset, data,
			    size);
}

static void data_write(void *context, uint64_t offset, const void *data,
		       unsigned int size)
{
	struct pci_root *root = context;
	uint32_t address =
		atomic_load_explicit(&root->address, memory_order_relaxed);

	if (address & ADDRESS_ENABLE)
		write_config(root, address >> 16 & 0xff, address >> 8 & 0xff,
			     (address & 0xfc) + (unsigned int)offset, data,
			     size);
}

static const struct bus_ops data_ops = {
	.read = data_read,
	.write = data_write,
};

static int add_regions(struct pci_root *root)
{
	const struct pci_root_config *config = &root->config;
	int rc;

	rc = bus_add(config->mmio, MACHINE_ECAM_BASE, MACHINE_ECAM_SIZE,
		     &ecam_ops, root);
	if (rc < 0)
		return rc;
	rc = bus_add(config->pio, MACHINE_PCI_CONFIG_PORT, ADDRESS_PORT_SIZE,
		     &address_ops, root);
	if (rc < 0)
		goto remove_ecam;
	rc = bus_add(config->pio, DATA_PORT, DATA_PORT_SIZE, &data_ops, root);
	if (rc < 0)
		goto remove_address;
	return 0;

remove_address:
	(void)bus_remove(config->pio, MACHINE_PCI_CONFIG_PORT);
remove_ecam:
	(void)bus_remove(config->mmio, MACHINE_ECAM_BASE);
	return rc;
}

static void remove_regions(struct pci_root *root)
{
	(void)bus_remove(root->config.pio, DATA_PORT);
	(void)bus_remove(root->config.pio, MACHINE_PCI_CONFIG_PORT);
	(void)bus_remove(root->config.mmio, MACHINE_ECAM_BASE);
}

static const struct pci_identity bridge_identity = {
	.vendor = BRIDGE_VENDOR,
	.device = BRIDGE_DEVICE,
	.class_code = BRIDGE_CLASS,
};

/* It has neither BARs nor interrupts. */
static const struct pci_device_ops bridge_ops = { 0 };

static int plug(struct pci_root *root, struct pci_device *device)
{
	int rc = pci_bars_assign(device);

	if (rc < 0)
		return rc;
	memcpy(device->initial, device->config, sizeof(device->initial));
	root->slot[device->slot] = device;
	return 0;
}

static int add_bridge(struct pci_root *root)
{
	int rc = pci_device_init(&root->bridge, root, 0, &bridge_identity,
				 &bridge_ops);

	return rc < 0 ? rc : plug(root, &root->bridge);
}

int pci_root_create(const struct pci_root_config *config, struct pci_root **out,
		    struct fail *fail)
{
	struct pci_root *root = calloc(1, sizeof(*root));
	int rc;

	if (!root)
		return fail_set(fail, -ENOMEM, "out of memory for PCI");
	root->config = *config;
	root->low = (struct window) { MACHINE_PCI32_BASE, MACHINE_PCI32_SIZE,
				      MACHINE_PCI32_BASE };
	root->high = (struct window) { config->pci64_base, MACHINE_PCI64_SIZE,
				       config->pci64_base };
	rc = add_bridge(root);
	if (rc < 0)
		goto free_root;
	rc = add_regions(root);
	if (rc < 0)
		goto destroy_bridge;
	*out = root;
	return 0;

destroy_bridge:
	pci_device_destroy(&root->bridge);
free_root:
	free(root);
	return fail_set(fail, rc, "cannot make the PCI root complex: %s",
			strerror(-rc));
}

void pci_root_destroy(struct pci_root *root)
{
	if (!root)
		return;
	remove_regions(root);
	pci_device_destroy(&root->bridge);
	free(root);
}

int pci_root_attach(struct pci_root *root, struct pci_device *device,
		    struct fail *fail)
{
	int rc;

	if (device->slot >= PCI_SLOTS)
		return fail_set(fail, -EINVAL,
				"there is no PCI slot %u: choose 1 to %d",
				device->slot, PCI_SLOTS - 1);
	if (root->slot[device->slot])
		return fail_set(fail, -EBUSY,
				"PCI slot %u is taken: choose another",
				device->slot);
	rc = plug(root, device);
	if (rc < 0)
		return fail_set(fail, rc,
				"no addresses are left for the device in PCI "
				"slot %u: use fewer or smaller devices",
				device->slot);
	return 0;
}

void pci_root_detach(struct pci_root *root, struct pci_device *device)
{
	if (device->slot < PCI_SLOTS && root->slot[device->slot] == device)
		root->slot[device->slot] = NULL;
}

void pci_root_reset(struct pci_root *root)
{
	atomic_store_explicit(&root->address, 0, memory_order_relaxed);
	for (unsigned int i = 0; i < PCI_SLOTS; i++)
		if (root->slot[i])
			pci_device_reset(root->slot[i]);
}

struct bus *pci_root_mmio(const struct pci_root *root)
{
	return root->config.mmio;
}

struct irq_controller *pci_root_irq(const struct pci_root *root)
{
	return root->config.irq;
}

static bool window_holds(const struct window *window, uint64_t address,
			 uint64_t size)
{
	return address >= window->base && size <= window->size &&
	       address - window->base <= window->size - size;
}

bool pci_root_decodes(const struct pci_root *root, uint64_t address,
		      uint64_t size)
{
	return window_holds(&root->low, address, size) ||
	       window_holds(&root->high, address, size);
}

static int allocate(struct window *window, uint64_t size, uint64_t *address)
{
	uint64_t at = (window->next + size - 1) & ~(size - 1);

	if (at < window->next || !window_holds(window, at, size))
		return -ENOSPC;
	window->next = at + size;
	*address = at;
	return 0;
}

int pci_root_allocate(struct pci_root *root, uint64_t size, bool is_64bit,
		      uint64_t *address)
{
	int rc = allocate(&root->low, size, address);

	if (rc < 0 && is_64bit)
		rc = allocate(&root->high, size, address);
	return rc;
}
