/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/address.h"
#include "slirp/policy.h"

#define GATEWAY  "10.0.2.2"
#define LOOPBACK "127.0.0.1"

static struct in6_addr address(const char *text)
{
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1)
		return address_from4(in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6), 1);
	return in6;
}

static struct slirp_policy policy_of(const char *text)
{
	struct slirp_policy policy;
	struct fail fail = { 0 };

	if (policy_parse(text, &policy, &fail))
		fail_msg("%s", fail.text);
	return policy;
}

static bool allows_mapped(const char *text, int protocol, const char *named,
			  const char *reached, unsigned int port)
{
	struct slirp_policy policy = policy_of(text);
	struct policy_destination to = { .protocol = protocol,
					 .port = (uint16_t)port,
					 .named = address(named),
					 .reached = address(reached) };

	return policy_allows(&policy, &to, NULL);
}

static bool allows(const char *text, int protocol, const char *named,
		   unsigned int port)
{
	return allows_mapped(text, protocol, named, named, port);
}

static void empty_policy_allows(void **state)
{
	(void)state;
	assert_true(allows("", IPPROTO_TCP, "192.0.2.1", 80));
	assert_true(allows("", IPPROTO_UDP, "2001:db8::1", 80));
	assert_true(allows("", IPPROTO_ICMP, "10.1.2.3", 0));
}

static void default_decides_what_no_rule_matches(void **state)
{
	(void)state;
	assert_false(allows("default=deny", IPPROTO_TCP, "192.0.2.1", 80));
	assert_false(allows("default=deny,allow=192.0.2.1", IPPROTO_TCP,
			    "192.0.2.2", 80));
	assert_true(allows("default=deny,allow=192.0.2.1", IPPROTO_TCP,
			   "192.0.2.1", 80));
}

static void first_match_wins(void **state)
{
	(void)state;
	assert_true(allows("allow=10.1.0.0/16,deny=10.0.0.0/8", IPPROTO_TCP,
			   "10.1.2.3", 80));
	assert_false(allows("allow=10.1.0.0/16,deny=10.0.0.0/8", IPPROTO_TCP,
			    "10.2.2.3", 80));
	assert_false(allows("deny=10.0.0.0/8,allow=10.1.0.0/16", IPPROTO_TCP,
			    "10.1.2.3", 80));
}

