/* SPDX-License-Identifier: BSD-3-Clause */
/* How a guest is told that its connection does not come about. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

static bool answer_connect(struct shard *shard, struct shard_op *op)
{
	const int *result = shard->hook_context;

	if (op->op.kind != ENGINE_CONNECT)
		return false;
	op->op.result = *result;
	return true;
}

/* The guest connects, and the host's connect() says @result. */
static void connect_in_vain(struct guest *guest, int result)
{
	guest->shard->hook = answer_connect;
	guest->shard->hook_context = &result;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
}

/* An ICMP message about the guest's SYN, as Linux wants it. */
static void expect_icmp(struct guest *guest, uint8_t code)
{
	const struct fake_frame *frame = fake_next(guest->shard);
	struct iphdr ip, quoted;
	struct icmphdr icmp;
	struct tcphdr syn;

	assert_non_null(frame);
	assert_true(frame->length >= 14 + 20 + 8 + 20 + 8);
	memcpy(&ip, frame->data + 14, sizeof(ip));
	memcpy(&icmp, frame->data + 34, sizeof(icmp));
	memcpy(&quoted, frame->data + 42, sizeof(quoted));
	memcpy(&syn, frame->data + 62, 8);
	assert_int_equal(ip.protocol, IPPROTO_ICMP);
	assert_int_equal(icmp.type, ICMP_DEST_UNREACH);
	assert_int_equal(icmp.code, code);
	assert_int_equal(quoted.protocol, IPPROTO_TCP);
	assert_int_equal(quoted.saddr, guest->shard->config.guest.s_addr);
	assert_int_equal(ntohs(syn.th_sport), guest->port);
	assert_int_equal(ntohs(syn.th_dport), guest->peer_port);
	assert_int_equal(ntohl(syn.th_seq), guest->seq - 1);
	guest_expect_silence(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_unreachable_host_is_told_by_icmp(void **state)
{
	connect_in_vain(*state, -EHOSTUNREACH);
	expect_icmp(*state, ICMP_HOST_UNREACH);
}

static void test_unreachable_network_is_told_by_icmp(void **state)
{
	connect_in_vain(*state, -ENETUNREACH);
	expect_icmp(*state, ICMP_NET_UNREACH);
}

static void test_hosts_own_refusal_is_told_by_icmp(void **state)
{
	connect_in_vain(*state, -EPERM);
	expect_icmp(*state, ICMP_PKT_FILTERED);
}

static void tcp_connect_async_eventual_icmp_on_failure(void **state)
{
	struct guest *guest = *state;
	int result = -EALREADY;

	connect_in_vain(guest, result);
	guest_expect_silence(guest);
	result = -EHOSTUNREACH;
	guest->shard->hook_context = &result;
	guest_flow(guest)->ops->event(guest->shard, guest_flow(guest),
				      ENGINE_ERROR);
	fake_turn(guest->shard);
	expect_icmp(guest, ICMP_HOST_UNREACH);
}

static void test_silent_host_is_answered_by_silence(void **state)
{
	struct guest *guest = *state;

	connect_in_vain(guest, -ETIMEDOUT);
	guest_expect_silence(guest);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_no_ports_left_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	connect_in_vain(guest, -EADDRNOTAVAIL);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
}

static void test_address_that_nobody_has_is_unreachable(void **state)
{
	struct guest *guest = *state;

	guest->to.s_addr = inet_addr("10.0.2.77");
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	expect_icmp(guest, ICMP_HOST_UNREACH);
	assert_int_equal(guest->shard->op_count[ENGINE_CONNECT], 0);
}

static void test_guest_without_space_is_reset_later(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->rx_frames_left = 0;
	connect_in_vain(guest, -ECONNREFUSED);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	guest->shard->rx_frames_left = -1;
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_lasting_lack_of_space_ends_the_flow_too(void **state)
{
	struct guest *guest = *state;

	guest->shard->rx_frames_left = 0;
	connect_in_vain(guest, -ECONNREFUSED);
	fake_advance(guest->shard, 61000);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

#define REFUSE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFUSE_TEST(test_unreachable_host_is_told_by_icmp),
		REFUSE_TEST(test_unreachable_network_is_told_by_icmp),
		REFUSE_TEST(test_hosts_own_refusal_is_told_by_icmp),
		REFUSE_TEST(tcp_connect_async_eventual_icmp_on_failure),
		REFUSE_TEST(test_silent_host_is_answered_by_silence),
		REFUSE_TEST(test_no_ports_left_resets),
		REFUSE_TEST(test_address_that_nobody_has_is_unreachable),
		REFUSE_TEST(test_guest_without_space_is_reset_later),
		REFUSE_TEST(test_lasting_lack_of_space_ends_the_flow_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
