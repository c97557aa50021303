/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "slirp/address.h"
#include "slirp/policy.h"

/* Policies as text. Each reader takes its part off the front of *at. */

#define PORT_MAX    65535
#define BITS_OF4    32
#define BITS_OF6    128
#define BITS_MAPPED (BITS_OF6 - BITS_OF4)

struct policy_protocol {
	const char *name;
	uint8_t protocol;
};

static const struct policy_protocol policy_protocols[] = {
	{ "tcp:", IPPROTO_TCP },
	{ "udp:", IPPROTO_UDP },
	{ "icmp:", IPPROTO_ICMP },
};

#define PROTOCOLS (sizeof(policy_protocols) / sizeof(policy_protocols[0]))

static bool take_word(const char **at, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(*at, word, size) != 0)
		return false;
	*at += size;
	return true;
}

static bool take_number(const char **at, unsigned long max, unsigned long *to)
{
	char *end;

	/* strtoul() would take signs and spaces. */
	if (**at < '0' || **at > '9')
		return false;
	*to = strtoul(*at, &end, 10);
	*at = end;
	return *to <= max;
}

static void take_protocol(const char **at, struct policy_rule *rule)
{
	for (unsigned int i = 0; i < PROTOCOLS && !rule->protocol; i++)
		if (take_word(at, policy_protocols[i].name))
			rule->protocol = policy_protocols[i].protocol;
}

/* Take the @size characters of an address. */
static bool take_address(const char **at, size_t size, int family, void *to)
{
	char text[INET6_ADDRSTRLEN];

	if (size >= sizeof(text))
		return false;
	memcpy(text, *at, size);
	text[size] = '\0';
	*at += size;
	return inet_pton(family, text, to) == 1;
}

static bool take_network(const char **at, struct policy_rule *rule)
{
	struct in_addr in;
	size_t size;

	if (take_word(at, "any"))
		return true;
	rule->bits = BITS_OF6;
	if (take_word(at, "[")) {
		rule->family = AF_INET6;
		size = strcspn(*at, "]");
		/* A mapped address is IPv4, and is to be written so. */
		return take_address(at, size, AF_INET6, &rule->network) &&
		       !address_is4(&rule->network) && take_word(at, "]");
	}
	rule->family = AF_INET;
	if (!take_address(at, strcspn(*at, "/:"), AF_INET, &in))
		return false;
	rule->network = address_from4(in);
	return true;
}

static bool take_bits(const char **at, struct policy_rule *rule)
{
	bool is4 = rule->family == AF_INET;
	unsigned long bits;

	if (!take_word(at, "/"))
		return true;
	if (rule->family == AF_UNSPEC ||
	    !take_number(at, is4 ? BITS_OF4 : BITS_OF6, &bits))
		return false;
	rule->bits = (uint8_t)(is4 ? BITS_MAPPED + bits : bits);
	/* What is set behind the prefix is a mistake in one of the two. */
	for (unsigned int bit = rule->bits; bit < BITS_OF6; bit++)
		if (rule->network.s6_addr[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool take_ports(const char **at, struct policy_rule *rule)
{
	unsigned long first, last;

	if (!take_word(at, ":"))
		return true;
	if (rule->protocol == IPPROTO_ICMP ||
	    !take_number(at, PORT_MAX, &first) || first < 1)
		return false;
	last = first;
	if (take_word(at, "-") &&
	    (!take_number(at, PORT_MAX, &last) || last < first))
		return false;
	rule->first_port = (uint16_t)first;
	rule->last_port = (uint16_t)last;
	return true;
}

int policy_add(struct slirp_policy *policy, bool allow, const char *text)
{
	struct policy_rule rule = { .allow = allow, .last_port = PORT_MAX };

	take_protocol(&text, &rule);
	if (!take_network(&text, &rule) || !take_bits(&text, &rule) ||
	    !take_ports(&text, &rule) || *text)
		return -EINVAL;
	if (policy->count == POLICY_RULES_MAX)
		return -ENOSPC;
	policy->rule[policy->count++] = rule;
	return 0;
}

/* One item of a policy, cut off its list. Return: 0 or negative errno */
static int policy_parse_item(const char *item, struct slirp_policy *policy)
{
	if (take_word(&item, "allow="))
		return policy_add(policy, true, item);
	if (take_word(&item, "deny="))
		return policy_add(policy, false, item);
	if (strcmp(item, "default=allow") != 0 &&
	    strcmp(item, "default=deny") != 0)
		return -EINVAL;
	policy->deny_rest = strcmp(item, "default=deny") == 0;
	return 0;
}

static int policy_parse_fail(const char *item, int err, struct fail *fail)
{
	if (err == -ENOSPC)
		return fail_set(fail, -EINVAL,
				"a policy has at most %d rules: use wider ones",
				POLICY_RULES_MAX);
	return fail_set(
		fail, err,
		"'%s' is no rule: write allow=RULE, deny=RULE, "
		"default=allow or default=deny, with RULE like " POLICY_SYNTAX,
		item);
}

int policy_parse(const char *text, struct slirp_policy *policy,
		 struct fail *fail)
{
	struct slirp_policy parsed = { 0 };
	char item[POLICY_TEXT_MAX];
	size_t size;
	int ret;

	while (*text) {
		size = strcspn(text, ",");
		snprintf(item, sizeof(item), "%.*s", (int)size, text);
		ret = size < sizeof(item) ? policy_parse_item(item, &parsed)
					  : -EINVAL;
		if (ret)
			return policy_parse_fail(item, ret, fail);
		text += size;
		text += *text == ',';
	}
	*policy = parsed;
	return 0;
}

static const char *policy_protocol_name(uint8_t protocol)
{
	for (unsigned int i = 0; i < PROTOCOLS; i++)
		if (policy_protocols[i].protocol == protocol)
			return policy_protocols[i].name;
	return "";
}

const char *policy_format_rule(const struct policy_rule *rule, char *text)
{
	char address[ADDRESS_TEXT_MAX], bits[8] = "", ports[16] = "";
	unsigned int shown = rule->bits;

	if (rule->family == AF_INET)
		shown -= BITS_MAPPED;
	if (rule->family != AF_UNSPEC && rule->bits != BITS_OF6)
		snprintf(bits, sizeof(bits), "/%u", shown);
	if (rule->first_port && rule->first_port == rule->last_port)
		snprintf(ports, sizeof(ports), ":%u", rule->first_port);
	else if (rule->first_port)
		snprintf(ports, sizeof(ports), ":%u-%u", rule->first_port,
			 rule->last_port);
	snprintf(text, POLICY_TEXT_MAX, "%s=%s%s%s%s",
		 rule->allow ? "allow" : "deny",
		 policy_protocol_name(rule->protocol),
		 rule->family == AF_UNSPEC
			 ? "any"
			 : address_format(&rule->network, address),
		 bits, ports);
	return text;
}

void policy_print(const struct slirp_policy *policy, FILE *out)
{
	char text[POLICY_TEXT_MAX];

	for (unsigned int i = 0; i < policy->count; i++)
		fprintf(out, "%s,", policy_format_rule(&policy->rule[i], text));
	fprintf(out, "default=%s", policy->deny_rest ? "deny" : "allow");
}
