/* SPDX-License-Identifier: BSD-3-Clause */
/* A shard that looks for work before it sleeps; the test is its thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/shard_internal.h"
#include "support/fake_port.h"

#define SHARDS 2

struct fixture {
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	struct shard *shard;
};

static struct fixture *create(uint32_t poll_us)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct slirp_config config;
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&config);
	config.shard_count = SHARDS;
	config.poll_us = poll_us;
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	if (slirp_create(&config, port, &f->slirp, &fail))
		fail_msg("%s", fail.text);
	f->shard = f->slirp->shard[0];
	return f;
}

static void destroy(struct fixture *f)
{
	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	free(f);
}

static int set_up_polling(void **state, uint32_t poll_us)
{
	struct fixture *f = create(poll_us);

	urcu_qsbr_register_thread();
	*state = f;
	return shard_begin(f->shard);
}

static int set_up(void **state)
{
	return set_up_polling(state, POLL_BUDGET_MAX_US);
}

static int set_up_off(void **state)
{
	return set_up_polling(state, 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	shard_end(f->shard);
	urcu_qsbr_unregister_thread();
	destroy(f);
	return 0;
}

/* What it was told of at its beginning is done with. */
static void settle(struct fixture *f)
{
	struct engine_event event[4];

	shard_turn(f->shard, NULL, 0);
	while (engine_wait(f->shard->engine, event, 4, 0))
		;
}

/* It has seen short pauses so far. */
static void settle_with_dense_work(struct fixture *f)
{
	settle(f);
	for (uint64_t now_us = 0; now_us < 1000; now_us += 10) {
		poll_begin(&f->shard->poll, now_us);
		poll_end(&f->shard->poll, now_us + 1);
	}
}

static void frame_of_the_guest_ends_it(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[64] = { 0 };

	settle_with_dense_work(f);
	fake_port_transmit(f->fake[0], frame, sizeof(frame));
	assert_true(shard_poll(f->shard));
	assert_int_equal(f->shard->counters.polls, 1);
	assert_int_equal(f->shard->counters.poll_won, 1);
}

static void frame_of_another_shard_ends_it(void **state)
{
	struct fixture *f = *state;
	struct shard *other = f->slirp->shard[1];
	struct handoff *handoff = handoff_take(other, 64, false);

	settle_with_dense_work(f);
	handoff->message.kind = MESSAGE_RX;
	handoff->length = 64;
	handoff_send(other, 0, handoff);
	assert_true(shard_poll(f->shard));
	shard_turn(f->shard, NULL, 0);
	assert_int_equal(f->shard->counters.handoffs_in, 1);
}

static void wake_up_call_ends_it(void **state)
{
	struct fixture *f = *state;
	struct engine_event event = { 0 };

	settle_with_dense_work(f);
	shard_wake(f->shard);
	assert_true(shard_poll(f->shard));
	assert_int_equal(engine_wait(f->shard->engine, &event, 1, 0), 1);
	assert_int_equal(event.token, TOKEN(TOKEN_WAKE, 0));
}

static void without_work_it_ends_in_time(void **state)
{
	struct fixture *f = *state;

	settle_with_dense_work(f);
	assert_false(shard_poll(f->shard));
	assert_int_equal(f->shard->counters.polls, 1);
	assert_int_equal(f->shard->counters.poll_won, 0);
	assert_true(f->shard->counters.poll_us >= POLL_BUDGET_MAX_US);
}

static void without_dense_work_there_is_none(void **state)
{
	struct fixture *f = *state;

	settle(f);
	assert_false(shard_poll(f->shard));
	assert_int_equal(f->shard->counters.polls, 0);
}

static void switched_off_there_is_none(void **state)
{
	struct fixture *f = *state;

	settle_with_dense_work(f);
	shard_wake(f->shard);
	assert_false(shard_poll(f->shard));
	assert_int_equal(f->shard->counters.polls, 0);
}

static uint32_t place(void *context, unsigned int shard)
{
	(void)context;
	return 70 + shard;
}

/* Return: the budget of shard 1, where its place allows 71 microseconds */
static uint32_t placed_budget(uint32_t poll_us)
{
	struct fixture *f = create(poll_us);
	struct fail fail = { 0 };
	uint32_t budget_us;

	assert_int_equal(slirp_start(f->slirp, place, NULL, &fail), 0);
	budget_us = f->slirp->shard[1]->poll.budget_us;
	destroy(f);
	return budget_us;
}

static void its_place_decides_unless_the_user_does(void **state)
{
	(void)state;
	assert_int_equal(placed_budget(SLIRP_POLL_AUTO), 71);
	assert_int_equal(placed_budget(0), 0);
	assert_int_equal(placed_budget(500), 500);
}

#define POLLING(test)                                \
	{                                            \
#test, test, set_up, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLLING(frame_of_the_guest_ends_it),
		POLLING(frame_of_another_shard_ends_it),
		POLLING(wake_up_call_ends_it),
		POLLING(without_work_it_ends_in_time),
		POLLING(without_dense_work_there_is_none),
		cmocka_unit_test(its_place_decides_unless_the_user_does),
		{ "switched_off_there_is_none", switched_off_there_is_none,
		  set_up_off, tear_down, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
