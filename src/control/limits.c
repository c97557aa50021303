/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control_internal.h"

/* How much the guest may have. */

#define LIMIT_MAX 100000000 /* as --net takes it */

/* Return: false, with the reply, if the argument is wrong */
static bool limits_take(const cJSON *arguments, const char *name,
			uint32_t *limit, struct reply *reply)
{
	uint64_t number;

	if (!argument_size(arguments, name, *limit, &number, reply))
		return false;
	if (number > LIMIT_MAX && number != *limit) {
		reply_error(reply, "the limit '%s' is %d at most", name,
			    LIMIT_MAX);
		return false;
	}
	*limit = (uint32_t)number;
	return true;
}

static cJSON *limits_to_json(const struct slirp_limits *limits)
{
	cJSON *value = cJSON_CreateObject();

	cJSON_AddNumberToObject(value, "tcp-flows", limits->tcp_flows);
	cJSON_AddNumberToObject(value, "udp-flows", limits->udp_flows);
	cJSON_AddNumberToObject(value, "icmp-flows", limits->icmp_flows);
	cJSON_AddNumberToObject(value, "half-open", limits->half_open);
	cJSON_AddNumberToObject(value, "flow-rate", limits->flow_rate);
	cJSON_AddNumberToObject(value, "flow-memory", limits->flow_memory);
	return value;
}

void limits_request(struct control *control, const cJSON *arguments,
		    struct reply *reply)
{
	struct slirp_limits limits;

	slirp_get_limits(control->config.slirp, &limits);
	if (!limits_take(arguments, "tcp-flows", &limits.tcp_flows, reply) ||
	    !limits_take(arguments, "udp-flows", &limits.udp_flows, reply) ||
	    !limits_take(arguments, "icmp-flows", &limits.icmp_flows, reply) ||
	    !limits_take(arguments, "half-open", &limits.half_open, reply) ||
	    !limits_take(arguments, "flow-rate", &limits.flow_rate, reply) ||
	    !limits_take(arguments, "flow-memory", &limits.flow_memory, reply))
		return;
	if (arguments && arguments->child)
		slirp_set_limits(control->config.slirp, &limits);
	reply_value(reply, limits_to_json(&limits));
}
