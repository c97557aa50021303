/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections begin: handshakes both ways, refusals, negotiation. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

static void tcp_handshake_emits_synack(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	guest_expect_silence(guest);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_expect_silence(guest);
	assert_int_equal(guest->shard->op_count[ENGINE_CONNECT], 2);
}

static void test_refused_port_resets_in_same_turn(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	close(guest->listener);
	guest->listener = -1;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

/* The host's kernel has chosen the port that the guest wants. */
static void a_connection_that_meets_itself_is_refused(void **state)
{
	struct guest *guest = *state;
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int sock =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(at);
	struct heard heard;

	assert_return_code(bind(sock, (struct sockaddr *)&at, size), errno);
	assert_return_code(getsockname(sock, (struct sockaddr *)&at, &size),
			   errno);
	guest->shard->next_socket = sock;
	guest->peer_port = ntohs(at.sin_port);
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	assert_int_equal(guest->shard->counters.tcp_resets, 1);
}

static bool answer_connect(struct shard *shard, struct shard_op *op)
{
	int *result = shard->hook_context;

	if (op->op.kind != ENGINE_CONNECT)
		return false;
	op->op.result = *result;
	return true;
}

static void test_pending_connect_keeps_quiet(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	int result = -EALREADY;

	guest->shard->hook = answer_connect;
	guest->shard->hook_context = &result;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	result = -EISCONN;
	guest_flow(guest)->ops->event(guest->shard, guest_flow(guest),
				      ENGINE_WRITABLE);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest_expect_silence(guest);
}

static void tcp_connect_async_eventual_rst_on_failure(void **state)
{
	struct guest *guest = *state;
	struct heard heard;
	int result = -EALREADY;

	guest->shard->hook = answer_connect;
	guest->shard->hook_context = &result;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	result = -ECONNREFUSED;
	guest_flow(guest)->ops->event(guest->shard, guest_flow(guest),
				      ENGINE_ERROR);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static bool hold_first_connect(struct shard *shard, struct shard_op *op)
{
	if (op->op.kind != ENGINE_CONNECT || op->flow != shard->flow[0])
		return false;
	op->op.result = -EALREADY;
	return true;
}

static void tcp_connect_to_unreachable_does_not_block_other_flows(void **state)
{
	struct guest *guest = *state;

	guest->shard->hook = hold_first_connect;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest->port++;
	guest_connect(guest);
	guest_send(guest, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	host_expect(guest, "x", 1);
	guest_expect_silence(guest);
}

static void test_denied_destination_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->config.restricted = true;
	guest_send(guest, TH_SYN, NULL, 0);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
	assert_int_equal(guest->shard->op_count[ENGINE_CONNECT], 0);
}

static void tcp_deny_list_emits_rst(void **state)
{
	struct guest *guest = *state;
	struct shard *shard = guest->shard;
	struct heard heard;

	assert_int_equal(
		policy_add(&shard->config.policy, false, "tcp:10.0.2.2"), 0);
	guest_send(guest, TH_SYN, NULL, 0);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(shard), 0);
	assert_int_equal(shard->op_count[ENGINE_CONNECT], 0);
	assert_int_equal(shard->counters.policy_denied, 1);
}

static void connection_is_half_open_until_both_agree(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_wait(guest);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_int_not_equal(guest_flow(guest)->class, FLOW_STREAM);
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	assert_int_equal(guest_flow(guest)->class, FLOW_STREAM);
}

static void established_connection_outlives_a_new_policy(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest->shard->config.policy.deny_rest = true;
	guest_send(guest, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	host_expect(guest, "x", 1);
}

static void test_no_socket_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->shard->sockets_left = 0;
	guest_send(guest, TH_SYN, NULL, 0);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void test_ack_of_no_flow_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->ack = 12345;
	guest_send(guest, TH_ACK, "x", 1);
	guest_expect(guest, TH_RST, &heard);
	assert_int_equal(heard.seq, 12345);
}

static void test_rst_of_no_flow_is_not_answered(void **state)
{
	struct guest *guest = *state;

	guest_send(guest, TH_RST, NULL, 0);
	guest_expect_silence(guest);
}

static void test_retransmitted_syn_is_idempotent(void **state)
{
	struct guest *guest = *state;
	struct heard first, second;

	guest_send(guest, TH_SYN, NULL, 0);
	guest_send_at(guest, guest->seq - 1, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &first);
	guest_expect_silence(guest);
	guest_send_at(guest, guest->seq - 1, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &second);
	assert_int_equal(first.seq, second.seq);
	assert_int_equal(fake_flows_live(guest->shard), 1);
	assert_int_equal(guest->shard->counters.tcp_flows, 1);
}

/* The guest gave the first one up, and uses its port again. */
static void test_new_syn_while_connecting_starts_over(void **state)
{
	struct guest *guest = *state;

	guest->shard->hook = hold_first_connect;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest->seq += 5000;
	guest_connect(guest);
	guest_send(guest, TH_ACK, "x", 1);
	fake_turn(guest->shard);
	host_expect(guest, "x", 1);
}

static void test_new_syn_before_the_handshake_ends_starts_over(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest->seq += 5000;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_int_equal(heard.ack, guest->seq);
	guest_expect_silence(guest);
}

static void test_syn_ack_is_sent_again(void **state)
{
	struct guest *guest = *state;
	struct heard first, second;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &first);
	fake_advance(guest->shard, 999);
	guest_expect_silence(guest);
	fake_advance(guest->shard, 2);
	guest_expect(guest, TH_SYN | TH_ACK, &second);
	assert_int_equal(first.seq, second.seq);
	assert_int_equal(guest->shard->counters.tcp_retransmits, 1);
}

