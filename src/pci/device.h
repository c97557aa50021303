/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_PCI_DEVICE_H
#define MQVMM_PCI_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "pci/intx.h"
#include "pci/msix.h"

#define PCI_CONFIG_SIZE  4096 /* bytes; the first 256 through ports too */
#define PCI_BARS         6
#define PCI_BAR_UNMAPPED UINT64_MAX

struct pci_root;
struct pci_device;

/**
 * struct pci_device_ops - What the core asks of a device
 * @bar_read, @bar_write: The guest accesses a BAR that does not hold the MSI-X
 *		table: 1, 2, 4 or 8 bytes that do not cross its end
 * @bar_mapped:	A BAR is decoded from @address on now, or from nowhere
 *		(PCI_BAR_UNMAPPED); may be NULL
 * @config_read: Bytes of configuration space are about to be read: the device
 *		may change them in @config; may be NULL
 * @config_written: They were written, within the write mask; may be NULL
 * @interrupts_changed: The guest switched MSI-X on or off (pci_msix_enabled());
 *		may be NULL
 * @intx_asserted: Does the device have something to tell? Any thread, without
 *		the lock; NULL for a device without INTx
 * @reset:	Back to the state at power-on; may be NULL
 *
 * All but @intx_asserted are called with the device's lock held, on vCPU
 * threads or at start and stop.
 */
struct pci_device_ops {
	void (*bar_read)(struct pci_device *device, unsigned int bar,
			 uint64_t offset, void *data, unsigned int size);
	void (*bar_write)(struct pci_device *device, unsigned int bar,
			  uint64_t offset, const void *data, unsigned int size);
	void (*bar_mapped)(struct pci_device *device, unsigned int bar,
			   uint64_t address);
	void (*config_read)(struct pci_device *device, unsigned int offset,
			    unsigned int size);
	void (*config_written)(struct pci_device *device, unsigned int offset,
			       unsigned int size);
	void (*interrupts_changed)(struct pci_device *device);
	bool (*intx_asserted)(const struct pci_device *device);
	void (*reset)(struct pci_device *device);
};

/* Who a device is (PCI 3.0, 6.2.1); the class has 24 bits. */
struct pci_identity {
	uint16_t vendor;
	uint16_t device;
	uint8_t revision;
	uint32_t class_code;
	uint16_t subsystem_vendor;
	uint16_t subsystem_device;
};

enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_MEM32,
	PCI_BAR_MEM64,          /* takes two registers */
	PCI_BAR_MEM64_PREFETCH, /* the same; reads have no side effects */
};

/**
 * struct pci_bar - One base address register
 * @device:	Whose it is
 * @index:	0 to PCI_BARS - 1
 * @kind:	PCI_BAR_NONE for the upper half of a 64-bit one, too
 * @size:	Bytes, a power of two
 * @mapped:	Where it is on the MMIO bus, PCI_BAR_UNMAPPED if it is not
 */
struct pci_bar {
	struct pci_device *device;
	unsigned int index;
	enum pci_bar_kind kind;
	uint64_t size;
	uint64_t mapped;
};

/**
 * struct pci_device - A function; embedded as first member of an implementation
 * @ops:	Its operations
 * @root:	Where it is plugged in
 * @slot:	Device number on bus 0
 * @lock:	Guards all below, and what the device does in @ops
 * @config:	Configuration space as the guest reads it
 * @writable:	Bits of it that the guest may write
 * @initial:	@config after a reset
 * @bar:	Base address registers
 * @capability_last: Offset of the last capability, 0 if there is none
 * @capability_end: First byte behind it
 * @msix:	NULL for a function without MSI-X
 * @msix_bar:	BAR that holds its table
 * @msix_capability: Offset of its capability
 * @msix_enabled: By the guest
 * @intx:	Line A; used only if ops->intx_asserted
 * @intx_in_use: A driver wants it (pci_intx_use())
 */