static void prefixes_end_at_their_last_bit(void **state)
{
	static const struct {
		const char *rule, *in, *out;
	} cases[] = {
		{ "deny=10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
		{ "deny=172.16.0.0/12", "172.31.255.255", "172.32.0.0" },
		{ "deny=192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
		{ "deny=192.0.2.1", "192.0.2.1", "192.0.2.0" },
		{ "deny=[2001:db8::]/33", "2001:db8:7fff::1",
		  "2001:db8:8000::1" },
		{ "deny=[2001:db8::1]", "2001:db8::1", "2001:db8::2" },
		{ "deny=0.0.0.0/0", "192.0.2.1", "2001:db8::1" },
		{ "deny=[::]/0", "2001:db8::1", "192.0.2.1" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_false(
			allows(cases[i].rule, IPPROTO_TCP, cases[i].in, 80));
		assert_true(
			allows(cases[i].rule, IPPROTO_TCP, cases[i].out, 80));
	}
}

static void any_is_both_families(void **state)
{
	(void)state;
	assert_false(allows("deny=any", IPPROTO_TCP, "192.0.2.1", 80));
	assert_false(allows("deny=any", IPPROTO_UDP, "2001:db8::1", 80));
	assert_false(allows("deny=any", IPPROTO_ICMPV6, "2001:db8::1", 0));
}

static void rules_are_for_their_protocol(void **state)
{
	static const struct {
		const char *rule;
		bool tcp, udp, icmp, icmp6;
	} cases[] = {
		{ "deny=any", false, false, false, false },
		{ "deny=tcp:any", false, true, true, true },
		{ "deny=udp:any", true, false, true, true },
		{ "deny=icmp:any", true, true, false, false },
		{ "deny=any:80", false, false, true, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *rule = cases[i].rule;

		assert_int_equal(allows(rule, IPPROTO_TCP, "1.1.1.1", 80),
				 cases[i].tcp);
		assert_int_equal(allows(rule, IPPROTO_UDP, "1.1.1.1", 80),
				 cases[i].udp);
		assert_int_equal(allows(rule, IPPROTO_ICMP, "1.1.1.1", 0),
				 cases[i].icmp);
		assert_int_equal(allows(rule, IPPROTO_ICMPV6, "2::1", 0),
				 cases[i].icmp6);
	}
}

static void port_ranges_include_their_ends(void **state)
{
	static const struct {
		unsigned int port;
		bool allowed;
	} cases[] = {
		{ 79, true },  { 80, false },   { 443, false },
		{ 444, true }, { 65535, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(allows("deny=tcp:192.168.1.0/24:80-443",
					IPPROTO_TCP, "192.168.1.9",
					cases[i].port),
				 cases[i].allowed);
}

static void gateway_is_denied_by_either_of_its_names(void **state)
{
	static const char *const rules[] = {
		"deny=10.0.2.2/32",
		"deny=127.0.0.0/8",
		"deny=10.0.0.0/8",
		"deny=127.0.0.1",
	};
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_ICMP };

	(void)state;
	for (unsigned int i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		for (unsigned int p = 0; p < 3; p++)
			assert_false(allows_mapped(rules[i], protocols[p],
						   GATEWAY, LOOPBACK, 80));
	assert_false(
		allows_mapped("deny=[::1]", IPPROTO_TCP, "fec0::2", "::1", 80));
}

static void gateway_is_allowed_by_either_of_its_names(void **state)
{
	(void)state;
	assert_true(allows_mapped("allow=10.0.2.2,deny=any", IPPROTO_TCP,
				  GATEWAY, LOOPBACK, 80));
	assert_true(allows_mapped("allow=127.0.0.1,default=deny", IPPROTO_TCP,
				  GATEWAY, LOOPBACK, 80));
	assert_true(allows_mapped("deny=192.168.0.0/16", IPPROTO_TCP, GATEWAY,
				  LOOPBACK, 80));
}

static void metadata_services_are_denied_by_default(void **state)
{
	static const char *const policies[] = {
		"",
		"default=allow",
		"allow=any",
		"allow=0.0.0.0/0,allow=[::]/0",
		"allow=168.0.0.0/6,allow=[fd00::]/8",
	};
	static const char *const addresses[] = {
		"169.254.169.254",          "169.254.0.0",
		"169.254.255.255",          "fd00:ec2::254",
		"64:ff9b::169.254.169.254",
	};

	(void)state;
	for (unsigned int p = 0; p < sizeof(policies) / sizeof(*policies); p++)
		for (unsigned int i = 0; i < 5; i++)
			assert_false(allows(policies[p], IPPROTO_TCP,
					    addresses[i], 80));
	assert_true(allows("", IPPROTO_TCP, "169.253.255.255", 80));
	assert_true(allows("", IPPROTO_TCP, "169.255.0.0", 80));
	assert_true(allows("", IPPROTO_TCP, "fd00:ec2::253", 80));
}

static void metadata_services_are_opened_by_name(void **state)
{
	(void)state;
	assert_true(allows("allow=tcp:169.254.169.254:80", IPPROTO_TCP,
			   "169.254.169.254", 80));
	assert_false(allows("allow=tcp:169.254.169.254:80", IPPROTO_TCP,
			    "169.254.169.253", 80));
	assert_true(allows("allow=169.254.0.0/16", IPPROTO_UDP, "169.254.1.1",
			   123));
	assert_true(allows("allow=[fd00:ec2::254]", IPPROTO_TCP,
			   "fd00:ec2::254", 80));
}

static void translated_address_is_judged_by_what_is_in_it(void **state)
{
	(void)state;
	assert_false(allows("deny=10.0.0.0/8", IPPROTO_TCP, "64:ff9b::10.1.2.3",
			    80));
	assert_true(allows("deny=10.0.0.0/8", IPPROTO_TCP, "64:ff9b::11.1.2.3",
			   80));
	assert_false(allows("deny=[64:ff9b::]/96", IPPROTO_TCP,
			    "64:ff9b::11.1.2.3", 80));
}

static void host_has_no_other_name(void **state)
{
	static const char *const reserved[] = {
		"0.0.0.0",
		"0.255.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"224.0.0.1",
		"239.255.255.255",
		"255.255.255.255",
		"::",
		"::1",
		"::127.0.0.1",
		"::10.0.0.1",
		"fe80::1",
		"febf::1",
		"ff02::1",
		"64:ff9b::127.0.0.1",
		"64:ff9b::0.0.0.0",
		"64:ff9b::224.0.0.1",
	};
	static const char *const open[] = {
		"1.0.0.0",         "126.255.255.255", "128.0.0.1",
		"223.255.255.255", "2001:db8::1",     "fec0::1",
		"fd00::1",         "::1:0:0:1",       "64:ff9b::8.8.8.8",
	};
	struct in6_addr in6;

	(void)state;
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved);
	     i++) {
		in6 = address(reserved[i]);
		if (!policy_is_reserved(&in6))
			fail_msg("%s is open", reserved[i]);
	}
	for (unsigned int i = 0; i < sizeof(open) / sizeof(*open); i++) {
		in6 = address(open[i]);
		if (policy_is_reserved(&in6))
			fail_msg("%s is reserved", open[i]);
	}
}

static void rule_that_decided_is_told(void **state)
{
	struct slirp_policy policy =
		policy_of("deny=10.0.0.0/8,allow=tcp:any:443,default=deny");
	struct policy_destination to = { .protocol = IPPROTO_TCP, .port = 443 };
	const struct policy_rule *rule;

	(void)state;
	to.named = to.reached = address("10.0.0.1");
	assert_false(policy_allows(&policy, &to, &rule));
	assert_ptr_equal(rule, &policy.rule[0]);
	to.named = to.reached = address("11.0.0.1");
	assert_true(policy_allows(&policy, &to, &rule));
	assert_ptr_equal(rule, &policy.rule[1]);
	to.port = 80;
	assert_false(policy_allows(&policy, &to, &rule));
	assert_null(rule);
}

static void text_survives_parsing_and_printing(void **state)
{
	static const char text[] =
		"deny=10.0.0.0/8,allow=tcp:192.168.1.0/24:80-443,"
		"allow=udp:[2001:db8::]/32:53,deny=icmp:any,"
		"allow=192.0.2.1,allow=[2001:db8::1]:1-65535,deny=0.0.0.0/0,"
		"deny=[::]/0,deny=any:25,default=deny";
	struct slirp_policy policy = policy_of(text);
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	(void)state;
	policy_print(&policy, out);
	fclose(out);
	assert_string_equal(printed, text);
	free(printed);
}

static void malformed_rules_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"10.0.0.0/33",
		"10.0.0.1/8",
		"10.0.0/8",
		"10.0.0.0/",
		"10.0.0.0/-8",
		"10.0.0.0/+8",
		"10.0.0.0/8:",
		"10.0.0.0/8:0",
		"10.0.0.0/8:65536",
		"10.0.0.0/8:80-",
		"10.0.0.0/8:80-79",
		"10.0.0.0/8:80-90-100",
		"10.0.0.0/8 ",
		" 10.0.0.0/8",
		"sctp:10.0.0.0/8",
		"tcp",
		"tcp:",
		"tcp:udp:10.0.0.0/8:80",
		"icmp:10.0.0.0/8:80",
		"any/8",
		"anyone",
		"2001:db8::/32",
		"[2001:db8::/32",
		"[2001:db8::/32]",
		"[2001:db8::]/129",
		"[2001:db8::1]/32",
		"[10.0.0.1]",
		"[::ffff:10.0.0.1]",
		"[]",
		"[fe80::1%lo]",
		"localhost",
		"10.0.0.0/8:999999999999999999999",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
	};
	struct slirp_policy policy = { 0 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (policy_add(&policy, true, bad[i]) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(policy.count, 0);
	}
}

static void policy_is_read_whole_or_not_at_all(void **state)
{
	struct slirp_policy policy = policy_of("deny=10.0.0.0/8");
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(policy_parse("allow=any,deny=nobody", &policy, &fail),
			 -EINVAL);
	assert_non_null(strstr(fail.text, "'deny=nobody'"));
	assert_int_equal(policy.count, 1);
	assert_false(policy.rule[0].allow);
	assert_int_equal(policy_parse("refuse=any", &policy, NULL), -EINVAL);
	assert_int_equal(policy_parse("default=maybe", &policy, NULL), -EINVAL);
	assert_int_equal(policy_parse(",", &policy, NULL), -EINVAL);
}

static void too_many_rules_are_refused(void **state)
{
	struct slirp_policy policy = { 0 };

	(void)state;
	for (int i = 0; i < POLICY_RULES_MAX; i++)
		assert_int_equal(policy_add(&policy, false, "any"), 0);
	assert_int_equal(policy_add(&policy, false, "any"), -ENOSPC);
	assert_int_equal(policy.count, POLICY_RULES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_policy_allows),
		cmocka_unit_test(default_decides_what_no_rule_matches),
		cmocka_unit_test(first_match_wins),
		cmocka_unit_test(prefixes_end_at_their_last_bit),
		cmocka_unit_test(any_is_both_families),
		cmocka_unit_test(rules_are_for_their_protocol),
		cmocka_unit_test(port_ranges_include_their_ends),
		cmocka_unit_test(gateway_is_denied_by_either_of_its_names),
		cmocka_unit_test(gateway_is_allowed_by_either_of_its_names),
		cmocka_unit_test(metadata_services_are_denied_by_default),
		cmocka_unit_test(metadata_services_are_opened_by_name),
		cmocka_unit_test(translated_address_is_judged_by_what_is_in_it),
		cmocka_unit_test(host_has_no_other_name),
		cmocka_unit_test(rule_that_decided_is_told),
		cmocka_unit_test(text_survives_parsing_and_printing),
		cmocka_unit_test(malformed_rules_are_refused),
		cmocka_unit_test(policy_is_read_whole_or_not_at_all),
		cmocka_unit_test(too_many_rules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
