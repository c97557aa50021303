/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest sends: order, duplicates, backpressure, acknowledgements. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define BULK 700000 /* bytes, more than any window that we begin with */

static void tcp_data_reaches_host(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "hello", 5);
	host_expect_silence(guest);
}

static void test_payload_in_pieces_reaches_host(void **state)
{
	struct guest *guest = *state;

	guest->split = 57;
	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "hello", 5);
}

static void test_segments_of_a_turn_are_one_send(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK, "one ", 4);
	guest_send(guest, TH_ACK, "two ", 4);
	guest_send(guest, TH_ACK, "three", 5);
	fake_turn(guest->shard);
	assert_int_equal(guest->shard->op_count[ENGINE_SEND], 1);
	host_expect(guest, "one two three", 13);
}

static void test_more_pieces_than_a_send_takes(void **state)
{
	struct guest *guest = *state;
	char text[2 * PORT_IOV_MAX];

	memset(text, 'a', sizeof(text));
	guest_connect(guest);
	for (size_t i = 0; i < sizeof(text); i++)
		guest_send(guest, TH_ACK, &text[i], 1);
	fake_turn(guest->shard);
	host_expect(guest, text, sizeof(text));
	host_expect_silence(guest);
}

static void test_acknowledgement_waits_for_the_reply(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "request", 7);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(heard.length, 5);
	fake_advance(guest->shard, 50);
	guest_expect_silence(guest);
}

static void test_acknowledgement_without_a_reply(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "request", 7);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	fake_advance(guest->shard, 50);
	guest_expect_silence(guest);
}

static void test_acknowledgement_waits_for_space_asleep(void **state)
{
	struct guest *guest = *state;
	struct shard *shard = guest->shard;
	struct heard heard;

	guest_connect(guest);
	shard->rx_frames_left = 0;
	guest_send(guest, TH_ACK | TH_PUSH, "hello", 5);
	fake_advance(shard, 1000);
	guest_expect_silence(guest);
	assert_true(timer_next(&shard->timers, shard->now_us / 1000) > 100);
	shard->rx_frames_left = -1;
	fake_turn(shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
}

static void test_many_segments_one_acknowledgement(void **state)
{
	struct guest *guest = *state;
	char text[1460] = { 0 };
	struct heard heard;

	guest_connect(guest);
	for (int i = 0; i < 10; i++)
		guest_send(guest, TH_ACK, text, sizeof(text));
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_expect_silence(guest);
}

static bool take_some(struct shard *shard, struct shard_op *op)
{
	size_t *limit = shard->hook_context;
	size_t first = op->op.iov[0].iov_len;

	if (op->op.kind != ENGINE_SEND)
		return false;
	if (!*limit) {
		op->op.result = -EAGAIN;
		return true;
	}
	if (first > *limit)
		op->op.iov[0].iov_len = *limit;
	op->op.message.msg_iovlen = 1;
	op->op.result = (int)send(op->op.fd, op->op.iov[0].iov_base,
				  op->op.iov[0].iov_len, MSG_DONTWAIT);
	return true;
}

static void test_only_what_is_taken_is_acknowledged(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	size_t limit = 3;

	guest_connect(guest);
	guest->shard->hook = take_some;
	guest->shard->hook_context = &limit;
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq - 2);
	assert_int_equal(heard.window, 0);
	host_expect(guest, "hel", 3);
}

static void test_dropped_data_is_asked_for_when_writable(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	size_t limit = 3;

	guest_connect(guest);
	guest->shard->hook = take_some;
	guest->shard->hook_context = &limit;
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	guest->shard->hook = NULL;
	/* The window opens, and three duplicates follow. */
	guest_wait(guest);
	for (int i = 0; i < 4; i++) {
		guest_expect(guest, TH_ACK, &heard);
		assert_int_equal(heard.ack, guest->seq - 2);
		assert_int_not_equal(heard.window, 0);
	}
	guest_expect_silence(guest);
	guest_send_at(guest, guest->seq - 2, TH_ACK, "lo", 2);
	fake_turn(guest->shard);
	host_expect(guest, "hello", 5);
}

static void test_full_socket_takes_nothing(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	size_t limit = 0;

	guest_connect(guest);
	guest->shard->hook = take_some;
	guest->shard->hook_context = &limit;
	guest_send(guest, TH_ACK, "hello", 5);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq - 5);
	host_expect_silence(guest);
}

/* Right edge of the window that a segment tells. */
static uint32_t edge_of(const struct heard *heard)
{
	return heard->ack + ((uint32_t)heard->window << 8);
}

