/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/protocols.h"
#include "unit/guest6.h"

static int setup(void **state)
{
	*state = fake_shard_create();
	return 0;
}

static int teardown(void **state)
{
	fake_shard_destroy(*state);
	return 0;
}

#define SLIRP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void input(struct shard *shard, struct packet *packet)
{
	struct icmp6_hdr icmp;
	struct cursor at = packet->l4;

	assert_true(cursor_take(&at, &icmp, sizeof(icmp)));
	assert_true(ndp_input(shard, packet, icmp.icmp6_type));
}

static size_t make_solicit(uint8_t *frame, const char *from, const char *target)
{
	struct nd_neighbor_solicit solicit = {
		.nd_ns_hdr = { .icmp6_type = ND_NEIGHBOR_SOLICIT },
		.nd_ns_target = in6(target),
	};

	return guest6_make(frame, from, "ff02::1:ff00:2", IPPROTO_ICMPV6,
			   &solicit, sizeof(solicit), 2);
}

static void solicit(struct shard *shard, const char *from, const char *target)
{
	uint8_t frame[256];
	size_t length = make_solicit(frame, from, target);

	guest6_send(shard, frame, length, input);
}

static void expect_advert(struct shard *shard, const char *target,
			  const char *to, uint32_t flags)
{
	struct nd_neighbor_advert advert;
	struct in6_addr address = in6(target);
	const uint8_t *l4;
	size_t size;

	l4 = guest6_take(shard, target, to, IPPROTO_ICMPV6, &size);
	memcpy(&advert, l4, sizeof(advert));
	assert_int_equal(size, sizeof(advert) + 8);
	assert_int_equal(advert.nd_na_type, ND_NEIGHBOR_ADVERT);
	assert_int_equal(advert.nd_na_flags_reserved, flags);
	assert_memory_equal(&advert.nd_na_target, &address, sizeof(address));
	assert_memory_equal(l4 + sizeof(advert), "\x02\x01", 2);
	assert_memory_equal(l4 + sizeof(advert) + 2, shard->config.gateway_mac,
			    6);
}

static void own_addresses_are_advertised(void **state)
{
	const uint32_t host = ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE;

	solicit(*state, GUEST6, GATEWAY6);
	expect_advert(*state, GATEWAY6, GUEST6, host | ND_NA_FLAG_ROUTER);
	solicit(*state, GUEST6_LL, ROUTER6);
	expect_advert(*state, ROUTER6, GUEST6_LL, host | ND_NA_FLAG_ROUTER);
	solicit(*state, GUEST6, DNS6);
	expect_advert(*state, DNS6, GUEST6, host);
}

static void guest_may_have_its_addresses(void **state)
{
	solicit(*state, "::", GUEST6);
	solicit(*state, "::", GUEST6_LL);
	solicit(*state, GUEST6, "fec0::1234");
	assert_null(fake_next(*state));
}

static void guest_may_not_take_ours(void **state)
{
	solicit(*state, "::", GATEWAY6);
	expect_advert(*state, GATEWAY6, ALL_NODES6,
		      ND_NA_FLAG_OVERRIDE | ND_NA_FLAG_ROUTER);
}

static void routed_solicitation_is_not_believed(void **state)
{
	struct shard *shard = *state;
	uint8_t frame[256];
	size_t length = make_solicit(frame, GUEST6, GATEWAY6);

	frame[14 + 7] = 254; /* hop limit */
	guest6_send(shard, frame, length, input);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, 1);
}

static void damaged_solicitations_are_dropped(void **state)
{
	struct shard *shard = *state;
	uint8_t frame[256];
	size_t length = make_solicit(frame, GUEST6, GATEWAY6);

	frame[length - 1] ^= 1;
	guest6_send(shard, frame, length, input);
	frame[length - 1] ^= 1;
	length = guest6_make(frame, GUEST6, GATEWAY6, IPPROTO_ICMPV6,
			     frame + GUEST6_L4, 20, 2);
	guest6_send(shard, frame, length, input);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, 2);
}

static void solicit_router(struct shard *shard, const char *from)
{
	struct nd_router_solicit message = {
		.nd_rs_hdr = { .icmp6_type = ND_ROUTER_SOLICIT },
	};
	uint8_t frame[256];
	size_t length = guest6_make(frame, from, "ff02::2", IPPROTO_ICMPV6,
				    &message, sizeof(message), 2);

	guest6_send(shard, frame, length, input);
}

