/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that are given again without asking anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "slirp/dns_message.h"
#include "unit/dns_rig.h"

static void known_answer_asks_nobody(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 60);
	rig_ask(test, 8);
	rig_expect_answer(test, 8, DNS_NOERROR);
	rig_expect_no_query(test, 0);
	assert_int_equal(test->shard->counters.dns_queries, 2);
	assert_int_equal(test->shard->counters.dns_cache_misses, 1);
	assert_int_equal(test->shard->counters.dns_cache_hits, 1);
}

static void known_answer_makes_no_flow(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 60);
	test->shard->now_us += 11000000;
	fake_turn(test->shard);
	assert_int_equal(fake_flows_live(test->shard), 0);
	rig_ask(test, 8);
	rig_expect_answer(test, 8, DNS_NOERROR);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void answer_is_asked_for_again_at_its_end(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 60);
	test->shard->now_us += 60000000;
	fake_turn(test->shard);
	rig_ask(test, 8);
	rig_expect_query(test, 0, 8);
}

static void without_a_cache_every_query_is_asked(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	test->shard->config.dns_cache = false;
	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 60);
	rig_ask(test, 8);
	rig_expect_query(test, 0, 8);
	assert_int_equal(test->shard->counters.dns_cache_misses, 0);
}

static void failure_is_not_remembered(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	for (int i = 0; i < 2; i++) {
		from = rig_expect_query(test, i, 7);
		rig_answer(test, i, &from, 7, DNS_SERVFAIL, 0);
	}
	rig_expect_answer(test, 7, DNS_SERVFAIL);
	rig_ask(test, 8);
	rig_expect_query(test, 0, 8);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_answer_asks_nobody),
		TEST(known_answer_makes_no_flow),
		TEST(answer_is_asked_for_again_at_its_end),
		TEST(without_a_cache_every_query_is_asked),
		TEST(failure_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
