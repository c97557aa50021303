/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_GUEST_MEMORY_H
#define MQVMM_KVM_GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* RAM below the 32-bit hole ends here at the latest; the rest is from 4 GiB. */
#define GUEST_MEMORY_HOLE_START 0xC0000000ULL
#define GUEST_MEMORY_HOLE_END   0x100000000ULL

#define GUEST_MEMORY_REGIONS_MAX 64

/**
 * struct guest_memory_region - One run of guest RAM that is contiguous here too
 * @gpa:	First guest physical address
 * @size:	Length, bytes
 * @host:	Where it is mapped in this process
 * @fd:		memfd behind it, -1 if none
 * @fd_offset:	Where in @fd it begins, bytes
 */
struct guest_memory_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
	int fd;
	uint64_t fd_offset;
};

/**
 * struct guest_memory - The guest's RAM: immutable once the first vCPU runs
 * @region_count:	Regions in use
 * @region:		In ascending order of @gpa, not overlapping
 */
struct guest_memory {
	unsigned int region_count;
	struct guest_memory_region region[GUEST_MEMORY_REGIONS_MAX];
};

/**
 * guest_memory_at() - The one checked door to guest RAM
 * @memory:	The guest's RAM
 * @gpa:	Guest physical address, any value
 * @size:	Bytes wanted, any value
 *
 * What lies behind the pointer may change at any time under a running guest:
 * read each field once, then judge the copy.
 *
 * Return: pointer to @size bytes, or NULL if any of them is not RAM, or if they
 * do not lie in one region. A @size of 0 is never RAM.
 *
 * Context: any thread, lock-free, does not sleep.
 */
void *guest_memory_at(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size);

#endif
