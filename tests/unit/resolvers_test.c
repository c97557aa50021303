/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/resolvers.h"

#define NOW_MS 5000

static struct resolvers make(unsigned int count)
{
	struct resolvers resolvers = { .count = count };
	struct in_addr address;

	for (unsigned int i = 0; i < count; i++) {
		address.s_addr = htonl(0xc0000201 + i);
		resolvers.endpoint[i] = (struct slirp_endpoint) {
			.address = address_from4(address),
			.port = 53,
		};
	}
	return resolvers;
}

static void resolvers_are_asked_in_order(void **state)
{
	struct resolvers resolvers = make(3);

	(void)state;
	assert_int_equal(resolvers_choose(&resolvers, 0, 0, NOW_MS), 0);
	assert_int_equal(resolvers_choose(&resolvers, 1, 0, NOW_MS), 1);
	assert_int_equal(resolvers_choose(&resolvers, 3, 0, NOW_MS), 0);
	assert_int_equal(resolvers_choose(&resolvers, 0, 1, NOW_MS), 1);
	assert_int_equal(resolvers_choose(&resolvers, 2, 4, NOW_MS), 0);
	assert_int_equal(resolvers_choose(&resolvers, 0, 7, NOW_MS), -1);
}

static void empty_list_has_none_to_ask(void **state)
{
	struct resolvers resolvers = make(0);

	(void)state;
	assert_int_equal(resolvers_choose(&resolvers, 1, 0, NOW_MS), -1);
}

static void resolver_that_failed_is_asked_last_for_a_while(void **state)
{
	struct resolvers resolvers = make(2);
	uint64_t end_ms = NOW_MS + RESOLVERS_SHUN_MS;

	(void)state;
	resolvers_failed(&resolvers, 0, NOW_MS);
	assert_int_equal(resolvers_choose(&resolvers, 0, 0, end_ms - 1), 1);
	assert_int_equal(resolvers_choose(&resolvers, 0, 2, end_ms - 1), 0);
	assert_int_equal(resolvers_choose(&resolvers, 0, 0, end_ms), 0);
}

static void resolver_that_answers_is_well_again(void **state)
{
	struct resolvers resolvers = make(2);

	(void)state;
	resolvers_failed(&resolvers, 0, NOW_MS);
	resolvers_answered(&resolvers, 0);
	assert_int_equal(resolvers_choose(&resolvers, 0, 0, NOW_MS), 0);
}

static void one_of_ipv6_makes_the_family(void **state)
{
	struct resolvers resolvers = make(2);

	(void)state;
	assert_int_equal(resolvers_family(&resolvers), AF_INET);
	resolvers.endpoint[1].address = in6addr_loopback;
	assert_int_equal(resolvers_family(&resolvers), AF_INET6);
}

static void configuration_wins_and_is_completed(void **state)
{
	struct resolvers resolvers;
	struct slirp_config config;

	(void)state;
	slirp_config_init(&config);
	resolvers_init(&resolvers, &config);
	resolvers_set_search(&resolvers, "a.example b.example");
	assert_string_equal(resolvers.domain, "a.example");
	assert_string_equal(resolvers.search, "a.example b.example");
	strcpy(config.domain, "c.example");
	resolvers_init(&resolvers, &config);
	resolvers_set_search(&resolvers, "a.example b.example");
	assert_string_equal(resolvers.domain, "c.example");
	assert_string_equal(resolvers.search, "a.example b.example");
	resolvers_init(&resolvers, &config);
	resolvers_set_search(&resolvers, "");
	assert_string_equal(resolvers.search, "c.example");
}

static void lists_differ_in_what_they_say(void **state)
{
	struct resolvers a = make(2), b = make(2);

	(void)state;
	b.version = 7;
	resolvers_failed(&b, 0, NOW_MS);
	assert_true(resolvers_equal(&a, &b));
	b.endpoint[1].port++;
	assert_false(resolvers_equal(&a, &b));
	b = make(2);
	b.endpoint[1].scope++;
	assert_false(resolvers_equal(&a, &b));
	b = make(1);
	assert_false(resolvers_equal(&a, &b));
	b = make(2);
	strcpy(b.search, "example");
	assert_false(resolvers_equal(&a, &b));
	b = make(2);
	strcpy(b.domain, "example");
	assert_false(resolvers_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolvers_are_asked_in_order),
		cmocka_unit_test(empty_list_has_none_to_ask),
		cmocka_unit_test(
			resolver_that_failed_is_asked_last_for_a_while),
		cmocka_unit_test(resolver_that_answers_is_well_again),
		cmocka_unit_test(one_of_ipv6_makes_the_family),
		cmocka_unit_test(configuration_wins_and_is_completed),
		cmocka_unit_test(lists_differ_in_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
