/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/icmp_internal.h"
#include "unit/datagram_guest.h"

/*
 * Ping sockets are allowed or not by a setting of the network namespace, so the
 * program makes one of its own, with nothing but a loopback. Where it may not,
 * it is skipped.
 */

#define SKIPPED 77
#define ID      0x4321

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void allow_ping(bool allow)
{
	assert_true(write_file("/proc/sys/net/ipv4/ping_group_range",
			       allow ? "0 0" : "1 0"));
}

static bool make_namespace(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	unsigned int gid = getgid(), uid = getuid();
	char map[32];
	int sock;
	bool ok;

	if (uid != 0) {
		if (unshare(CLONE_NEWUSER))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_file("/proc/self/setgroups", "deny");
		if (!write_file("/proc/self/uid_map", map))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", gid);
		if (!write_file("/proc/self/gid_map", map))
			return false;
	}
	if (unshare(CLONE_NEWNET) ||
	    !write_file("/proc/sys/net/ipv4/ping_group_range", "0 0"))
		return false;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ok = sock >= 0 && !ioctl(sock, SIOCSIFFLAGS, &loopback);
	if (sock >= 0)
		close(sock);
	return ok;
}

static int setup(void **state)
{
	allow_ping(true);
	*state = fake_shard_create();
	return 0;
}

static int setup_forbidden(void **state)
{
	allow_ping(false);
	*state = fake_shard_create();
	return 0;
}

static int teardown(void **state)
{
	fake_shard_destroy(*state);
	return 0;
}

static void ping(struct shard *shard, uint32_t to, uint16_t seq,
		 const void *data, size_t size)
{
	static uint8_t frame[GUEST_FRAME_MAX];
	size_t length = guest_make_echo(frame, to, ID, seq, data, size);

	fake_input(shard, frame, length, 37, NULL, icmp_open);
	fake_turn(shard);
}

static void expect_reply(struct shard *shard, uint32_t from, uint16_t seq,
			 const void *data, size_t size)
{
	struct iphdr ip;
	struct icmphdr icmp;
	size_t got;
	const uint8_t *l4 = guest_take_ip4(shard, &ip, &got);

	assert_int_equal(ip.protocol, IPPROTO_ICMP);
	assert_int_equal(ntohl(ip.saddr), from);
	assert_int_equal(ntohl(ip.daddr), GUEST);
	assert_int_equal(got, sizeof(icmp) + size);
	assert_int_equal(checksum_fold(checksum_add(l4, got, 0)), 0);
	memcpy(&icmp, l4, sizeof(icmp));
	assert_int_equal(icmp.type, ICMP_ECHOREPLY);
	assert_int_equal(icmp.code, 0);
	assert_int_equal(ntohs(icmp.un.echo.id), ID);
	assert_int_equal(ntohs(icmp.un.echo.sequence), seq);
	assert_memory_equal(l4 + sizeof(icmp), data, size);
}

static void wait_for_frame(struct shard *shard)
{
	for (int i = 0; i < 3 && shard->sent_count == shard->sent_read; i++)
		assert_true(fake_wait(shard));
}

static void gateway_answers_by_the_hosts_loopback(void **state)
{
	struct shard *shard = *state;
	uint8_t data[1472];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 3);
	for (uint16_t seq = 1; seq < 5; seq++) {
		size_t size = seq == 4 ? sizeof(data) : seq * (size_t)17;

		ping(shard, GATEWAY, seq, data, size);
		wait_for_frame(shard);
		expect_reply(shard, GATEWAY, seq, data, size);
	}
	assert_int_equal(fake_flows_live(shard), 1);
	assert_int_equal(shard->counters.icmp_flows, 1);
}

static void empty_echo_is_answered(void **state)
{
	ping(*state, GATEWAY, 1, NULL, 0);
	wait_for_frame(*state);
	expect_reply(*state, GATEWAY, 1, "", 0);
}

static void reply_waits_for_receive_space(void **state)
{
	struct shard *shard = *state;

	shard->rx_frames_left = 0;
	ping(shard, GATEWAY, 1, "abc", 3);
	fake_wait(shard);
	assert_null(fake_next(shard));
	shard->rx_frames_left = 4;
	fake_turn(shard);
	expect_reply(shard, GATEWAY, 1, "abc", 3);
}

