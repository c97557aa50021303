/* SPDX-License-Identifier: BSD-3-Clause */
/* Queries and answers that pass, and those that must not. */
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
#include "unit/dns_rig.h"

static void answer_comes_from_the_dns_address(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 7, 0, 16);
	rig_expect_answer(test, 7, 0);
	assert_int_equal(test->shard->counters.dns_queries, 1);
	rig_expect_no_query(test, 1);
}

static void two_queries_of_one_port_are_answered(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	rig_ask(test, 8);
	rig_expect_query(test, 0, 7);
	from = rig_expect_query(test, 0, 8);
	rig_answer(test, 0, &from, 8, 0, 0);
	rig_expect_answer(test, 8, 0);
	rig_answer(test, 0, &from, 7, 0, 0);
	rig_expect_answer(test, 7, 0);
	assert_int_equal(fake_flows_live(test->shard), 1);
}

static void long_answer_is_not_cut(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;
	struct iphdr ip;
	size_t size, whole = 0;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 7, 0, 4096);
	do {
		guest_take_ip4(test->shard, &ip, &size);
		assert_int_equal(ntohl(ip.saddr), DNS);
		whole += size;
	} while (ntohs(ip.frag_off) & 0x2000);
	assert_int_equal(whole, 8 + 20 + 4096);
}

static void name_that_does_not_exist_is_an_answer(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 7, 3, 0);
	rig_expect_answer(test, 7, 3);
}

static void answer_of_a_stranger_is_dropped(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;
	uint16_t port;
	int stranger = host_bind(&port);
	uint8_t response[QUERY_MAX];
	size_t size = rig_make_query(response, 7);

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	response[2] |= 0x80;
	host_send(stranger, &from, response, size);
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	close(stranger);
}

static void answer_that_nobody_waits_for_is_dropped(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 9, 0, 0);
	assert_null(fake_next(test->shard));
	rig_answer(test, 0, &from, 7, 0, 0);
	rig_expect_answer(test, 7, 0);
	rig_answer(test, 0, &from, 7, 0, 0);
	assert_null(fake_next(test->shard));
}

static void short_and_wrong_messages_of_a_resolver_are_dropped(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;
	uint8_t query[QUERY_MAX];
	size_t size = rig_make_query(query, 7);

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
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
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	for (uint16_t id = 1; id <= 10; id++) {
		rig_ask(test, id);
		from = rig_expect_query(test, 0, id);
	}
	for (uint16_t id = 1; id <= 10; id++) {
		rig_answer(test, 0, &from, id, 0, 0);
		rig_expect_answer(test, id, 0);
	}
}

static void query_passes_when_no_copy_can_be_kept(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	test->shard->keeps_left = 0;
	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 7, 0, 0);
	rig_expect_answer(test, 7, 0);
	test->shard->keeps_left = -1;
}

static void host_without_resolver_answers_servfail_at_once(void **state)
{
	struct dns_rig *test = *state;

	test->shard->config.resolver_count = 0;
	rig_ask(test, 7);
	rig_expect_answer(test, 7, DNS_SERVFAIL);
	assert_int_equal(fake_flows_live(test->shard), 0);
	assert_int_equal(test->shard->counters.dns_queries, 1);
}

static void restricted_guest_is_refused_at_once(void **state)
{
	struct dns_rig *test = *state;

	test->shard->config.restricted = true;
	rig_ask(test, 7);
	rig_expect_answer(test, 7, DNS_REFUSED);
	rig_expect_no_query(test, 0);
}

static void denied_query_is_refused_at_once(void **state)
{
	struct dns_rig *test = *state;
	struct slirp_policy *policy = &test->shard->config.policy;

	assert_int_equal(policy_add(policy, false, "10.0.2.3"), 0);
	rig_ask(test, 7);
	rig_expect_answer(test, 7, DNS_REFUSED);
	rig_expect_no_query(test, 0);
}

static void query_cut_in_its_header_is_malformed(void **state)
{
	struct dns_rig *test = *state;
	uint8_t query[QUERY_MAX];

	rig_make_query(query, 7);
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
	struct dns_rig *test = *state;

	rig_ask(test, 7);
	fake_advance(test->shard, 10001);
	assert_int_equal(fake_flows_live(test->shard), 0);
}

static void answer_to_another_question_is_dropped(void **state)
{
	struct dns_rig *test = *state;
	struct dns_made other = dns_make_query(7, "xy", TYPE_A), made;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	made = dns_make_answer(&other, DNS_NOERROR);
	host_send(test->resolver[0], &from, made.data, made.size);
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	rig_answer_address(test, &from, 7, 60);
}

static void error_may_leave_the_question_out(void **state)
{
	struct dns_rig *test = *state;
	const uint8_t error[12] = { 0, 7, 0x81, 1 }; /* FORMERR */
	struct sockaddr_in from;
	uint16_t ports[2];
	uint32_t address;
	size_t size;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	host_send(test->resolver[0], &from, error, sizeof(error));
	assert_true(fake_wait(test->shard));
	guest_take_udp(test->shard, &address, &ports[0], &ports[1], &size);
	assert_int_equal(size, sizeof(error));
}

static void slow_answer_delays_nobody_else(void **state)
{
	struct dns_rig *test = *state;
	uint8_t query[QUERY_MAX];
	struct sockaddr_in from;
	size_t size = rig_make_query(query, 6);

	/* Never answered, from another port of the guest's */
	guest_send_udp(test->shard, PORT + 1, DNS, 53, query, size);
	fake_turn(test->shard);
	rig_expect_query(test, 0, 6);
	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 0);
}

/* Of one size, from one port */
static void two_questions_of_one_id_are_answered(void **state)
{
	struct dns_rig *test = *state;
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
		rig_expect_answer(test, 7, DNS_NOERROR);
	}
	rig_expect_no_query(test, 1);
}

static void error_repeats_the_question_if_it_can_be_read(void **state)
{
	uint8_t query[300] = { 0 }, got[DNS_ERROR_MAX];
	size_t size = rig_make_query(query, 0x1234);

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
		rig_make_query(query, 1);
		memset(query + 12, (int)label, sizeof(query) - 12);
		assert_int_equal(dns_write_error(query, sizeof(query),
						 DNS_SERVFAIL, got),
				 12);
	}
	/* The longest name that is allowed: 254 bytes of labels and the root */
	rig_make_query(query, 1);
	memset(query + 12, 1, 254);
	memset(query + 12 + 254, 0, 5);
	assert_int_equal(
		dns_write_error(query, sizeof(query), DNS_SERVFAIL, got),
		DNS_ERROR_MAX);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_comes_from_the_dns_address),
		TEST(two_queries_of_one_port_are_answered),
		TEST(long_answer_is_not_cut),
		TEST(name_that_does_not_exist_is_an_answer),
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
		TEST(answer_to_another_question_is_dropped),
		TEST(error_may_leave_the_question_out),
		TEST(slow_answer_delays_nobody_else),
		TEST(two_questions_of_one_id_are_answered),
		cmocka_unit_test(error_repeats_the_question_if_it_can_be_read),
		cmocka_unit_test(error_to_a_hostile_name_stays_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
