/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the resolvers is asked, and what becomes of a query when it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/dns_message.h"
#include "slirp/resolvers.h"
#include "unit/datagram_guest.h"
#include "unit/dns_rig.h"

static void query_that_the_guest_repeats_goes_to_the_next(void **state)
{
	struct dns_rig *test = *state;

	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	rig_ask(test, 7);
	rig_expect_query(test, 1, 7);
	rig_expect_no_query(test, 0);
}

static void silent_resolver_is_left_after_two_seconds(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	fake_advance(test->shard, 1999);
	rig_expect_no_query(test, 1);
	fake_advance(test->shard, 1);
	from = rig_expect_query(test, 1, 7);
	rig_answer(test, 1, &from, 7, 0, 0);
	rig_expect_answer(test, 7, 0);
	fake_advance(test->shard, 4000);
	rig_expect_no_query(test, 0);
}

static void silence_of_all_ends_in_servfail(void **state)
{
	struct dns_rig *test = *state;

	rig_ask(test, 7);
	fake_advance(test->shard, 7999);
	assert_null(fake_next(test->shard));
	fake_advance(test->shard, 1);
	rig_expect_answer(test, 7, DNS_SERVFAIL);
	assert_null(fake_next(test->shard));
}

static void resolver_that_fails_is_left_at_once(void **state)
{
	struct dns_rig *test = *state;
	struct sockaddr_in from;

	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer(test, 0, &from, 7, DNS_REFUSED, 0);
	assert_null(fake_next(test->shard));
	from = rig_expect_query(test, 1, 7);
	rig_answer(test, 1, &from, 7, DNS_SERVFAIL, 0);
	rig_expect_answer(test, 7, DNS_SERVFAIL);
	rig_expect_no_query(test, 0);
}

static void closed_resolver_is_left_at_once(void **state)
{
	struct dns_rig *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	rig_ask(test, 7);
	assert_true(fake_wait(test->shard));
	rig_expect_query(test, 1, 7);
	assert_null(fake_next(test->shard));
}

static void closed_resolvers_end_in_servfail_at_once(void **state)
{
	struct dns_rig *test = *state;

	for (int i = 0; i < 2; i++) {
		close(test->resolver[i]);
		test->resolver[i] = -1;
	}
	rig_ask(test, 7);
	for (int i = 0; i < 3 && !test->shard->sent_count; i++)
		assert_true(fake_wait(test->shard));
	rig_expect_answer(test, 7, DNS_SERVFAIL);
}

static void silent_resolver_is_asked_last_for_a_while(void **state)
{
	struct dns_rig *test = *state;

	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	fake_advance(test->shard, 2000);
	rig_expect_query(test, 1, 7);
	rig_ask(test, 8);
	rig_expect_query(test, 1, 8);
	rig_expect_no_query(test, 0);
	test->shard->now_us += RESOLVERS_SHUN_MS * 1000ULL;
	fake_turn(test->shard);
	while (recv(test->resolver[0], &(uint8_t) { 0 }, 1, MSG_DONTWAIT) > 0)
		;
	rig_ask(test, 9);
	rig_expect_query(test, 0, 9);
}

static void unreachable_resolver_is_asked_last_for_a_while(void **state)
{
	struct dns_rig *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	rig_ask(test, 7);
	assert_true(fake_wait(test->shard));
	rig_expect_query(test, 1, 7);
	test->shard->op_count[ENGINE_SEND] = 0;
	rig_ask(test, 8);
	rig_expect_query(test, 1, 8);
	assert_int_equal(test->shard->op_count[ENGINE_SEND], 1);
}

static void other_resolvers_are_asked_what_is_open(void **state)
{
	struct dns_rig *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	config->resolver[0] = config->resolver[1];
	fake_advance(test->shard, 2000);
	from = rig_expect_query(test, 1, 7);
	rig_answer(test, 1, &from, 7, DNS_NOERROR, 0);
	rig_expect_answer(test, 7, DNS_NOERROR);
}

