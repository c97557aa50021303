/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "protocol.h"

/* A socket with SO_SNDTIMEO or SO_RCVTIMEO says these when the time is up. */
static int socket_error(void)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		return -ETIMEDOUT;
	return -errno;
}

int client_connect(const struct options *options, int type)
{
	struct timeval limit = { .tv_sec = options->timeout_s };
	int fd = socket(options->to.sa.sa_family, type | SOCK_CLOEXEC, 0);
	int on = 1;
	int rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, &options->to.sa, options->to.length)) {
		rc = socket_error();
		close(fd);
		return rc;
	}
	return fd;
}

int client_send(int fd, const void *bytes, size_t length)
{
	const uint8_t *next = bytes;

	while (length) {
		ssize_t sent = send(fd, next, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return socket_error();
		next += sent;
		length -= (size_t)sent;
	}
	return 0;
}

int client_recv(int fd, void *bytes, size_t length)
{
	uint8_t *next = bytes;

	while (length) {
		ssize_t got = recv(fd, next, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return socket_error();
		if (got == 0)
			return -ENODATA;
		next += got;
		length -= (size_t)got;
	}
	return 0;
}

int client_exchange(struct flow *flow, int fd)
{
	struct load_request request = {
		.magic = LOAD_MAGIC,
		.op = LOAD_ECHO,
		.bytes = flow->options->size,
		.seed = ((uint64_t)flow->index << 32) + flow->done,
	};
	int rc = client_send(fd, &request, sizeof(request));

	if (!rc)
		rc = client_recv(fd, flow->buffer, request.bytes);
	if (rc)
		return rc;
	if (memcmp(flow->buffer, pattern_at(flow->pattern, request.seed, 0),
		   request.bytes) != 0)
		return -EBADMSG;
	flow->bytes += request.bytes;
	return 0;
}
