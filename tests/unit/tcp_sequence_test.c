/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers of the guest's: old, future, overlapping, out of order. The
 * guest's begin 4096 below the wrap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

static void test_retransmission_is_not_written_twice(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_send_at(guest, guest->seq - 5, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_expect(guest, "hello", 5);
	host_expect_silence(guest);
}

static void test_overlap_is_cut_off(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK, "hello", 5);
	guest_send_at(guest, guest->seq - 3, TH_ACK, "llo world", 9);
	guest->seq += 6;
	fake_turn(guest->shard);
	host_expect(guest, "hello world", 11);
	host_expect_silence(guest);
}

static void test_out_of_order_is_asked_for(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest->shard->holds_left = 0;
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_expect_silence(guest);
	guest_send(guest, TH_ACK, "hello", 5);
	guest_send(guest, TH_ACK, "world", 5);
	fake_turn(guest->shard);
	host_expect(guest, "helloworld", 10);
}

static void test_reordered_segments_are_put_in_order(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 10, TH_ACK | TH_FIN, "end", 3);
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	fake_turn(guest->shard);
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "helloworldend", 13);
	host_expect_eof(guest);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq + 9);
	fake_advance(guest->shard, 100);
	guest_expect_silence(guest);
}

static void test_held_segment_that_overlaps_is_cut(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5, TH_ACK, " world", 6);
	guest_send_at(guest, guest->seq + 3, TH_ACK, "lo wo", 5);
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "hello world", 11);
	host_expect_silence(guest);
}

static void test_lasting_gap_is_asked_for(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	fake_advance(guest->shard, 10);
	for (int i = 0; i < 3; i++) {
		guest_expect(guest, TH_ACK, &heard);
		assert_int_equal(heard.ack, guest->seq);
	}
	guest_expect_silence(guest);
}

static void test_reset_with_segments_held(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	guest_send(guest, TH_ACK, "hello", 5);
	guest_send_at(guest, guest->seq + 15, TH_ACK, "world", 5);
	guest->seq += 5;
	guest_send(guest, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_three_out_of_order_three_duplicates(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->holds_left = 0;
	guest_connect(guest);
	for (int i = 1; i < 4; i++)
		guest_send_at(guest, guest->seq + 5U * (unsigned int)i, TH_ACK,
			      "world", 5);
	fake_turn(guest->shard);
	for (int i = 0; i < 3; i++) {
		guest_expect(guest, TH_ACK, &heard);
		assert_int_equal(heard.ack, guest->seq);
	}
	guest_expect_silence(guest);
}

static void test_beyond_the_window_is_dropped(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 70000, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	host_expect_silence(guest);
}

static void test_keep_alive_is_answered(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq - 1, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_send_at(guest, guest->seq - 1, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	host_expect_silence(guest);
}

static void tcp_data_round_trip(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	for (int i = 0; i < 3; i++) {
		guest_send(guest, TH_ACK | TH_PUSH, "ping", 4);
		fake_turn(guest->shard);
		host_expect(guest, "ping", 4);
		host_send(guest, "pong", 4);
		guest_wait(guest);
		guest_expect(guest, TH_ACK | TH_PUSH, &heard);
		assert_int_equal(heard.ack, guest->seq);
		assert_memory_equal(heard.data, "pong", 4);
	}
}

/* It may be sent again behind the handshake, and is (RFC 9293, 3.10.7.2). */
static void test_data_in_a_syn_is_left_to_its_repetition(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send_at(guest, guest->seq, TH_SYN, "early", 5);
	guest->seq++;
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_send(guest, TH_ACK, "early", 5);
	fake_turn(guest->shard);
	guest->host = accept(guest->listener, NULL, NULL);
	host_expect(guest, "early", 5);
	host_expect_silence(guest);
}

static void test_segment_across_the_windows_edge_is_cut(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(65535 + 100);
	struct heard heard;

	guest_fill(data, 65535 + 100);
	guest_connect(guest);
	for (uint32_t at = 0; at < 60000; at += 30000)
		guest_send_at(guest, guest->seq + at, TH_ACK, data + at, 30000);
	guest_send_at(guest, guest->seq + 60000, TH_ACK, data + 60000,
		      5535 + 100);
	fake_turn(guest->shard);
	guest_wait(guest);
	while (guest_hear(guest, &heard))
		assert_int_equal(heard.ack, guest->seq + 65535);
	host_expect(guest, data, 65535);
	host_expect_silence(guest);
	free(data);
}

static void test_end_that_overtakes_its_data_waits(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	host_expect_silence(guest);
	guest_send_at(guest, guest->seq, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "hello", 5);
	host_expect_eof(guest);
}

static void test_end_that_comes_with_data_held_already(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 5, TH_ACK, "world", 5);
	guest_send_at(guest, guest->seq + 5, TH_ACK | TH_FIN, "world", 5);
	guest_send_at(guest, guest->seq, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "helloworld", 10);
	guest_send_at(guest, guest->seq + 5, TH_ACK | TH_FIN, "world", 5);
	fake_turn(guest->shard);
	host_expect_eof(guest);
}

static void test_old_reset_is_ignored(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_send_at(guest, guest->seq - 5, TH_RST, NULL, 0);
	guest_send_at(guest, guest->seq - 500, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	assert_int_equal(fake_flows_live(guest->shard), 1);
	host_expect(guest, "hello", 5);
	host_expect_silence(guest);
}

/* RFC 5961, 4.2: a guest that has forgotten the connection, and begins one. */
static void test_challenged_guest_gets_its_new_connection(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send_at(guest, guest->seq + 70000, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	guest_send_at(guest, heard.ack, TH_RST, NULL, 0);
	fake_turn(guest->shard);
	host_expect_reset(guest);
	close(guest->host);
	guest->seq += 70000;
	guest_connect(guest);
	guest_send(guest, TH_ACK, "again", 5);
	fake_turn(guest->shard);
	host_expect(guest, "again", 5);
}

#define SEQUENCE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEQUENCE_TEST(test_retransmission_is_not_written_twice),
		SEQUENCE_TEST(test_overlap_is_cut_off),
		SEQUENCE_TEST(test_out_of_order_is_asked_for),
		SEQUENCE_TEST(test_reordered_segments_are_put_in_order),
		SEQUENCE_TEST(test_held_segment_that_overlaps_is_cut),
		SEQUENCE_TEST(test_lasting_gap_is_asked_for),
		SEQUENCE_TEST(test_reset_with_segments_held),
		SEQUENCE_TEST(test_three_out_of_order_three_duplicates),
		SEQUENCE_TEST(test_beyond_the_window_is_dropped),
		SEQUENCE_TEST(test_keep_alive_is_answered),
		SEQUENCE_TEST(tcp_data_round_trip),
		SEQUENCE_TEST(test_data_in_a_syn_is_left_to_its_repetition),
		SEQUENCE_TEST(test_segment_across_the_windows_edge_is_cut),
		SEQUENCE_TEST(test_end_that_overtakes_its_data_waits),
		SEQUENCE_TEST(test_end_that_comes_with_data_held_already),
		SEQUENCE_TEST(test_old_reset_is_ignored),
		SEQUENCE_TEST(test_challenged_guest_gets_its_new_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
