/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest says of a connection that is over on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define REMEMBERED_MS 2500 /* longer than an ended connection is remembered */

static void host_close(struct guest *guest)
{
	close(guest->host);
	guest->host = -1;
}

/* Guest first, as a client that has its answer. */
static void end_by_guest(struct guest *guest)
{
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	host_expect_eof(guest);
	host_close(guest);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
}

/* Host first; the guest's last word is its FIN. */
static void end_by_host(struct guest *guest)
{
	struct heard heard;

	guest_connect(guest);
	host_half_close(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
}

static void test_late_acknowledgement_is_not_reset(void **state)
{
	struct guest *guest = *state;

	end_by_guest(guest);
	guest_send_at(guest, guest->seq - 1, TH_ACK, NULL, 0);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	assert_int_equal(guest->shard->counters.tcp_resets, 0);
}

static void test_repeated_fin_is_acknowledged(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	/* Our acknowledgement was lost. */
	end_by_host(guest);
	fake_advance(guest->shard, 900);
	guest_send_at(guest, guest->seq - 1, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(heard.seq, guest->ack);
	/* The time begins anew. */
	fake_advance(guest->shard, 1900);
	guest_send_at(guest, guest->seq - 1, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
}

static void test_last_acknowledgement_waits_for_space(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	host_half_close(guest);
	guest->shard->rx_frames_left = 0;
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	guest->shard->rx_frames_left = -1;
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
}

static void test_host_hears_the_end_at_once(void **state)
{
	struct guest *guest = *state;

	end_by_host(guest);
	fake_turn(guest->shard);
	host_expect_eof(guest);
}

static void test_end_is_forgotten(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	end_by_host(guest);
	fake_advance(guest->shard, REMEMBERED_MS);
	guest_expect_silence(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	guest_send(guest, TH_ACK, NULL, 0);
	guest_expect(guest, TH_RST, &heard);
}

static void test_new_syn_is_a_new_connection(void **state)
{
	struct guest *guest = *state;

	end_by_guest(guest);
	guest->seq += 64000;
	guest_connect(guest);
	guest_send(guest, TH_ACK, "again", 5);
	fake_turn(guest->shard);
	host_expect(guest, "again", 5);
}

static void test_late_copy_of_syn_is_no_new_connection(void **state)
{
	struct guest *guest = *state;
	uint32_t isn = guest->seq;

	end_by_guest(guest);
	guest_send_at(guest, isn, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	assert_int_equal(guest->shard->op_count[ENGINE_CONNECT], 2);
}

static void test_reset_is_not_answered(void **state)
{
	struct guest *guest = *state;

	end_by_guest(guest);
	guest_send(guest, TH_RST, NULL, 0);
	guest_send(guest, TH_RST | TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
}

#define TIME_WAIT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TIME_WAIT_TEST(test_late_acknowledgement_is_not_reset),
		TIME_WAIT_TEST(test_repeated_fin_is_acknowledged),
		TIME_WAIT_TEST(test_last_acknowledgement_waits_for_space),
		TIME_WAIT_TEST(test_host_hears_the_end_at_once),
		TIME_WAIT_TEST(test_end_is_forgotten),
		TIME_WAIT_TEST(test_new_syn_is_a_new_connection),
		TIME_WAIT_TEST(test_late_copy_of_syn_is_no_new_connection),
		TIME_WAIT_TEST(test_reset_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
