/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/udp_filter.h"
#include "support/pseudo4.h"
#include "unit/datagram_guest.h"

#define PORT 40000 /* the guest's */

struct udp_test {
	struct shard *shard;
	int host;
	uint16_t port;
	uint8_t data[65536];
};

static int setup(void **state)
{
	struct udp_test *test = calloc(1, sizeof(*test));

	test->shard = fake_shard_create();
	test->host = host_bind(&test->port);
	for (size_t i = 0; i < sizeof(test->data); i++)
		test->data[i] = (uint8_t)(i * 7 + i / 251);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct udp_test *test = *state;

	fake_shard_destroy(test->shard);
	close(test->host);
	free(test);
	return 0;
}

/* The guest speaks first; where the host saw it from. */
static struct sockaddr_in udp_begin(struct udp_test *test)
{
	struct sockaddr_in from;
	uint8_t data[16];

	guest_send_udp(test->shard, PORT, GATEWAY, test->port, "hello", 5);
	fake_turn(test->shard);
	assert_int_equal(host_take(test->host, data, sizeof(data), &from), 5);
	assert_memory_equal(data, "hello", 5);
	return from;
}

static void expect_datagram(struct udp_test *test, const void *data,
			    size_t size)
{
	uint16_t from_port, to_port;
	uint32_t from;
	size_t got;
	const uint8_t *payload =
		guest_take_udp(test->shard, &from, &from_port, &to_port, &got);

	assert_int_equal(from, GATEWAY);
	assert_int_equal(from_port, test->port);
	assert_int_equal(to_port, PORT);
	assert_int_equal(got, size);
	assert_memory_equal(payload, data, size);
}

static void answer_comes_back_from_the_gateway(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);

	host_send(test->host, &from, test->data, 100);
	assert_true(fake_wait(test->shard));
	expect_datagram(test, test->data, 100);
}

static void checksum_is_made_where_the_guest_takes_no_partial_one(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from;

	test->shard->features.rx_csum = false;
	from = udp_begin(test);
	host_send(test->host, &from, test->data, 1471);
	assert_true(fake_wait(test->shard));
	expect_datagram(test, test->data, 1471);
}

static void empty_datagram_passes_both_ways(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);
	uint8_t data[4];

	guest_send_udp(test->shard, PORT, GATEWAY, test->port, NULL, 0);
	fake_turn(test->shard);
	assert_int_equal(host_take(test->host, data, sizeof(data), &from), 0);
	host_send(test->host, &from, NULL, 0);
	assert_true(fake_wait(test->shard));
	expect_datagram(test, data, 0);
}

static void one_guest_port_is_one_host_port_for_all_peers(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in first = udp_begin(test), second;
	uint16_t port;
	int other = host_bind(&port);
	uint8_t data[4];

	guest_send_udp(test->shard, PORT, GATEWAY, port, "x", 1);
	fake_turn(test->shard);
	assert_int_equal(host_take(other, data, sizeof(data), &second), 1);
	assert_int_equal(first.sin_port, second.sin_port);
	assert_int_equal(fake_flows_live(test->shard), 1);
	close(other);
}

static void burst_arrives_whole_and_in_order(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);

	for (uint8_t i = 0; i < 60; i++)
		host_send(test->host, &from, &i, 1);
	while (test->shard->sent_count < 60)
		assert_true(fake_wait(test->shard) ||
			    test->shard->sent_count == 60);
	for (uint8_t i = 0; i < 60; i++)
		expect_datagram(test, &i, 1);
}

static void datagram_waits_in_the_socket_for_receive_space(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);

	test->shard->rx_frames_left = 0;
	host_send(test->host, &from, "late", 4);
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	test->shard->rx_frames_left = 10;
	fake_turn(test->shard);
	expect_datagram(test, "late", 4);
}

/* Put fragments together; checks offsets, flags and lengths on the way. */
static size_t take_fragments(struct shard *shard, uint8_t *to)
{
	struct iphdr ip;
	size_t at = 0, size;
	uint16_t id = 0;
	bool more = true;

	while (more) {
		const uint8_t *part = guest_take_ip4(shard, &ip, &size);
		unsigned int fragment = ntohs(ip.frag_off);

		if (at == 0)
			id = ip.id;
		assert_int_equal(ip.id, id);
		assert_int_equal((fragment & 0x1fff) * 8, at);
		assert_true(ntohs(ip.tot_len) <= shard->features.mtu);
		more = fragment & 0x2000;
		if (more)
			assert_int_equal(size % 8, 0);
		memcpy(to + at, part, size);
		at += size;
	}
	return at;
}

