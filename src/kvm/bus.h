/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_BUS_H
#define MQVMM_KVM_BUS_H

#include <stdint.h>

struct bus;

/**
 * struct bus_ops - What a device does with an access to one of its regions
 * @read:	Fill @data (@size bytes: 1, 2, 4 or 8) from @offset in the
 * region
 * @write:	Take @data
 *
 * Called on the vCPU thread that made the access, several at once: a device
 * takes its own lock. An access never crosses the region's end. A device may
 * add and remove regions, its own too, from inside both (a guest that moves a
 * BAR). An access that another vCPU began before may still arrive after
 * bus_remove() has returned: a device lives until no vCPU runs any more.
 */
struct bus_ops {
	void (*read)(void *device, uint64_t offset, void *data,
		     unsigned int size);
	void (*write)(void *device, uint64_t offset, const void *data,
		      unsigned int size);
};

/**
 * bus_create() - An address space of devices: one for MMIO, one for port I/O
 *
 * Return: the bus, NULL if out of memory
 */
struct bus *bus_create(void);

/**
 * bus_destroy() - Free the bus; its devices stay
 * @bus:	May be NULL; no vCPU runs by then
 */
void bus_destroy(struct bus *bus);

/**
 * bus_add() - Put a device's region on the bus
 * @bus:	MMIO or port I/O bus
 * @base:	First address
 * @size:	Length, bytes, at least 1
 * @ops:	The device's operations, outlives the region
 * @device:	Passed to @ops
 *
 * Return: 0, -EINVAL (empty or wraps), -EEXIST (overlaps another), -ENOMEM
 *
 * Context: any thread; may sleep.
 */
int bus_add(struct bus *bus, uint64_t base, uint64_t size,
	    const struct bus_ops *ops, void *device);

/**
 * bus_remove() - Take the region that begins at @base off the bus
 * @bus:	MMIO or port I/O bus
 * @base:	First address of a region
 *
 * Return: 0 or -ENOENT
 *
 * Context: any thread; may sleep.
 */
int bus_remove(struct bus *bus, uint64_t base);

/**
 * bus_read(), bus_write() - Carry one guest access to its device
 * @bus:	MMIO or port I/O bus
 * @address:	Any value
 * @data:	@size bytes
 * @size:	1 to 8. One that is no power of two goes byte by byte.
 *
 * Where no device is, or where the access leaves its region, reads give all
 * ones and writes are dropped.
 *
 * Return: 0, or -ENOENT where no device was
 *
 * Context: vCPU threads, concurrently.
 */
int bus_read(struct bus *bus, uint64_t address, void *data, unsigned int size);
int bus_write(struct bus *bus, uint64_t address, const void *data,
	      unsigned int size);

#endif
