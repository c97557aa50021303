/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/policy.h"

#include <string.h>
#include <sys/socket.h>

#include "slirp/address.h"

struct policy_range {
	uint8_t address[16];
	unsigned int bits;
};

#define MAPPED(a, b) 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), 0, 0

static const struct policy_range policy_reserved[] = {
	{ { MAPPED(0, 0) }, 96 + 8 },   /* this host (RFC 1122) */
	{ { MAPPED(127, 0) }, 96 + 8 }, /* loopback: only by the gateway */
	{ { MAPPED(224, 0) }, 96 + 4 }, /* multicast */
	{ { MAPPED(240, 0) }, 96 + 4 }, /* reserved and broadcast */
	{ { 0 }, 96 },                  /* ::, ::1, ::a.b.c.d */
	{ { 0xfe, 0x80 }, 10 },         /* the host's own links */
	{ { 0xff }, 8 },                /* multicast */
};

static const struct policy_range policy_metadata[] = {
	{ { MAPPED(169, 254) }, 96 + 16 },
	{ { 0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54 }, 128 },
};

static const struct policy_range policy_nat64 = { { 0, 0x64, 0xff, 0x9b }, 96 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool range_has(const struct policy_range *range,
		      const struct in6_addr *address)
{
	struct in6_addr network;

	memcpy(&network, range->address, sizeof(network));
	return address_in(address, &network, range->bits);
}

/* The IPv4 address behind a translator, else the address itself. */
static struct in6_addr policy_inner(const struct in6_addr *address)
{
	if (range_has(&policy_nat64, address))
		return address_from4(address_to4(address));
	return *address;
}

bool policy_is_reserved(const struct in6_addr *address)
{
	struct in6_addr inner = policy_inner(address);

	for (unsigned int i = 0; i < COUNT(policy_reserved); i++)
		if (range_has(&policy_reserved[i], &inner))
			return true;
	return false;
}

static const struct policy_range *policy_metadata_range(
	const struct in6_addr *address)
{
	for (unsigned int i = 0; i < COUNT(policy_metadata); i++)
		if (range_has(&policy_metadata[i], address))
			return &policy_metadata[i];
	return NULL;
}

/* All addresses that a destination is known by, each once. */
struct policy_names {
	struct in6_addr name[3];
	unsigned int count;
};

static void names_add(struct policy_names *names, const struct in6_addr *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (address_equal(&names->name[i], name))
			return;
	names->name[names->count++] = *name;
}

static bool rule_has_address(const struct policy_rule *rule,
			     const struct in6_addr *address)
{
	int family = address_family(address);

	if (rule->family == AF_UNSPEC)
		return true;
	return rule->family == family &&
	       address_in(address, &rule->network, rule->bits);
}

static bool rule_has_name(const struct policy_rule *rule,
			  const struct policy_names *names)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (rule_has_address(rule, &names->name[i]))
			return true;
	return false;
}

static bool rule_has_transport(const struct policy_rule *rule,
			       const struct policy_destination *to)
{
	int protocol =
		to->protocol == IPPROTO_ICMPV6 ? IPPROTO_ICMP : to->protocol;

	return (!rule->protocol || rule->protocol == protocol) &&
	       to->port >= rule->first_port && to->port <= rule->last_port;
}

/* Whoever allows the world has not thought of metadata services. */
static bool rule_is_too_wide(const struct policy_rule *rule,
			     const struct policy_range *metadata)
{
	return metadata && rule->allow && rule->bits < metadata->bits;
}

bool policy_allows(const struct slirp_policy *policy,
		   const struct policy_destination *to,
		   const struct policy_rule **rule)
{
	struct in6_addr named = policy_inner(&to->named);
	struct in6_addr reached = policy_inner(&to->reached);
	const struct policy_range *metadata = policy_metadata_range(&reached);
	struct policy_names names = { 0 };
	const struct policy_rule *at = policy->rule;
	const struct policy_rule *end = at + policy->count;

	names_add(&names, &to->named);
	names_add(&names, &named);
	names_add(&names, &to->reached);
	while (at < end &&
	       !(rule_has_transport(at, to) && rule_has_name(at, &names) &&
		 !rule_is_too_wide(at, metadata)))
		at++;
	if (rule)
		*rule = at < end ? at : NULL;
	return at < end ? at->allow : !metadata && !policy->deny_rest;
}
