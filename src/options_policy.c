/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_policy.h"

#include <errno.h>
#include <string.h>

#include "options_text.h"

/* The values of --net that say what a guest may reach, and how much of it. */

#define LIMIT_MAX       100000000 /* flows, flows per second, bytes */
#define QUEUE_FLOWS_MIN 1024

int options_parse_allow(const char *value, struct slirp_config *slirp)
{
	return policy_add(&slirp->policy, true, value);
}

int options_parse_deny(const char *value, struct slirp_config *slirp)
{
	return policy_add(&slirp->policy, false, value);
}

int options_parse_default(const char *value, struct slirp_config *slirp)
{
	if (strcmp(value, "allow") != 0 && strcmp(value, "deny") != 0)
		return -EINVAL;
	slirp->policy.deny_rest = strcmp(value, "deny") == 0;
	return 0;
}

static int parse_limit(const char *value, uint32_t *limit)
{
	uint64_t number;

	if (options_number(value, 0, LIMIT_MAX, &number))
		return -EINVAL;
	*limit = (uint32_t)number;
	return 0;
}

int options_parse_tcp_flows(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.tcp_flows);
}

int options_parse_udp_flows(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.udp_flows);
}

int options_parse_icmp_flows(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.icmp_flows);
}

int options_parse_queue_flows(const char *value, struct slirp_config *slirp)
{
	uint64_t flows;

	if (options_number(value, QUEUE_FLOWS_MIN, SLIRP_FLOWS_MAX, &flows))
		return -EINVAL;
	slirp->flows_max = (unsigned int)flows;
	return 0;
}

int options_parse_half_open(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.half_open);
}

int options_parse_flow_rate(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.flow_rate);
}

int options_parse_flow_memory(const char *value, struct slirp_config *slirp)
{
	return parse_limit(value, &slirp->limits.flow_memory);
}
