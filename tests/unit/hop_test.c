/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/hop.h"
#include "unit/guest6.h"

#define FAR4 0xc0000201U /* 192.0.2.1 */
#define FAR6 "2001:db8::1"

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

/* A datagram of the guest's with this time to live, and in IPv4 these flags. */
static void make4(struct shard *shard, uint32_t to, uint8_t ttl, uint16_t flags,
		  size_t size, struct packet *packet)
{
	static uint8_t frame[2048], data[2000];
	size_t length = guest_make_udp(frame, 4000, to, 53, data, size);
	struct iphdr ip;

	memcpy(&ip, frame + 14, sizeof(ip));
	ip.ttl = ttl;
	ip.frag_off = htons(flags);
	ip.check = 0;
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame + 14, &ip, sizeof(ip));
	fake_parse(shard, frame, length, 0, NULL, packet);
}

static void make6(struct shard *shard, const char *to, uint8_t ttl, size_t size,
		  struct packet *packet)
{
	static uint8_t frame[2048], data[2000] = { 0x0f, 0xa0, 0, 53 };
	size_t length =
		guest6_make(frame, GUEST6, to, IPPROTO_UDP, data, 8 + size, 6);

	frame[14 + 7] = ttl;
	fake_parse(shard, frame, length, 0, NULL, packet);
}

static void last_hop_is_told_by_the_gateway(void **state)
{
	struct shard *shard = *state;
	struct packet packet;
	const uint8_t *l4;
	size_t size;

	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		make4(shard, FAR4, ttl, 0, 4, &packet);
		assert_false(hop_enter(shard, &packet));
		guest_take_error(shard, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, FAR4);
	}
	make6(shard, FAR6, 1, 4, &packet);
	assert_false(hop_enter(shard, &packet));
	l4 = guest6_take(shard, GATEWAY6, GUEST6, IPPROTO_ICMPV6, &size);
	assert_int_equal(l4[0], ICMP6_TIME_EXCEEDED);
	assert_int_equal(l4[1], ICMP6_TIME_EXCEED_TRANSIT);
}

static void nobody_is_told_of_any_but_the_first_fragment(void **state)
{
	struct shard *shard = *state;
	struct packet packet;

	make4(shard, FAR4, 1, 0x2000 | 8, 16, &packet);
	assert_false(hop_enter(shard, &packet));
	assert_null(fake_next(shard));
}

static void what_is_on_the_link_needs_no_further_hop(void **state)
{
	struct shard *shard = *state;
	struct packet packet;

	make4(shard, GATEWAY, 1, 0, 4, &packet);
	assert_true(hop_enter(shard, &packet));
	make4(shard, 0xffffffffU, 1, 0, 4, &packet);
	assert_true(hop_enter(shard, &packet));
	make6(shard, ROUTER6, 1, 4, &packet);
	assert_true(hop_enter(shard, &packet));
	make6(shard, ALL_NODES6, 1, 4, &packet);
	assert_true(hop_enter(shard, &packet));
	assert_null(fake_next(shard));
}

static void far_packet_with_hops_left_may_go_on(void **state)
{
	struct shard *shard = *state;
	struct packet packet;

	make4(shard, FAR4, 2, 0, 4, &packet);
	assert_true(hop_enter(shard, &packet));
	make6(shard, FAR6, 2, 4, &packet);
	assert_true(hop_enter(shard, &packet));
}

/* Return: the time to live in an operation's ancillary data, -1 if none */
static int ttl_of(struct shard_op *op, int level, int type)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(&op->op.message);
	int ttl;

	if (!control)
		return -1;
	assert_int_equal(control->cmsg_level, level);
	assert_int_equal(control->cmsg_type, type);
	assert_int_equal(control->cmsg_len, CMSG_LEN(sizeof(ttl)));
	memcpy(&ttl, CMSG_DATA(control), sizeof(ttl));
	return ttl;
}

