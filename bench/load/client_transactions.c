/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

/* CRR: connect, request, response, close. */
static int crr_step(struct flow *flow)
{
	int fd = client_connect(flow->options, SOCK_STREAM);
	int rc;

	if (fd < 0)
		return fd;
	rc = client_exchange(flow, fd);
	close(fd);
	return rc;
}

const struct client_mode client_crr = { .name = "crr", .step = crr_step };

/* RR: requests and responses over one lasting connection. */
static int rr_open(struct flow *flow)
{
	flow->fd = client_connect(flow->options, SOCK_STREAM);
	return flow->fd < 0 ? flow->fd : 0;
}

static int rr_step(struct flow *flow)
{
	return client_exchange(flow, flow->fd);
}

const struct client_mode client_rr = { .name = "rr",
				       .open = rr_open,
				       .step = rr_step };

/* UDP: datagrams that are echoed, one under way at a time. */
static int udp_open(struct flow *flow)
{
	flow->fd = client_connect(flow->options, SOCK_DGRAM);
	return flow->fd < 0 ? flow->fd : 0;
}

/*
 * The socket is new after each loss (the runner closes it), so an echo that
 * comes late is not taken for the next one.
 */
static int udp_step(struct flow *flow)
{
	uint64_t seed = ((uint64_t)flow->index << 32) + flow->done;
	const uint8_t *datagram = pattern_at(flow->pattern, seed, 0);
	uint32_t size = flow->options->size;
	ssize_t got;

	if (send(flow->fd, datagram, size, 0) != (ssize_t)size)
		return -errno;
	got = recv(flow->fd, flow->buffer, PATTERN_RUN, 0);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got != (ssize_t)size || memcmp(flow->buffer, datagram, size) != 0)
		return -EBADMSG;
	flow->bytes += size;
	return 0;
}

const struct client_mode client_udp = { .name = "udp",
					.open = udp_open,
					.step = udp_step };
