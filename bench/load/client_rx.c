/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "flow.h"

/*
 * RX: exchanges as of RR, of which only the answer's way is measured. The
 * server stamps it, and the operation counts from then.
 */
static int rx_step(struct flow *flow)
{
	int rc = flow->fd < 0 ? flow_connect(flow, SOCK_STREAM, 0) : 0;

	if (rc)
		return rc;
	if (flow->state == FLOW_START) {
		flow->request = (struct load_request) {
			.magic = LOAD_MAGIC,
			.op = LOAD_STAMP,
		};
		flow->clock.begun_ns = flow_now_ns();
		flow->state = FLOW_REQUEST;
	}
	if (flow->state == FLOW_REQUEST) {
		rc = flow_send(flow, &flow->request, sizeof(flow->request));
		if (rc)
			return rc;
		flow->state = FLOW_RESULT;
	}
	rc = flow_recv(flow, &flow->result, sizeof(flow->result));
	if (rc)
		return rc;
	if (flow->result.magic != LOAD_MAGIC)
		return -EBADMSG;
	flow->intended_ns = server_clock_sent_ns(
		&flow->clock, flow->result.bytes, flow_now_ns());
	flow->bytes += sizeof(flow->result);
	return 0;
}

const struct client_mode client_rx = { .name = "rx", .step = rx_step };
