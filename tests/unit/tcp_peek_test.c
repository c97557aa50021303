/* SPDX-License-Identifier: BSD-3-Clause */
/* Bulk on a host whose kernel has no SO_PEEK_OFF for TCP (before Linux 6.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

static void test_bulk_arrives_whole(void **state)
{
	guest_connect(*state);
	guest_transfer(*state, 1500000);
}

static void test_end_after_bulk_arrives(void **state)
{
	struct guest *guest = *state;
	uint8_t data[30000] = { 0 }, got[30000];
	struct heard heard = { 0 };

	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	shutdown(guest->host, SHUT_WR);
	guest_wait(guest);
	fake_turn(guest->shard);
	fake_turn(guest->shard);
	assert_int_equal(guest_listen(guest, got), sizeof(data));
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
}

static void test_lost_bulk_is_sent_again(void **state)
{
	struct guest *guest = *state;
	uint8_t data[30000], got[30000];

	guest_fill(data, sizeof(data));
	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	guest_wait(guest);
	fake_turn(guest->shard);
	fake_drop_frames(guest->shard);
	fake_advance(guest->shard, 1500);
	assert_int_equal(guest_listen(guest, got), sizeof(data));
	assert_memory_equal(data, got, sizeof(data));
}

#define PEEK_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEEK_TEST(test_bulk_arrives_whole),
		PEEK_TEST(test_end_after_bulk_arrives),
		PEEK_TEST(test_lost_bulk_is_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
