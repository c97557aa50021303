/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_POLICY_H
#define MQVMM_SLIRP_POLICY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fail.h"

/*
 * Theory of operation
 *
 * What the guest may reach, as ordered rules: the first that matches decides,
 * and where none does, the default. A rule matches a destination by the address
 * that the guest named, and by the one that it leads to: 10.0.2.2 and 127.0.0.1
 * are one place, and so are 64:ff9b::10.0.0.5 and 10.0.0.5. Either name in
 * either kind of rule will do.
 *
 * Below the rules lie addresses that no rule opens (policy_is_reserved()), and
 * metadata services, which only a rule that names them opens.
 *
 * A policy does not change once shards may see it: a new one takes its place
 * (slirp_set_policy()). All functions are pure, but for policy_print().
 */

#define POLICY_RULES_MAX 256
#define POLICY_TEXT_MAX  128 /* bytes of one rule's text */

/**
 * struct policy_rule - One line of a policy
 * @allow:	What it decides
 * @protocol:	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP for echo of either
 *		family, 0 for all
 * @family:	AF_INET, AF_INET6, AF_UNSPEC for every address
 * @bits:	Of the prefix, of 128: 96 and more for IPv4
 * @network:	IPv4 as ::ffff:a.b.c.d
 * @first_port, @last_port: Host byte order; echo has none, and only a rule for
 *		all of them matches it
 */
struct policy_rule {
	bool allow;
	uint8_t protocol;
	uint8_t family;
	uint8_t bits;
	struct in6_addr network;
	uint16_t first_port;
	uint16_t last_port;
};

/**
 * struct slirp_policy - All rules; zeroed it allows all that can be allowed
 * @deny_rest:	What no rule matches is denied
 * @count:	Entries of @rule in use
 */
struct slirp_policy {
	bool deny_rest;
	unsigned int count;
	struct policy_rule rule[POLICY_RULES_MAX];
};

/**
 * struct policy_destination - What a policy decides about
 * @protocol:	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6
 * @port:	Host byte order, 0 for echo
 * @named:	As the guest addressed it
 * @reached:	Where that leads
 */
struct policy_destination {
	int protocol;
	uint16_t port;
	struct in6_addr named;
	struct in6_addr reached;
};

/**
 * policy_allows() - May the guest reach it?
 * @rule:	The rule that decided, NULL if none did; may itself be NULL
 *
 * Metadata services (169.254.0.0/16, fd00:ec2::254) are allowed only by a rule
 * for them, not by a wider one nor by default.
 */
bool policy_allows(const struct slirp_policy *policy,
		   const struct policy_destination *to,
		   const struct policy_rule **rule);

/**
 * policy_is_reserved() - Is it never to be reached under this name?
 *
 * The host itself (127.0.0.0/8, 0.0.0.0/8, ::1, ::), IPv4 in IPv6's clothes
 * (::a.b.c.d), the host's links (fe80::/10), multicast, broadcast and reserved
 * ones; and 64:ff9b::/96 where it leads to one of these (RFC 6052).
 */
bool policy_is_reserved(const struct in6_addr *address);

/**
 * policy_add() - Append a rule
 * @text:	[tcp:|udp:|icmp:]ADDRESS[/BITS][:PORT[-PORT]], where
 *		ADDRESS is "any", a.b.c.d or an IPv6 address in brackets
 *
 * Return: 0, -EINVAL, -ENOSPC; @policy is changed only by success
 */
int policy_add(struct slirp_policy *policy, bool allow, const char *text);

/* What policy_add() takes, for people. */
#define POLICY_SYNTAX                                                      \
	"[tcp:|udp:|icmp:]ADDRESS[/BITS][:PORT[-PORT]], the address any, " \
	"a.b.c.d or [IPv6], nothing behind the prefix"

/**
 * policy_parse() - Read a whole policy: "deny=10.0.0.0/8,allow=any"
 * @text:	Items allow=, deny= and default= (allow or deny), in order,
 *		separated by commas; empty for none
 * @policy:	Filled, if all of it is right
 * @fail:	Names the item that is wrong
 *
 * Return: 0 or -EINVAL
 */
int policy_parse(const char *text, struct slirp_policy *policy,
		 struct fail *fail);

/**
 * policy_format_rule() - Write a rule as policy_parse() takes it
 * @text:	POLICY_TEXT_MAX bytes
 *
 * Return: @text
 */
const char *policy_format_rule(const struct policy_rule *rule, char *text);

/* Write a whole policy, as policy_parse() takes it, without a newline. */
void policy_print(const struct slirp_policy *policy, FILE *out);

#endif
