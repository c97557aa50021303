/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/dns_message.h"
#include "slirp/resolvers.h"
#include "unit/datagram_guest.h"
#include "unit/dns_make.h"

#define PORT      41000 /* the guest's */
#define QUERY_MAX 64

struct dns_test {
	struct shard *shard;
	int resolver[2];
};

/* A query of one question, "ab. A IN". */
static size_t make_query(uint8_t *query, uint16_t id)
{
	static const uint8_t rest[] = { 1, 0, 0,   1,   0, 0, 0, 0, 0,
					0, 2, 'a', 'b', 0, 0, 1, 0, 1 };

	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
	memcpy(query + 2, rest, sizeof(rest));
	return 2 + sizeof(rest);
}

static int setup(void **state)
{
	struct dns_test *test = calloc(1, sizeof(*test));
	uint16_t port;

	test->shard = fake_shard_create();
	for (int i = 0; i < 2; i++) {
		test->resolver[i] = host_bind(&port);
		test->shard->config.resolver[i] = (struct slirp_endpoint) {
			.address = guest_address(INADDR_LOOPBACK),
			.port = port,
		};
	}
	test->shard->config.resolver_count = 2;
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct dns_test *test = *state;

	fake_shard_destroy(test->shard);
	for (int i = 0; i < 2; i++)
		if (test->resolver[i] >= 0)
			close(test->resolver[i]);
	free(test);
	return 0;
}

static void ask(struct dns_test *test, uint16_t id)
{
	uint8_t query[QUERY_MAX];
	size_t size = make_query(query, id);

	guest_send_udp(test->shard, PORT, DNS, 53, query, size);
	fake_turn(test->shard);
}

/* A resolver gets a query. Return: from where */
static struct sockaddr_in expect_query(struct dns_test *test, int resolver,
				       uint16_t id)
{
	uint8_t query[QUERY_MAX], got[QUERY_MAX];
	size_t size = make_query(query, id);
	struct sockaddr_in from;

	assert_int_equal(
		host_take(test->resolver[resolver], got, sizeof(got), &from),
		size);
	assert_memory_equal(got, query, size);
	return from;
}

static void expect_no_query(struct dns_test *test, int resolver)
{
	uint8_t got[QUERY_MAX];

	assert_true(recv(test->resolver[resolver], got, sizeof(got),
			 MSG_DONTWAIT) < 0);
}

/* A resolver answers, with a response code and some bytes behind the query. */
static void answer(struct dns_test *test, int resolver,
		   const struct sockaddr_in *to, uint16_t id, uint8_t rcode,
		   size_t extra)
{
	uint8_t response[8192] = { 0 };
	size_t size = make_query(response, id);

	response[2] |= 0x80;
	response[3] = 0x80 | rcode;
	host_send(test->resolver[resolver], to, response, size + extra);
	assert_true(fake_wait(test->shard));
}

static void expect_answer(struct dns_test *test, uint16_t id, uint8_t rcode)
{
	struct dns_header header;
	uint16_t from_port, to_port;
	uint32_t from;
	size_t size;
	const uint8_t *payload =
		guest_take_udp(test->shard, &from, &from_port, &to_port, &size);

	assert_int_equal(from, DNS);
	assert_int_equal(from_port, 53);
	assert_int_equal(to_port, PORT);
	assert_true(dns_header_parse(payload, size, &header));
	assert_true(header.response);
	assert_int_equal(header.id, id);
	assert_int_equal(header.rcode, rcode);
	assert_int_equal(header.questions, 1);
}

static void answer_comes_from_the_dns_address(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 7, 0, 16);
	expect_answer(test, 7, 0);
	assert_int_equal(test->shard->counters.dns_queries, 1);
	expect_no_query(test, 1);
}

static void two_queries_of_one_port_are_answered(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	ask(test, 8);
	expect_query(test, 0, 7);
	from = expect_query(test, 0, 8);
	answer(test, 0, &from, 8, 0, 0);
	expect_answer(test, 8, 0);
	answer(test, 0, &from, 7, 0, 0);
	expect_answer(test, 7, 0);
	assert_int_equal(fake_flows_live(test->shard), 1);
}

