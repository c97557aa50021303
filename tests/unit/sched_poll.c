/* SPDX-License-Identifier: BSD-3-Clause */
/* When a thread spins for work, and what that costs and saves: its pauses are
 * played to it, recorded ones and made ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/poll.h"
#include "unit/poll_play.h"
#include "unit/poll_traces.h"

#define BUDGET_US 100
#define WAKE_US   25 /* a wake-up across CPUs */

static void play_all(enum poll_policy policy, const struct poll_trace *trace,
		     struct poll_play *play)
{
	poll_play_init(play, policy, BUDGET_US, WAKE_US);
	poll_play_trace(play, trace);
}

static void dense_recorded_work_is_awaited_awake(void **state)
{
	static const enum poll_trace_name dense[] = {
		POLL_TRACE_CRR1,
		POLL_TRACE_CRR8,
		POLL_TRACE_RR1,
		POLL_TRACE_RR8,
	};
	struct poll_play play, always;

	(void)state;
	for (size_t i = 0; i < sizeof(dense) / sizeof(*dense); i++) {
		play_all(POLL_ADAPT, &poll_traces[dense[i]], &play);
		play_all(POLL_ALWAYS, &poll_traces[dense[i]], &always);
		assert_true(play.saved * 100 >= play.pauses * 85);
		assert_true(play.saved * 100 >= always.saved * 90);
	}
}

static void spinning_pays_on_every_recorded_trace(void **state)
{
	struct poll_play play, always;

	(void)state;
	for (int i = 0; i < POLL_TRACES; i++) {
		play_all(POLL_ADAPT, &poll_traces[i], &play);
		play_all(POLL_ALWAYS, &poll_traces[i], &always);
		assert_true(play.spun_us <= BUDGET_US * (play.saved + 10));
		assert_true(play.spun_us <= always.spun_us);
	}
}

static void idle_thread_never_spins(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_periodic(&play, 1000000, 1000);
	assert_int_equal(play.spun_us, 0);
}

static void pauses_a_little_too_long_are_slept_through(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_periodic(&play, BUDGET_US + 1, 1000);
	assert_int_equal(play.spun_us, 0);
	assert_int_equal(play.saved, 0);
}

static void spinning_ends_soon_after_the_work(void **state)
{
	struct poll_play play;
	uint64_t before_us;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_periodic(&play, 20, 1000);
	before_us = play.spun_us;
	poll_play_periodic(&play, 100000, 1000);
	assert_in_range(play.spun_us - before_us, 1, 4 * BUDGET_US);
}

static void spinning_begins_within_a_few_pauses(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_periodic(&play, 1000000, 10);
	poll_play_periodic(&play, 20, 1000);
	assert_in_range(play.saved, 990, 999);
}

static void random_dense_work_is_awaited_awake(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_poisson(&play, 20, 10000);
	assert_true(play.saved * 100 >= play.pauses * 90);
}

static void random_sparse_work_costs_next_to_nothing(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	poll_play_poisson(&play, 1000, 10000);
	assert_true(play.spun_us * 1000 <= play.now_us * 5);
}

static void bursts_are_awaited_awake_and_gaps_slept_through(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	for (int i = 0; i < 100; i++) {
		poll_play_periodic(&play, 20, 64);
		poll_play_periodic(&play, 20000, 10);
	}
	assert_true(play.saved >= 100 * 58);
	assert_true(play.spun_us <= 100 * (64 * 20 + 4 * BUDGET_US));
}

/* A pause as seen that is no longer than the budget is what may be spent on. */
static void short_pauses_alone_earn_the_spinning(void **state)
{
	struct poll_play play;

	(void)state;
	for (unsigned int seed = 1; seed <= 1000; seed++) {
		poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
		play.random = seed;
		for (int i = 0; i < 50; i++)
			poll_play_mixture(&play, 20);
		assert_true(play.longest_spin_us <= BUDGET_US);
		assert_true(play.spun_us <= BUDGET_US * (play.seen_short + 4));
	}
}

