/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * Datagrams leave at --rate, whatever becomes of them, and the server echoes
 * them: loss is what did not come back, on the way there or back, within the
 * half second that a flow lingers after its last one. Each carries its intended
 * start, so latency is that of the whole way round in an open loop. A copy of
 * a datagram is not counted, nor one that comes later than its window.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>

#include "flow.h"

#define DATAGRAMS_TURN 32 /* before others have their turn */

static int udpstream_step(struct flow *flow)
{
	struct load_datagram head = {
		.magic = LOAD_MAGIC,
		.flow = flow->index,
		.sequence = flow->begun - 1,
		.intended_ns = flow->intended_ns,
	};
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ (void *)pattern_at(flow->pattern, head.sequence, 0),
		  flow->options->size - sizeof(head) },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	int rc = flow->fd < 0 ? flow_connect(flow, SOCK_DGRAM, 0) : 0;

	if (rc)
		return rc;
	flow->wants = EPOLLIN;
	/* A full buffer is a loss like any other: the next one is due anyway.
	 */
	if (sendmsg(flow->fd, &message, 0) < 0 && errno != EAGAIN)
		return -errno;
	flow->lost++; /* until it comes back */
	return 0;
}

/* False for a copy, and for one that FLOW_WINDOW later ones overtook. */
static bool is_new(struct flow *flow, uint64_t sequence)
{
	uint64_t *newest = &flow->seen[sequence % FLOW_WINDOW];

	if (sequence >= flow->begun || *newest > sequence)
		return false;
	*newest = sequence + 1;
	return true;
}

static bool is_ours(const struct flow *flow, const struct load_datagram *head,
		    size_t length)
{
	const uint8_t *rest = flow->buffer + sizeof(*head);

	return length == flow->options->size && head->magic == LOAD_MAGIC &&
	       head->flow == flow->index &&
	       !memcmp(rest, pattern_at(flow->pattern, head->sequence, 0),
		       length - sizeof(*head));
}

static void take_datagram(struct flow *flow, size_t length)
{
	uint64_t now_ns = flow_now_ns();
	struct load_datagram head;

	memcpy(&head, flow->buffer, sizeof(head));
	if (!is_ours(flow, &head, length)) {
		flow->errors[LOAD_WRONG]++;
	} else if (is_new(flow, head.sequence)) {
		flow->done++;
		flow->lost--;
		flow->bytes += length;
		histogram_record(flow->latency_ns, now_ns - head.intended_ns);
	}
}

static void udpstream_receive(struct flow *flow)
{
	for (int i = 0; i < DATAGRAMS_TURN; i++) {
		ssize_t got = recv(flow->fd, flow->buffer, PATTERN_RUN, 0);

		if (got >= 0) {
			take_datagram(flow, (size_t)got);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			flow->errors[load_error_of(-errno)]++;
		break;
	}
}

const struct client_mode client_udpstream = {
	.name = "udpstream",
	.lossy = true,
	.step = udpstream_step,
	.receive = udpstream_receive,
};
