/* SPDX-License-Identifier: BSD-3-Clause */
/* Retransmission time-out, keep-alive, and how long silence is borne. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define RESENDS     4
#define EXCHANGES   12
#define ACK_LATE_MS 500 /* later than the first retransmission */

/* Let time pass until the guest is sent something. Return: milliseconds */
static unsigned int advance_to_next(struct guest *guest, struct heard *heard)
{
	unsigned int ms = 0;

	while (!guest_hear(guest, heard)) {
		assert_true(++ms < 100000);
		fake_advance(guest->shard, 1);
	}
	return ms;
}

/* In large steps, which the real shard's clock may make as well. */
static void leap(struct guest *guest, unsigned int seconds)
{
	guest->shard->now_us += seconds * 1000000ULL;
	fake_turn(guest->shard);
}

static void test_retransmissions_back_off(void **state)
{
	struct guest *guest = *state;
	unsigned int ms[RESENDS];
	struct heard heard;

	guest_connect(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	for (int i = 0; i < RESENDS; i++) {
		ms[i] = advance_to_next(guest, &heard);
		assert_int_equal(heard.length, 5);
	}
	for (int i = 1; i < RESENDS; i++)
		assert_in_range(ms[i], 2 * ms[i - 1] - 2, 2 * ms[i - 1] + 2);
}

static void test_answer_to_a_retransmission_is_no_round_trip(void **state)
{
	struct guest *guest = *state;
	struct slirp_flow info = { 0 };
	struct heard heard;
	uint32_t before_us;

	guest_connect(guest);
	guest_flow(guest)->ops->inspect(guest_flow(guest), &info);
	before_us = info.rtt_us;
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	advance_to_next(guest, &heard);
	fake_advance(guest->shard, 100);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_flow(guest)->ops->inspect(guest_flow(guest), &info);
	assert_int_equal(info.rtt_us, before_us);
}

static void test_slow_guest_is_not_sent_everything_twice(void **state)
{
	struct guest *guest = *state;
	uint64_t half = 0;

	guest_connect(guest);
	for (int i = 0; i < EXCHANGES; i++) {
		uint8_t got[16];

		host_send(guest, "reply", 5);
		guest_wait(guest);
		fake_advance(guest->shard, ACK_LATE_MS);
		assert_int_equal(guest_listen(guest, got), 5);
		guest_send(guest, TH_ACK, NULL, 0);
		fake_turn(guest->shard);
		if (i == EXCHANGES / 2)
			half = guest->shard->counters.tcp_retransmits;
	}
	assert_int_equal(guest->shard->counters.tcp_retransmits, half);
}

/* RFC 5382, REQ-5: not before 2 hours and 4 minutes, and then it is asked. */
static void test_idle_guest_that_answers_is_kept(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	leap(guest, 7439);
	guest_expect_silence(guest);
	for (int i = 0; i < 20; i++) {
		leap(guest, 7441);
		guest_expect(guest, TH_ACK, &heard);
		assert_int_equal(heard.seq, guest->ack - 1);
		assert_int_equal(heard.length, 0);
		guest_send(guest, TH_ACK, NULL, 0);
		fake_turn(guest->shard);
		guest_expect_silence(guest);
	}
	host_send(guest, "still here", 10);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
}

static void test_idle_guest_that_is_gone_is_given_up(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	leap(guest, 7441);
	for (int i = 0; i < 20; i++)
		leap(guest, 60);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	host_expect_reset(guest);
}

static bool is_kept_alive(struct guest *guest)
{
	socklen_t size = sizeof(int);
	int on = 0;

	assert_return_code(getsockopt(guest_flow(guest)->sock, SOL_SOCKET,
				      SO_KEEPALIVE, &on, &size),
			   errno);
	return on;
}

/* So that it is noticed when the host's peer is gone; short ones do without. */
static void test_lasting_connection_has_keep_alive(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	fake_turn(guest->shard);
	assert_false(is_kept_alive(guest));
	leap(guest, 120);
	assert_true(is_kept_alive(guest));
}

static void tcp_last_ack_timeout_reaps_stale_entry(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	close(guest->host);
	guest->host = -1;
	guest_wait(guest);
	fake_advance(guest->shard, 60000);
	assert_int_equal(fake_flows_live(guest->shard), 1);
	for (int i = 0; i < 240; i++)
		leap(guest, 1);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static bool connect_goes_on(struct shard *shard, struct shard_op *op)
{
	(void)shard;
	if (op->op.kind != ENGINE_CONNECT)
		return false;
	op->op.result = -EALREADY;
	return true;
}

/* RFC 5382, REQ-5: 4 minutes; the kernel's connect() mostly ends before. */
static void test_pending_connect_is_given_up(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->hook = connect_goes_on;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	leap(guest, 239);
	assert_int_equal(fake_flows_live(guest->shard), 1);
	guest_expect_silence(guest);
	leap(guest, 2);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_unanswered_syn_ack_is_given_up(void **state)
{
	struct guest *guest = *state;

	guest_send(guest, TH_SYN, NULL, 0);
	for (int i = 0; i < 180; i++)
		leap(guest, 1);
	assert_int_equal(fake_flows_live(guest->shard), 1);
	for (int i = 0; i < 61; i++)
		leap(guest, 1);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

#define TIMER_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TIMER_TEST(test_retransmissions_back_off),
		TIMER_TEST(test_answer_to_a_retransmission_is_no_round_trip),
		TIMER_TEST(test_slow_guest_is_not_sent_everything_twice),
		TIMER_TEST(test_idle_guest_that_answers_is_kept),
		TIMER_TEST(test_idle_guest_that_is_gone_is_given_up),
		TIMER_TEST(test_lasting_connection_has_keep_alive),
		TIMER_TEST(tcp_last_ack_timeout_reaps_stale_entry),
		TIMER_TEST(test_pending_connect_is_given_up),
		TIMER_TEST(test_unanswered_syn_ack_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
