/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/resolv.h"

static struct slirp_config parse(const char *text)
{
	char copy[1024];
	struct slirp_config config;
	FILE *in;

	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	in = fmemopen(copy, strlen(copy), "r");
	assert_non_null(in);
	slirp_config_init(&config);
	resolv_parse(in, &config);
	fclose(in);
	return config;
}

static void expect(const struct slirp_config *config, unsigned int i,
		   const char *address)
{
	char text[ADDRESS_TEXT_MAX];

	assert_int_equal(config->resolver[i].port, 53);
	assert_string_equal(address_format(&config->resolver[i].address, text),
			    address);
}

static void nameservers_are_taken_in_order(void **state)
{
	struct slirp_config config = parse("# nameserver 9.9.9.9\n"
					   "nameserver 192.0.2.1\n"
					   "  nameserver\t192.0.2.2  # other\n"
					   "nameserver 127.0.0.53");

	(void)state;
	assert_int_equal(config.resolver_count, 3);
	expect(&config, 0, "192.0.2.1");
	expect(&config, 1, "192.0.2.2");
	expect(&config, 2, "127.0.0.53");
}

static void nameservers_of_both_families_are_taken(void **state)
{
	struct slirp_config config = parse("nameserver 2001:db8::1\n"
					   "nameserver 192.0.2.1\n"
					   "nameserver fe80::1%lo\n");

	(void)state;
	assert_int_equal(config.resolver_count, 3);
	expect(&config, 0, "[2001:db8::1]");
	expect(&config, 1, "192.0.2.1");
	expect(&config, 2, "[fe80::1]");
	assert_int_equal(config.resolver[2].scope, 1);
}

static void bad_lines_are_passed_over(void **state)
{
	struct slirp_config config = parse("nameserver\n"
					   "nameserver fe80::1%nosuchlink\n"
					   "nameserver fe80::1\n"
					   "nameserver 2001:db8:::\n"
					   "nameserver 300.1.1.1\n"
					   "nameserver 192.0.2\n"
					   "nameservers 192.0.2.9\n"
					   "\n \t\n;\n"
					   "options ndots:1\n"
					   "nameserver 192.0.2.7\r\n");

	(void)state;
	assert_int_equal(config.resolver_count, 1);
	expect(&config, 0, "192.0.2.7");
}

static void only_so_many_are_kept(void **state)
{
	struct slirp_config config = parse("nameserver 192.0.2.1\n"
					   "nameserver 192.0.2.2\n"
					   "nameserver 192.0.2.3\n"
					   "nameserver 192.0.2.4\n");

	(void)state;
	assert_int_equal(config.resolver_count, SLIRP_RESOLVERS_MAX);
	expect(&config, 2, "192.0.2.3");
}

static void zero_address_is_the_host(void **state)
{
	struct slirp_config config = parse("nameserver 0.0.0.0\n");

	(void)state;
	expect(&config, 0, "127.0.0.1");
}

static void first_search_domain_is_taken(void **state)
{
	struct slirp_config config = parse("search example.org example.com\n"
					   "domain example.net\n");

	(void)state;
	assert_string_equal(config.domain, "example.org");
	assert_int_equal(config.resolver_count, 0);
}

static void end_of_a_long_line_is_not_a_line(void **state)
{
	char text[600];
	struct slirp_config config;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '#';
	memcpy(text + 511, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n", 43);
	config = parse(text);
	assert_int_equal(config.resolver_count, 1);
	expect(&config, 0, "192.0.2.2");
}

static void configured_values_win(void **state)
{
	char text[] = "nameserver 192.0.2.1\nsearch a.example\n";
	struct slirp_config config = parse("nameserver 192.0.2.9\n"
					   "search b.example\n");
	FILE *in = fmemopen(text, strlen(text), "r");

	(void)state;
	resolv_parse(in, &config);
	fclose(in);
	assert_int_equal(config.resolver_count, 1);
	expect(&config, 0, "192.0.2.9");
	assert_string_equal(config.domain, "b.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nameservers_are_taken_in_order),
		cmocka_unit_test(nameservers_of_both_families_are_taken),
		cmocka_unit_test(bad_lines_are_passed_over),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(zero_address_is_the_host),
		cmocka_unit_test(first_search_domain_is_taken),
		cmocka_unit_test(end_of_a_long_line_is_not_a_line),
		cmocka_unit_test(configured_values_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