static void expect_fragmented(struct udp_test *test, size_t size)
{
	struct sockaddr_in from = udp_begin(test);
	static uint8_t got[65536];
	struct in_addr src = { htonl(GATEWAY) }, dst = { htonl(GUEST) };
	size_t length;

	host_send(test->host, &from, test->data, size);
	assert_true(fake_wait(test->shard));
	length = take_fragments(test->shard, got);
	assert_int_equal(length, size + 8);
	assert_memory_equal(got + 8, test->data, size);
	assert_int_equal(
		checksum_fold(checksum_add(
			got, length,
			checksum_pseudo4(src, dst, IPPROTO_UDP, length))),
		0);
	assert_null(fake_next(test->shard));
}

static void datagram_above_the_mtu_is_fragmented(void **state)
{
	expect_fragmented(*state, 1473);
}

static void longest_datagram_is_fragmented(void **state)
{
	expect_fragmented(*state, 65507);
}

static void fragments_fit_an_odd_mtu(void **state)
{
	struct udp_test *test = *state;

	test->shard->features.mtu = 1403;
	expect_fragmented(test, 5000);
}

static void datagram_of_exactly_the_mtu_stays_whole(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);

	host_send(test->host, &from, test->data, 1472);
	assert_true(fake_wait(test->shard));
	expect_datagram(test, test->data, 1472);
}

static void closed_host_port_is_told_as_port_unreachable(void **state)
{
	struct udp_test *test = *state;
	const uint8_t *quoted;
	struct udphdr udp;
	uint16_t port;
	int closed = host_bind(&port);

	close(closed);
	guest_send_udp(test->shard, PORT, GATEWAY, port, "nobody", 6);
	fake_turn(test->shard);
	while (!test->shard->sent_count)
		assert_true(fake_wait(test->shard));
	quoted = guest_take_error(test->shard, ICMP_DEST_UNREACH,
				  ICMP_PORT_UNREACH, GATEWAY);
	memcpy(&udp, quoted, sizeof(udp));
	assert_int_equal(ntohs(udp.uh_sport), PORT);
	assert_int_equal(ntohs(udp.uh_dport), port);
}

static void datagram_after_an_error_is_not_lost(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from;
	uint8_t data[16];
	uint16_t port;
	int closed = host_bind(&port);

	close(closed);
	guest_send_udp(test->shard, PORT, GATEWAY, port, "nobody", 6);
	guest_send_udp(test->shard, PORT, GATEWAY, test->port, "hello", 5);
	fake_turn(test->shard);
	assert_int_equal(host_take(test->host, data, sizeof(data), &from), 5);
}

/* As port scanners send them. */
static void burst_to_closed_ports_loses_no_other_datagram(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from;
	uint16_t closed[12];
	unsigned int told[12] = { 0 };
	uint8_t data[16];
	int sock[12];

	for (int i = 0; i < 12; i++)
		sock[i] = host_bind(&closed[i]);
	for (int i = 0; i < 12; i++)
		close(sock[i]);
	for (int i = 0; i < 12; i++) {
		guest_send_udp(test->shard, PORT, GATEWAY, closed[i], "x", 1);
		if (i % 3 == 2)
			guest_send_udp(test->shard, PORT, GATEWAY, test->port,
				       "hello", 5);
	}
	fake_turn(test->shard);
	while (test->shard->sent_count < 12)
		assert_true(fake_wait(test->shard));
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			host_take(test->host, data, sizeof(data), &from), 5);
	for (int i = 0; i < 12; i++) {
		struct udphdr udp;
		int port = 0;

		memcpy(&udp,
		       guest_take_error(test->shard, ICMP_DEST_UNREACH,
					ICMP_PORT_UNREACH, GATEWAY),
		       sizeof(udp));
		while (port < 11 && closed[port] != ntohs(udp.uh_dport))
			port++;
		assert_int_equal(ntohs(udp.uh_dport), closed[port]);
		assert_int_equal(told[port]++, 0);
	}
}

static void refused_destination_is_told_and_makes_no_flow(void **state)
{
	struct udp_test *test = *state;

	guest_send_udp(test->shard, PORT, 0x7f000001, test->port, "x", 1);
	fake_turn(test->shard);
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 0x7f000001);
	guest_send_udp(test->shard, PORT, 0x0a000263, test->port, "x", 1);
	fake_turn(test->shard);
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			 0x0a000263);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void refusal_counts_for_a_flow_that_exists(void **state)
{
	struct udp_test *test = *state;

	udp_begin(test);
	guest_send_udp(test->shard, PORT, 0xa9fea9fe, 80, "x", 1);
	fake_turn(test->shard);
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 0xa9fea9fe);
}

