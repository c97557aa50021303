/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base/log.h"
#include "slirp/nat.h"
#include "slirp/shard.h"

static const char *admit_protocol_name(int protocol)
{
	if (protocol == IPPROTO_TCP)
		return "TCP";
	return protocol == IPPROTO_UDP ? "UDP" : "ping";
}

/* Return: what of the options denied it; @text may hold it */
static const char *admit_reason(struct shard *shard, int err,
				const struct policy_destination *to, char *text)
{
	const struct policy_rule *rule;

	if (err == -EACCES)
		return "restrict=on, loopback=off, or an address that no rule "
		       "opens";
	policy_allows(shard_policy(shard), to, &rule);
	return rule ? policy_format_rule(rule, text) : "no rule that allows it";
}

static void admit_denied(struct shard *shard, int err,
			 const struct policy_destination *to)
{
	char address[ADDRESS_TEXT_MAX], text[POLICY_TEXT_MAX];

	SHARD_COUNT(shard, policy_denied, 1);
	if (shard_first_notice(shard, SHARD_NOTICE_POLICY))
		log_line("the guest may not reach %s port %u by %s (%s); "
			 "further denials are only counted",
			 address_format(&to->named, address), to->port,
			 admit_protocol_name(to->protocol),
			 admit_reason(shard, err, to, text));
}

int nat_admit(struct shard *shard, int protocol,
	      const struct in6_addr *destination, unsigned int port,
	      struct slirp_endpoint *host)
{
	int ret = nat_translate(shard_config(shard), shard_policy(shard),
				protocol, destination, port, host);
	struct policy_destination to = {
		.protocol = protocol,
		.port = (uint16_t)port,
		.named = *destination,
		.reached = host->address,
	};

	if (ret == -EACCES || ret == -EPERM)
		admit_denied(shard, ret, &to);
	return ret;
}