static void tcp_window_scale_negotiated_in_synack(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_in_range(heard.scale, 7, 14);
	assert_int_equal(heard.mss, guest->shard->features.mtu - 40);
	assert_int_equal(heard.window, 65535);
}

static void test_window_scale_is_not_forced(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest->scale = -1;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	assert_int_equal(heard.scale, -1);
	guest_send(guest, TH_ACK, "x", 1);
	fake_advance(guest->shard, 3);
	guest_expect(guest, TH_ACK, &heard);
	assert_int_equal(heard.window, 65534);
}

static void test_sequence_numbers_differ_by_flow(void **state)
{
	struct guest *guest = *state;
	struct heard first, second;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &first);
	guest->port++;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &second);
	assert_true(second.seq - first.seq > 1000000 &&
		    first.seq - second.seq > 1000000);
}

static void test_other_shards_flow_is_told(void **state)
{
	struct guest *guest = *state;
	uint8_t frame[54] = { 0 };
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .tot_len = htons(40),
			    .protocol = IPPROTO_TCP };
	struct tcphdr tcp = { .th_off = 5, .th_flags = TH_SYN };
	struct port_offload offload = { .flags = PORT_NEEDS_CSUM };

	ip.saddr = guest->shard->config.guest.s_addr;
	ip.daddr = guest->shard->config.gateway.s_addr;
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	tcp.th_sport = htons(1);
	tcp.th_dport = htons(guest->peer_port);
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + 34, &tcp, sizeof(tcp));
	guest->shard->foreign_owner = 3;
	assert_int_equal(fake_input(guest->shard, frame, sizeof(frame), 0,
				    &offload, tcp_open),
			 3);
	guest_expect_silence(guest);
}

static void test_wrong_ack_of_syn_ack_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest->ack += 7;
	guest_send(guest, TH_ACK, NULL, 0);
	fake_turn(guest->shard);
	assert_true(guest_hear(guest, &heard));
	assert_int_equal(heard.flags, TH_RST);
	assert_int_equal(heard.seq, guest->ack);
}

/* The longest segment of a guest's that says @mss in its SYN, 0 for nothing. */
static size_t longest_segment(struct guest *guest, uint16_t mss)
{
	static const char data[10000];
	struct heard heard;
	size_t longest = 0;

	guest->shard->features.rx_tso4 = false;
	guest->mss = mss;
	guest_connect(guest);
	host_send(guest, data, sizeof(data));
	guest_wait(guest);
	while (guest_hear(guest, &heard))
		longest = heard.length > longest ? heard.length : longest;
	return longest;
}

static void test_segments_are_as_long_as_the_guest_says(void **state)
{
	assert_int_equal(longest_segment(*state, 700), 700);
}

static void test_segments_are_no_longer_than_the_mtu_allows(void **state)
{
	assert_int_equal(longest_segment(*state, 9000), 1460);
}

/* RFC 9293, 3.7.1 */
static void test_guest_that_says_no_segment_size_gets_536(void **state)
{
	assert_int_equal(longest_segment(*state, 0), 536);
}

#define OPEN_TEST(name) \
	cmocka_unit_test_setup_teardown(name, guest_set_up, guest_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN_TEST(tcp_handshake_emits_synack),
		OPEN_TEST(test_refused_port_resets_in_same_turn),
		OPEN_TEST(a_connection_that_meets_itself_is_refused),
		OPEN_TEST(test_pending_connect_keeps_quiet),
		OPEN_TEST(tcp_connect_async_eventual_rst_on_failure),
		OPEN_TEST(
			tcp_connect_to_unreachable_does_not_block_other_flows),
		OPEN_TEST(test_denied_destination_resets),
		OPEN_TEST(tcp_deny_list_emits_rst),
		OPEN_TEST(established_connection_outlives_a_new_policy),
		OPEN_TEST(connection_is_half_open_until_both_agree),
		OPEN_TEST(test_no_socket_resets),
		OPEN_TEST(test_ack_of_no_flow_resets),
		OPEN_TEST(test_rst_of_no_flow_is_not_answered),
		OPEN_TEST(test_retransmitted_syn_is_idempotent),
		OPEN_TEST(test_new_syn_while_connecting_starts_over),
		OPEN_TEST(test_new_syn_before_the_handshake_ends_starts_over),
		OPEN_TEST(test_syn_ack_is_sent_again),
		OPEN_TEST(tcp_window_scale_negotiated_in_synack),
		OPEN_TEST(test_window_scale_is_not_forced),
		OPEN_TEST(test_sequence_numbers_differ_by_flow),
		OPEN_TEST(test_other_shards_flow_is_told),
		OPEN_TEST(test_wrong_ack_of_syn_ack_resets),
		OPEN_TEST(test_segments_are_as_long_as_the_guest_says),
		OPEN_TEST(test_segments_are_no_longer_than_the_mtu_allows),
		OPEN_TEST(test_guest_that_says_no_segment_size_gets_536),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
