/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of UDP forwards: who the guest sees, and where its answers go. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/nat.h"
#include "unit/datagram_guest.h"

#define PORT 7 /* the guest's */

struct forward_test {
	struct shard *shard;
	int client;
	uint16_t client_port;
	struct sockaddr_in at; /* the forward's */
	struct flow *listener;
};

/* A forward of the host's loopback to the guest's PORT. */
static struct flow *forward_begin(struct forward_test *test,
				  struct sockaddr_in *at)
{
	struct slirp_endpoint guest = { .address = guest_address(GUEST),
					.port = PORT };
	struct slirp_endpoint host;
	uint16_t port;
	int sock = host_bind(&port);

	*at = (struct sockaddr_in) { .sin_family = AF_INET,
				     .sin_port = htons(port) };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	host = endpoint_from_sockaddr(at);
	return udp_listen(test->shard, sock, &host, &guest);
}

static int setup(void **state)
{
	struct forward_test *test = calloc(1, sizeof(*test));

	test->shard = fake_shard_create();
	test->client = host_bind(&test->client_port);
	test->listener = forward_begin(test, &test->at);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct forward_test *test = *state;

	fake_shard_destroy(test->shard);
	close(test->client);
	free(test);
	return 0;
}

/* The guest takes a datagram to PORT. Return: from which of the gateway's ports
 */
static uint16_t guest_hear(struct forward_test *test, const char *data)
{
	uint16_t from_port, to_port;
	const uint8_t *payload;
	uint32_t peer;
	size_t size;

	while (test->shard->sent_read == test->shard->sent_count)
		assert_true(fake_wait(test->shard));
	payload =
		guest_take_udp(test->shard, &peer, &from_port, &to_port, &size);
	assert_int_equal(peer, GATEWAY);
	assert_int_equal(to_port, PORT);
	assert_int_equal(size, strlen(data));
	assert_memory_equal(payload, data, size);
	return from_port;
}

static uint16_t client_says(struct forward_test *test, int sock,
			    const struct sockaddr_in *at, const char *data)
{
	host_send(sock, at, data, strlen(data));
	return guest_hear(test, data);
}

static void guest_says(struct forward_test *test, uint16_t port,
		       const char *data)
{
	guest_send_udp(test->shard, PORT, GATEWAY, port, data, strlen(data));
	fake_turn(test->shard);
}

/* The client gets it, from the forward's port. */
static void client_hears(int sock, const struct sockaddr_in *at,
			 const char *data)
{
	struct sockaddr_in from;
	uint8_t got[16];

	assert_int_equal(host_take(sock, got, sizeof(got), &from),
			 strlen(data));
	assert_memory_equal(got, data, strlen(data));
	assert_int_equal(from.sin_port, at->sin_port);
}

static void client_is_seen_as_the_gateway_and_answered(void **state)
{
	struct forward_test *test = *state;
	uint16_t port = client_says(test, test->client, &test->at, "in");

	assert_int_equal(port, test->client_port);
	guest_says(test, port, "out");
	client_hears(test->client, &test->at, "out");
}

static void answers_go_out_whatever_the_policy(void **state)
{
	struct forward_test *test = *state;
	uint16_t port;

	test->shard->config.policy.deny_rest = true;
	test->shard->config.host_loopback = false;
	port = client_says(test, test->client, &test->at, "in");
	guest_says(test, port, "out");
	client_hears(test->client, &test->at, "out");
	/* ... but the guest cannot write to anybody else. */
	guest_says(test, port ^ 1, "x");
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 GATEWAY);
}

static void forwards_stay_and_answered_clients_count(void **state)
{
	struct forward_test *test = *state;
	struct flow *client;
	uint16_t port;

	assert_int_equal(test->listener->class, FLOW_PINNED);
	port = client_says(test, test->client, &test->at, "in");
	client = test->shard->flow[test->shard->flow_count - 1];
	assert_int_not_equal(client->class, FLOW_DATAGRAM);
	guest_says(test, port, "out");
	assert_int_equal(client->class, FLOW_DATAGRAM);
}

static void two_forwards_to_one_guest_port_are_told_apart(void **state)
{
	struct forward_test *test = *state;
	struct sockaddr_in other;
	uint16_t first, second;

	assert_non_null(forward_begin(test, &other));
	/* One client, so both times the same port of his. */
	first = client_says(test, test->client, &test->at, "a");
	second = client_says(test, test->client, &other, "b");
	assert_int_not_equal(first, second);
	guest_says(test, second, "to b");
	client_hears(test->client, &other, "to b");
	guest_says(test, first, "to a");
	client_hears(test->client, &test->at, "to a");
	assert_int_equal(client_says(test, test->client, &other, "b"), second);
}

static void clients_have_a_flow_each(void **state)
{
	struct forward_test *test = *state;
	uint16_t port, seen[2];
	int other = host_bind(&port);

	seen[0] = client_says(test, test->client, &test->at, "a");
	seen[1] = client_says(test, other, &test->at, "b");
	assert_int_equal(seen[1], port);
	guest_says(test, seen[0], "to a");
	guest_says(test, seen[1], "to b");
	client_hears(test->client, &test->at, "to a");
	client_hears(other, &test->at, "to b");
	assert_int_equal(fake_flows_live(test->shard), 3);
	close(other);
}

static void guest_that_writes_first_uses_the_forwards_port(void **state)
{
	struct forward_test *test = *state;

	guest_says(test, test->client_port, "hello");
	client_hears(test->client, &test->at, "hello");
	assert_int_equal(client_says(test, test->client, &test->at, "yes"),
			 test->client_port);
}

