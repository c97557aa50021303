/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "protocol.h"

static int stream_open(struct flow *flow, enum load_op op)
{
	struct load_request request = {
		.magic = LOAD_MAGIC,
		.op = (uint16_t)op,
		.flags = flow->options->verify ? LOAD_CHECKED : 0,
		.bytes = flow->budget,
		.seed = flow->index,
	};

	flow->fd = client_connect(flow->options, SOCK_STREAM);
	if (flow->fd < 0)
		return flow->fd;
	return client_send(flow->fd, &request, sizeof(request));
}

/* The server's view of the stream has to be ours. */
static int stream_result(struct flow *flow, uint64_t bytes, uint64_t checksum)
{
	struct load_result result;
	int rc = client_recv(flow->fd, &result, sizeof(result));

	if (rc)
		return rc;
	if (result.magic != LOAD_MAGIC || result.wrong ||
	    result.bytes != bytes || result.checksum != checksum)
		return -EBADMSG;
	return 0;
}

static int up_open(struct flow *flow)
{
	return stream_open(flow, LOAD_SINK);
}

static int up_step(struct flow *flow)
{
	uint64_t sum = CHECKSUM_START;
	uint64_t sent = 0;
	int rc = 0;

	while (!rc && sent < flow->budget &&
	       client_now_ns() < flow->deadline_ns) {
		const uint8_t *bytes =
			pattern_at(flow->pattern, flow->index, sent);
		uint64_t left = flow->budget - sent;
		size_t length = left < PATTERN_RUN ? left : PATTERN_RUN;

		rc = client_send(flow->fd, bytes, length);
		if (flow->options->verify)
			sum = checksum_add(sum, bytes, length);
		sent += length;
	}
	if (!rc && shutdown(flow->fd, SHUT_WR))
		rc = -errno;
	if (!rc)
		rc = stream_result(flow, sent, sum);
	if (!rc)
		flow->bytes = sent;
	return rc;
}

const struct client_mode client_up = {
	.name = "up", .stream = true, .open = up_open, .step = up_step
};

static int down_open(struct flow *flow)
{
	return stream_open(flow, LOAD_SOURCE);
}

/* Takes one piece; Return: its length, or -errno. */
static ssize_t down_piece(struct flow *flow, uint64_t offset, uint64_t *sum)
{
	uint64_t left = flow->budget - offset;
	ssize_t got = recv(flow->fd, flow->buffer,
			   left < PATTERN_RUN ? left : PATTERN_RUN, 0);

	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got == 0)
		return -ENODATA;
	if (!flow->options->verify)
		return got;
	if (memcmp(flow->buffer, pattern_at(flow->pattern, flow->index, offset),
		   (size_t)got) != 0)
		return -EBADMSG;
	*sum = checksum_add(*sum, flow->buffer, (size_t)got);
	return got;
}

/* Only a stream that was read to its end has a result to compare. */
static int down_step(struct flow *flow)
{
	uint64_t sum = CHECKSUM_START;
	uint64_t offset = 0;

	while (offset < flow->budget && client_now_ns() < flow->deadline_ns) {
		ssize_t got = down_piece(flow, offset, &sum);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return (int)got;
		offset += (uint64_t)got;
		flow->bytes = offset;
	}
	if (offset < flow->budget)
		return 0;
	return stream_result(flow, offset, sum);
}

const struct client_mode client_down = {
	.name = "down", .stream = true, .open = down_open, .step = down_step
};