static void answers_of_former_resolvers_are_forgotten(void **state)
{
	struct dns_rig *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	rig_answer_address(test, &from, 7, 60);
	config->resolver[0] = config->resolver[1];
	rig_ask(test, 8);
	rig_expect_query(test, 1, 8);
}

static void former_resolver_is_a_stranger(void **state)
{
	struct dns_rig *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct sockaddr_in from;

	config->resolver_count = 1;
	rig_ask(test, 7);
	from = rig_expect_query(test, 0, 7);
	config->resolver[0] = config->resolver[1];
	rig_answer(test, 0, &from, 7, 0, 0);
	assert_null(fake_next(test->shard));
}

static void list_that_becomes_empty_ends_in_servfail(void **state)
{
	struct dns_rig *test = *state;

	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	test->shard->config.resolver_count = 0;
	rig_ask(test, 8);
	rig_expect_answer(test, 8, DNS_SERVFAIL);
	fake_advance(test->shard, 2000);
	rig_expect_answer(test, 7, DNS_SERVFAIL);
	test->shard->config.resolver_count = 2;
	rig_ask(test, 9);
	rig_expect_query(test, 0, 9);
}

static void error_of_a_former_resolver_is_passed_over(void **state)
{
	struct dns_rig *test = *state;

	close(test->resolver[0]);
	test->resolver[0] = -1;
	rig_ask(test, 7);
	test->shard->config.resolver[0] = test->shard->config.resolver[1];
	test->shard->config.resolver_count = 1;
	assert_true(fake_wait(test->shard));
	assert_null(fake_next(test->shard));
	fake_advance(test->shard, 2000);
	rig_expect_query(test, 1, 7);
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
	struct dns_rig *test = *state;
	struct slirp_config *config = &test->shard->config;
	struct slirp_endpoint first4 = config->resolver[0];
	int sock = bind6(&config->resolver[0]);
	uint8_t query[QUERY_MAX];

	if (sock < 0)
		skip();
	config->resolver[1] = first4;
	rig_ask(test, 7);
	assert_int_equal(recv(sock, query, sizeof(query), 0),
			 rig_make_query(query, 7));
	close(sock);
	fake_advance(test->shard, 2000);
	rig_expect_query(test, 0, 7); /* the same socket sends to both */
}

static void port_that_asks_goes_on_with_another_family(void **state)
{
	struct dns_rig *test = *state;
	struct slirp_config *config = &test->shard->config;
	uint8_t query[QUERY_MAX];
	int sock;

	rig_ask(test, 7);
	rig_expect_query(test, 0, 7);
	sock = bind6(&config->resolver[0]);
	if (sock < 0)
		skip();
	config->resolver_count = 1;
	rig_ask(test, 8);
	assert_int_equal(recv(sock, query, sizeof(query), 0),
			 rig_make_query(query, 8));
	assert_int_equal(fake_flows_live(test->shard), 1);
	close(sock);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(query_that_the_guest_repeats_goes_to_the_next),
		TEST(silent_resolver_is_left_after_two_seconds),
		TEST(silence_of_all_ends_in_servfail),
		TEST(resolver_that_fails_is_left_at_once),
		TEST(closed_resolver_is_left_at_once),
		TEST(closed_resolvers_end_in_servfail_at_once),
		TEST(silent_resolver_is_asked_last_for_a_while),
		TEST(unreachable_resolver_is_asked_last_for_a_while),
		TEST(other_resolvers_are_asked_what_is_open),
		TEST(answers_of_former_resolvers_are_forgotten),
		TEST(former_resolver_is_a_stranger),
		TEST(list_that_becomes_empty_ends_in_servfail),
		TEST(error_of_a_former_resolver_is_passed_over),
		TEST(resolvers_of_both_families_are_asked),
		TEST(port_that_asks_goes_on_with_another_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
