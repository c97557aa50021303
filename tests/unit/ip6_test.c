/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/protocols.h"
#include "unit/guest6.h"

static int setup(void **state)
{
	*state = fake_shard_create();
	return 0;
}

static int teardown(void **state)
{
	fake_shard_destroy(*state);
	return 0;
}

#define SLIRP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The header's parse, by frames that are built by hand */

static bool parse(struct shard *shard, const void *extensions, size_t size,
		  uint8_t first, struct packet *packet)
{
	struct port_frame frame = { .iov_count = 1 };
	static uint8_t data[512];

	(void)shard;
	frame.length =
		guest6_make(data, GUEST6, GATEWAY6, first, extensions, size, 0);
	memcpy(data + GUEST6_L4, extensions, size);
	frame.iov[0].iov_base = data;
	frame.iov[0].iov_len = frame.length;
	assert_true(packet_parse_ether(packet, &frame));
	return packet_parse_ip6(packet);
}

static void extension_headers_are_passed_over(void **state)
{
	static const uint8_t extensions[] = {
		60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* hops */
		17, 0, 0, 0, 0, 0, 0, 0,                         /* options */
		1,  2, 3, 4, 0, 8, 0, 0,                         /* UDP */
	};
	struct packet packet;

	assert_true(parse(*state, extensions, sizeof(extensions), 0, &packet));
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	assert_int_equal(packet.l4.left, 8);
	assert_int_equal(packet.l4_offset, GUEST6_L4 + 24);
	assert_int_equal(packet.fragment, IP_DF);
}

static void fragment_header_is_taken(void **state)
{
	static const uint8_t extensions[] = {
		17, 0, 0x12, 0x39, 1, 2, 3, 4, /* offset 583, more to come */
		1,  2, 3,    4,    0, 8, 0, 0,
	};
	struct packet packet;

	assert_true(parse(*state, extensions, sizeof(extensions), 44, &packet));
	assert_int_equal(packet.protocol, IPPROTO_UDP);
	assert_int_equal(packet.fragment, 0x2000 | 583);
	assert_int_equal(packet.fragment_id, 0x01020304);
}

static void atomic_fragment_is_whole(void **state)
{
	static const uint8_t extensions[] = { 17, 0, 0, 0, 1, 2, 3, 4,
					      1,  2, 3, 4, 0, 8, 0, 0 };
	struct packet packet;

	assert_true(parse(*state, extensions, sizeof(extensions), 44, &packet));
	assert_int_equal(packet.fragment, IP_DF);
	assert_int_equal(packet.protocol, IPPROTO_UDP);
}

static void extension_beyond_the_end_is_malformed(void **state)
{
	static const uint8_t extensions[] = { 17, 1, 0, 0, 0, 0, 0, 0 };
	struct packet packet;

	assert_false(parse(*state, extensions, sizeof(extensions), 0, &packet));
	assert_false(parse(*state, extensions, 1, 60, &packet));
	assert_false(parse(*state, extensions, 7, 44, &packet));
}

static void endless_extensions_are_malformed(void **state)
{
	uint8_t extensions[400] = { 0 }; /* hop-by-hop after hop-by-hop */
	struct packet packet;

	assert_false(parse(*state, extensions, sizeof(extensions), 0, &packet));
}

static void length_beyond_the_frame_is_malformed(void **state)
{
	struct port_frame frame = { .iov_count = 1 };
	uint8_t data[100];
	struct packet packet;

	(void)state;
	frame.length = guest6_make(data, GUEST6, GATEWAY6, IPPROTO_UDP,
				   "12345678", 8, 0);
	frame.iov[0].iov_base = data;
	frame.iov[0].iov_len = --frame.length;
	assert_true(packet_parse_ether(&packet, &frame));
	assert_false(packet_parse_ip6(&packet));
}

/* UDP */

static int host_bind6(uint16_t *port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = in6addr_loopback };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&address, size))
		skip(); /* the host has no IPv6 */
	assert_int_equal(getsockname(sock, (struct sockaddr *)&address, &size),
			 0);
	*port = ntohs(address.sin6_port);
	return sock;
}

static void send_udp(struct shard *shard, const char *to, uint16_t port,
		     const void *data, size_t size)
{
	static uint8_t l4[2000], frame[2100];
	struct udphdr udp = {
		.uh_sport = htons(5),
		.uh_dport = htons(port),
		.uh_ulen = htons((uint16_t)(sizeof(udp) + size)),
	};
	size_t length;

	memcpy(l4, &udp, sizeof(udp));
	memcpy(l4 + sizeof(udp), data, size);
	length = guest6_make(frame, GUEST6, to, IPPROTO_UDP, l4,
			     sizeof(udp) + size,
			     offsetof(struct udphdr, uh_sum));
	fake_input(shard, frame, length, 0, NULL, udp_open);
	fake_turn(shard);
}

static void udp_goes_to_loopback_and_back(void **state)
{
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	uint8_t data[16];
	uint16_t port;
	int sock = host_bind6(&port);
	const uint8_t *l4;
	size_t size;

	send_udp(*state, GATEWAY6, port, "hello", 5);
	assert_int_equal(recvfrom(sock, data, sizeof(data), 0,
				  (struct sockaddr *)&from, &from_size),
			 5);
	assert_int_equal(sendto(sock, "answer", 6, 0, (struct sockaddr *)&from,
				from_size),
			 6);
	assert_true(fake_wait(*state));
	l4 = guest6_take(*state, GATEWAY6, GUEST6, IPPROTO_UDP, &size);
	assert_int_equal(size, 8 + 6);
	assert_memory_equal(l4 + 8, "answer", 6);
	close(sock);
}