/* Send as a guest does: within the window, again what is not acknowledged. */
static void send_bulk(struct guest *guest, const uint8_t *data, size_t size,
		      uint8_t *got)
{
	uint32_t first = guest->seq, edge = guest->seq + 65535;
	size_t taken = 0;
	struct heard heard;

	while (taken < size) {
		size_t sent = guest->seq - first;
		size_t most = edge - guest->seq;
		ssize_t n;

		if (most > 30000)
			most = 30000;
		if (most > size - sent)
			most = size - sent;
		if (most)
			guest_send(guest, TH_ACK, data + sent, most);
		fake_turn(guest->shard);
		while (guest_hear(guest, &heard)) {
			edge = edge_of(&heard);
			if ((int32_t)(guest->seq - edge) > 0)
				guest->seq = heard.ack;
		}
		n = recv(guest->host, got + taken, size - taken, MSG_DONTWAIT);
		if (n > 0)
			taken += (size_t)n;
		fake_drop_frames(guest->shard);
	}
}

static void tcp_writes_more_than_256kb_succeed(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(BULK), *got = malloc(BULK);

	for (size_t i = 0; i < BULK; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	guest_connect(guest);
	send_bulk(guest, data, BULK, got);
	assert_memory_equal(data, got, BULK);
	host_expect_silence(guest);
	free(data);
	free(got);
}

/*
 * Send in pieces while nobody reads on the host: the window must close, and
 * nothing that was promised may be dropped. Return: bytes that were sent
 */
static uint32_t send_until_closed(struct guest *guest, const uint8_t *data,
				  uint32_t piece)
{
	uint32_t edge = guest->seq + 65535, sent = 0;
	struct heard heard;
	int blocked = 0;

	while (blocked < 3) {
		uint32_t most = edge - guest->seq;

		if (most > piece)
			most = piece;
		if (most)
			guest_send(guest, TH_ACK, data, most);
		sent += most;
		fake_advance(guest->shard, 2);
		while (guest_hear(guest, &heard)) {
			assert_int_equal(heard.ack, guest->seq);
			edge = edge_of(&heard);
		}
		fake_drop_frames(guest->shard);
		blocked = edge - guest->seq < 1460 ? blocked + 1 : 0;
		assert_true(sent < 100000000);
	}
	return sent;
}

static void test_window_follows_the_send_buffer(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = calloc(1, 65536);
	struct heard heard;
	uint32_t sent;

	guest_connect(guest);
	sent = send_until_closed(guest, data, 30000);
	while (sent) {
		ssize_t n = recv(guest->host, data, 65536, 0);

		assert_true(n > 0);
		sent -= (uint32_t)n;
	}
	guest_wait(guest);
	assert_true(guest_hear(guest, &heard));
	assert_true(edge_of(&heard) - guest->seq > 100000);
	free(data);
}

/* The kernel keeps each piece for such a peer in a buffer of its own. */
static void test_window_follows_a_buffer_of_small_pieces(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = calloc(1, 65536);
	int size = 4096;

	assert_return_code(setsockopt(guest->listener, SOL_SOCKET, SO_RCVBUF,
				      &size, sizeof(size)),
			   errno);
	guest_connect(guest);
	send_until_closed(guest, data, 2920);
	free(data);
}

static void test_short_exchange_asks_no_window(void **state)
{
	struct guest *guest = *state;
	uint64_t before;

	guest_connect(guest);
	before = guest->shard->counters.syscalls;
	guest_send(guest, TH_ACK, "request", 7);
	fake_turn(guest->shard);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	assert_int_equal(guest->shard->counters.syscalls, before);
}

#define PUSH_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PUSH_TEST(tcp_data_reaches_host),
		PUSH_TEST(test_payload_in_pieces_reaches_host),
		PUSH_TEST(test_segments_of_a_turn_are_one_send),
		PUSH_TEST(test_more_pieces_than_a_send_takes),
		PUSH_TEST(test_acknowledgement_waits_for_the_reply),
		PUSH_TEST(test_acknowledgement_without_a_reply),
		PUSH_TEST(test_acknowledgement_waits_for_space_asleep),
		PUSH_TEST(test_many_segments_one_acknowledgement),
		PUSH_TEST(test_only_what_is_taken_is_acknowledged),
		PUSH_TEST(test_dropped_data_is_asked_for_when_writable),
		PUSH_TEST(test_full_socket_takes_nothing),
		PUSH_TEST(tcp_writes_more_than_256kb_succeed),
		PUSH_TEST(test_window_follows_the_send_buffer),
		PUSH_TEST(test_window_follows_a_buffer_of_small_pieces),
		PUSH_TEST(test_short_exchange_asks_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