struct pci_device {
	const struct pci_device_ops *ops;
	struct pci_root *root;
	unsigned int slot;
	pthread_mutex_t lock;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	struct pci_bar bar[PCI_BARS];
	unsigned int capability_last;
	unsigned int capability_end;
	struct msix *msix;
	unsigned int msix_bar;
	unsigned int msix_capability;
	bool msix_enabled;
	struct intx intx;
	bool intx_in_use;
};

/**
 * pci_device_init() - Begin a function; BARs and capabilities follow, then
 *		pci_root_attach()
 * @device:	Zeroed
 * @root:	Where it will be plugged in
 * @slot:	Device number, 0 to 31
 * @identity:	Copied
 * @ops:	Outlives the device
 *
 * Return: 0 or negative errno
 */
int pci_device_init(struct pci_device *device, struct pci_root *root,
		    unsigned int slot, const struct pci_identity *identity,
		    const struct pci_device_ops *ops);

/**
 * pci_device_destroy() - Reset it, unplug it, release what the core holds
 *
 * Context: no vCPU runs any more, and nobody signals interrupts.
 */
void pci_device_destroy(struct pci_device *device);

/**
 * pci_bar_add() - Give the function a BAR
 * @index:	The register; a 64-bit one takes the next, too
 * @size:	Bytes: a power of two, from 16
 *
 * Return: 0 or -EINVAL
 */
int pci_bar_add(struct pci_device *device, unsigned int index,
		enum pci_bar_kind kind, uint64_t size);

/**
 * pci_capability_add() - Append a capability (PCI 3.0, 6.7), read-only
 * @id:		PCI_CAP_ID_...
 * @size:	Bytes, with the two of the header
 *
 * Return: its offset, -ENOSPC
 */
int pci_capability_add(struct pci_device *device, uint8_t id,
		       unsigned int size);

/**
 * pci_msix_add() - Give the function MSI-X, with a BAR of its own
 * @bar:	Register of a 64-bit BAR
 * @vectors:	1 to MSIX_VECTORS_MAX
 *
 * Return: 0 or negative errno
 */
int pci_msix_add(struct pci_device *device, unsigned int bar,
		 unsigned int vectors);

/** pci_msix_enabled() - Does the guest use MSI-X? Under the lock. */
bool pci_msix_enabled(const struct pci_device *device);

/**
 * pci_intx_use() - A driver waits for interrupts now, or no longer
 *
 * Only then, and only while MSI-X is off and the guest has not disabled the
 * interrupt in the command register, the line is connected.
 *
 * Context: from inside the device's operations, under the lock.
 */
void pci_intx_use(struct pci_device *device, bool in_use);

/**
 * pci_intx_assert() - There is something to tell, ops->intx_asserted says so
 *
 * Context: any thread, lock-free, one system call.
 */
void pci_intx_assert(struct pci_device *device);

/**
 * pci_config_read(), pci_config_write() - The guest accesses configuration
 * space
 * @offset:	Bytes, any
 * @data:	@size bytes; beyond the end reads give ones, writes are dropped
 *
 * Context: vCPU threads; may sleep.
 */
void pci_config_read(struct pci_device *device, unsigned int offset, void *data,
		     unsigned int size);
void pci_config_write(struct pci_device *device, unsigned int offset,
		      const void *data, unsigned int size);

/**
 * pci_bars_update() - Put the BARs where command and base registers say
 *
 * What lies outside the root's windows is not decoded, as on a real bridge.
 *
 * Context: under the lock.
 */
void pci_bars_update(struct pci_device *device);

/**
 * pci_bars_assign() - Choose an address for each BAR, as firmware would
 *
 * Return: 0, -ENOSPC when the windows are full
 */
int pci_bars_assign(struct pci_device *device);

/**
 * pci_device_reset() - Back to the state at power-on, the BARs' addresses
 *		included
 *
 * Context: no vCPU runs.
 */
void pci_device_reset(struct pci_device *device);

/* Little-endian fields of configuration space, for building it. */
uint16_t pci_get16(const uint8_t *at);
uint32_t pci_get32(const uint8_t *at);
void pci_set16(uint8_t *at, uint16_t value);
void pci_set32(uint8_t *at, uint32_t value);

#endif
