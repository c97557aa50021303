/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that come in on a forward's listener. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

/* A connection on a forward's listener: returns the NAT's end of it. */
static int accept_one(struct guest *guest)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(guest->peer_port) };
	int sock;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	guest->host = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(guest->host, (struct sockaddr *)&address,
				 sizeof(address)),
			 0);
	sock = accept4(guest->listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(sock >= 0);
	return sock;
}

static void begin_accept(struct guest *guest, struct heard *heard)
{
	struct slirp_endpoint target = {
		.address = address_from4(guest->shard->config.guest),
		.port = guest->port,
	};

	tcp_accept(guest->shard, accept_one(guest), &target);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN, heard);
	guest->peer_port = guest_flow(guest)->key.peer_port;
}

static void test_forward_reaches_guest(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	begin_accept(guest, &heard);
	assert_in_range(heard.scale, 7, 14);
	guest_send(guest, TH_SYN | TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	host_send(guest, "hello", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_int_equal(heard.length, 5);
	guest_send(guest, TH_ACK, "world", 5);
	fake_turn(guest->shard);
	host_expect(guest, "world", 5);
}

static void test_forward_repeats_its_syn(void **state)
{
	struct guest *guest = *state;
	struct heard first, second;

	begin_accept(guest, &first);
	fake_advance(guest->shard, 1001);
	guest_expect(guest, TH_SYN, &second);
	assert_int_equal(first.seq, second.seq);
	fake_advance(guest->shard, 240000);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	host_expect_reset(guest);
}

static void test_forward_refused_by_guest_resets_host(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	begin_accept(guest, &heard);
	guest_send(guest, TH_RST | TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	host_expect_reset(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_forwards_of_one_peer_port_do_not_collide(void **state)
{
	struct guest *guest = *state;
	struct slirp_endpoint target = {
		.address = address_from4(guest->shard->config.guest),
		.port = guest->port,
	};
	int sock = accept_one(guest);
	int copy = dup(sock);

	/* Two sockets with one peer address. */
	tcp_accept(guest->shard, sock, &target);
	tcp_accept(guest->shard, copy, &target);
	assert_int_equal(fake_flows_live(guest->shard), 2);
	assert_int_not_equal(guest->shard->flow[0]->key.peer_port,
			     guest->shard->flow[1]->key.peer_port);
}

static void test_forward_honours_the_guests_window_scale(void **state)
{
	static const char data[200000];
	struct guest *guest = *state;
	struct heard heard;
	size_t got = 0;

	guest->scale = 7;
	begin_accept(guest, &heard);
	guest->window = 1000;
	guest_send(guest, TH_SYN | TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_ACK, &heard);
	/* 1000 bytes as yet: a SYN's window is not scaled. */
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	fcntl(guest->host, F_SETFL, O_NONBLOCK);
	assert_true(send(guest->host, data, sizeof(data), MSG_NOSIGNAL) >
		    100000);
	guest_wait(guest);
	for (int i = 0; i < 10; i++)
		fake_turn(guest->shard);
	while (guest_hear(guest, &heard))
		got += heard.length;
	assert_in_range(got, 65536, 128000);
}

#define ACCEPT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCEPT_TEST(test_forward_reaches_guest),
		ACCEPT_TEST(test_forward_repeats_its_syn),
		ACCEPT_TEST(test_forward_refused_by_guest_resets_host),
		ACCEPT_TEST(test_forwards_of_one_peer_port_do_not_collide),
		ACCEPT_TEST(test_forward_honours_the_guests_window_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
