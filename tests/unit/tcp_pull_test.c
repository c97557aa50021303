/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host sends: segments, windows, retransmission, receive space. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define BULK 3000000 /* bytes */

static void test_small_reply_is_one_operation(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_int_equal(heard.length, 5);
	assert_memory_equal(heard.data, "reply", 5);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	fake_turn(guest->shard);
	assert_int_equal(guest->shard->op_count[ENGINE_RECV], 1);
	assert_int_equal(guest->shard->op_count[ENGINE_DISCARD], 0);
}

static void test_reply_without_keep_buffer(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->keeps_left = 0;
	guest_connect(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "reply", 5);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	assert_int_equal(guest->shard->op_count[ENGINE_DISCARD], 1);
}

static void test_host_may_speak_first(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest->host = accept(guest->listener, NULL, NULL);
	host_send(guest, "banner", 6);
	assert_true(fake_wait(guest->shard));
	guest_expect_silence(guest);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "banner", 6);
}

static void test_bulk_arrives_whole(void **state)
{
	guest_connect(*state);
	guest_transfer(*state, BULK);
}

static void test_bulk_uses_large_frames(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = calloc(1, 300000);
	size_t longest = 0;
	struct heard heard;

	guest->window = 65535;
	guest_connect(guest);
	guest->window = 32768; /* times 128 */
	guest_send(guest, TH_ACK, NULL, 0);
	host_send(guest, data, 300000);
	for (int i = 0; i < 3; i++)
		fake_turn(guest->shard);
	while (guest_hear(guest, &heard)) {
		if (heard.length > longest)
			longest = heard.length;
		if (heard.length > guest->mss) {
			assert_int_equal(heard.offload.gso_type,
					 PORT_GSO_TCPV4);
			assert_int_equal(heard.offload.gso_size, guest->mss);
		}
	}
	assert_in_range(longest, 60000, 65495);
	free(data);
}

static void test_bulk_without_offloads(void **state)
{
	struct guest *guest = *state;

	guest->shard->features.rx_tso4 = false;
	guest->shard->features.rx_csum = false;
	guest->shard->features.rx_frame_max = 1514;
	guest_connect(guest);
	guest_transfer(guest, 400000);
}

static void test_bulk_with_few_buffers(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(200000), *got = malloc(200000);
	size_t taken = 0;

	guest_fill(data, 200000);
	guest_connect(guest);
	host_send(guest, data, 200000);
	while (taken < 200000) {
		size_t n;

		guest->shard->rx_frames_left = 1;
		fake_turn(guest->shard);
		n = guest_listen(guest, got + taken);
		taken += n;
		fake_drop_frames(guest->shard);
		guest_send(guest, TH_ACK, NULL, 0);
	}
	assert_memory_equal(data, got, 200000);
	assert_true(guest->shard->stalls > 0);
	guest->shard->rx_frames_left = -1;
	free(data);
	free(got);
}

static void test_frames_keep_to_the_window(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = calloc(1, 100000);
	struct heard heard;
	size_t got = 0;

	guest_connect(guest);
	guest->window = 78; /* times 128: 9984 bytes */
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	host_send(guest, data, 100000);
	guest_wait(guest);
	for (int i = 0; i < 5; i++)
		fake_turn(guest->shard);
	while (guest_hear(guest, &heard))
		got += heard.length;
	assert_int_equal(got, 9984);
	free(data);
}

static void test_closed_window_is_probed(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest->window = 0;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	host_send(guest, "data", 4);
	assert_true(fake_wait(guest->shard));
	guest_expect_silence(guest);
	fake_advance(guest->shard, 1100);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.seq, guest->ack - 1);
	assert_int_equal(heard.length, 0);
	fake_drop_frames(guest->shard);
	guest->window = 100;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_memory_equal(heard.data, "data", 4);
}

static void test_guest_with_closed_window_is_not_given_up(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest->window = 0;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	host_send(guest, "data", 4);
	for (int i = 0; i < 1200; i++) {
		fake_advance(guest->shard, 1000);
		while (guest_hear(guest, &heard))
			guest_send(guest, TH_ACK, NULL, 0);
		fake_drop_frames(guest->shard);
	}
	assert_int_equal(fake_flows_live(guest->shard), 1);
}

static void expect_again(struct guest *guest, const char *text)
{
	struct heard heard;

	assert_true(guest_hear(guest, &heard));
	assert_int_equal(heard.length, strlen(text));
	assert_memory_equal(heard.data, text, strlen(text));
}

static void test_lost_reply_is_sent_again(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	expect_again(guest, "reply");
	fake_advance(guest->shard, 150);
	guest_expect_silence(guest);
	fake_advance(guest->shard, 900);
	expect_again(guest, "reply");
	assert_true(guest->shard->counters.tcp_retransmits >= 1);
}

static void test_lost_bulk_is_sent_again(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(50000), *got = malloc(50000);

	guest_fill(data, 50000);
	guest_connect(guest);
	host_send(guest, data, 50000);
	guest_wait(guest);
	fake_turn(guest->shard);
	fake_drop_frames(guest->shard); /* all is lost */
	fake_advance(guest->shard, 1500);
	assert_int_equal(guest_listen(guest, got), 50000);
	assert_memory_equal(data, got, 50000);
	free(data);
	free(got);
}

static void test_three_duplicates_are_a_loss(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(20000), *got = malloc(20000);

	guest_fill(data, 20000);
	guest_connect(guest);
	host_send(guest, data, 20000);
	guest_wait(guest);
	fake_turn(guest->shard);
	fake_drop_frames(guest->shard);
	guest_send(guest, TH_ACK, NULL, 0);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	assert_int_equal(guest_listen(guest, got), 20000);
	assert_memory_equal(data, got, 20000);
	free(data);
	free(got);
}

static void test_silent_guest_is_given_up(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	host_send(guest, "reply", 5);
	guest_wait(guest);
	fake_advance(guest->shard, 300000);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	host_expect_reset(guest);
}

static void test_acknowledging_the_future_is_dropped(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest->ack += 1000;
	guest_send(guest, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	guest->ack -= 1000;
	guest_expect(guest, TH_ACK, &heard);
	host_expect_silence(guest);
}

#define PULL_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PULL_TEST(test_small_reply_is_one_operation),
		PULL_TEST(test_reply_without_keep_buffer),
		PULL_TEST(test_host_may_speak_first),
		PULL_TEST(test_bulk_arrives_whole),
		PULL_TEST(test_bulk_uses_large_frames),
		PULL_TEST(test_bulk_without_offloads),
		PULL_TEST(test_bulk_with_few_buffers),
		PULL_TEST(test_frames_keep_to_the_window),
		PULL_TEST(test_closed_window_is_probed),
		PULL_TEST(test_guest_with_closed_window_is_not_given_up),
		PULL_TEST(test_lost_reply_is_sent_again),
		PULL_TEST(test_lost_bulk_is_sent_again),
		PULL_TEST(test_three_duplicates_are_a_loss),
		PULL_TEST(test_silent_guest_is_given_up),
		PULL_TEST(test_acknowledging_the_future_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
