/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits when a shard does not keep up: frames that are handed over, and
 * flows that move. The test's thread is all the shards' threads. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "slirp/move.h"
#include "support/counts.h"
#include "support/datagram.h"
#include "support/fake_port.h"
#include "support/host.h"

#define SHARDS     3
#define HOSTS      2 /* sockets that share what comes at once */
#define GUEST_PORT 4000
#define BUFFERS    (HANDOFF_SMALL_COUNT + HANDOFF_LARGE_COUNT)
#define ROW        8 /* frames until a flow is to move, docs/moving-flows.md */
#define TURNS      100 /* more than anything here takes */

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	int host[HOSTS];
	uint16_t host_port[HOSTS];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&f->config);
	f->config.shard_count = SHARDS;
	f->config.ipv6 = false;
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	for (int i = 0; i < HOSTS; i++)
		f->host[i] = host_open(SOCK_DGRAM | SOCK_NONBLOCK, 0,
				       &f->host_port[i]);
	if (slirp_create(&f->config, port, &f->slirp, &fail)) {
		fprintf(stderr, "%s\n", fail.text);
		return -1;
	}
	f->slirp->grace.wake_fd = -1;
	urcu_qsbr_register_thread();
	for (int i = 0; i < SHARDS; i++)
		assert_int_equal(shard_begin(f->slirp->shard[i]), 0);
	slirp_set_queues(f->slirp, SHARDS);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < SHARDS; i++)
		shard_end(f->slirp->shard[i]);
	urcu_qsbr_unregister_thread();
	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	for (int i = 0; i < HOSTS; i++)
		close(f->host[i]);
	free(f);
	return 0;
}

static void turn(struct fixture *f, unsigned int index)
{
	struct shard *shard = f->slirp->shard[index];
	struct engine_event event[SHARD_EVENTS_MAX];

	shard_turn(shard, event,
		   engine_wait(shard->engine, event, SHARD_EVENTS_MAX, 0));
	shard_tidy(shard);
}

static void pass_grace_period(struct fixture *f)
{
	f->slirp->grace.completed = ++f->slirp->grace.started;
}

/* A datagram of the guest's port number @flow; it carries @number. */
static void transmit(struct fixture *f, unsigned int queue, unsigned int flow,
		     uint32_t number)
{
	uint8_t frame[128];
	size_t size = datagram_make(
		&f->config, frame, (uint16_t)(GUEST_PORT + flow),
		f->host_port[number % HOSTS], &number, sizeof(number));

	fake_port_transmit(f->fake[queue], frame, size);
}

/* The hosts take what has come. Return: the number after the last, of those
 * from @next on that are all there, each in its turn */
static uint32_t host_take(struct fixture *f, uint32_t next)
{
	uint32_t number;

	while (recv(f->host[next % HOSTS], &number, sizeof(number), 0) ==
	       (ssize_t)sizeof(number))
		assert_int_equal(number, next++);
	return next;
}

/* Turns of this shard alone, until it takes no more frames. */
static void exhaust(struct fixture *f, unsigned int index)
{
	unsigned int before;

	do {
		before = fake_port_outstanding(f->fake[index]);
		turn(f, index);
	} while (fake_port_outstanding(f->fake[index]) != before);
}

static uint64_t moved(struct fixture *f)
{
	return counts_stat(f->slirp, -1, "flows_moved_in");
}

static void nothing_is_lost(struct fixture *f)
{
	assert_int_equal(counts_stat(f->slirp, -1, "tx_dropped"), 0);
	for (int i = 0; i < SHARDS; i++)
		assert_int_equal(fake_port_outstanding(f->fake[i]), 0);
}

static void turn_all(struct fixture *f)
{
	for (unsigned int i = 0; i < SHARDS; i++)
		turn(f, i);
	pass_grace_period(f);
}

/* Turns of all until the hosts have @count, in order. */
static void finish(struct fixture *f, uint32_t next, uint32_t count)
{
	for (int i = 0; i < TURNS && next < count; i++) {
		turn_all(f);
		next = host_take(f, next);
	}
	assert_int_equal(next, count);
	nothing_is_lost(f);
}

static void finish_moves(struct fixture *f, uint64_t count)
{
	for (int i = 0; i < TURNS && moved(f) < count; i++)
		turn_all(f);
	assert_int_equal(moved(f), count);
}

static void frames_wait_in_their_queue_while_their_owner_is_busy(void **state)
{
	enum { COUNT = 2 * BUFFERS };
	struct fixture *f = *state;

	transmit(f, 0, 0, 0);
	turn(f, 0);
	for (uint32_t i = 1; i <= COUNT; i++)
		transmit(f, 1, 0, i);
	exhaust(f, 1);
	assert_int_equal(fake_port_outstanding(f->fake[1]), COUNT - BUFFERS);
	assert_int_equal(counts_stat(f->slirp, 1, "handoffs_out"), BUFFERS);
	finish(f, 0, COUNT + 1);
}

