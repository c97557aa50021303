/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slirp/limits.h"

#define FILES     1000
#define NOW_US    5000000000ULL
#define SECOND_US 1000000ULL

struct fixture {
	struct limits limits;
	struct limits_share share[8];
};

static struct fixture make(unsigned int shards, struct slirp_limits set)
{
	struct fixture f = { 0 };

	limits_init(&f.limits, shards, FILES);
	limits_set(&f.limits, &set);
	return f;
}

static unsigned int take_all(struct fixture *f, unsigned int shard,
			     enum limits_kind kind)
{
	unsigned int count = 0;

	while (count < 2 * FILES &&
	       limits_take(&f->limits, &f->share[shard], kind))
		count++;
	return count;
}

static unsigned int take_tokens(struct fixture *f, unsigned int shard,
				uint64_t now_us)
{
	unsigned int count = 0;

	while (count < 2000000 &&
	       limits_take_token(&f->limits, &f->share[shard], now_us))
		count++;
	return count;
}

static void one_shard_may_have_all(void **state)
{
	static const uint32_t limits[] = { 1, 2, 63, 64, 65, 1000 };

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		struct fixture f = make(
			8, (struct slirp_limits) { .tcp_flows = limits[i] });

		assert_int_equal(take_all(&f, 3, LIMITS_TCP), limits[i]);
	}
}

static void limits_are_of_the_guest_not_of_a_shard(void **state)
{
	struct fixture f = make(2, (struct slirp_limits) { .tcp_flows = 10 });

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		assert_true(
			limits_take(&f.limits, &f.share[i % 2], LIMITS_TCP));
	assert_false(limits_take(&f.limits, &f.share[0], LIMITS_TCP));
	assert_false(limits_take(&f.limits, &f.share[1], LIMITS_TCP));
}

static void small_limits_are_exact_from_shard_to_shard(void **state)
{
	struct fixture f = make(2, (struct slirp_limits) { .udp_flows = 10 });

	(void)state;
	for (unsigned int round = 0; round < 4; round++) {
		unsigned int shard = round % 2;

		assert_int_equal(take_all(&f, shard, LIMITS_UDP), 10);
		for (unsigned int i = 0; i < 10; i++)
			limits_give(&f.limits, &f.share[shard], LIMITS_UDP);
	}
}

static void large_limits_are_exact_to_an_eighth(void **state)
{
	struct fixture f =
		make(4, (struct slirp_limits) { .icmp_flows = 1000 });
	unsigned int count;

	(void)state;
	for (unsigned int shard = 0; shard < 3; shard++) {
		count = take_all(&f, shard, LIMITS_ICMP);
		for (unsigned int i = 0; i < count; i++)
			limits_give(&f.limits, &f.share[shard], LIMITS_ICMP);
	}
	count = take_all(&f, 3, LIMITS_ICMP);
	assert_in_range(count, 1000 - 1000 / 8, 1000);
}

static void pool_is_left_alone_by_flows_that_come_and_go(void **state)
{
	struct fixture f = make(2, (struct slirp_limits) { .tcp_flows = 1000 });
	int64_t left;

	(void)state;
	assert_true(limits_take(&f.limits, &f.share[0], LIMITS_TCP));
	left = f.limits.pool[LIMITS_TCP].left;
	for (unsigned int i = 0; i < 10000; i++) {
		limits_give(&f.limits, &f.share[0], LIMITS_TCP);
		assert_true(limits_take(&f.limits, &f.share[0], LIMITS_TCP));
		assert_int_equal(f.limits.pool[LIMITS_TCP].left, left);
	}
}

static void protocols_do_not_share(void **state)
{
	struct fixture f = make(
		1, (struct slirp_limits) { .tcp_flows = 1, .udp_flows = 2 });

	(void)state;
	assert_int_equal(take_all(&f, 0, LIMITS_TCP), 1);
	assert_int_equal(take_all(&f, 0, LIMITS_UDP), 2);
	assert_int_equal(take_all(&f, 0, LIMITS_ICMP), 2 * FILES);
	assert_int_equal(take_all(&f, 0, LIMITS_FILES), FILES);
}

