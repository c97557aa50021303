/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/resolv.h"

static struct resolvers parse(const char *text)
{
	char copy[4096];
	struct resolvers resolvers = { 0 };
	FILE *in;

	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	in = fmemopen(copy, strlen(copy), "r");
	assert_non_null(in);
	resolv_parse(in, &resolvers);
	fclose(in);
	return resolvers;
}

static void expect(const struct resolvers *resolvers, unsigned int i,
		   const char *address)
{
	char text[ADDRESS_TEXT_MAX];

	assert_int_equal(resolvers->endpoint[i].port, 53);
	assert_string_equal(
		address_format(&resolvers->endpoint[i].address, text), address);
}

static void nameservers_are_taken_in_order(void **state)
{
	struct resolvers resolvers = parse("# nameserver 9.9.9.9\n"
					   "nameserver 192.0.2.1\n"
					   "  nameserver\t192.0.2.2  # other\n"
					   "nameserver 127.0.0.53");

	(void)state;
	assert_int_equal(resolvers.count, 3);
	expect(&resolvers, 0, "192.0.2.1");
	expect(&resolvers, 1, "192.0.2.2");
	expect(&resolvers, 2, "127.0.0.53");
}

static void nameservers_of_both_families_are_taken(void **state)
{
	struct resolvers resolvers = parse("nameserver 2001:db8::1\n"
					   "nameserver 192.0.2.1\n"
					   "nameserver fe80::1%lo\n");

	(void)state;
	assert_int_equal(resolvers.count, 3);
	expect(&resolvers, 0, "[2001:db8::1]");
	expect(&resolvers, 1, "192.0.2.1");
	expect(&resolvers, 2, "[fe80::1]");
	assert_int_equal(resolvers.endpoint[2].scope, 1);
}

static void bad_lines_are_passed_over(void **state)
{
	struct resolvers resolvers = parse("nameserver\n"
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
	assert_int_equal(resolvers.count, 1);
	expect(&resolvers, 0, "192.0.2.7");
}

static void only_so_many_are_kept(void **state)
{
	struct resolvers resolvers = parse("nameserver 192.0.2.1\n"
					   "nameserver 192.0.2.2\n"
					   "nameserver 192.0.2.3\n"
					   "nameserver 192.0.2.4\n");

	(void)state;
	assert_int_equal(resolvers.count, SLIRP_RESOLVERS_MAX);
	expect(&resolvers, 2, "192.0.2.3");
}

static void zero_address_is_the_host(void **state)
{
	struct resolvers resolvers = parse("nameserver 0.0.0.0\n");

	(void)state;
	expect(&resolvers, 0, "127.0.0.1");
}

static void search_domains_are_taken_in_order(void **state)
{
	struct resolvers resolvers =
		parse("search  example.org\texample.com \n");

	(void)state;
	assert_string_equal(resolvers.search, "example.org example.com");
	assert_string_equal(resolvers.domain, "example.org");
	assert_int_equal(resolvers.count, 0);
}

/* resolv.conf(5): they exclude each other, the last one counts. */
static void last_search_or_domain_line_counts(void **state)
{
	struct resolvers resolvers = parse("search example.org example.com\n"
					   "domain example.net\n");

	(void)state;
	assert_string_equal(resolvers.search, "example.net");
	assert_string_equal(resolvers.domain, "example.net");
	resolvers = parse("domain example.net\nsearch example.org\n");
	assert_string_equal(resolvers.search, "example.org");
}

static void search_domains_that_do_not_fit_are_left_out(void **state)
{
	char text[900] = "search ";
	struct resolvers resolvers;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		memset(text + 7 + 80 * i, 'a' + (int)i, 79);
	for (unsigned int i = 0; i < 10; i++)
		text[7 + 80 * i + 79] = i < 9 ? ' ' : '\n';
	resolvers = parse(text);
	assert_int_equal(strlen(resolvers.search), 6 * 80 - 1);
	assert_memory_equal(resolvers.search, text + 7, 6 * 80 - 1);
}

static void end_of_a_long_line_is_not_a_line(void **state)
{
	char text[1200];
	struct resolvers resolvers;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '#';
	memcpy(text + 1023, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n", 43);
	resolvers = parse(text);
	assert_int_equal(resolvers.count, 1);
	expect(&resolvers, 0, "192.0.2.2");
}

static void configured_values_win(void **state)
{
	char text[] = "nameserver 192.0.2.1\nsearch a.example\n";
	struct resolvers resolvers = parse("nameserver 192.0.2.9\n"
					   "search b.example\n");
	FILE *in = fmemopen(text, strlen(text), "r");

	(void)state;
	resolv_parse(in, &resolvers);
	fclose(in);
	assert_int_equal(resolvers.count, 1);
	expect(&resolvers, 0, "192.0.2.9");
	assert_string_equal(resolvers.domain, "b.example");
	assert_string_equal(resolvers.search, "b.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nameservers_are_taken_in_order),
		cmocka_unit_test(nameservers_of_both_families_are_taken),
		cmocka_unit_test(bad_lines_are_passed_over),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(zero_address_is_the_host),
		cmocka_unit_test(search_domains_are_taken_in_order),
		cmocka_unit_test(last_search_or_domain_line_counts),
		cmocka_unit_test(search_domains_that_do_not_fit_are_left_out),
		cmocka_unit_test(end_of_a_long_line_is_not_a_line),
		cmocka_unit_test(configured_values_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
