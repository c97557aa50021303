/* SPDX-License-Identifier: BSD-3-Clause */
/* SRAT and SLIT, read the way a guest reads them. */
#include "acpi_support.h"

#include <string.h>

#include "kvm/cpuid.h"

#define CPUS 300 /* some have APIC ids that only x2APIC knows */

/* Two thirds of the guest's 6 GiB are cell 0: it goes on behind the hole. */
static void build(struct acpi_test *test, bool visible)
{
	const struct machine_topology topology = { CPUS, 1, CPUS, 1 };
	static const struct placement none;
	struct placement *placement = test_malloc(sizeof(*placement));

	*placement = none;
	placement->numa = visible;
	placement->cell_count = 3;
	placement->cell[0].bytes = 4 * GIB;
	placement->cell[1].bytes = 2 * GIB;
	for (unsigned int i = 0; i < 3; i++)
		for (unsigned int j = 0; j < 3; j++)
			placement->cell[i].distance[j] =
				i == j ? 10 : 20 + i + j;
	for (unsigned int i = 0; i < CPUS; i++)
		placement->vcpu_cell[i] = i % 3;
	assert_int_equal(acpi_build(&test->memory, &topology, placement,
				    &test->rsdp, NULL),
			 0);
	test_free(placement);
}

/* The entry of the SRAT that comes as @nth of its type. */
static const uint8_t *srat_entry(const struct acpi_test *test, uint8_t type,
				 unsigned int nth)
{
	const uint8_t *srat = acpi_find(test, "SRAT"), *entry;

	assert_non_null(srat);
	for (entry = srat + 48; entry < srat + acpi_table_length(srat);
	     entry += entry[1]) {
		assert_true(entry[1] >= 16);
		if (entry[0] == type && !nth--)
			return entry;
	}
	return NULL;
}

static void srat_has_each_vcpu_in_its_cell(void **state)
{
	const struct machine_topology topology = { CPUS, 1, CPUS, 1 };
	struct acpi_test *test = *state;
	unsigned int lapics = 0, x2apics = 0;

	build(test, true);
	for (unsigned int i = 0; i < CPUS; i++) {
		uint32_t id = cpuid_apic_id(&topology, i);
		const uint8_t *entry;

		if (id < 255) {
			entry = srat_entry(test, 0, lapics++);
			assert_non_null(entry);
			assert_int_equal(entry[1], 16);
			assert_int_equal(entry[2], i % 3);
			assert_int_equal(entry[3], id);
			assert_int_equal(acpi_value_at(entry + 4, 4), 1);
			continue;
		}
		entry = srat_entry(test, 2, x2apics++);
		assert_non_null(entry);
		assert_int_equal(entry[1], 24);
		assert_int_equal(acpi_value_at(entry + 4, 4), i % 3);
		assert_int_equal(acpi_value_at(entry + 8, 4), id);
		assert_int_equal(acpi_value_at(entry + 12, 4), 1);
	}
	assert_null(srat_entry(test, 0, lapics));
	assert_null(srat_entry(test, 2, x2apics));
}

static void assert_memory(const struct acpi_test *test, unsigned int nth,
			  unsigned int cell, uint64_t base, uint64_t bytes)
{
	const uint8_t *entry = srat_entry(test, 1, nth);

	assert_non_null(entry);
	assert_int_equal(entry[1], 40);
	assert_int_equal(acpi_value_at(entry + 2, 4), cell);
	assert_int_equal(acpi_value_at(entry + 8, 8), base);
	assert_int_equal(acpi_value_at(entry + 16, 8), bytes);
	assert_int_equal(acpi_value_at(entry + 28, 4), 1);
}

static void srat_memory_goes_around_the_hole(void **state)
{
	struct acpi_test *test = *state;

	build(test, true);
	assert_memory(test, 0, 0, 0, 3 * GIB);
	assert_memory(test, 1, 0, 4 * GIB, 1 * GIB);
	assert_memory(test, 2, 1, 5 * GIB, 2 * GIB);
	assert_null(srat_entry(test, 1, 3)); /* cell 2 has none */
}

static void slit_has_the_distances(void **state)
{
	const uint8_t matrix[] = { 10, 21, 22, 21, 10, 23, 22, 23, 10 };
	struct acpi_test *test = *state;
	const uint8_t *slit;

	build(test, true);
	slit = acpi_find(test, "SLIT");
	assert_non_null(slit);
	assert_int_equal(acpi_table_length(slit), 44 + sizeof(matrix));
	assert_int_equal(acpi_value_at(slit + 36, 8), 3);
	assert_memory_equal(slit + 44, matrix, sizeof(matrix));
}

static void cells_that_the_guest_does_not_see_have_no_tables(void **state)
{
	struct acpi_test *test = *state;

	build(test, false);
	assert_null(acpi_find(test, "SRAT"));
	assert_null(acpi_find(test, "SLIT"));
}

static void largest_guest_fits(void **state)
{
	const struct machine_topology topology = { 1024, 2, 256, 2 };
	struct acpi_test *test = *state;
	struct placement *placement = test_calloc(1, sizeof(*placement));

	placement->numa = true;
	placement->cell_count = PLACEMENT_CELLS_MAX;
	for (unsigned int i = 0; i < PLACEMENT_CELLS_MAX; i++)
		placement->cell[i].bytes = 96 * MIB;
	assert_int_equal(acpi_build(&test->memory, &topology, placement,
				    &test->rsdp, NULL),
			 0);
	assert_memory(test, PLACEMENT_CELLS_MAX - 1, PLACEMENT_CELLS_MAX - 1,
		      7 * GIB - 96 * MIB, 96 * MIB);
	test_free(placement);
}

int main(void)
{
#define CASE(name)                                              \
	cmocka_unit_test_setup_teardown(name, acpi_test_set_up, \
					acpi_test_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(srat_has_each_vcpu_in_its_cell),
		CASE(srat_memory_goes_around_the_hole),
		CASE(slit_has_the_distances),
		CASE(cells_that_the_guest_does_not_see_have_no_tables),
		CASE(largest_guest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
