/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "flow.h"

static void set_options(const struct flow *flow, int fd, int type)
{
	struct timeval limit = { .tv_sec = flow->options->timeout_s };
	int on = 1;

	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (flow->epoll >= 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int flow_connect(struct flow *flow, int type, int protocol)
{
	const struct address *to = &flow->options->to;
	bool blocks = flow->epoll < 0;

	flow->fd = socket(to->sa.sa_family,
			  type | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK),
			  protocol);
	if (flow->fd < 0)
		return -errno;
	set_options(flow, flow->fd, type);
	if (!connect(flow->fd, &to->sa, to->length))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	/* With SO_SNDTIMEO this is how connect() says that time is up. */
	return blocks ? -ETIMEDOUT : 0;
}

void flow_close(struct flow *flow)
{
	if (flow->fd >= 0)
		close(flow->fd);
	flow->fd = -1;
	flow->watched = 0;
}

void flow_unwatch(struct flow *flow)
{
	if (flow->watched)
		epoll_ctl(flow->epoll, EPOLL_CTL_DEL, flow->fd, NULL);
	flow->watched = 0;
}

int flow_blocked(struct flow *flow, uint32_t events)
{
	flow->wants = events;
	if (errno == EINTR)
		return FLOW_MORE;
	return errno == EAGAIN ? FLOW_WAIT : -errno;
}

int flow_send(struct flow *flow, const void *bytes, size_t length)
{
	while (flow->offset < length) {
		ssize_t sent =
			send(flow->fd, (const uint8_t *)bytes + flow->offset,
			     length - flow->offset, MSG_NOSIGNAL);

		if (sent < 0)
			return flow_blocked(flow, EPOLLOUT);
		flow->offset += (size_t)sent;
	}
	flow->offset = 0;
	return 0;
}

int flow_recv(struct flow *flow, void *bytes, size_t length)
{
	while (flow->offset < length) {
		ssize_t got = recv(flow->fd, (uint8_t *)bytes + flow->offset,
				   length - flow->offset, 0);

		if (got < 0)
			return flow_blocked(flow, EPOLLIN);
		if (got == 0)
			return -ENODATA;
		flow->offset += (size_t)got;
	}
	flow->offset = 0;
	return 0;
}

/* The answer in whatever pieces it comes, each compared at once. */
static int recv_answer(struct flow *flow)
{
	while (flow->offset < flow->request.bytes) {
		ssize_t got = recv(flow->fd, flow->buffer,
				   flow->request.bytes - flow->offset, 0);

		if (got < 0)
			return flow_blocked(flow, EPOLLIN);
		if (got == 0)
			return -ENODATA;
		if (memcmp(flow->buffer,
			   pattern_at(flow->pattern, flow->request.seed,
				      flow->offset),
			   (size_t)got) != 0)
			return -EBADMSG;
		flow->offset += (size_t)got;
	}
	flow->bytes += flow->request.bytes;
	return 0;
}

int flow_exchange(struct flow *flow)
{
	if (flow->state == FLOW_START) {
		flow->request = (struct load_request) {
			.magic = LOAD_MAGIC,
			.op = LOAD_ECHO,
			.bytes = flow->options->size,
			.seed = ((uint64_t)flow->index << 32) + flow->begun,
		};
		flow->state = FLOW_REQUEST;
	}
	if (flow->state == FLOW_REQUEST) {
		int rc = flow_send(flow, &flow->request, sizeof(flow->request));

		if (rc)
			return rc;
		flow->state = FLOW_BODY;
	}
	return recv_answer(flow);
}
