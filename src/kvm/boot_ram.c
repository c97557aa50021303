/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <string.h>

#include "kvm/acpi.h"
#include "kvm/machine.h"

static void map_add(struct boot_map *map, uint64_t start, uint64_t end,
		    uint32_t type)
{
	struct boot_map_entry *last = NULL;

	if (start >= end)
		return;
	if (map->count)
		last = &map->entry[map->count - 1];
	if (last && last->type == type && last->address + last->size == start) {
		last->size += end - start;
		return;
	}
	map->entry[map->count++] = (struct boot_map_entry) {
		.address = start,
		.size = end - start,
		.type = type,
	};
}

static void map_add_ram(struct boot_map *map, const struct guest_memory *memory,
			uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < memory->region_count; i++) {
		const struct guest_memory_region *region = &memory->region[i];
		uint64_t start = region->gpa;
		uint64_t end = region->gpa + region->size;

		if (start < from)
			start = from;
		if (end > to)
			end = to;
		map_add(map, start, end, BOOT_MAP_RAM);
	}
}

void boot_map_build(struct boot_map *map, const struct guest_memory *memory)
{
	map->count = 0;
	map_add_ram(map, memory, 0, BOOT_EBDA_BASE);
	map_add(map, BOOT_EBDA_BASE, BOOT_VGA_BASE, BOOT_MAP_RESERVED);
	map_add(map, ACPI_AREA_BASE, BOOT_HIGH_BASE, BOOT_MAP_RESERVED);
	map_add_ram(map, memory, BOOT_HIGH_BASE, GUEST_MEMORY_HOLE_START);
	/* Linux believes MCFG only if the window is reserved. */
	map_add(map, MACHINE_ECAM_BASE, MACHINE_ECAM_BASE + MACHINE_ECAM_SIZE,
		BOOT_MAP_RESERVED);
	map_add_ram(map, memory, GUEST_MEMORY_HOLE_END, UINT64_MAX);
}

uint64_t boot_ram_end(const struct guest_memory *memory, uint64_t gpa)
{
	for (unsigned int i = 0; i < memory->region_count; i++) {
		const struct guest_memory_region *region = &memory->region[i];

		if (gpa >= region->gpa && gpa - region->gpa < region->size)
			gpa = region->gpa + region->size;
	}
	return gpa;
}

int boot_ram_zero(const struct guest_memory *memory, uint64_t gpa,
		  uint64_t size)
{
	for (unsigned int i = 0; i < memory->region_count && size; i++) {
		const struct guest_memory_region *region = &memory->region[i];
		uint64_t offset = gpa - region->gpa;
		uint64_t length = region->size - offset;

		if (gpa < region->gpa || offset >= region->size)
			continue;
		if (length > size)
			length = size;
		memset(region->host + offset, 0, length);
		gpa += length;
		size -= length;
	}
	return size ? -EFAULT : 0;
}
