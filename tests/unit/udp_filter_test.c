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

/* More peers than a mapping remembers itself, so that the shard's filter must:
 * for each the first, of number 0. */
static void permit_many(struct udp_filter *filter, const struct flow *mapping,
			struct udp_permits *own, uint64_t until_ms)
{
	for (uint32_t i = 0; i <= UDP_PERMITS_MAX; i++) {
		struct slirp_endpoint to = peer(i, 53);

		udp_filter_permit(filter, mapping, own, &to, until_ms + i);
	}
}

static void permission_is_for_one_mapping(void **state)
{
	const struct flow one = { .slot = 1 }, two = { .slot = 2 };
	const struct flow later = { .slot = 1, .generation = 1 };
	struct udp_permits own = { 0 };
	struct slirp_endpoint first = peer(0, 53), none = peer(77, 53);

	permit_many(*state, &one, &own, 100);
	assert_true(udp_filter_allows(*state, &one, &own, &first, 99));
	assert_false(udp_filter_allows(*state, &one, &own, &none, 99));
	assert_false(udp_filter_allows(*state, &two, &own, &first, 99));
	assert_false(udp_filter_allows(*state, &later, &own, &first, 99));
}

static void permission_runs_out_unless_renewed(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53);
	struct udp_permits own = { 0 };

	udp_filter_permit(*state, &flow, &own, &to, 100);
	assert_false(udp_filter_allows(*state, &flow, &own, &to, 100));
	udp_filter_permit(*state, &flow, &own, &to, 200);
	assert_true(udp_filter_allows(*state, &flow, &own, &to, 199));
}

static void ports_matter_only_to_a_port_filter(void **state)
{
	struct udp_filter *by_address =
		udp_filter_create(SLIRP_UDP_FILTER_ADDRESS, secret);
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53), other = peer(1, 54);
	struct udp_permits own = { 0 }, own_by_address = { 0 };

	udp_filter_permit(*state, &flow, &own, &to, 100);
	udp_filter_permit(by_address, &flow, &own_by_address, &to, 100);
	assert_false(udp_filter_allows(*state, &flow, &own, &other, 0));
	assert_true(udp_filter_allows(by_address, &flow, &own_by_address,
				      &other, 0));
	udp_filter_destroy(by_address);
}

static void a_few_are_with_the_mapping_wherever_it_is(void **state)
{
	struct udp_filter *elsewhere =
		udp_filter_create(SLIRP_UDP_FILTER_ADDRESS, secret);
	const struct flow here = { .slot = 1 }, there = { .slot = 2 };
	struct udp_permits own = { 0 };
	struct slirp_endpoint to;

	for (uint32_t i = 0; i < 100; i++) {
		to = peer(i % UDP_PERMITS_MAX, 53);
		udp_filter_permit(*state, &here, &own, &to, 100 + i);
	}
	assert_true(udp_permits_are_all(&own, 99));
	for (uint32_t i = 0; i < UDP_PERMITS_MAX; i++) {
		to = peer(i, 53);
		assert_true(
			udp_filter_allows(elsewhere, &there, &own, &to, 99));
	}
	udp_filter_destroy(elsewhere);
}

static void more_are_with_the_shard_until_they_run_out(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct udp_permits own = { 0 };

	permit_many(*state, &flow, &own, 100);
	assert_false(udp_permits_are_all(&own, 99));
	assert_true(udp_permits_are_all(&own, 100));
}

static void thousands_of_peers_are_remembered(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct udp_permits own = { 0 };
	struct slirp_endpoint to;
	unsigned int known = 0;

	for (uint32_t i = 0; i < 4096; i++) {
		to = peer(i, 53);
		udp_filter_permit(*state, &flow, &own, &to, 100 + i);
	}
	for (uint32_t i = 0; i < 4096; i++) {
		to = peer(i, 53);
		known += udp_filter_allows(*state, &flow, &own, &to, 0);
	}
	assert_in_range(known, 4000, 4096);
	/* The latest is there however many there were. */
	for (uint32_t i = 0; i < 1000000; i++) {
		to = peer(i, 53);
		udp_filter_permit(*state, &flow, &own, &to, 5000 + i);
		assert_true(udp_filter_allows(*state, &flow, &own, &to, 0));
	}
}

static void nothing_is_filtered_without_a_filter(void **state)
{
	const struct flow flow = { .slot = 1 };
	struct slirp_endpoint to = peer(1, 53);
	struct udp_permits own = { 0 };

	(void)state;
	udp_filter_permit(NULL, &flow, &own, &to, 100);
	assert_true(udp_filter_allows(NULL, &flow, &own, &to, 99));
	assert_true(udp_permits_are_all(&own, 0));
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(permission_is_for_one_mapping, setup_address),
		TEST(permission_runs_out_unless_renewed, setup_port),
		TEST(ports_matter_only_to_a_port_filter, setup_port),
		TEST(a_few_are_with_the_mapping_wherever_it_is, setup_address),
		TEST(more_are_with_the_shard_until_they_run_out, setup_port),
		TEST(thousands_of_peers_are_remembered, setup_address),
		cmocka_unit_test(nothing_is_filtered_without_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