static void nothing_is_said_about_broadcast_and_multicast(void **state)
{
	struct udp_test *test = *state;

	guest_send_udp(test->shard, PORT, 0xffffffff, 137, "x", 1);
	guest_send_udp(test->shard, PORT, 0xe00000fb, 5353, "x", 1);
	guest_send_udp(test->shard, PORT, 0x0a0002ff, 137, "x", 1);
	fake_turn(test->shard);
	assert_null(fake_next(test->shard));
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void lengths_that_do_not_fit_are_malformed(void **state)
{
	struct udp_test *test = *state;
	struct shard *shard = test->shard;
	uint8_t frame[128];
	struct udphdr udp;
	size_t length =
		guest_make_udp(frame, PORT, GATEWAY, test->port, "abcd", 4);

	memcpy(&udp, frame + 34, sizeof(udp));
	for (unsigned int claimed = 0; claimed < 40; claimed++) {
		uint64_t before = shard->counters.tx_malformed;
		bool fits = claimed >= 8 && claimed <= 12;

		udp.uh_ulen = htons((uint16_t)claimed);
		memcpy(frame + 34, &udp, sizeof(udp));
		fake_input(shard, frame, length, 0, NULL, udp_open);
		fake_turn(shard);
		assert_int_equal(shard->counters.tx_malformed - before, !fits);
	}
	udp.uh_ulen = htons(12);
	udp.uh_dport = 0;
	memcpy(frame + 34, &udp, sizeof(udp));
	fake_input(shard, frame, length, 0, NULL, udp_open);
	assert_null(fake_next(shard));
}

static void pass_time(struct udp_test *test, uint64_t ms)
{
	test->shard->now_us += ms * 1000;
	fake_turn(test->shard);
}

static void mapping_ends_after_its_idle_time(void **state)
{
	struct udp_test *test = *state;

	test->shard->config.udp_idle_s = 200;
	udp_begin(test);
	pass_time(test, 199999);
	assert_int_equal(fake_flows_live(test->shard), 1);
	udp_begin(test);
	pass_time(test, 199999);
	assert_int_equal(fake_flows_live(test->shard), 1);
	pass_time(test, 2);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void mapping_lives_two_minutes_at_the_least(void **state)
{
	struct udp_test *test = *state;

	test->shard->config.udp_idle_s = 1;
	udp_begin(test);
	pass_time(test, 119999);
	assert_int_equal(fake_flows_live(test->shard), 1);
	pass_time(test, 2);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void inbound_traffic_alone_does_not_keep_a_mapping(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from = udp_begin(test);

	pass_time(test, 299000);
	host_send(test->host, &from, "x", 1);
	assert_true(fake_wait(test->shard));
	pass_time(test, 1001);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void frame_of_anothers_flow_is_handed_over(void **state)
{
	struct udp_test *test = *state;

	test->shard->foreign_owner = 3;
	assert_int_equal(
		guest_send_udp(test->shard, PORT, GATEWAY, test->port, "x", 1),
		3);
}

static void denied_datagram_is_answered_by_icmp(void **state)
{
	struct udp_test *test = *state;
	struct slirp_policy *policy = &test->shard->config.policy;

	assert_int_equal(policy_add(policy, false, "udp:10.0.2.2"), 0);
	guest_send_udp(test->shard, 7, GATEWAY, test->port, "x", 1);
	fake_turn(test->shard);
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 GATEWAY);
	assert_int_equal(fake_flows_live(test->shard), 0);
	assert_int_equal(test->shard->counters.policy_denied, 1);
}

static void new_policy_holds_for_the_next_datagram(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in from;
	uint8_t data[8];

	guest_send_udp(test->shard, 7, GATEWAY, test->port, "x", 1);
	fake_turn(test->shard);
	assert_int_equal(host_take(test->host, data, sizeof(data), &from), 1);
	test->shard->config.policy.deny_rest = true;
	guest_send_udp(test->shard, 7, GATEWAY, test->port, "x", 1);
	fake_turn(test->shard);
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 GATEWAY);
}

/* Hairpin: the guest's ports write to each other through the host. */
static void guest_reaches_its_own_mapping(void **state)
{
	struct udp_test *test = *state;
	struct sockaddr_in first = udp_begin(test);
	uint16_t from_port, to_port;
	const uint8_t *payload;
	uint32_t from;
	size_t size;

	guest_send_udp(test->shard, PORT + 1, GATEWAY, ntohs(first.sin_port),
		       "there", 5);
	fake_turn(test->shard);
	while (!test->shard->sent_count)
		assert_true(fake_wait(test->shard));
	payload =
		guest_take_udp(test->shard, &from, &from_port, &to_port, &size);
	assert_memory_equal(payload, "there", 5);
	assert_int_equal(from, GATEWAY);
	assert_int_equal(to_port, PORT);
	/* ... and back, to the port that was seen. */
	guest_send_udp(test->shard, PORT, GATEWAY, from_port, "back", 4);
	fake_turn(test->shard);
	while (test->shard->sent_count < 2)
		assert_true(fake_wait(test->shard));
	guest_take_udp(test->shard, &from, &from_port, &to_port, &size);
	assert_int_equal(from_port, ntohs(first.sin_port));
	assert_int_equal(to_port, PORT + 1);
}

/* Filtering: @other is a stranger, at the same address or another. */
static int stranger_bind(uint32_t address)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(address);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, sizeof(at)), 0);
	return sock;
}

