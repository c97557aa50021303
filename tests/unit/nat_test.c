/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "slirp/nat.h"

#define GATEWAY 0x0a000202U /* 10.0.2.2, host byte order as all here */
#define DNS     0x0a000203U

static struct in6_addr in4(uint32_t address)
{
	return address_from4((struct in_addr) { htonl(address) });
}

static uint32_t of4(const struct in6_addr *address)
{
	assert_true(address_is4(address));
	return ntohl(address_to4(address).s_addr);
}

static struct slirp_config config_default(void)
{
	struct slirp_config config;

	slirp_config_init(&config);
	return config;
}

static int translate(const struct slirp_config *config, int protocol,
		     uint32_t to, unsigned int port,
		     struct slirp_endpoint *host)
{
	struct in6_addr address = in4(to);

	return nat_translate(config, &config->policy, protocol, &address, port,
			     host);
}

static void expect(const struct slirp_config *config, uint32_t to, int result)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_ICMP };
	struct slirp_endpoint host;

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(translate(config, protocols[i], to, 80, &host),
				 result);
}

static void nat_translate_outbound_loopback_rewrite(void **state)
{
	struct slirp_config config = config_default();
	struct slirp_endpoint host;

	(void)state;
	assert_int_equal(translate(&config, IPPROTO_TCP, GATEWAY, 8080, &host),
			 0);
	assert_int_equal(of4(&host.address), INADDR_LOOPBACK);
	assert_int_equal(host.port, 8080);
}

static void gateway_is_refused_without_host_loopback(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	config.host_loopback = false;
	expect(&config, GATEWAY, -EACCES);
}

static void nat_translate_outbound_unmodified_external_ip(void **state)
{
	struct slirp_config config = config_default();
	struct slirp_endpoint host;

	(void)state;
	assert_int_equal(
		translate(&config, IPPROTO_UDP, 0xc0000201, 443, &host), 0);
	assert_int_equal(of4(&host.address), 0xc0000201);
	assert_int_equal(host.port, 443);
	expect(&config, 0x01010101, 0);
	expect(&config, 0xdfffffff, 0);
	expect(&config, 0x0a000302, 0); /* the subnet next to the guest's */
}

static void host_itself_is_reached_by_no_other_name(void **state)
{
	static const uint32_t denied[] = {
		0x00000000, 0x00000001, 0x00ffffff, /* 0.0.0.0/8 */
		0x7f000000, 0x7f000001, 0x7fffffff, /* 127.0.0.0/8 */
	};
	struct slirp_config config = config_default();

	(void)state;
	for (unsigned int i = 0; i < sizeof(denied) / sizeof(*denied); i++)
		expect(&config, denied[i], -EACCES);
}

static void metadata_services_are_refused(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	expect(&config, 0xa9fea9fe, -EPERM);
	expect(&config, 0xa9fe0000, -EPERM);
	expect(&config, 0xa9feffff, -EPERM);
	expect(&config, 0xa9fdffff, 0);
	expect(&config, 0xa9ff0000, 0);
}

static void multicast_and_broadcast_are_refused(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	expect(&config, 0xe0000001, -EACCES);
	expect(&config, 0xefffffff, -EACCES);
	expect(&config, 0xf0000000, -EACCES);
	expect(&config, 0xffffffff, -EACCES);
}

static void nobody_else_is_in_the_subnet(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	expect(&config, 0x0a000200, -EHOSTUNREACH);
	expect(&config, 0x0a000204, -EHOSTUNREACH);
	expect(&config, 0x0a00020f, -EHOSTUNREACH);
	expect(&config, 0x0a0002ff, -EHOSTUNREACH);
	expect(&config, DNS, -EHOSTUNREACH); /* but for port 53 */
}

static void dns_port_is_left_to_the_caller(void **state)
{
	struct slirp_config config = config_default();
	struct slirp_endpoint host;

	(void)state;
	assert_int_equal(translate(&config, IPPROTO_TCP, DNS, 53, &host), 0);
	assert_int_equal(of4(&host.address), DNS);
	/* Policy about the loopback is not about resolvers. */
	config.host_loopback = false;
	assert_int_equal(translate(&config, IPPROTO_UDP, DNS, 53, &host), 0);
}

static void restricted_guest_reaches_nothing(void **state)
{
	struct slirp_config config = config_default();
	struct slirp_endpoint host;

	(void)state;
	config.restricted = true;
	expect(&config, GATEWAY, -EACCES);
	expect(&config, 0x01010101, -EACCES);
	expect(&config, 0x0a000204, -EACCES);
	assert_int_equal(translate(&config, IPPROTO_UDP, DNS, 53, &host),
			 -EACCES);
}

static void gateway_inside_a_denied_range_still_works(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	config.network.s_addr = htonl(0xa9fe0100);
	config.gateway.s_addr = htonl(0xa9fe0102);
	expect(&config, 0xa9fe0102, 0);
	expect(&config, 0xa9fea9fe, -EPERM);
}

