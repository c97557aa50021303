/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <netinet/in.h>

#include "control/control_internal.h"

/*
 * A listing of flows is made while it is sent, a part at a time, so that it
 * takes no more memory for a million of them than for ten.
 */

#define FLOWS_PART 128 /* flows */

static const char *flows_protocol(const struct slirp_flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		return "icmp";
	}
}

static void flows_print_endpoint(const struct slirp_endpoint *endpoint,
				 FILE *out)
{
	char text[ADDRESS_TEXT_MAX];

	fprintf(out, "\"%s:%u\"", address_format(&endpoint->address, text),
		endpoint->port);
}

static void flows_print(const struct slirp_flow *flow, FILE *out)
{
	bool any = address_is_any(&flow->peer.address);

	fprintf(out, "{\"protocol\":\"%s\",\"guest\":", flows_protocol(flow));
	flows_print_endpoint(&flow->guest, out);
	fputs(",\"peer\":", out);
	if (any)
		fputs("null", out);
	else
		flows_print_endpoint(&flow->peer, out);
	fprintf(out,
		",\"shard\":%u,\"state\":\"%s\",\"tx_bytes\":%" PRIu64
		",\"rx_bytes\":%" PRIu64,
		flow->shard, flow->state, flow->tx_bytes, flow->rx_bytes);
	if (flow->rtt_us)
		fprintf(out, ",\"rtt_us\":%" PRIu32, flow->rtt_us);
	else
		fputs(",\"rtt_us\":null", out);
	fprintf(out, ",\"age_ms\":%" PRIu64 ",\"idle_ms\":%" PRIu64 "}",
		flow->age_ms, flow->idle_ms);
}

bool flows_reply(struct control *control, struct reply *reply, FILE *out)
{
	struct slirp_flow flow[FLOWS_PART];
	unsigned int count = slirp_list_flows(control->config.slirp,
					      &reply->flows, flow, FLOWS_PART);

	if (!reply->begun)
		fputs("{\"return\":{\"flows\":[", out);
	for (unsigned int i = 0; i < count; i++) {
		if (i || reply->begun)
			fputc(',', out);
		flows_print(&flow[i], out);
	}
	reply->begun = true;
	if (count)
		return true;
	fputs("]}}\n", out);
	return false;
}