/* Put a reply that comes in fragments together. */
static void expect_long_reply(struct shard *shard, uint32_t from,
			      const uint8_t *data, size_t size)
{
	static uint8_t whole[GUEST_FRAME_MAX];
	struct iphdr ip = { .frag_off = htons(0x2000) };
	struct icmphdr icmp;
	size_t at = 0, part;

	for (; ntohs(ip.frag_off) & 0x2000; at += part) {
		const uint8_t *l4 = guest_take_ip4(shard, &ip, &part);

		assert_true(ntohs(ip.tot_len) <= shard->features.mtu);
		assert_int_equal((ntohs(ip.frag_off) & 0x1fff) * 8, at);
		assert_int_equal(ntohl(ip.saddr), from);
		memcpy(whole + at, l4, part);
	}
	memcpy(&icmp, whole, sizeof(icmp));
	assert_int_equal(at, sizeof(icmp) + size);
	assert_int_equal(checksum_fold(checksum_add(whole, at, 0)), 0);
	assert_int_equal(icmp.type, ICMP_ECHOREPLY);
	assert_int_equal(ntohs(icmp.un.echo.id), ID);
	assert_memory_equal(whole + sizeof(icmp), data, size);
	assert_null(fake_next(shard));
}

static void longest_reply_comes_in_fragments(void **state)
{
	static uint8_t data[65507];
	struct shard *shard = *state;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	ping(shard, GATEWAY, 1, data, sizeof(data));
	wait_for_frame(shard);
	expect_long_reply(shard, GATEWAY, data, sizeof(data));
	/* The DNS address is no host's: the answer is made here. */
	ping(shard, DNS, 2, data, 2000);
	wait_for_frame(shard);
	expect_long_reply(shard, DNS, data, 2000);
}

static void unreachable_network_is_told(void **state)
{
	struct shard *shard = *state;
	const uint8_t *quoted;
	struct icmphdr icmp;

	/* The namespace has no route. */
	ping(shard, 0x08080808, 9, "abc", 3);
	quoted = guest_take_error(shard, ICMP_DEST_UNREACH, ICMP_NET_UNREACH,
				  0x08080808);
	memcpy(&icmp, quoted, sizeof(icmp));
	assert_int_equal(icmp.type, ICMP_ECHO);
	assert_int_equal(ntohs(icmp.un.echo.id), ID);
	assert_int_equal(ntohs(icmp.un.echo.sequence), 9);
}

static void ping_ends_after_a_minute(void **state)
{
	struct shard *shard = *state;

	ping(shard, GATEWAY, 1, "abc", 3);
	wait_for_frame(shard);
	shard->now_us += 59999 * 1000ULL;
	fake_turn(shard);
	assert_int_equal(fake_flows_live(shard), 1);
	shard->now_us += 1000;
	fake_turn(shard);
	assert_int_equal(fake_flows_live(shard), 0);
}

static void dns_address_answers(void **state)
{
	ping(*state, DNS, 3, "abc", 3);
	expect_reply(*state, DNS, 3, "abc", 3);
}

static void empty_address_of_the_subnet_is_unreachable(void **state)
{
	ping(*state, 0x0a000263, 1, "abc", 3);
	guest_take_error(*state, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH,
			 0x0a000263);
}

static void refused_destinations_are_told(void **state)
{
	ping(*state, 0x7f000001, 1, "abc", 3);
	guest_take_error(*state, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 0x7f000001);
	ping(*state, 0xa9fea9fe, 1, "abc", 3);
	guest_take_error(*state, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 0xa9fea9fe);
	assert_int_equal(fake_flows_live(*state), 0);
}

static void nothing_is_said_about_a_broadcast_ping(void **state)
{
	ping(*state, 0x0a0002ff, 1, "abc", 3);
	ping(*state, 0xffffffff, 1, "abc", 3);
	ping(*state, 0xe0000001, 1, "abc", 3);
	assert_null(fake_next(*state));
}

static void wrong_checksum_is_malformed(void **state)
{
	struct shard *shard = *state;
	uint8_t frame[128];
	size_t length = guest_make_echo(frame, DNS, ID, 1, "abc", 3);

	for (size_t at = 34; at < length; at++) {
		if (at == 38 || at == 39)
			continue; /* the id: finds the flow, is summed as well
				   */
		frame[at] ^= 4;
		fake_input(shard, frame, length, 0, NULL, icmp_open);
		fake_turn(shard);
		frame[at] ^= 4;
	}
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, length - 34 - 2);
}

