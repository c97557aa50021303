/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "flow.h"

/* RR: requests and responses over one lasting connection. */
static int rr_step(struct flow *flow)
{
	int rc = flow->fd < 0 ? flow_connect(flow, SOCK_STREAM, 0) : 0;

	return rc ? rc : flow_exchange(flow);
}

const struct client_mode client_rr = { .name = "rr", .step = rr_step };

/* CRR: connect, request, response, close. */
static int crr_step(struct flow *flow)
{
	int rc = rr_step(flow);

	if (!rc)
		flow_close(flow);
	return rc;
}

const struct client_mode client_crr = { .name = "crr", .step = crr_step };

/*
 * UDP: datagrams that are echoed, one under way at a time. The socket is new
 * after each loss (a failed operation closes it), so an echo that comes late is
 * not taken for the next one.
 */
static int udp_step(struct flow *flow)
{
	uint64_t seed = ((uint64_t)flow->index << 32) + flow->begun;
	const uint8_t *datagram = pattern_at(flow->pattern, seed, 0);
	uint32_t size = flow->options->size;
	int rc = flow->fd < 0 ? flow_connect(flow, SOCK_DGRAM, 0) : 0;
	ssize_t got;

	if (rc)
		return rc;
	if (flow->state == FLOW_START) {
		if (send(flow->fd, datagram, size, 0) != (ssize_t)size)
			return flow_blocked(flow, EPOLLOUT);
		flow->state = FLOW_BODY;
	}
	got = recv(flow->fd, flow->buffer, PATTERN_RUN, 0);
	if (got < 0)
		return flow_blocked(flow, EPOLLIN);
	if (got != (ssize_t)size || memcmp(flow->buffer, datagram, size) != 0)
		return -EBADMSG;
	flow->bytes += size;
	return 0;
}

const struct client_mode client_udp = { .name = "udp",
					.lossy = true,
					.step = udp_step };