static void long_answer_is_not_cut(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;
	struct iphdr ip;
	size_t size, whole = 0;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 7, 0, 4096);
	do {
		guest_take_ip4(test->shard, &ip, &size);
		assert_int_equal(ntohl(ip.saddr), DNS);
		whole += size;
	} while (ntohs(ip.frag_off) & 0x2000);
	assert_int_equal(whole, 8 + 20 + 4096);
}

static void query_that_the_guest_repeats_goes_to_the_next(void **state)
{
	struct dns_test *test = *state;

	ask(test, 7);
	expect_query(test, 0, 7);
	ask(test, 7);
	expect_query(test, 1, 7);
	expect_no_query(test, 0);
}

static void silent_resolver_is_left_after_two_seconds(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	expect_query(test, 0, 7);
	fake_advance(test->shard, 1999);
	expect_no_query(test, 1);
	fake_advance(test->shard, 1);
	from = expect_query(test, 1, 7);
	answer(test, 1, &from, 7, 0, 0);
	expect_answer(test, 7, 0);
	fake_advance(test->shard, 4000);
	expect_no_query(test, 0);
}

static void silence_of_all_ends_in_servfail(void **state)
{
	struct dns_test *test = *state;

	ask(test, 7);
	fake_advance(test->shard, 7999);
	assert_null(fake_next(test->shard));
	fake_advance(test->shard, 1);
	expect_answer(test, 7, DNS_SERVFAIL);
	assert_null(fake_next(test->shard));
}

static void resolver_that_fails_is_left_at_once(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 7, DNS_REFUSED, 0);
	assert_null(fake_next(test->shard));
	from = expect_query(test, 1, 7);
	answer(test, 1, &from, 7, DNS_SERVFAIL, 0);
	expect_answer(test, 7, DNS_SERVFAIL);
	expect_no_query(test, 0);
}

static void name_that_does_not_exist_is_an_answer(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 7, 3, 0);
	expect_answer(test, 7, 3);
}

static void closed_resolver_is_left_at_once(void **state)
{
	struct dns_test *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	ask(test, 7);
	assert_true(fake_wait(test->shard));
	expect_query(test, 1, 7);
	assert_null(fake_next(test->shard));
}

static void closed_resolvers_end_in_servfail_at_once(void **state)
{
	struct dns_test *test = *state;

	for (int i = 0; i < 2; i++) {
		close(test->resolver[i]);
		test->resolver[i] = -1;
	}
	ask(test, 7);
	for (int i = 0; i < 3 && !test->shard->sent_count; i++)
		assert_true(fake_wait(test->shard));
	expect_answer(test, 7, DNS_SERVFAIL);
}

static void answer_of_a_stranger_is_dropped(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;
	uint16_t port;
	int stranger = host_bind(&port);
	uint8_t response[QUERY_MAX];
	size_t size = make_query(response, 7);

	ask(test, 7);
	from = expect_query(test, 0, 7);
	response[2] |= 0x80;
	host_send(stranger, &from, response, size);
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	close(stranger);
}

static void answer_that_nobody_waits_for_is_dropped(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 9, 0, 0);
	assert_null(fake_next(test->shard));
	answer(test, 0, &from, 7, 0, 0);
	expect_answer(test, 7, 0);
	answer(test, 0, &from, 7, 0, 0);
	assert_null(fake_next(test->shard));
}

static void short_and_wrong_messages_of_a_resolver_are_dropped(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;
	uint8_t query[QUERY_MAX];
	size_t size = make_query(query, 7);

	ask(test, 7);
	from = expect_query(test, 0, 7);
	host_send(test->resolver[0], &from, query, size); /* no response */
	query[2] |= 0x80;
	for (size_t cut = 0; cut < DNS_HEADER_SIZE; cut++)
		host_send(test->resolver[0], &from, query, cut);
	while (fake_wait(test->shard) && !test->shard->sent_count)
		if (recv(test->shard->flow[0]->sock, query, 1,
			 MSG_PEEK | MSG_DONTWAIT) < 0)
			break;
	assert_null(fake_next(test->shard));
}