/* 127.0.0.1 cannot be the source of what goes elsewhere. */
static void forward_of_loopback_is_not_used_for_others(void **state)
{
	struct forward_test *test = *state;

	guest_send_udp(test->shard, PORT, 0xc0000201 /* 192.0.2.1 */, 9, "x",
		       1);
	assert_int_equal(fake_flows_live(test->shard), 2);
	assert_int_equal(test->shard->flow[1]->key.peer_port, 0);
	assert_true(test->shard->flow[1]->sock >= 0);
	fake_turn(test->shard);
}

static void policy_holds_for_whom_the_guest_wrote_to_first(void **state)
{
	struct forward_test *test = *state;

	guest_says(test, test->client_port, "hello");
	client_hears(test->client, &test->at, "hello");
	test->shard->config.policy.deny_rest = true;
	guest_says(test, test->client_port, "more");
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED,
			 GATEWAY);
}

static void client_that_is_gone_is_told_as_port_unreachable(void **state)
{
	struct forward_test *test = *state;
	uint16_t port = client_says(test, test->client, &test->at, "in");

	close(test->client);
	guest_says(test, port, "out");
	while (test->shard->sent_read == test->shard->sent_count)
		assert_true(fake_wait(test->shard));
	guest_take_error(test->shard, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH,
			 GATEWAY);
	test->client = host_bind(&port);
}

static void silent_clients_end_and_the_forward_does_not(void **state)
{
	struct forward_test *test = *state;

	client_says(test, test->client, &test->at, "in");
	assert_int_equal(fake_flows_live(test->shard), 2);
	test->shard->now_us += 31000000;
	fake_turn(test->shard);
	assert_int_equal(fake_flows_live(test->shard), 1);
	test->shard->now_us += 100000000000;
	fake_turn(test->shard);
	assert_int_equal(client_says(test, test->client, &test->at, "again"),
			 test->client_port);
}

static void answered_clients_live_as_long_as_any_flow(void **state)
{
	struct forward_test *test = *state;
	uint16_t port = client_says(test, test->client, &test->at, "in");

	guest_says(test, port, "out");
	test->shard->now_us += 299000000;
	fake_turn(test->shard);
	assert_int_equal(fake_flows_live(test->shard), 2);
	test->shard->now_us += 2000000;
	fake_turn(test->shard);
	assert_int_equal(fake_flows_live(test->shard), 1);
}

static void clients_end_with_their_forward(void **state)
{
	struct forward_test *test = *state;
	struct sockaddr_in other;
	struct flow *listener = forward_begin(test, &other);

	client_says(test, test->client, &test->at, "a");
	client_says(test, test->client, &other, "b");
	listener->ops->abort(test->shard, listener);
	assert_int_equal(fake_flows_live(test->shard), 2);
	client_says(test, test->client, &test->at, "a");
}

static void longest_datagram_reaches_the_guest_in_fragments(void **state)
{
	struct forward_test *test = *state;
	static uint8_t data[65507];
	struct iphdr ip;
	size_t size, sum = 0;

	host_send(test->client, &test->at, data, sizeof(data));
	assert_true(fake_wait(test->shard));
	do {
		guest_take_ip4(test->shard, &ip, &size);
		sum += size;
	} while (ntohs(ip.frag_off) & 0x2000);
	assert_int_equal(sum, 8 + sizeof(data));
}

static struct in6_addr text_address(const char *text)
{
	struct in6_addr address;
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1)
		return address_from4(in);
	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static void guest_sees_whose_address_can_be_routed_back(void **state)
{
	static const struct {
		const char *host;
		const char *guest;
		const char *seen;
	} seen[] = {
		{ "192.0.2.1", "10.0.2.15", "192.0.2.1" },
		{ "127.0.0.1", "10.0.2.15", "10.0.2.2" },
		{ "127.9.9.9", "10.0.2.15", "10.0.2.2" },
		{ "169.254.1.1", "10.0.2.15", "10.0.2.2" },
		{ "10.0.2.77", "10.0.2.15", "10.0.2.2" },
		{ "2001:db8::1", "10.0.2.15", "10.0.2.2" },
		{ "2001:db8::1", "fec0::15", "2001:db8::1" },
		{ "::1", "fec0::15", "fec0::2" },
		{ "fe80::1", "fec0::15", "fec0::2" },
		{ "fec0::77", "fec0::15", "fec0::2" },
		{ "192.0.2.1", "fec0::15", "fec0::2" },
	};
	struct slirp_config config;

	(void)state;
	slirp_config_init(&config);
	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
		struct in6_addr host = text_address(seen[i].host);
		struct in6_addr guest = text_address(seen[i].guest);
		struct in6_addr wanted = text_address(seen[i].seen), got;

		config.keep_source = true;
		got = nat_translate_client(&config, &host, &guest);
		if (!address_equal(&got, &wanted))
			fail_msg("%s behind %s", seen[i].host, seen[i].guest);
		config.keep_source = false;
		got = nat_translate_client(&config, &host, &guest);
		assert_true(nat_is_gateway(&config, &got));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_is_seen_as_the_gateway_and_answered),
		TEST(answers_go_out_whatever_the_policy),
		TEST(forwards_stay_and_answered_clients_count),
		TEST(two_forwards_to_one_guest_port_are_told_apart),
		TEST(clients_have_a_flow_each),
		TEST(guest_that_writes_first_uses_the_forwards_port),
		TEST(forward_of_loopback_is_not_used_for_others),
		TEST(policy_holds_for_whom_the_guest_wrote_to_first),
		TEST(client_that_is_gone_is_told_as_port_unreachable),
		TEST(silent_clients_end_and_the_forward_does_not),
		TEST(answered_clients_live_as_long_as_any_flow),
		TEST(clients_end_with_their_forward),
		TEST(longest_datagram_reaches_the_guest_in_fragments),
		cmocka_unit_test(guest_sees_whose_address_can_be_routed_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