static bool stranger_is_heard(struct udp_test *test,
			      enum slirp_udp_filter behaviour, uint32_t address)
{
	static const uint64_t secret[2] = { 1, 2 };
	struct sockaddr_in mapped;
	int other = stranger_bind(address);
	bool heard;

	if (behaviour != SLIRP_UDP_FILTER_OFF)
		test->shard->udp_filter = udp_filter_create(behaviour, secret);
	mapped = udp_begin(test);
	host_send(other, &mapped, "strange", 7);
	assert_true(fake_wait(test->shard));
	heard = fake_next(test->shard);
	assert_int_equal(test->shard->counters.rx_filtered, !heard);
	/* Whom it wrote to is heard in any case. */
	host_send(test->host, &mapped, "known", 5);
	assert_true(fake_wait(test->shard));
	expect_datagram(test, "known", 5);
	close(other);
	udp_filter_destroy(test->shard->udp_filter);
	test->shard->udp_filter = NULL;
	return heard;
}

static void anybody_may_write_without_a_filter(void **state)
{
	assert_true(
		stranger_is_heard(*state, SLIRP_UDP_FILTER_OFF, 0x7f000002));
}

static void address_filter_knows_addresses(void **state)
{
	assert_true(stranger_is_heard(*state, SLIRP_UDP_FILTER_ADDRESS,
				      0x7f000001));
}

static void address_filter_keeps_strangers_out(void **state)
{
	assert_false(stranger_is_heard(*state, SLIRP_UDP_FILTER_ADDRESS,
				       0x7f000002));
}

static void port_filter_keeps_other_ports_out(void **state)
{
	assert_false(
		stranger_is_heard(*state, SLIRP_UDP_FILTER_PORT, 0x7f000001));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_comes_back_from_the_gateway),
		TEST(checksum_is_made_where_the_guest_takes_no_partial_one),
		TEST(empty_datagram_passes_both_ways),
		TEST(one_guest_port_is_one_host_port_for_all_peers),
		TEST(burst_arrives_whole_and_in_order),
		TEST(datagram_waits_in_the_socket_for_receive_space),
		TEST(datagram_above_the_mtu_is_fragmented),
		TEST(longest_datagram_is_fragmented),
		TEST(fragments_fit_an_odd_mtu),
		TEST(datagram_of_exactly_the_mtu_stays_whole),
		TEST(closed_host_port_is_told_as_port_unreachable),
		TEST(datagram_after_an_error_is_not_lost),
		TEST(burst_to_closed_ports_loses_no_other_datagram),
		TEST(refused_destination_is_told_and_makes_no_flow),
		TEST(refusal_counts_for_a_flow_that_exists),
		TEST(nothing_is_said_about_broadcast_and_multicast),
		TEST(lengths_that_do_not_fit_are_malformed),
		TEST(mapping_ends_after_its_idle_time),
		TEST(mapping_lives_two_minutes_at_the_least),
		TEST(inbound_traffic_alone_does_not_keep_a_mapping),
		TEST(guest_reaches_its_own_mapping),
		TEST(anybody_may_write_without_a_filter),
		TEST(address_filter_knows_addresses),
		TEST(address_filter_keeps_strangers_out),
		TEST(port_filter_keeps_other_ports_out),
		TEST(frame_of_anothers_flow_is_handed_over),
		TEST(denied_datagram_is_answered_by_icmp),
		TEST(new_policy_holds_for_the_next_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
