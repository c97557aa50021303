/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes that the load generator's streams are made of, and their sum. */
#include "pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = pattern_create();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void pattern_goes_on_across_its_period(void **state)
{
	const struct pattern *pattern = *state;

	for (uint64_t at = PATTERN_PERIOD - 70; at < PATTERN_PERIOD + 70; at++)
		assert_int_equal(
			*pattern_at(pattern, 3, at),
			pattern_at(pattern, 3,
				   PATTERN_PERIOD -
					   100)[at - (PATTERN_PERIOD - 100)]);
}

static void seeds_give_different_bytes(void **state)
{
	assert_memory_not_equal(pattern_at(*state, 0, 0),
				pattern_at(*state, 1, 0), 32);
}

static void a_missing_segment_shows(void **state)
{
	assert_memory_not_equal(pattern_at(*state, 5, 0),
				pattern_at(*state, 5, 1448), 32);
	assert_memory_not_equal(pattern_at(*state, 5, 0),
				pattern_at(*state, 5, 65536), 32);
	assert_memory_not_equal(pattern_at(*state, 5, 0),
				pattern_at(*state, 5, 1 << 20), 32);
}

static void checksum_does_not_depend_on_the_pieces(void **state)
{
	const uint8_t *bytes = pattern_at(*state, 1, 0);
	uint64_t whole = checksum_add(CHECKSUM_START, bytes, 100000);
	uint64_t sum = CHECKSUM_START;

	for (size_t at = 0, step = 1; at < 100000; at += step, step += 13) {
		if (step > 100000 - at)
			step = 100000 - at;
		sum = checksum_add(sum, bytes + at, step);
	}
	assert_true(sum == whole);
}

static void checksum_tells_order_and_single_bits(void **state)
{
	uint8_t a[] = "0123456789";
	uint64_t sum = checksum_add(CHECKSUM_START, a, sizeof(a));

	(void)state;
	a[3] = '4';
	a[4] = '3';
	assert_true(checksum_add(CHECKSUM_START, a, sizeof(a)) != sum);
	a[3] = '3';
	a[4] = '4';
	assert_true(checksum_add(CHECKSUM_START, a, sizeof(a)) == sum);
	a[7] ^= 1;
	assert_true(checksum_add(CHECKSUM_START, a, sizeof(a)) != sum);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pattern_goes_on_across_its_period),
		TEST(seeds_give_different_bytes),
		TEST(a_missing_segment_shows),
		TEST(checksum_does_not_depend_on_the_pieces),
		TEST(checksum_tells_order_and_single_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