static void many_queries_of_one_port_pass_without_copies(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	for (uint16_t id = 1; id <= 10; id++) {
		ask(test, id);
		from = expect_query(test, 0, id);
	}
	for (uint16_t id = 1; id <= 10; id++) {
		answer(test, 0, &from, id, 0, 0);
		expect_answer(test, id, 0);
	}
}

static void query_passes_when_no_copy_can_be_kept(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	test->shard->keeps_left = 0;
	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer(test, 0, &from, 7, 0, 0);
	expect_answer(test, 7, 0);
	test->shard->keeps_left = -1;
}

static void host_without_resolver_answers_servfail_at_once(void **state)
{
	struct dns_test *test = *state;

	test->shard->config.resolver_count = 0;
	ask(test, 7);
	expect_answer(test, 7, DNS_SERVFAIL);
	assert_int_equal(fake_flows_live(test->shard), 0);
	assert_int_equal(test->shard->counters.dns_queries, 1);
}

static void restricted_guest_is_refused_at_once(void **state)
{
	struct dns_test *test = *state;

	test->shard->config.restricted = true;
	ask(test, 7);
	expect_answer(test, 7, DNS_REFUSED);
	expect_no_query(test, 0);
}

static void denied_query_is_refused_at_once(void **state)
{
	struct dns_test *test = *state;
	struct slirp_policy *policy = &test->shard->config.policy;

	assert_int_equal(policy_add(policy, false, "10.0.2.3"), 0);
	ask(test, 7);
	expect_answer(test, 7, DNS_REFUSED);
	expect_no_query(test, 0);
}

static void query_cut_in_its_header_is_malformed(void **state)
{
	struct dns_test *test = *state;
	uint8_t query[QUERY_MAX];

	make_query(query, 7);
	for (size_t size = 0; size < DNS_HEADER_SIZE; size++)
		guest_send_udp(test->shard, PORT, DNS, 53, query, size);
	query[2] |= 0x80; /* a response is no query */
	guest_send_udp(test->shard, PORT, DNS, 53, query, 20);
	fake_turn(test->shard);
	assert_int_equal(test->shard->counters.tx_malformed,
			 DNS_HEADER_SIZE + 1);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void flow_ends_soon(void **state)
{
	struct dns_test *test = *state;

	ask(test, 7);
	fake_advance(test->shard, 10001);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

/* An answer with an address, to "ab.", that lives for @ttl seconds */
static void answer_address(struct dns_test *test, const struct sockaddr_in *to,
			   uint16_t id, uint32_t ttl)
{
	struct dns_made query = dns_make_query(id, "ab", TYPE_A);
	struct dns_made made = dns_make_answer(&query, DNS_NOERROR);

	dns_make_record(&made, DNS_ANSWER, TYPE_A, ttl, "\xc0\0\2\7", 4);
	host_send(test->resolver[0], to, made.data, made.size);
	assert_true(fake_wait(test->shard));
	expect_answer(test, id, DNS_NOERROR);
}

static void known_answer_asks_nobody(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 60);
	ask(test, 8);
	expect_answer(test, 8, DNS_NOERROR);
	expect_no_query(test, 0);
	assert_int_equal(test->shard->counters.dns_queries, 2);
	assert_int_equal(test->shard->counters.dns_cache_misses, 1);
	assert_int_equal(test->shard->counters.dns_cache_hits, 1);
}

static void known_answer_makes_no_flow(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 60);
	test->shard->now_us += 11000000;
	fake_turn(test->shard);
	assert_int_equal(fake_flows_live(test->shard), 0);
	ask(test, 8);
	expect_answer(test, 8, DNS_NOERROR);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void answer_is_asked_for_again_at_its_end(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 60);
	test->shard->now_us += 60000000;
	fake_turn(test->shard);
	ask(test, 8);
	expect_query(test, 0, 8);
}