static int carried4(struct shard *shard, uint32_t to, uint8_t ttl)
{
	struct shard_op op = { 0 };
	struct packet packet;

	make4(shard, to, ttl, 0, 4, &packet);
	hop_set_ttl(shard, &op, &packet);
	return ttl_of(&op, IPPROTO_IP, IP_TTL);
}

static int carried6(struct shard *shard, const char *to, uint8_t ttl)
{
	struct shard_op op = { 0 };
	struct packet packet;

	make6(shard, to, ttl, 4, &packet);
	hop_set_ttl(shard, &op, &packet);
	return ttl_of(&op, IPPROTO_IPV6, IPV6_HOPLIMIT);
}

static void small_time_to_live_is_carried_less_one(void **state)
{
	struct shard *shard = *state;

	assert_int_equal(carried4(shard, FAR4, 2), 1);
	assert_int_equal(carried4(shard, FAR4, 30), 29);
	assert_int_equal(carried6(shard, FAR6, 2), 1);
	assert_int_equal(carried6(shard, FAR6, 30), 29);
}

static void usual_time_to_live_is_the_hosts(void **state)
{
	struct shard *shard = *state;

	assert_int_equal(carried4(shard, FAR4, 64), -1);
	assert_int_equal(carried4(shard, FAR4, 255), -1);
	assert_int_equal(carried4(shard, GATEWAY, 2), -1);
	assert_int_equal(carried6(shard, FAR6, 64), -1);
	assert_int_equal(carried6(shard, GATEWAY6, 2), -1);
}

static int option(int sock, int level, int name)
{
	int value;
	socklen_t size = sizeof(value);

	assert_int_equal(getsockopt(sock, level, name, &value, &size), 0);
	return value;
}

static void socket_follows_dont_fragment(void **state)
{
	struct shard *shard = *state;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum hop_df df = HOP_DF_HOST;
	struct packet packet;

	make4(shard, FAR4, 64, IP_DF, 1000, &packet);
	assert_true(hop_set_df(sock, &df, &packet));
	assert_int_equal(option(sock, IPPROTO_IP, IP_MTU_DISCOVER),
			 IP_PMTUDISC_DO);
	assert_false(hop_set_df(sock, &df, &packet));
	make4(shard, FAR4, 64, 0, 1000, &packet);
	assert_true(hop_set_df(sock, &df, &packet));
	assert_int_equal(option(sock, IPPROTO_IP, IP_MTU_DISCOVER),
			 IP_PMTUDISC_DONT);
	close(sock);
}

static void ip6_socket_follows_who_fragments(void **state)
{
	struct shard *shard = *state;
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum hop_df df = HOP_DF_HOST;
	struct packet packet;

	make6(shard, FAR6, 64, 1400, &packet);
	assert_true(hop_set_df(sock, &df, &packet));
	assert_int_equal(option(sock, IPPROTO_IPV6, IPV6_DONTFRAG), 1);
	packet.fragment = 0; /* as one that came in fragments */
	assert_true(hop_set_df(sock, &df, &packet));
	assert_int_equal(option(sock, IPPROTO_IPV6, IPV6_DONTFRAG), 0);
	close(sock);
}

static void small_datagrams_cost_no_system_call(void **state)
{
	struct shard *shard = *state;
	enum hop_df df = HOP_DF_HOST;
	struct packet packet;

	make4(shard, FAR4, 64, IP_DF, 548, &packet);
	assert_false(hop_set_df(-1, &df, &packet));
	make6(shard, FAR6, 64, 1232, &packet);
	assert_false(hop_set_df(-1, &df, &packet));
	assert_int_equal(df, HOP_DF_HOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(last_hop_is_told_by_the_gateway),
		TEST(nobody_is_told_of_any_but_the_first_fragment),
		TEST(what_is_on_the_link_needs_no_further_hop),
		TEST(far_packet_with_hops_left_may_go_on),
		TEST(small_time_to_live_is_carried_less_one),
		TEST(usual_time_to_live_is_the_hosts),
		TEST(socket_follows_dont_fragment),
		TEST(ip6_socket_follows_who_fragments),
		TEST(small_datagrams_cost_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