static void forbidden_pings_are_refused_not_forged(void **state)
{
	struct shard *shard = *state;

	ping(shard, 0x08080808, 1, "abc", 3);
	guest_take_error(shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 0x08080808);
	assert_int_equal(fake_flows_live(shard), 0);
	assert_int_equal(shard->counters.flows_refused, 1);
}

static void own_addresses_answer_where_pings_are_forbidden(void **state)
{
	ping(*state, GATEWAY, 5, "abc", 3);
	expect_reply(*state, GATEWAY, 5, "abc", 3);
	ping(*state, DNS, 6, "defg", 4);
	expect_reply(*state, DNS, 6, "defg", 4);
}

static void denied_ping_is_refused_even_by_the_gateway(void **state)
{
	static const uint32_t to[] = { GATEWAY, DNS, 0x08080808 };
	struct shard *shard = *state;

	assert_int_equal(policy_add(&shard->config.policy, false, "icmp:any"),
			 0);
	for (unsigned int i = 0; i < 3; i++) {
		ping(shard, to[i], 1, "abc", 3);
		guest_take_error(shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
				 to[i]);
	}
	assert_int_equal(shard->counters.policy_denied, 3);
}

static void error_quotes_no_more_than_it_may(void **state)
{
	struct shard *shard = *state;
	static uint8_t frame[GUEST_FRAME_MAX], data[1400];
	struct host_error error = { .type = ICMP_DEST_UNREACH,
				    .code = ICMP_FRAG_NEEDED,
				    .is4 = true,
				    .mtu = 1280 };
	struct packet packet;
	const uint8_t *quoted;
	size_t length =
		guest_make_udp(frame, 5, 0x01020304, 6, data, sizeof(data));

	fake_parse(shard, frame, length, 50, NULL, &packet);
	icmp_send_error(shard, &packet, &error);
	quoted = guest_take_error(shard, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
				  0x01020304);
	assert_memory_equal(quoted - 20, frame + 14, 548);
	assert_int_equal(shard->sent[0].length, 14 + 576);
	/* RFC 1191: the next hop's MTU */
	assert_memory_equal(quoted - 22, "\x05\x00", 2);
	fake_turn(shard);
}

static void rebuilt_error_bears_offender_and_header(void **state)
{
	static const uint8_t transport[8] = { 0, 5, 0, 6, 0, 8, 0, 0 };
	struct shard *shard = *state;
	struct host_error error = { .type = ICMP_TIME_EXCEEDED,
				    .is4 = true,
				    .offender = guest_address(0xc0000201) };
	struct icmp_quote quote = {
		.error = &error,
		.source = guest_address(GUEST),
		.destination = guest_address(0x01020304),
		.protocol = IPPROTO_UDP,
		.length = sizeof(transport),
		.data = transport,
		.size = sizeof(transport),
	};
	struct iphdr ip;
	const uint8_t *quoted;

	icmp_send_quote(shard, 0, &quote);
	memcpy(&ip, shard->sent[0].data + 14, sizeof(ip));
	assert_int_equal(ntohl(ip.saddr), 0xc0000201);
	quoted = guest_take_error(shard, ICMP_TIME_EXCEEDED, 0, 0x01020304);
	assert_memory_equal(quoted, transport, 8);
	assert_int_equal(checksum_fold(checksum_add(quoted - 20, 20, 0)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_FORBIDDEN(name) \
	cmocka_unit_test_setup_teardown(name, setup_forbidden, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gateway_answers_by_the_hosts_loopback),
		TEST(empty_echo_is_answered),
		TEST(reply_waits_for_receive_space),
		TEST(longest_reply_comes_in_fragments),
		TEST(unreachable_network_is_told),
		TEST(ping_ends_after_a_minute),
		TEST(dns_address_answers),
		TEST(empty_address_of_the_subnet_is_unreachable),
		TEST(refused_destinations_are_told),
		TEST(nothing_is_said_about_a_broadcast_ping),
		TEST(wrong_checksum_is_malformed),
		TEST_FORBIDDEN(forbidden_pings_are_refused_not_forged),
		TEST_FORBIDDEN(own_addresses_answer_where_pings_are_forbidden),
		TEST(denied_ping_is_refused_even_by_the_gateway),
		TEST(error_quotes_no_more_than_it_may),
		TEST(rebuilt_error_bears_offender_and_header),
	};

	if (!make_namespace()) {
		fputs("skipped: cannot make a network namespace\n", stderr);
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
