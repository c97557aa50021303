/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Theory of operation
 *
 * Regions lie in an array sorted by address and are found by bisection. vCPU
 * threads look up under the read side of a lock, copy the region and let go of
 * the lock before they call the device: so a device may change the bus from
 * inside its own callback, and a slow device holds nobody up. The price is that
 * a callback can outlast its region's removal, so devices outlive their regions
 * until all vCPUs have stopped. This is the slow path: doorbells never leave
 * the kernel.
 */

struct bus_region {
	uint64_t base;
	uint64_t last; /* address of the last byte, so that 2^64 can be the end
			*/
	const struct bus_ops *ops;
	void *device;
};

struct bus {
	pthread_rwlock_t lock;
	size_t count;
	size_t capacity;
	struct bus_region *region;
};

struct bus *bus_create(void)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return NULL;
	if (pthread_rwlock_init(&bus->lock, NULL)) {
		free(bus);
		return NULL;
	}
	return bus;
}

void bus_destroy(struct bus *bus)
{
	if (!bus)
		return;
	pthread_rwlock_destroy(&bus->lock);
	free(bus->region);
	free(bus);
}

/* Index of the first region that ends at or after @address. */
static size_t find_index(const struct bus *bus, uint64_t address)
{
	size_t low = 0;
	size_t high = bus->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bus->region[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool make_room(struct bus *bus)
{
	size_t capacity = bus->capacity ? 2 * bus->capacity : 16;
	struct bus_region *region;

	if (bus->count < bus->capacity)
		return true;
	region = realloc(bus->region, capacity * sizeof(*region));
	if (!region)
		return false;
	bus->region = region;
	bus->capacity = capacity;
	return true;
}

static int insert(struct bus *bus, const struct bus_region *region)
{
	size_t at = find_index(bus, region->base);

	if (at < bus->count && bus->region[at].base <= region->last)
		return -EEXIST;
	if (!make_room(bus))
		return -ENOMEM;
	memmove(&bus->region[at + 1], &bus->region[at],
		(bus->count - at) * sizeof(*region));
	bus->region[at] = *region;
	bus->count++;
	return 0;
}

int bus_add(struct bus *bus, uint64_t base, uint64_t size,
	    const struct bus_ops *ops, void *device)
{
	struct bus_region region = {
		.base = base,
		.last = base + (size - 1),
		.ops = ops,
		.device = device,
	};
	int rc;

	if (size == 0 || region.last < base)
		return -EINVAL;
	pthread_rwlock_wrlock(&bus->lock);
	rc = insert(bus, &region);
	pthread_rwlock_unlock(&bus->lock);
	return rc;
}

int bus_remove(struct bus *bus, uint64_t base)
{
	int rc = -ENOENT;
	size_t at;

	pthread_rwlock_wrlock(&bus->lock);
	at = find_index(bus, base);
	if (at < bus->count && bus->region[at].base == base) {
		bus->count--;
		memmove(&bus->region[at], &bus->region[at + 1],
			(bus->count - at) * sizeof(*bus->region));
		rc = 0;
	}
	pthread_rwlock_unlock(&bus->lock);
	return rc;
}

/* Copies the region that holds all of the access. */
static bool lookup(struct bus *bus, uint64_t address, unsigned int size,
		   struct bus_region *region)
{
	bool found = false;
	size_t at;

	pthread_rwlock_rdlock(&bus->lock);
	at = find_index(bus, address);
	if (at < bus->count && bus->region[at].base <= address &&
	    size - 1 <= bus->region[at].last - address) {
		*region = bus->region[at];
		found = true;
	}
	pthread_rwlock_unlock(&bus->lock);
	return found;
}

static bool is_power_of_two(unsigned int size)
{
	return (size & (size - 1)) == 0;
}

int bus_read(struct bus *bus, uint64_t address, void *data, unsigned int size)
{
	struct bus_region region;
	uint8_t *bytes = data;
	unsigned int step = is_power_of_two(size) ? size : 1;
	unsigned int done;

	memset(data, 0xff, size);
	if (!lookup(bus, address, size, &region))
		return -ENOENT;
	for (done = 0; done < size; done += step)
		region.ops->read(region.device, address + done - region.base,
				 bytes + done, step);
	return 0;
}

int bus_write(struct bus *bus, uint64_t address, const void *data,
	      unsigned int size)
{
	struct bus_region region;
	const uint8_t *bytes = data;
	unsigned int step = is_power_of_two(size) ? size : 1;
	unsigned int done;

	if (!lookup(bus, address, size, &region))
		return -ENOENT;
	for (done = 0; done < size; done += step)
		region.ops->write(region.device, address + done - region.base,
				  bytes + done, step);
	return 0;
}
