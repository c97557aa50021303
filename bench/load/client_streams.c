/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "flow.h"

static int stream_start(struct flow *flow, enum load_op op)
{
	flow->request = (struct load_request) {
		.magic = LOAD_MAGIC,
		.op = (uint16_t)op,
		.flags = flow->options->verify ? LOAD_CHECKED : 0,
		.bytes = flow->budget,
		.seed = flow->index,
	};
	flow->position = 0;
	flow->checksum = CHECKSUM_START;
	flow->state = FLOW_REQUEST;
	return flow_connect(flow, SOCK_STREAM, 0);
}

static int stream_request(struct flow *flow)
{
	int rc = flow_send(flow, &flow->request, sizeof(flow->request));

	if (!rc)
		flow->state = FLOW_BODY;
	return rc;
}

/* The server's view of the stream has to be ours. */
static int stream_result(struct flow *flow)
{
	const struct load_result *result = &flow->result;
	int rc = flow_recv(flow, &flow->result, sizeof(flow->result));

	if (rc)
		return rc;
	if (result->magic != LOAD_MAGIC || result->wrong ||
	    result->bytes != flow->position ||
	    result->checksum != flow->checksum)
		return -EBADMSG;
	flow->bytes = flow->position;
	return 0;
}

static bool stream_goes_on(const struct flow *flow)
{
	return flow->position < flow->budget &&
	       flow_now_ns() < flow->deadline_ns;
}

/* At most one run, so that the flow's loop can turn to others. */
static size_t stream_piece(const struct flow *flow)
{
	uint64_t left = flow->budget - flow->position;

	return left < PATTERN_RUN ? left : PATTERN_RUN;
}

static int up_piece(struct flow *flow)
{
	const uint8_t *bytes =
		pattern_at(flow->pattern, flow->index, flow->position);
	ssize_t sent;

	if (!stream_goes_on(flow)) {
		flow->state = FLOW_RESULT;
		flow->wants = EPOLLIN;
		return shutdown(flow->fd, SHUT_WR) ? -errno : FLOW_MORE;
	}
	sent = send(flow->fd, bytes, stream_piece(flow), MSG_NOSIGNAL);
	if (sent < 0)
		return flow_blocked(flow, EPOLLOUT);
	if (flow->options->verify)
		flow->checksum =
			checksum_add(flow->checksum, bytes, (size_t)sent);
	flow->position += (uint64_t)sent;
	flow->wants = EPOLLOUT;
	return FLOW_MORE;
}

static int up_step(struct flow *flow)
{
	int rc = 0;

	if (flow->state == FLOW_START)
		rc = stream_start(flow, LOAD_SINK);
	if (!rc && flow->state == FLOW_REQUEST)
		rc = stream_request(flow);
	if (rc)
		return rc;
	return flow->state == FLOW_BODY ? up_piece(flow) : stream_result(flow);
}

const struct client_mode client_up = { .name = "up",
				       .stream = true,
				       .step = up_step };

/* Only a stream that was read to its end has a result to compare. */
static int down_piece(struct flow *flow)
{
	ssize_t got;

	flow->wants = EPOLLIN;
	if (!stream_goes_on(flow)) {
		if (flow->position < flow->budget)
			return 0;
		flow->state = FLOW_RESULT;
		return FLOW_MORE;
	}
	got = recv(flow->fd, flow->buffer, stream_piece(flow), 0);
	if (got < 0)
		return flow_blocked(flow, EPOLLIN);
	if (got == 0)
		return -ENODATA;
	if (flow->options->verify) {
		if (memcmp(flow->buffer,
			   pattern_at(flow->pattern, flow->index,
				      flow->position),
			   (size_t)got) != 0)
			return -EBADMSG;
		flow->checksum =
			checksum_add(flow->checksum, flow->buffer, (size_t)got);
	}
	flow->position += (uint64_t)got;
	flow->bytes = flow->position;
	return FLOW_MORE;
}

static int down_step(struct flow *flow)
{
	int rc = 0;

	if (flow->state == FLOW_START)
		rc = stream_start(flow, LOAD_SOURCE);
	if (!rc && flow->state == FLOW_REQUEST)
		rc = stream_request(flow);
	if (rc)
		return rc;
	return flow->state == FLOW_BODY ? down_piece(flow)
					: stream_result(flow);
}

const struct client_mode client_down = { .name = "down",
					 .stream = true,
					 .step = down_step };
