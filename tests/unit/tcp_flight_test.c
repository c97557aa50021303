/* SPDX-License-Identifier: BSD-3-Clause */
/* Much under way at once, and nothing done where nothing is to be done. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define WARM   4000000 /* bytes, by which the host's buffers have grown */
#define FLIGHT 1000000 /* bytes */
#define TURNS  50

/* Bytes that the guest is sent before it acknowledges any. */
static size_t count_flight(struct guest *guest)
{
	uint8_t *got = malloc(FLIGHT), *data = calloc(1, FLIGHT);
	size_t taken = 0, sent = 0;

	fcntl(guest->host, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < TURNS; i++) {
		ssize_t n =
			send(guest->host, data, FLIGHT - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		fake_turn(guest->shard);
		taken += guest_listen(guest, got);
		fake_drop_frames(guest->shard);
	}
	free(got);
	free(data);
	return taken;
}

static void test_more_than_64_kib_are_in_flight(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_transfer(guest, WARM);
	assert_true(count_flight(guest) > 200000);
}

static void test_flight_keeps_to_an_unscaled_window(void **state)
{
	struct guest *guest = *state;

	guest->scale = -1;
	guest_connect(guest);
	guest_transfer(guest, WARM);
	assert_in_range(count_flight(guest), 60000, 65535);
}

static unsigned int count_work(const struct shard *shard)
{
	unsigned int work = shard->sent_count;

	for (int i = 0; i <= ENGINE_CONNECT; i++)
		work += shard->op_count[i];
	return work;
}

/* Readiness that is told again and again, or a flow that asks for a turn for
 * nothing, would be a loop. */
static void expect_rest(struct guest *guest)
{
	struct shard *shard = guest->shard;
	unsigned int before;

	for (int i = 0; i < TURNS; i++)
		fake_turn(shard);
	before = count_work(shard);
	for (int i = 0; i < TURNS; i++) {
		struct engine_event event;

		assert_int_equal(engine_wait(shard->engine, &event, 1, 0), 0);
		fake_turn(shard);
		assert_null(shard->ack_first);
		assert_null(shard->stall_first);
	}
	assert_int_equal(count_work(shard), before);
}

static void test_connection_that_the_guest_has_half_closed_rests(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_advance(guest->shard, 2);
	expect_rest(guest);
}

static void test_connection_that_the_host_has_half_closed_rests(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	host_half_close(guest);
	expect_rest(guest);
	guest_send(guest, TH_ACK, NULL, 0);
	expect_rest(guest);
}

static void test_data_that_is_not_acknowledged_rests(void **state)
{
	struct guest *guest = *state;
	char data[40000] = { 0 };

	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	expect_rest(guest);
}

static void test_data_before_a_closed_window_rests(void **state)
{
	struct guest *guest = *state;
	char data[40000] = { 0 };

	guest_connect(guest);
	guest->window = 0;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	host_send(guest, data, sizeof(data));
	close(guest->host);
	guest->host = -1;
	assert_true(fake_wait(guest->shard));
	expect_rest(guest);
}

static void test_host_that_takes_nothing_rests(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = calloc(1, 60000);

	guest_connect(guest);
	for (int i = 0; i < 200; i++) {
		guest_send_at(guest, guest->seq, TH_ACK, data, 60000);
		guest->seq += 60000;
		fake_turn(guest->shard);
	}
	free(data);
	fake_drop_frames(guest->shard);
	expect_rest(guest);
}

#define FLIGHT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLIGHT_TEST(test_more_than_64_kib_are_in_flight),
		FLIGHT_TEST(test_flight_keeps_to_an_unscaled_window),
		FLIGHT_TEST(
			test_connection_that_the_guest_has_half_closed_rests),
		FLIGHT_TEST(
			test_connection_that_the_host_has_half_closed_rests),
		FLIGHT_TEST(test_data_that_is_not_acknowledged_rests),
		FLIGHT_TEST(test_data_before_a_closed_window_rests),
		FLIGHT_TEST(test_host_that_takes_nothing_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
