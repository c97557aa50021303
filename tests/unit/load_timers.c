/* SPDX-License-Identifier: BSD-3-Clause */
/* The times of an event loop's flows. */
#include "timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define FLOWS 100

struct rig {
	struct timers timers;
	struct flow *heap[FLOWS];
	struct flow flows[FLOWS];
};

static uint64_t scrambled(uint64_t i)
{
	return i * 37 % FLOWS * 1000;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->timers.heap = rig->heap;
	for (unsigned int i = 0; i < FLOWS; i++)
		timers_add(&rig->timers, &rig->flows[i], scrambled(i));
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void assert_rises(struct timers *timers, unsigned int count)
{
	uint64_t last_ns = 0;

	assert_int_equal(timers->count, count);
	while (timers->count) {
		struct flow *first = timers->heap[0];

		assert_true(first->timer_ns >= last_ns);
		last_ns = first->timer_ns;
		timers_remove(timers, first);
	}
}

static void the_earliest_comes_first(void **state)
{
	struct rig *rig = *state;

	assert_rises(&rig->timers, FLOWS);
}

static void times_may_change_either_way(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < FLOWS; i++)
		timers_set(&rig->timers, &rig->flows[i], scrambled(i + 50));
	assert_rises(&rig->timers, FLOWS);
}

static void any_flow_may_leave(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < FLOWS; i += 3)
		timers_remove(&rig->timers, &rig->flows[i]);
	assert_rises(&rig->timers, FLOWS - 34);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_earliest_comes_first),
		TEST(times_may_change_either_way),
		TEST(any_flow_may_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