static void without_a_cache_every_query_is_asked(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	test->shard->config.dns_cache = false;
	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 60);
	ask(test, 8);
	expect_query(test, 0, 8);
	assert_int_equal(test->shard->counters.dns_cache_misses, 0);
}

static void failure_is_not_remembered(void **state)
{
	struct dns_test *test = *state;
	struct sockaddr_in from;

	ask(test, 7);
	for (int i = 0; i < 2; i++) {
		from = expect_query(test, i, 7);
		answer(test, i, &from, 7, DNS_SERVFAIL, 0);
	}
	expect_answer(test, 7, DNS_SERVFAIL);
	ask(test, 8);
	expect_query(test, 0, 8);
}

static void answer_to_another_question_is_dropped(void **state)
{
	struct dns_test *test = *state;
	struct dns_made other = dns_make_query(7, "xy", TYPE_A), made;
	struct sockaddr_in from;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	made = dns_make_answer(&other, DNS_NOERROR);
	host_send(test->resolver[0], &from, made.data, made.size);
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	answer_address(test, &from, 7, 60);
}

static void error_may_leave_the_question_out(void **state)
{
	struct dns_test *test = *state;
	const uint8_t error[12] = { 0, 7, 0x81, 1 }; /* FORMERR */
	struct sockaddr_in from;
	uint16_t ports[2];
	uint32_t address;
	size_t size;

	ask(test, 7);
	from = expect_query(test, 0, 7);
	host_send(test->resolver[0], &from, error, sizeof(error));
	assert_true(fake_wait(test->shard));
	guest_take_udp(test->shard, &address, &ports[0], &ports[1], &size);
	assert_int_equal(size, sizeof(error));
}

static void slow_answer_delays_nobody_else(void **state)
{
	struct dns_test *test = *state;
	uint8_t query[QUERY_MAX];
	struct sockaddr_in from;
	size_t size = make_query(query, 6);

	/* Never answered, from another port of the guest's */
	guest_send_udp(test->shard, PORT + 1, DNS, 53, query, size);
	fake_turn(test->shard);
	expect_query(test, 0, 6);
	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 0);
}

/* Of one size, from one port */
static void two_questions_of_one_id_are_answered(void **state)
{
	struct dns_test *test = *state;
	struct dns_made query[2] = { dns_make_query(7, "ab", TYPE_A),
				     dns_make_query(7, "ab", TYPE_AAAA) };
	struct sockaddr_in from;
	uint8_t got[QUERY_MAX];

	for (int i = 0; i < 2; i++) {
		guest_send_udp(test->shard, PORT, DNS, 53, query[i].data,
			       query[i].size);
		fake_turn(test->shard);
		assert_int_equal(
			host_take(test->resolver[0], got, sizeof(got), &from),
			query[i].size);
		assert_memory_equal(got, query[i].data, query[i].size);
	}
	for (int i = 1; i >= 0; i--) {
		struct dns_made made = dns_make_answer(&query[i], 0);

		host_send(test->resolver[0], &from, made.data, made.size);
		assert_true(fake_wait(test->shard));
		expect_answer(test, 7, DNS_NOERROR);
	}
	expect_no_query(test, 1);
}

static void silent_resolver_is_asked_last_for_a_while(void **state)
{
	struct dns_test *test = *state;

	ask(test, 7);
	expect_query(test, 0, 7);
	fake_advance(test->shard, 2000);
	expect_query(test, 1, 7);
	ask(test, 8);
	expect_query(test, 1, 8);
	expect_no_query(test, 0);
	test->shard->now_us += RESOLVERS_SHUN_MS * 1000ULL;
	fake_turn(test->shard);
	while (recv(test->resolver[0], &(uint8_t) { 0 }, 1, MSG_DONTWAIT) > 0)
		;
	ask(test, 9);
	expect_query(test, 0, 9);
}

