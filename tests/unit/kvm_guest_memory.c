/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kvm/guest_memory.h"
#include "kvm/ram.h"

#define MIB      (1ULL << 20)
#define GIB      (1ULL << 30)
#define HUGE_RAM (256 * GIB) /* TSan leaves room for this much */

static int setup_5_gib(void **state)
{
	static const struct guest_memory none;
	struct guest_memory *memory = test_malloc(sizeof(*memory));

	*memory = none;
	*state = memory;
	return ram_alloc(memory, 5 * GIB, MACHINE_PAGES_DEFAULT, NULL, NULL);
}

static int teardown(void **state)
{
	ram_free(*state);
	test_free(*state);
	return 0;
}

static void ram_is_split_at_the_hole(void **state)
{
	const struct guest_memory *memory = *state;

	assert_int_equal(memory->region_count, 2);
	assert_int_equal(memory->region[0].gpa, 0);
	assert_int_equal(memory->region[0].size, GUEST_MEMORY_HOLE_START);
	assert_int_equal(memory->region[1].gpa, GUEST_MEMORY_HOLE_END);
	assert_int_equal(memory->region[1].size, 2 * GIB);
}

static void every_byte_of_ram_can_be_reached(void **state)
{
	const struct guest_memory *memory = *state;
	uint8_t *first = guest_memory_at(memory, 0, 1);
	uint8_t *low_end = guest_memory_at(memory, 3 * GIB - 1, 1);
	uint8_t *high = guest_memory_at(memory, 4 * GIB, 1);
	uint8_t *last = guest_memory_at(memory, 6 * GIB - 1, 1);

	assert_non_null(first);
	assert_non_null(low_end);
	assert_non_null(high);
	assert_non_null(last);
	*first = 1;
	*low_end = 2;
	*high = 3;
	*last = 4;
	assert_int_equal(*first + *low_end + *high + *last, 10);
}

static void hole_is_not_ram(void **state)
{
	assert_null(guest_memory_at(*state, GUEST_MEMORY_HOLE_START, 1));
	assert_null(guest_memory_at(*state, GUEST_MEMORY_HOLE_END - 1, 1));
	assert_null(guest_memory_at(*state, 6 * GIB, 1));
	assert_null(guest_memory_at(*state, UINT64_MAX, 1));
}

static void range_may_not_leave_its_region(void **state)
{
	assert_non_null(guest_memory_at(*state, 0, 3 * GIB));
	assert_null(guest_memory_at(*state, 0, 3 * GIB + 1));
	assert_null(guest_memory_at(*state, 3 * GIB - 4, 5));
	assert_null(guest_memory_at(*state, 3 * GIB - 1, GIB + 2));
	assert_non_null(guest_memory_at(*state, 6 * GIB - 4, 4));
	assert_null(guest_memory_at(*state, 6 * GIB - 4, 5));
}

static void sizes_that_wrap_are_refused(void **state)
{
	assert_null(guest_memory_at(*state, 4096, UINT64_MAX));
	assert_null(guest_memory_at(*state, 4096, UINT64_MAX - 4095));
	assert_null(guest_memory_at(*state, UINT64_MAX, 2));
	assert_null(guest_memory_at(*state, 5 * GIB, UINT64_MAX - GIB));
}

static void empty_range_is_not_ram(void **state)
{
	assert_null(guest_memory_at(*state, 0, 0));
}

static void small_ram_has_one_region(void **state)
{
	struct guest_memory memory;

	(void)state;
	assert_int_equal(
		ram_alloc(&memory, 64 * MIB, MACHINE_PAGES_DEFAULT, NULL, NULL),
		0);
	assert_int_equal(memory.region_count, 1);
	assert_null(guest_memory_at(&memory, 64 * MIB, 1));
	ram_free(&memory);
}

static void prefaulted_ram_reads_zero(void **state)
{
	struct guest_memory memory;
	const uint8_t *last;

	(void)state;
	assert_int_equal(
		ram_alloc(&memory, 4 * MIB, MACHINE_PAGES_DEFAULT, NULL, NULL),
		0);
	assert_int_equal(ram_prefault(&memory, NULL, NULL), 0);
	last = guest_memory_at(&memory, 4 * MIB - 1, 1);
	assert_int_equal(*last, 0);
	ram_free(&memory);
}

static void odd_size_is_refused_with_a_sentence(void **state)
{
	struct guest_memory memory;
	struct fail fail = { "" };

	(void)state;
	assert_int_equal(ram_alloc(&memory, 64 * MIB + 4096,
				   MACHINE_PAGES_DEFAULT, NULL, &fail),
			 -EINVAL);
	assert_non_null(strstr(fail.text, "multiple of 2 MiB"));
}

/* More huge pages than a host has at hand, unless it is a very large one. */
static void missing_huge_pages_are_named(void **state)
{
	struct guest_memory memory;
	struct fail fail = { "" };

	(void)state;
	if (ram_alloc(&memory, HUGE_RAM, MACHINE_PAGES_2M, NULL, &fail) == 0) {
		ram_free(&memory);
		skip();
	}
	assert_non_null(strstr(fail.text, "huge pages of 2 MiB"));
	assert_int_equal(memory.region_count, 0);
}

static void ram_beyond_the_hosts_is_mapped(void **state)
{
	struct guest_memory memory;
	uint64_t size = HUGE_RAM;

	(void)state;
	assert_int_equal(
		ram_alloc(&memory, size, MACHINE_PAGES_DEFAULT, NULL, NULL), 0);
	assert_non_null(guest_memory_at(&memory, GIB + size - 1, 1));
	ram_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_5_GIB(test) \
	cmocka_unit_test_setup_teardown(test, setup_5_gib, teardown)
		WITH_5_GIB(ram_is_split_at_the_hole),
		WITH_5_GIB(every_byte_of_ram_can_be_reached),
		WITH_5_GIB(hole_is_not_ram),
		WITH_5_GIB(range_may_not_leave_its_region),
		WITH_5_GIB(sizes_that_wrap_are_refused),
		WITH_5_GIB(empty_range_is_not_ram),
		cmocka_unit_test(small_ram_has_one_region),
		cmocka_unit_test(prefaulted_ram_reads_zero),
		cmocka_unit_test(odd_size_is_refused_with_a_sentence),
		cmocka_unit_test(missing_huge_pages_are_named),
		cmocka_unit_test(ram_beyond_the_hosts_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
