/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory map that the kernel is told, for small and large guests. */
#include "boot_support.h"

#include "kvm/acpi.h"
#include "kvm/machine.h"

static void build(struct boot_map *map, uint64_t size)
{
	struct guest_memory memory;

	guest_create(&memory, size);
	boot_map_build(map, &memory);
	guest_destroy(&memory);
}

static void assert_entry(const struct boot_map_entry *entry, uint64_t start,
			 uint64_t end, uint32_t type)
{
	assert_int_equal(entry->address, start);
	assert_int_equal(entry->address + entry->size, end);
	assert_int_equal(entry->type, type);
}

/* What every guest has first. */
static void assert_low_entries(const struct boot_map *map)
{
	assert_entry(&map->entry[0], 0, 0x9FC00, BOOT_MAP_RAM);
	assert_entry(&map->entry[1], 0x9FC00, 0xA0000, BOOT_MAP_RESERVED);
	assert_entry(&map->entry[2], 0xE0000, 0x100000, BOOT_MAP_RESERVED);
}

static void assert_ecam(const struct boot_map_entry *entry)
{
	assert_entry(entry, MACHINE_ECAM_BASE,
		     MACHINE_ECAM_BASE + MACHINE_ECAM_SIZE, BOOT_MAP_RESERVED);
}

static void guest_of_512_mib(void **state)
{
	struct boot_map map;

	(void)state;
	build(&map, 512 * MIB);
	assert_int_equal(map.count, 5);
	assert_low_entries(&map);
	assert_entry(&map.entry[3], MIB, 512 * MIB, BOOT_MAP_RAM);
	assert_ecam(&map.entry[4]);
}

static void guest_of_3_gib_fills_up_to_the_hole(void **state)
{
	struct boot_map map;

	(void)state;
	build(&map, 3 * GIB);
	assert_int_equal(map.count, 5);
	assert_low_entries(&map);
	assert_entry(&map.entry[3], MIB, 3 * GIB, BOOT_MAP_RAM);
	assert_ecam(&map.entry[4]);
}

static void guest_of_6_gib_goes_on_above_the_hole(void **state)
{
	struct boot_map map;

	(void)state;
	build(&map, 6 * GIB);
	assert_int_equal(map.count, 6);
	assert_low_entries(&map);
	assert_entry(&map.entry[3], MIB, 3 * GIB, BOOT_MAP_RAM);
	assert_ecam(&map.entry[4]);
	assert_entry(&map.entry[5], 4 * GIB, 7 * GIB, BOOT_MAP_RAM);
}

static void adjacent_regions_are_one_entry(void **state)
{
	struct guest_memory memory;
	struct boot_map map;

	(void)state;
	guest_create(&memory, 6 * GIB);
	guest_split(&memory, 1 * GIB);
	guest_split(&memory, 2 * GIB);
	guest_split(&memory, 5 * GIB);
	boot_map_build(&map, &memory);
	assert_int_equal(map.count, 6);
	assert_entry(&map.entry[3], MIB, 3 * GIB, BOOT_MAP_RAM);
	assert_entry(&map.entry[5], 4 * GIB, 7 * GIB, BOOT_MAP_RAM);
	guest_destroy(&memory);
}

static void ram_ends_at_the_first_hole(void **state)
{
	struct guest_memory memory;

	(void)state;
	guest_create(&memory, 6 * GIB);
	guest_split(&memory, 1 * GIB);
	assert_int_equal(boot_ram_end(&memory, MIB), 3 * GIB);
	assert_int_equal(boot_ram_end(&memory, 4 * GIB), 7 * GIB);
	assert_int_equal(boot_ram_end(&memory, 3 * GIB), 3 * GIB);
	assert_int_equal(boot_ram_end(&memory, UINT64_MAX), UINT64_MAX);
	guest_destroy(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_of_512_mib),
		cmocka_unit_test(guest_of_3_gib_fills_up_to_the_hole),
		cmocka_unit_test(guest_of_6_gib_goes_on_above_the_hole),
		cmocka_unit_test(adjacent_regions_are_one_entry),
		cmocka_unit_test(ram_ends_at_the_first_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