static void unreachable_resolver_is_asked_last_for_a_while(void **state)
{
	struct dns_test *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	ask(test, 7);
	assert_true(fake_wait(test->shard));
	expect_query(test, 1, 7);
	test->shard->op_count[ENGINE_SEND] = 0;
	ask(test, 8);
	expect_query(test, 1, 8);
	assert_int_equal(test->shard->op_count[ENGINE_SEND], 1);
}

static void other_resolvers_are_asked_what_is_open(void **state)
{
	struct dns_test *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	ask(test, 7);
	expect_query(test, 0, 7);
	config->resolver[0] = config->resolver[1];
	fake_advance(test->shard, 2000);
	from = expect_query(test, 1, 7);
	answer(test, 1, &from, 7, DNS_NOERROR, 0);
	expect_answer(test, 7, DNS_NOERROR);
}

static void answers_of_former_resolvers_are_forgotten(void **state)
{
	struct dns_test *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	ask(test, 7);
	from = expect_query(test, 0, 7);
	answer_address(test, &from, 7, 60);
	config->resolver[0] = config->resolver[1];
	ask(test, 8);
	expect_query(test, 1, 8);
}

static void former_resolver_is_a_stranger(void **state)
{
	struct dns_test *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	ask(test, 7);
	from = expect_query(test, 0, 7);
	config->resolver[0] = config->resolver[1];
	answer(test, 0, &from, 7, 0, 0);
	assert_null(fake_next(test->shard));
}

static void list_that_becomes_empty_ends_in_servfail(void **state)
{
	struct dns_test *test = *state;

	ask(test, 7);
	expect_query(test, 0, 7);
	test->shard->config.resolver_count = 0;
	ask(test, 8);
	expect_answer(test, 8, DNS_SERVFAIL);
	fake_advance(test->shard, 2000);
	expect_answer(test, 7, DNS_SERVFAIL);
	test->shard->config.resolver_count = 2;
	ask(test, 9);
	expect_query(test, 0, 9);
}

static void error_of_a_former_resolver_is_passed_over(void **state)
{
	struct dns_test *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	ask(test, 7);
	test->shard->config.resolver[0] = test->shard->config.resolver[1];
	test->shard->config.resolver_count = 1;
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	fake_advance(test->shard, 2000);
	expect_query(test, 1, 7);
}

/* Return: a socket on ::1, -1 where the host has no IPv6 */
static int bind6(struct slirp_endpoint *endpoint)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -1;
	if (bind(sock, (struct sockaddr *)&address, size)) {
		close(sock);
		return -1;
	}
	getsockname(sock, (struct sockaddr *)&address, &size);
	*endpoint = endpoint_from_sockaddr(&address);
	return sock;
}

static void resolvers_of_both_families_are_asked(void **state)
{
	struct dns_test *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct slirp_endpoint first4 = config->resolver[0];
	int sock = bind6(&config->resolver[0]);
	uint8_t query[QUERY_MAX];

	if (sock < 0)
		skip();
	config->resolver[1] = first4;
	ask(test, 7);
	assert_int_equal(recv(sock, query, sizeof(query), 0),
			 make_query(query, 7));
	close(sock);
	fake_advance(test->shard, 2000);
	expect_query(test, 0, 7); /* the same socket sends to both */
}

static void port_that_asks_goes_on_with_another_family(void **state)
{
	struct dns_test *test = *state;
	struct slirp_config *config = &test->shard->config;
	uint8_t query[QUERY_MAX];
	int sock;

	ask(test, 7);
	expect_query(test, 0, 7);
	sock = bind6(&config->resolver[0]);
	if (sock < 0)
		skip();
	config->resolver_count = 1;
	ask(test, 8);
	assert_int_equal(recv(sock, query, sizeof(query), 0),
			 make_query(query, 8));
	assert_int_equal(fake_flows_live(test->shard), 1);
	close(sock);
}

