/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP echo (RFC 792, RFC 4443) through the kernel's ping sockets: it fills in
 * identifier and checksum, and gives us only what answers our own.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client.h"

static int ping_protocol(const struct options *options)
{
	return options->to.sa.sa_family == AF_INET6 ? IPPROTO_ICMPV6
						    : IPPROTO_ICMP;
}

int ping_permitted(const struct options *options)
{
	int fd = socket(options->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC,
			ping_protocol(options));
	int rc = fd < 0 ? -errno : 0;

	if (!rc)
		close(fd);
	else if (rc == -EACCES || rc == -EPERM)
		fprintf(stderr,
			"mqload: ping is not permitted to this group; sysctl "
			"net.ipv4.ping_group_range=\"0 2147483647\" permits it "
			"to all\n");
	else
		fprintf(stderr, "mqload: there are no ping sockets here: %s\n",
			strerror(-rc));
	return rc;
}

static int ping_send(struct flow *flow)
{
	bool v6 = flow->options->to.sa.sa_family == AF_INET6;
	struct icmphdr head = {
		.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.un.echo.sequence = htons((uint16_t)flow->begun),
	};
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ (void *)pattern_at(flow->pattern, flow->begun, 0),
		  flow->options->size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (sendmsg(flow->fd, &message, 0) < 0)
		return flow_blocked(flow, EPOLLOUT);
	flow->state = FLOW_BODY;
	return 0;
}

static int ping_check(const struct flow *flow, size_t length)
{
	bool v6 = flow->options->to.sa.sa_family == AF_INET6;
	struct icmphdr head;

	if (length != sizeof(head) + flow->options->size)
		return -EBADMSG;
	memcpy(&head, flow->buffer, sizeof(head));
	if (head.type != (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ||
	    head.un.echo.sequence != htons((uint16_t)flow->begun) ||
	    memcmp(flow->buffer + sizeof(head),
		   pattern_at(flow->pattern, flow->begun, 0),
		   flow->options->size) != 0)
		return -EBADMSG;
	return 0;
}

/* As with udp, a new socket after a loss takes no late answer for the next. */
static int ping_step(struct flow *flow)
{
	int rc = 0;
	ssize_t got;

	if (flow->fd < 0)
		rc = flow_connect(flow, SOCK_DGRAM,
				  ping_protocol(flow->options));
	if (!rc && flow->state == FLOW_START)
		rc = ping_send(flow);
	if (rc)
		return rc;
	got = recv(flow->fd, flow->buffer, PATTERN_RUN, 0);
	if (got < 0)
		return flow_blocked(flow, EPOLLIN);
	rc = ping_check(flow, (size_t)got);
	if (!rc)
		flow->bytes += flow->options->size;
	return rc;
}

const struct client_mode client_ping = { .name = "ping",
					 .lossy = true,
					 .step = ping_step };