static const uint8_t *take_router(struct shard *shard, const char *to,
				  struct nd_router_advert *advert, size_t *size)
{
	const uint8_t *l4 =
		guest6_take(shard, ROUTER6, to, IPPROTO_ICMPV6, size);

	memcpy(advert, l4, sizeof(*advert));
	assert_int_equal(advert->nd_ra_type, ND_ROUTER_ADVERT);
	return l4;
}

/* Return: an option of the advertisement, NULL if it has none of the type */
static const uint8_t *find_option(const uint8_t *l4, size_t size, uint8_t type)
{
	for (size_t at = sizeof(struct nd_router_advert); at < size;
	     at += 8U * l4[at + 1]) {
		assert_true(l4[at + 1] > 0 && at + 8U * l4[at + 1] <= size);
		if (l4[at] == type)
			return l4 + at;
	}
	return NULL;
}

static void router_tells_prefix_mtu_and_resolver(void **state)
{
	struct shard *shard = *state;
	struct nd_router_advert advert;
	struct nd_opt_prefix_info prefix;
	struct nd_opt_mtu mtu;
	struct in6_addr net = in6("fec0::"), dns = in6(DNS6);
	const uint8_t *l4;
	size_t size;

	solicit_router(shard, GUEST6_LL);
	l4 = take_router(shard, GUEST6_LL, &advert, &size);
	assert_int_equal(ntohs(advert.nd_ra_router_lifetime), 1800);
	assert_int_equal(advert.nd_ra_flags_reserved, ND_RA_FLAG_OTHER);
	memcpy(&prefix, find_option(l4, size, ND_OPT_PREFIX_INFORMATION),
	       sizeof(prefix));
	assert_int_equal(prefix.nd_opt_pi_prefix_len, 64);
	assert_memory_equal(&prefix.nd_opt_pi_prefix, &net, sizeof(net));
	memcpy(&mtu, find_option(l4, size, ND_OPT_MTU), sizeof(mtu));
	assert_int_equal(ntohl(mtu.nd_opt_mtu_mtu), 1500);
	assert_memory_equal(find_option(l4, size, 25) + 8, &dns, sizeof(dns));
	assert_null(find_option(l4, size, 31));
}

static void router_tells_the_search_domain(void **state)
{
	static const uint8_t name[16] = "\7example\3org";
	struct shard *shard = *state;
	struct nd_router_advert advert;
	const uint8_t *l4, *option;
	size_t size;

	strcpy(shard->config.domain, "example.org");
	solicit_router(shard, GUEST6_LL);
	l4 = take_router(shard, GUEST6_LL, &advert, &size);
	option = find_option(l4, size, 31);
	assert_non_null(option);
	assert_int_equal(option[1], 3);
	assert_memory_equal(option + 8, name, sizeof(name));
}

static void guest_without_address_is_told_with_all(void **state)
{
	struct nd_router_advert advert;
	size_t size;

	solicit_router(*state, "::");
	take_router(*state, ALL_NODES6, &advert, &size);
}

static void no_route_is_told_where_there_is_none(void **state)
{
	struct shard *shard = *state;
	struct nd_router_advert advert;
	size_t size;

	shard->config.route6 = false;
	solicit_router(shard, GUEST6_LL);
	take_router(shard, GUEST6_LL, &advert, &size);
	assert_int_equal(advert.nd_ra_router_lifetime, 0);
	shard->config.route6 = true;
	shard->config.restricted = true;
	solicit_router(shard, GUEST6_LL);
	take_router(shard, GUEST6_LL, &advert, &size);
	assert_int_equal(advert.nd_ra_router_lifetime, 0);
}

static void router_speaks_unasked(void **state)
{
	struct nd_router_advert advert;
	struct shard *shard = *state;
	size_t size;

	ndp_run_router(shard);
	take_router(shard, ALL_NODES6, &advert, &size);
	assert_memory_equal(shard->sent[0].data, "\x33\x33\0\0\0\1", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLIRP_TEST(own_addresses_are_advertised),
		SLIRP_TEST(guest_may_have_its_addresses),
		SLIRP_TEST(guest_may_not_take_ours),
		SLIRP_TEST(routed_solicitation_is_not_believed),
		SLIRP_TEST(damaged_solicitations_are_dropped),
		SLIRP_TEST(router_tells_prefix_mtu_and_resolver),
		SLIRP_TEST(router_tells_the_search_domain),
		SLIRP_TEST(guest_without_address_is_told_with_all),
		SLIRP_TEST(no_route_is_told_where_there_is_none),
		SLIRP_TEST(router_speaks_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
