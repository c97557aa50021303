/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections end: FIN in every order, RST, time-outs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

static void host_close(struct guest *guest)
{
	close(guest->host);
	guest->host = -1;
}

static void host_reset(struct guest *guest)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(guest->host, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	host_close(guest);
}

static void test_transaction_takes_three_frames(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "request", 7);
	fake_turn(guest->shard);
	host_expect(guest, "request", 7);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	guest_send(guest, TH_ACK, NULL, 0);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	host_expect_eof(guest);
	host_close(guest);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_over(guest);
	assert_int_equal(guest->shard->sent_count, 3);
	assert_int_equal(guest->shard->counters.tcp_resets, 0);
}

static void test_fin_with_data_is_acknowledged_whole(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, "last", 4);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_expect(guest, "last", 4);
	host_expect_eof(guest);
}

static void tcp_half_close_guest_writes_first(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, "question", 8);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	host_expect(guest, "question", 8);
	host_expect_eof(guest);
	host_send(guest, "answer", 6);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "answer", 6);
	host_close(guest);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_over(guest);
}

static void tcp_half_close_host_writes_first(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_half_close(guest);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_send(guest, TH_ACK, "still here", 10);
	fake_turn(guest->shard);
	host_expect(guest, "still here", 10);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_expect_eof(guest);
	guest_expect_over(guest);
}

static void test_both_close_at_once(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	uint32_t before;

	guest_connect(guest);
	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	before = guest->ack;
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
	/* The guest's FIN was under way and does not acknowledge ours. */
	guest->ack = before;
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	host_expect_eof(guest);
	guest->ack = before + 1;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_expect_over(guest);
	assert_int_equal(guest->shard->counters.tcp_resets, 0);
}

static void test_data_and_end_from_host(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_send(guest, "reply", 5);
	host_close(guest);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
}

static void test_fin_repeated_by_guest_is_acknowledged(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	guest_send_at(guest, guest->seq - 1, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
}

static void test_our_fin_is_sent_again(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_close(guest);
	guest_wait(guest);
	assert_true(guest_hear(guest, &heard));
	assert_int_equal(heard.flags, TH_ACK | TH_FIN);
	fake_advance(guest->shard, 1100);
	assert_true(guest_hear(guest, &heard));
	assert_int_equal(heard.flags, TH_ACK | TH_FIN);
}

static void test_guest_reset_resets_host(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	host_expect_reset(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_reset_in_window_is_challenged(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 100, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(fake_flows_live(guest->shard), 1);
}

static void test_reset_outside_window_is_ignored(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 1000000, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	assert_int_equal(fake_flows_live(guest->shard), 1);
}

static void test_host_reset_resets_guest(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_reset(guest);
	guest_wait(guest);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(heard.seq, guest->ack);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_reply_before_host_reset_arrives(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_send(guest, "sorry", 5);
	host_reset(guest);
	guest_send(guest, TH_ACK, "more", 4);
	fake_turn(guest->shard);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "sorry", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
}

static void test_syn_inside_connection_is_challenged(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5000, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(fake_flows_live(guest->shard), 1);
}

static void test_syn_on_closing_flow_makes_a_new_one(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	host_close(guest);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
	guest->seq += 100000;
	guest_connect(guest);
	guest_send(guest, TH_ACK, "again", 5);
	fake_turn(guest->shard);
	host_expect(guest, "again", 5);
	assert_int_equal(fake_flows_live(guest->shard), 1);
}

static void test_late_copy_of_syn_leaves_closing_flow_alone(void **state)
{
	struct guest *guest = *state;
	uint32_t isn = guest->seq;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, "question", 8);
	fake_turn(guest->shard);
	guest_send_at(guest, isn, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_send(guest, "answer", 6);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "answer", 6);
}

static void test_abort_resets_both(void **state)
{
	struct guest *guest = *state;
	struct flow *flow;
	struct heard heard;

	guest_connect(guest);
	flow = guest_flow(guest);
	flow->ops->abort(guest->shard, flow);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	host_expect_reset(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_abort_delivers_what_the_guest_ended(void **state)
{
	struct guest *guest = *state;
	uint8_t data[40000];
	struct flow *flow;
	int little = 1;

	/* Most of it waits in the host's kernel, for a peer that is slow. */
	setsockopt(guest->listener, SOL_SOCKET, SO_RCVBUF, &little,
		   sizeof(little));
	guest_fill(data, sizeof(data));
	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, data, sizeof(data));
	fake_turn(guest->shard);
	flow = guest_flow(guest);
	flow->ops->abort(guest->shard, flow);
	fake_turn(guest->shard);
	host_expect(guest, data, sizeof(data));
	host_expect_eof(guest);
}

static void test_bulk_before_end_is_not_reset(void **state)
{
	struct guest *guest = *state;
	char data[20000] = { 0 };
	struct heard heard;

	/* Closing a socket with data unread would reset the host's peer. */
	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	fake_turn(guest->shard);
	fake_turn(guest->shard);
	while (guest_hear(guest, &heard))
		guest->ack = heard.seq + (uint32_t)heard.length +
			     !!(heard.flags & TH_FIN);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	fake_turn(guest->shard);
	guest_expect_over(guest);
	host_expect_eof(guest);
}

#define CLOSE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLOSE_TEST(test_transaction_takes_three_frames),
		CLOSE_TEST(test_fin_with_data_is_acknowledged_whole),
		CLOSE_TEST(tcp_half_close_guest_writes_first),
		CLOSE_TEST(tcp_half_close_host_writes_first),
		CLOSE_TEST(test_both_close_at_once),
		CLOSE_TEST(test_data_and_end_from_host),
		CLOSE_TEST(test_fin_repeated_by_guest_is_acknowledged),
		CLOSE_TEST(test_our_fin_is_sent_again),
		CLOSE_TEST(test_guest_reset_resets_host),
		CLOSE_TEST(test_reset_in_window_is_challenged),
		CLOSE_TEST(test_reset_outside_window_is_ignored),
		CLOSE_TEST(test_host_reset_resets_guest),
		CLOSE_TEST(test_reply_before_host_reset_arrives),
		CLOSE_TEST(test_syn_inside_connection_is_challenged),
		CLOSE_TEST(test_syn_on_closing_flow_makes_a_new_one),
		CLOSE_TEST(test_late_copy_of_syn_leaves_closing_flow_alone),
		CLOSE_TEST(test_abort_resets_both),
		CLOSE_TEST(test_abort_delivers_what_the_guest_ended),
		CLOSE_TEST(test_bulk_before_end_is_not_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