static void lowered_limit_holds_once_flows_have_ended(void **state)
{
	struct slirp_limits set = { .tcp_flows = 1000 };
	struct fixture f = make(2, set);

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		assert_true(limits_take(&f.limits, &f.share[0], LIMITS_TCP));
	set.tcp_flows = 10;
	limits_set(&f.limits, &set);
	limits_settle(&f.limits, &f.share[0]);
	limits_settle(&f.limits, &f.share[1]);
	for (unsigned int i = 0; i < 90; i++) {
		assert_false(limits_take(&f.limits, &f.share[0], LIMITS_TCP));
		assert_false(limits_take(&f.limits, &f.share[1], LIMITS_TCP));
		limits_give(&f.limits, &f.share[0], LIMITS_TCP);
	}
	limits_give(&f.limits, &f.share[0], LIMITS_TCP);
	assert_int_equal(take_all(&f, 1, LIMITS_TCP), 1);
}

static void raised_limit_holds_at_once(void **state)
{
	struct slirp_limits set = { .tcp_flows = 10 };
	struct fixture f = make(2, set);

	(void)state;
	assert_int_equal(take_all(&f, 0, LIMITS_TCP), 10);
	set.tcp_flows = 15;
	limits_set(&f.limits, &set);
	assert_int_equal(take_all(&f, 1, LIMITS_TCP), 5);
	set.tcp_flows = 0;
	limits_set(&f.limits, &set);
	assert_int_equal(take_all(&f, 1, LIMITS_TCP), 2 * FILES);
}

static void no_rate_limit_is_no_limit(void **state)
{
	struct fixture f = make(1, (struct slirp_limits) { 0 });

	(void)state;
	assert_int_equal(take_tokens(&f, 0, NOW_US), 2000000);
}

static void rate_allows_a_seconds_worth_at_once(void **state)
{
	static const uint32_t rates[] = { 1, 3, 50, 1000, 100000 };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct fixture f = make(
			4, (struct slirp_limits) { .flow_rate = rates[i] });

		assert_int_equal(take_tokens(&f, 2, NOW_US), rates[i]);
	}
}

static void rate_refills_with_time(void **state)
{
	struct fixture f = make(1, (struct slirp_limits) { .flow_rate = 50 });

	(void)state;
	assert_int_equal(take_tokens(&f, 0, NOW_US), 50);
	assert_int_equal(take_tokens(&f, 0, NOW_US + SECOND_US / 50 - 1), 0);
	assert_int_equal(take_tokens(&f, 0, NOW_US + SECOND_US / 50), 1);
	assert_int_equal(take_tokens(&f, 0, NOW_US + SECOND_US), 49);
	/* What was not used for longer than a second is lost. */
	assert_int_equal(take_tokens(&f, 0, NOW_US + 100 * SECOND_US), 50);
}

static void rate_is_of_the_guest_not_of_a_shard(void **state)
{
	struct fixture f = make(2, (struct slirp_limits) { .flow_rate = 30 });

	(void)state;
	for (unsigned int i = 0; i < 30; i++)
		assert_true(
			limits_take_token(&f.limits, &f.share[i % 2], NOW_US));
	assert_int_equal(take_tokens(&f, 0, NOW_US), 0);
	assert_int_equal(take_tokens(&f, 1, NOW_US), 0);
}

static void rate_beyond_the_clock_is_no_limit(void **state)
{
	struct fixture f =
		make(1, (struct slirp_limits) { .flow_rate = UINT32_MAX });

	(void)state;
	assert_int_equal(take_tokens(&f, 0, NOW_US), 2000000);
}

static void half_open_is_divided_rounding_up(void **state)
{
	struct fixture f = make(3, (struct slirp_limits) { .half_open = 10 });

	(void)state;
	assert_int_equal(f.limits.half_open, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_shard_may_have_all),
		cmocka_unit_test(limits_are_of_the_guest_not_of_a_shard),
		cmocka_unit_test(small_limits_are_exact_from_shard_to_shard),
		cmocka_unit_test(large_limits_are_exact_to_an_eighth),
		cmocka_unit_test(pool_is_left_alone_by_flows_that_come_and_go),
		cmocka_unit_test(protocols_do_not_share),
		cmocka_unit_test(lowered_limit_holds_once_flows_have_ended),
		cmocka_unit_test(raised_limit_holds_at_once),
		cmocka_unit_test(no_rate_limit_is_no_limit),
		cmocka_unit_test(rate_allows_a_seconds_worth_at_once),
		cmocka_unit_test(rate_refills_with_time),
		cmocka_unit_test(rate_is_of_the_guest_not_of_a_shard),
		cmocka_unit_test(rate_beyond_the_clock_is_no_limit),
		cmocka_unit_test(half_open_is_divided_rounding_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