static void long_answer_comes_in_fragments(void **state)
{
	static uint8_t data[3000];
	struct shard *shard = *state;
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	const struct fake_frame *frame;
	size_t whole = 0;
	uint16_t port;
	int sock = host_bind6(&port);

	send_udp(shard, GATEWAY6, port, "hello", 5);
	assert_int_equal(recvfrom(sock, data, sizeof(data), 0,
				  (struct sockaddr *)&from, &from_size),
			 5);
	sendto(sock, data, sizeof(data), 0, (struct sockaddr *)&from,
	       from_size);
	assert_true(fake_wait(shard));
	while ((frame = fake_next(shard))) {
		assert_true(frame->length <= 14 + 1500);
		assert_int_equal(frame->data[14 + 6], IPPROTO_FRAGMENT);
		assert_int_equal(frame->data[GUEST6_L4], IPPROTO_UDP);
		assert_int_equal((frame->data[GUEST6_L4 + 2] << 8 |
				  (frame->data[GUEST6_L4 + 3] & 0xf8)),
				 whole);
		whole += frame->length - GUEST6_L4 - 8;
	}
	assert_int_equal(whole, 8 + sizeof(data));
	close(sock);
}

static void closed_port_is_told_by_icmp6(void **state)
{
	const uint8_t *l4;
	uint16_t port;
	size_t size;

	close(host_bind6(&port));
	send_udp(*state, GATEWAY6, port, "hello", 5);
	assert_true(fake_wait(*state));
	l4 = guest6_take(*state, GATEWAY6, GUEST6, IPPROTO_ICMPV6, &size);
	assert_int_equal(l4[0], ICMP6_DST_UNREACH);
	assert_int_equal(l4[1], ICMP6_DST_UNREACH_NOPORT);
	assert_int_equal(size, 8 + 40 + 8 + 5);
}

static void denied_destinations_are_told_by_icmp6(void **state)
{
	static const char *const denied[] = { "::1", "::7f00:1", "fe80::99",
					      "64:ff9b::7f00:1",
					      "fd00:ec2::254" };
	const uint8_t *l4;
	size_t size;

	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
		struct in6_addr to = in6(denied[i]);

		send_udp(*state, denied[i], 80, "hello", 5);
		if (address_is_loopback(&to))
			continue; /* nothing is said about such an address */
		l4 = guest6_take(*state, GATEWAY6, GUEST6, IPPROTO_ICMPV6,
				 &size);
		assert_int_equal(l4[0], ICMP6_DST_UNREACH);
		assert_int_equal(l4[1], ICMP6_DST_UNREACH_ADMIN);
	}
	assert_int_equal(fake_flows_live(*state), 0);
}

/* TCP */

static void syn_is_answered_once_the_host_has_connected(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = in6addr_loopback };
	socklen_t address_size = sizeof(address);
	struct tcphdr syn = { .th_sport = htons(7), .th_seq = htonl(100) };
	int sock = socket(AF_INET6, SOCK_STREAM, 0);
	struct tcphdr answer;
	uint8_t frame[200];
	size_t length, size;

	if (sock < 0 || bind(sock, (struct sockaddr *)&address, address_size))
		skip(); /* the host has no IPv6 */
	assert_int_equal(listen(sock, 1), 0);
	getsockname(sock, (struct sockaddr *)&address, &address_size);
	syn.th_dport = address.sin6_port;
	syn.th_off = 5;
	syn.th_flags = TH_SYN;
	length = guest6_make(frame, GUEST6, GATEWAY6, IPPROTO_TCP, &syn,
			     sizeof(syn), offsetof(struct tcphdr, th_sum));
	fake_input(*state, frame, length, 0, NULL, tcp_open);
	fake_turn(*state);
	memcpy(&answer,
	       guest6_take(*state, GATEWAY6, GUEST6, IPPROTO_TCP, &size),
	       sizeof(answer));
	assert_int_equal(answer.th_flags, TH_SYN | TH_ACK);
	assert_int_equal(ntohl(answer.th_ack), 101);
	/* MSS: 1500 - 40 - 20 */
	assert_memory_equal(((struct shard *)*state)->sent[0].data + GUEST6_L4 +
				    sizeof(answer),
			    "\x02\x04\x05\xa0", 4);
	close(sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLIRP_TEST(extension_headers_are_passed_over),
		SLIRP_TEST(fragment_header_is_taken),
		SLIRP_TEST(atomic_fragment_is_whole),
		SLIRP_TEST(extension_beyond_the_end_is_malformed),
		SLIRP_TEST(endless_extensions_are_malformed),
		SLIRP_TEST(length_beyond_the_frame_is_malformed),
		SLIRP_TEST(udp_goes_to_loopback_and_back),
		SLIRP_TEST(long_answer_comes_in_fragments),
		SLIRP_TEST(closed_port_is_told_by_icmp6),
		SLIRP_TEST(denied_destinations_are_told_by_icmp6),
		SLIRP_TEST(syn_is_answered_once_the_host_has_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
