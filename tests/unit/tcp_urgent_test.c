/* SPDX-License-Identifier: BSD-3-Clause */
/* Urgent data is part of the stream, both ways (RFC 6093, 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define PART  30000 /* more than is kept */
#define PARTS 6

static void host_send_urgent(struct guest *guest, const void *data,
			     size_t length)
{
	assert_int_equal(
		send(guest->host, data, length, MSG_OOB | MSG_NOSIGNAL),
		length);
}

/* Turns, in which the guest acknowledges, until nothing more comes. */
static size_t listen_until_silence(struct guest *guest, uint8_t *got)
{
	size_t taken = 0;

	for (int silent = 0; silent < 3;) {
		size_t n = guest_listen(guest, got + taken);

		taken += n;
		silent = n ? 0 : silent + 1;
		if (n)
			guest_send(guest, TH_ACK, NULL, 0);
		fake_drop_frames(guest->shard);
		fake_turn(guest->shard);
	}
	return taken;
}

static void test_urgent_byte_stops_nothing(void **state)
{
	struct guest *guest = *state;
	uint8_t got[16];

	guest_connect(guest);
	host_send(guest, "abc", 3);
	host_send_urgent(guest, "d", 1);
	host_send(guest, "efg", 3);
	guest_wait(guest);
	assert_int_equal(listen_until_silence(guest, got), 7);
	assert_memory_equal(got, "abcdefg", 7);
}

static void test_bulk_with_urgent_bytes_arrives(void **state)
{
	struct guest *guest = *state;
	size_t size = (size_t)PARTS * (PART + 1);
	uint8_t *data = malloc(size), *got = malloc(size);

	guest_fill(data, size);
	guest_connect(guest);
	for (size_t at = 0; at < size; at += PART + 1) {
		host_send(guest, data + at, PART);
		host_send_urgent(guest, data + at + PART, 1);
	}
	guest_wait(guest);
	assert_int_equal(listen_until_silence(guest, got), size);
	assert_memory_equal(data, got, size);
	free(data);
	free(got);
}

/* Closing a socket with data unread would reset the host's peer. */
static void test_bulk_that_ends_urgently_ends_in_order(void **state)
{
	struct guest *guest = *state;
	uint8_t data[PART] = { 0 }, got[PART + 4];
	struct heard heard;
	size_t taken;

	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	host_send_urgent(guest, "d", 1);
	host_send(guest, "efg", 3);
	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	for (int i = 0; i < 4; i++)
		fake_turn(guest->shard);
	taken = guest_listen(guest, got);
	if (taken < sizeof(got)) { /* some must be acknowledged first */
		guest_send(guest, TH_ACK, NULL, 0);
		taken += listen_until_silence(guest, got + taken);
	}
	assert_int_equal(taken, sizeof(got));
	guest->ack++; /* our FIN, heard with the data */
	guest_send(guest, TH_ACK | TH_FIN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	fake_turn(guest->shard);
	host_expect_eof(guest);
}

static void test_guests_urgent_data_reaches_host(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "abc", 3);
	guest_send(guest, TH_ACK | TH_URG, "d", 1);
	guest_send(guest, TH_ACK | TH_PUSH, "efg", 3);
	fake_turn(guest->shard);
	host_expect(guest, "abcdefg", 7);
}

#define URGENT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		URGENT_TEST(test_urgent_byte_stops_nothing),
		URGENT_TEST(test_bulk_with_urgent_bytes_arrives),
		URGENT_TEST(test_bulk_that_ends_urgently_ends_in_order),
		URGENT_TEST(test_guests_urgent_data_reaches_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
