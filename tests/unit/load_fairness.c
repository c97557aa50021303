/* SPDX-License-Identifier: BSD-3-Clause */
/* Jain's index, as the load generator reports it. */
#include "fairness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void equal_shares_are_wholly_fair(void **state)
{
	const uint64_t shares[] = { 1000, 1000, 1000, 1000 };

	(void)state;
	assert_float_equal(fairness_index(shares, COUNT(shares)), 1, 1e-12);
}

static void one_that_has_all_makes_it_one_of_n(void **state)
{
	const uint64_t shares[] = { 0, 7, 0, 0 };

	(void)state;
	assert_float_equal(fairness_index(shares, COUNT(shares)), 0.25, 1e-12);
}

/* (1 + 3)^2 / (2 * (1 + 9)) */
static void uneven_shares_lie_between(void **state)
{
	const uint64_t shares[] = { 1, 3 };

	(void)state;
	assert_float_equal(fairness_index(shares, COUNT(shares)), 0.8, 1e-12);
}

static void nothing_for_all_is_fair(void **state)
{
	const uint64_t shares[] = { 0, 0 };

	(void)state;
	assert_float_equal(fairness_index(shares, COUNT(shares)), 1, 1e-12);
}

static void bytes_of_long_streams_do_not_overflow(void **state)
{
	const uint64_t shares[] = { UINT64_MAX / 2, UINT64_MAX / 2 };

	(void)state;
	assert_float_equal(fairness_index(shares, COUNT(shares)), 1, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_shares_are_wholly_fair),
		cmocka_unit_test(one_that_has_all_makes_it_one_of_n),
		cmocka_unit_test(uneven_shares_lie_between),
		cmocka_unit_test(nothing_for_all_is_fair),
		cmocka_unit_test(bytes_of_long_streams_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