static void nat_translate_outbound_deny_list(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	assert_int_equal(policy_add(&config.policy, false, "192.0.2.0/24"), 0);
	expect(&config, 0xc0000201, -EPERM);
	expect(&config, 0xc0000301, 0);
	expect(&config, GATEWAY, 0);
}

static void gateway_is_denied_before_and_after_the_rewrite(void **state)
{
	static const char *const rules[] = { "10.0.2.2/32", "127.0.0.0/8" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct slirp_config config = config_default();

		assert_int_equal(policy_add(&config.policy, false, rules[i]),
				 0);
		expect(&config, GATEWAY, -EPERM);
		expect(&config, 0x01010101, 0);
	}
}

static void no_rule_opens_the_host_itself(void **state)
{
	static const uint32_t reserved[] = { 0x7f000001, 0, 0xe0000001,
					     0xffffffff };
	struct slirp_config config = config_default();

	(void)state;
	assert_int_equal(policy_add(&config.policy, true, "any"), 0);
	assert_int_equal(policy_add(&config.policy, true, "127.0.0.1"), 0);
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		expect(&config, reserved[i], -EACCES);
	config.host_loopback = false;
	expect(&config, GATEWAY, -EACCES);
}

/* The table in nat.h, line by line. */
static void examples_in_the_header_are_true(void **state)
{
	static const struct {
		const char *deny;
		uint32_t to;
		int result;
		uint32_t host;
	} examples[] = {
		{ NULL, GATEWAY, 0, 0x7f000001 },
		{ NULL, 0xc0000201, 0, 0xc0000201 },
		{ "192.0.2.0/24", 0xc0000201, -EPERM, 0xc0000201 },
		{ "127.0.0.0/8", GATEWAY, -EPERM, 0x7f000001 },
		{ NULL, 0x7f000001, -EACCES, 0x7f000001 },
		{ NULL, 0x0a00024d, -EHOSTUNREACH, 0x0a00024d },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(examples) / sizeof(*examples);
	     i++) {
		struct slirp_config config = config_default();
		struct slirp_endpoint host;

		if (examples[i].deny)
			assert_int_equal(policy_add(&config.policy, false,
						    examples[i].deny),
					 0);
		assert_int_equal(translate(&config, IPPROTO_TCP, examples[i].to,
					   80, &host),
				 examples[i].result);
		assert_int_equal(of4(&host.address), examples[i].host);
		assert_int_equal(host.port, 80);
	}
}

static void dns_is_judged_by_the_guests_name_for_it(void **state)
{
	struct slirp_config config = config_default();
	struct slirp_endpoint host;

	(void)state;
	/* Its resolver is on the host's loopback. */
	assert_int_equal(policy_add(&config.policy, false, "127.0.0.0/8"), 0);
	assert_int_equal(translate(&config, IPPROTO_UDP, DNS, 53, &host), 0);
	assert_int_equal(policy_add(&config.policy, false, "udp:any:53"), 0);
	assert_int_equal(translate(&config, IPPROTO_UDP, DNS, 53, &host),
			 -EPERM);
	assert_int_equal(translate(&config, IPPROTO_TCP, DNS, 53, &host), 0);
}

static void expect_peer(const struct slirp_config *config, uint32_t host,
			uint32_t seen)
{
	struct in6_addr guest = in4(0x0a00020f), at = in4(host), peer;

	peer = nat_translate_peer(config, &at, &guest);
	assert_int_equal(of4(&peer), seen);
}

static void loopback_peers_are_seen_as_the_gateway(void **state)
{
	struct slirp_config config = config_default();

	(void)state;
	expect_peer(&config, 0x7f000001, GATEWAY);
	expect_peer(&config, 0x7f0000ff, GATEWAY);
	expect_peer(&config, 0x08080808, 0x08080808);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nat_translate_outbound_loopback_rewrite),
		cmocka_unit_test(gateway_is_refused_without_host_loopback),
		cmocka_unit_test(nat_translate_outbound_unmodified_external_ip),
		cmocka_unit_test(host_itself_is_reached_by_no_other_name),
		cmocka_unit_test(metadata_services_are_refused),
		cmocka_unit_test(multicast_and_broadcast_are_refused),
		cmocka_unit_test(nobody_else_is_in_the_subnet),
		cmocka_unit_test(dns_port_is_left_to_the_caller),
		cmocka_unit_test(restricted_guest_reaches_nothing),
		cmocka_unit_test(gateway_inside_a_denied_range_still_works),
		cmocka_unit_test(nat_translate_outbound_deny_list),
		cmocka_unit_test(
			gateway_is_denied_before_and_after_the_rewrite),
		cmocka_unit_test(no_rule_opens_the_host_itself),
		cmocka_unit_test(examples_in_the_header_are_true),
		cmocka_unit_test(dns_is_judged_by_the_guests_name_for_it),
		cmocka_unit_test(loopback_peers_are_seen_as_the_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
