/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "slirp/flow.h"
#include "slirp/udp_filter.h"

static const uint64_t secret[2] = { 3, 4 };

static struct slirp_endpoint peer(uint32_t number, uint16_t port)
{
	struct in_addr address = { htonl(0xc6120000 + number) };

	return (struct slirp_endpoint) { .address = address_from4(address),
					 .port = port };
}

static int setup_address(void **state)
{
	*state = udp_filter_create(SLIRP_UDP_FILTER_ADDRESS, secret);
	return 0;
}

static int setup_port(void **state)
{
	*state = udp_filter_create(SLIRP_UDP_FILTER_PORT, secret);
	return 0;
}

static int teardown(void **state)
{
	udp_filter_destroy(*state);
	return 0;
}

static void permission_is_for_one_mapping(void **state)
{
	const struct flow one = { .slot = 1 }, two = { .slot = 2 };
	const struct flow later = { .slot = 1, .generation = 1 };
	struct slirp_endpoint to = peer(1, 53);

	udp_filter_permit(*state, &one, &to, 100);
	assert_true(udp_filter_allows(*state, &one, &to, 99));
	assert_false(udp_filter_allows(*state, &two, &to, 99));
	assert_false(udp_filter_allows(*state, &later, &to, 99));
}

static void permission_runs_out_unless_renewed(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53);

	udp_filter_permit(*state, &flow, &to, 100);
	assert_false(udp_filter_allows(*state, &flow, &to, 100));
	udp_filter_permit(*state, &flow, &to, 200);
	assert_true(udp_filter_allows(*state, &flow, &to, 199));
}

static void ports_matter_only_to_a_port_filter(void **state)
{
	struct udp_filter *by_address =
		udp_filter_create(SLIRP_UDP_FILTER_ADDRESS, secret);
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53), other = peer(1, 54);

	udp_filter_permit(*state, &flow, &to, 100);
	udp_filter_permit(by_address, &flow, &to, 100);
	assert_false(udp_filter_allows(*state, &flow, &other, 0));
	assert_true(udp_filter_allows(by_address, &flow, &other, 0));
	udp_filter_destroy(by_address);
}

static void thousands_of_peers_are_remembered(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to;
	unsigned int known = 0;

	for (uint32_t i = 0; i < 4096; i++) {
		to = peer(i, 53);
		udp_filter_permit(*state, &flow, &to, 100 + i);
	}
	for (uint32_t i = 0; i < 4096; i++) {
		to = peer(i, 53);
		known += udp_filter_allows(*state, &flow, &to, 0);
	}
	assert_in_range(known, 4000, 4096);
	/* The latest is there however many there were. */
	for (uint32_t i = 0; i < 1000000; i++) {
		to = peer(i, 53);
		udp_filter_permit(*state, &flow, &to, 5000 + i);
		assert_true(udp_filter_allows(*state, &flow, &to, 0));
	}
}

static void nothing_is_filtered_without_a_filter(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53);

	(void)state;
	udp_filter_permit(NULL, &flow, &to, 100);
	assert_true(udp_filter_allows(NULL, &flow, &to, 99));
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(permission_is_for_one_mapping, setup_address),
		TEST(permission_runs_out_unless_renewed, setup_port),
		TEST(ports_matter_only_to_a_port_filter, setup_port),
		TEST(thousands_of_peers_are_remembered, setup_address),
		cmocka_unit_test(nothing_is_filtered_without_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
