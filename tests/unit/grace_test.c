/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "slirp/shard_internal.h"

/* Of each test, where only the grace thread runs. */
static int setup(void **state)
{
	struct slirp *slirp = aligned_alloc(CACHE_LINE, sizeof(*slirp));

	if (!slirp)
		return -1;
	*slirp = (struct slirp) { 0 };
	slirp->config.resolver_count = 1; /* no resolv.conf to follow */
	*state = slirp;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* A stop that comes while a period is being made; the test's time-out tells. */
static void stop_is_seen_whenever_it_comes(void **state)
{
	struct slirp *slirp = *state;
	struct fail fail = { 0 };

	for (int i = 0; i < 20; i++) {
		slirp->grace = (struct grace) { 0 };
		assert_int_equal(grace_start(slirp, &fail), 0);
		grace_want(slirp);
		while (i % 2 && !__atomic_load_n(&slirp->grace.started,
						 __ATOMIC_RELAXED))
			;
		grace_want(slirp);
		grace_stop(slirp);
		assert_false(slirp->grace.running);
	}
}

static void wanted_period_passes(void **state)
{
	struct slirp *slirp = *state;
	struct fail fail = { 0 };
	uint64_t tag;

	assert_int_equal(grace_start(slirp, &fail), 0);
	tag = grace_tag(slirp);
	assert_false(grace_passed(slirp, tag));
	grace_want(slirp);
	while (!grace_passed(slirp, tag))
		;
	grace_stop(slirp);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_is_seen_whenever_it_comes),
		TEST(wanted_period_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