static void error_repeats_the_question_if_it_can_be_read(void **state)
{
	uint8_t query[300] = { 0 }, got[DNS_ERROR_MAX];
	size_t size = make_query(query, 0x1234);

	(void)state;
	assert_int_equal(dns_write_error(query, size, DNS_SERVFAIL, got), size);
	assert_memory_equal(got, "\x12\x34\x81\x82\0\1\0\0\0\0\0\0", 12);
	assert_memory_equal(got + 12, query + 12, size - 12);
	/* Cut anywhere, it is left out. */
	for (size_t cut = 12; cut < size; cut++) {
		uint8_t *exact = malloc(cut);

		memcpy(exact, query, cut);
		assert_int_equal(dns_write_error(exact, cut, DNS_SERVFAIL, got),
				 12);
		assert_int_equal(got[5], 0);
		free(exact);
	}
}

static void error_to_a_hostile_name_stays_in_bounds(void **state)
{
	uint8_t query[1024], got[DNS_ERROR_MAX];

	(void)state;
	for (unsigned int label = 1; label < 256; label++) {
		memset(query, (int)label, sizeof(query));
		make_query(query, 1);
		memset(query + 12, (int)label, sizeof(query) - 12);
		assert_int_equal(dns_write_error(query, sizeof(query),
						 DNS_SERVFAIL, got),
				 12);
	}
	/* The longest name that is allowed: 254 bytes of labels and the root */
	make_query(query, 1);
	memset(query + 12, 1, 254);
	memset(query + 12 + 254, 0, 5);
	assert_int_equal(
		dns_write_error(query, sizeof(query), DNS_SERVFAIL, got),
		DNS_ERROR_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_comes_from_the_dns_address),
		TEST(two_queries_of_one_port_are_answered),
		TEST(long_answer_is_not_cut),
		TEST(query_that_the_guest_repeats_goes_to_the_next),
		TEST(silent_resolver_is_left_after_two_seconds),
		TEST(silence_of_all_ends_in_servfail),
		TEST(resolver_that_fails_is_left_at_once),
		TEST(name_that_does_not_exist_is_an_answer),
		TEST(closed_resolver_is_left_at_once),
		TEST(closed_resolvers_end_in_servfail_at_once),
		TEST(answer_of_a_stranger_is_dropped),
		TEST(answer_that_nobody_waits_for_is_dropped),
		TEST(short_and_wrong_messages_of_a_resolver_are_dropped),
		TEST(many_queries_of_one_port_pass_without_copies),
		TEST(query_passes_when_no_copy_can_be_kept),
		TEST(host_without_resolver_answers_servfail_at_once),
		TEST(restricted_guest_is_refused_at_once),
		TEST(denied_query_is_refused_at_once),
		TEST(query_cut_in_its_header_is_malformed),
		TEST(flow_ends_soon),
		TEST(known_answer_asks_nobody),
		TEST(known_answer_makes_no_flow),
		TEST(answer_is_asked_for_again_at_its_end),
		TEST(without_a_cache_every_query_is_asked),
		TEST(failure_is_not_remembered),
		TEST(answer_to_another_question_is_dropped),
		TEST(error_may_leave_the_question_out),
		TEST(slow_answer_delays_nobody_else),
		TEST(two_questions_of_one_id_are_answered),
		TEST(silent_resolver_is_asked_last_for_a_while),
		TEST(unreachable_resolver_is_asked_last_for_a_while),
		TEST(other_resolvers_are_asked_what_is_open),
		TEST(answers_of_former_resolvers_are_forgotten),
		TEST(former_resolver_is_a_stranger),
		TEST(list_that_becomes_empty_ends_in_servfail),
		TEST(error_of_a_former_resolver_is_passed_over),
		TEST(resolvers_of_both_families_are_asked),
		TEST(port_that_asks_goes_on_with_another_family),
		cmocka_unit_test(error_repeats_the_question_if_it_can_be_read),
		cmocka_unit_test(error_to_a_hostile_name_stays_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