static void other_queues_go_on_while_one_waits(void **state)
{
	struct fixture *f = *state;
	uint32_t next;

	transmit(f, 0, 0, 0);
	turn(f, 0);
	for (uint32_t i = 1; i <= 2 * BUFFERS; i++)
		transmit(f, 1, 0, i);
	exhaust(f, 1);
	next = host_take(f, 0);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		transmit(f, 2, 1, next + i);
		turn(f, 2);
		assert_int_equal(host_take(f, next + i), next + i + 1);
	}
}

static void a_shard_that_waits_for_buffers_is_woken_by_the_first(void **state)
{
	enum { FLOWS = 300 }; /* so many that none has a row */
	struct fixture *f = *state;
	struct shard *waits = f->slirp->shard[1];
	struct engine_event event[SHARD_EVENTS_MAX];
	uint32_t next = 0;

	for (; next < FLOWS; next++)
		transmit(f, 0, next, next);
	exhaust(f, 0);
	for (; next < FLOWS + 2 * BUFFERS; next++)
		transmit(f, 1, next % FLOWS, next);
	exhaust(f, 1);
	while (engine_wait(waits->engine, event, SHARD_EVENTS_MAX, 0))
		;
	handoff_starve(waits);
	assert_false(handoff_has_room(waits));
	assert_int_equal(counts_stat(f->slirp, 1, "handoffs_full"), 1);
	turn(f, 0);
	assert_int_equal(engine_wait(waits->engine, event, SHARD_EVENTS_MAX, 0),
			 1);
	finish(f, 0, next);
	assert_int_equal(moved(f), 0);
}

/* A row of frames of @flow on queue 1, and what it leads to, up to the point
 * where shard 1 keeps its frames. Return: the number of the next */
static uint32_t move_until_kept(struct fixture *f, uint32_t next)
{
	for (uint32_t i = 0; i < ROW; i++)
		transmit(f, 1, 0, next++);
	turn(f, 1); /* hands them over */
	turn(f, 0); /* PROPOSE */
	turn(f, 1); /* ACCEPT */
	turn(f, 0); /* published */
	pass_grace_period(f);
	turn(f, 0); /* HOLD */
	turn(f, 1); /* HELD */
	assert_int_equal(f->slirp->shard[0]->moves[0].stage, MOVE_HOLDING);
	assert_int_equal(f->slirp->shard[0]->moves[0].word, MOVE_HELD);
	return next;
}

static void frames_that_are_kept_push_back_on_their_queue(void **state)
{
	enum { COUNT = 2 * BUFFERS };
	struct fixture *f = *state;
	uint32_t next;

	transmit(f, 0, 0, 0);
	turn(f, 0);
	next = move_until_kept(f, 1);
	for (uint32_t i = 0; i < COUNT; i++)
		transmit(f, 1, 0, next + i);
	exhaust(f, 1);
	assert_int_equal(fake_port_outstanding(f->fake[1]), COUNT - BUFFERS);
	assert_int_equal(host_take(f, 0), next);
	finish(f, next, next + COUNT);
	assert_int_equal(moved(f), 1);
}

static void a_move_waits_for_no_buffer(void **state)
{
	struct fixture *f = *state;
	uint32_t next = 0;

	transmit(f, 2, 1, next++);
	turn(f, 2);
	transmit(f, 0, 0, next++);
	turn(f, 0);
	for (int i = 0; i < ROW; i++)
		transmit(f, 1, 0, next++);
	turn(f, 1);
	assert_int_equal(fake_port_outstanding(f->fake[1]), 0);
	/* All of its buffers lie with a shard that does nothing. */
	for (uint32_t i = 0; i < 2 * BUFFERS; i++)
		transmit(f, 1, 1, next++);
	exhaust(f, 1);
	for (int i = 0; i < TURNS && !moved(f); i++) {
		turn(f, 0);
		pass_grace_period(f);
		/* What the row took has come back, and is taken again. */
		exhaust(f, 1);
	}
	assert_int_equal(moved(f), 1);
	assert_false(handoff_has_room(f->slirp->shard[1]));
	finish(f, 0, next);
}

static void flows_for_which_there_is_no_record_move_later(void **state)
{
	enum { FLOWS = MOVES_MAX + 10 };
	struct fixture *f = *state;
	uint32_t next = 0;

	for (unsigned int flow = 0; flow < FLOWS; flow++)
		transmit(f, 0, flow, next++);
	turn(f, 0);
	for (int i = 0; i < ROW; i++)
		for (unsigned int flow = 0; flow < FLOWS; flow++)
			transmit(f, 1, flow, next++);
	exhaust(f, 1);
	turn(f, 0);
	assert_int_equal(f->slirp->shard[0]->moves_busy, MOVES_MAX);
	finish_moves(f, MOVES_MAX);
	finish(f, 0, next);
	for (unsigned int flow = 0; flow < FLOWS; flow++)
		transmit(f, 1, flow, next++);
	finish_moves(f, FLOWS);
	assert_int_equal(host_take(f, next - FLOWS), next);
	nothing_is_lost(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_wait_in_their_queue_while_their_owner_is_busy),
		TEST(other_queues_go_on_while_one_waits),
		TEST(a_shard_that_waits_for_buffers_is_woken_by_the_first),
		TEST(frames_that_are_kept_push_back_on_their_queue),
		TEST(a_move_waits_for_no_buffer),
		TEST(flows_for_which_there_is_no_record_move_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
