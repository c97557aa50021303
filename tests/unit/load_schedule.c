/* SPDX-License-Identifier: BSD-3-Clause */
/* When the operations of an open loop are meant to start. */
#include "schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define START_NS 123456789012345ULL
#define NS_PER_S 1000000000ULL

static void starts_are_a_period_apart(void **state)
{
	struct schedule schedule = schedule_make(1000, 1, 0, START_NS);

	(void)state;
	assert_int_equal(schedule_at(&schedule, 0), START_NS);
	assert_int_equal(schedule_at(&schedule, 1), START_NS + 1000000);
	assert_int_equal(schedule_at(&schedule, 3600000),
			 START_NS + 3600 * NS_PER_S);
}

static void flows_take_turns(void **state)
{
	(void)state;
	for (unsigned int flow = 0; flow < 4; flow++) {
		struct schedule schedule =
			schedule_make(1000, 4, flow, START_NS);

		assert_int_equal(schedule_at(&schedule, 0),
				 START_NS + flow * 1000000);
		assert_int_equal(schedule_at(&schedule, 1),
				 START_NS + (flow + 4) * 1000000);
	}
}

/* 3 does not divide 10^9. */
static void uneven_periods_do_not_drift(void **state)
{
	struct schedule schedule = schedule_make(3, 1, 0, START_NS);

	(void)state;
	for (uint64_t s = 1; s < 100000; s *= 10)
		assert_in_range(schedule_at(&schedule, 3 * s),
				START_NS + s * NS_PER_S - 1,
				START_NS + s * NS_PER_S);
}

static void rates_add_up_over_flows(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (unsigned int flow = 0; flow < 7; flow++) {
		struct schedule schedule =
			schedule_make(12345, 7, flow, START_NS);

		sum += schedule_count(&schedule, START_NS + NS_PER_S);
	}
	assert_in_range(sum, 12344, 12346);
}

static void starts_before_a_time_are_counted(void **state)
{
	const double rates[] = { 0.5, 3, 999.9, 1000, 1e8 };
	struct schedule schedule;
	uint64_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t end_ns = START_NS + 7 * NS_PER_S + 13;

		schedule = schedule_make(rates[i], 3, 2, START_NS);
		count = schedule_count(&schedule, end_ns);
		assert_true(schedule_at(&schedule, count) >= end_ns);
		assert_true(!count ||
			    schedule_at(&schedule, count - 1) < end_ns);
	}
}

static void none_starts_before_the_first(void **state)
{
	struct schedule schedule = schedule_make(10, 2, 1, START_NS);

	(void)state;
	assert_int_equal(schedule_count(&schedule, START_NS), 0);
	assert_int_equal(schedule_count(&schedule, 0), 0);
}

static void no_rate_is_a_closed_loop(void **state)
{
	(void)state;
	assert_true(schedule_make(0, 4, 1, START_NS).period_ns <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_are_a_period_apart),
		cmocka_unit_test(flows_take_turns),
		cmocka_unit_test(uneven_periods_do_not_drift),
		cmocka_unit_test(rates_add_up_over_flows),
		cmocka_unit_test(starts_before_a_time_are_counted),
		cmocka_unit_test(none_starts_before_the_first),
		cmocka_unit_test(no_rate_is_a_closed_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