static void worst_case_is_paid_by_the_short_pauses(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	/* Short while it sleeps, long while it spins. */
	for (int i = 0; i < 10000; i++)
		poll_play_pause(&play, 10, poll_play_window(&play) ? 500 : 10);
	assert_true(play.spun_us <= BUDGET_US * (play.seen_short + 4));
	assert_true(play.spun_us * 100 <= play.now_us * 25);
}

static void budget_of_nothing_is_never(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, 0, WAKE_US);
	poll_play_periodic(&play, 1, 1000);
	assert_int_equal(play.spun_us, 0);
	assert_int_equal(play.wakes, 1000);
}

static void budget_is_bounded(void **state)
{
	struct poll poll;

	(void)state;
	poll_init(&poll, UINT32_MAX);
	assert_int_equal(poll.budget_us, POLL_BUDGET_MAX_US);
}

/* A thread with dense work that is preempted @rate times a second. Return: how
 * much of @ms it spins, per cent of the pauses */
static uint64_t play_preempted(struct poll_play *play, unsigned int rate,
			       unsigned int ms)
{
	uint64_t until_us = play->now_us + 1000ULL * ms;
	uint64_t saved = play->saved, pauses = play->pauses;

	while (play->now_us < until_us) {
		play->preemptions = play->now_us * rate / 1000000;
		poll_play_pause(play, 30, 20);
	}
	return (play->saved - saved) * 100 / (play->pauses - pauses);
}

static void wanted_cpu_is_not_spun_on(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	assert_in_range(play_preempted(&play, 200, 1000), 0, 30);
	assert_in_range(play_preempted(&play, 200, 10000), 0, 3);
}

static void preemption_now_and_then_does_not_matter(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	assert_in_range(play_preempted(&play, 10, 5000), 90, 100);
}

static void spinning_returns_when_the_cpu_is_free_again(void **state)
{
	struct poll_play play;

	(void)state;
	poll_play_init(&play, POLL_ADAPT, BUDGET_US, WAKE_US);
	play_preempted(&play, 200, 1000);
	play_preempted(&play, 0, 2000);
	assert_in_range(play_preempted(&play, 0, 1000), 99, 100);
}

static void work_without_a_pause_teaches_nothing(void **state)
{
	struct poll poll;

	(void)state;
	poll_init(&poll, BUDGET_US);
	for (uint64_t now_us = 0; now_us < 1000; now_us += 10)
		poll_end(&poll, now_us);
	assert_false(poll_begin(&poll, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_recorded_work_is_awaited_awake),
		cmocka_unit_test(spinning_pays_on_every_recorded_trace),
		cmocka_unit_test(idle_thread_never_spins),
		cmocka_unit_test(pauses_a_little_too_long_are_slept_through),
		cmocka_unit_test(spinning_ends_soon_after_the_work),
		cmocka_unit_test(spinning_begins_within_a_few_pauses),
		cmocka_unit_test(random_dense_work_is_awaited_awake),
		cmocka_unit_test(random_sparse_work_costs_next_to_nothing),
		cmocka_unit_test(
			bursts_are_awaited_awake_and_gaps_slept_through),
		cmocka_unit_test(short_pauses_alone_earn_the_spinning),
		cmocka_unit_test(worst_case_is_paid_by_the_short_pauses),
		cmocka_unit_test(budget_of_nothing_is_never),
		cmocka_unit_test(budget_is_bounded),
		cmocka_unit_test(wanted_cpu_is_not_spun_on),
		cmocka_unit_test(preemption_now_and_then_does_not_matter),
		cmocka_unit_test(spinning_returns_when_the_cpu_is_free_again),
		cmocka_unit_test(work_without_a_pause_teaches_nothing),
	};

	poll_play_print(BUDGET_US, WAKE_US);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
