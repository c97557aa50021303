/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * The smallest resolver (RFC 1035) that a test of a DNS forwarder needs: one
 * thread, one poll() loop, one question per message. A TCP client gets one
 * answer, within two seconds, and the connection is closed.
 */
#include "dns.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "flow.h"
#include "server.h"

#define HEADER_BYTES   12
#define MESSAGE_MAX    512
#define ANSWER_BYTES   16
#define TYPE_A         1
#define RCODE_NXDOMAIN 3

/* The end of the first question, or 0 when there is no whole one. */
static size_t question_end(const uint8_t *message, size_t length)
{
	size_t at = HEADER_BYTES;

	while (at < length && message[at]) {
		if (message[at] > 63)
			return 0;
		at += 1u + message[at];
	}
	return at + 5 <= length ? at + 5 : 0;
}

/* Turns a query into its answer; Return: the answer's length, 0 for none. */
static size_t answer_query(uint8_t *message, size_t length)
{
	static const uint8_t answer[ANSWER_BYTES] = {
		0xc0, HEADER_BYTES,
		0,    TYPE_A,
		0,    1, /* that name, A, IN */
		0,    0,
		0,    60, /* for 60 s */
		0,    4,
		192,  0,
		2,    7,
	};
	size_t end;
	bool exists;

	if (length < HEADER_BYTES || message[2] & 0x80)
		return 0;
	end = question_end(message, length);
	if (!end || end + ANSWER_BYTES > MESSAGE_MAX)
		return 0;
	exists = memcmp(message + HEADER_BYTES + 1, "nx", 2) != 0;
	message[2] |= 0x84; /* response, authoritative */
	message[3] = 0x80 | (exists ? 0 : RCODE_NXDOMAIN);
	memset(message + 4, 0, HEADER_BYTES - 4);
	message[5] = 1; /* questions */
	if (!exists || message[end - 3] != TYPE_A)
		return end;
	message[7] = 1; /* answers */
	memcpy(message + end, answer, ANSWER_BYTES);
	return end + ANSWER_BYTES;
}

static void serve_udp(int udp)
{
	uint8_t message[MESSAGE_MAX];
	struct sockaddr_storage from;
	socklen_t from_length = sizeof(from);
	ssize_t got = recvfrom(udp, message, sizeof(message), 0,
			       (struct sockaddr *)&from, &from_length);
	size_t length = got > 0 ? answer_query(message, (size_t)got) : 0;

	if (length)
		(void)sendto(udp, message, length, 0, (struct sockaddr *)&from,
			     from_length);
}

static void serve_tcp(int tcp)
{
	struct timeval limit = { .tv_sec = 2 };
	uint8_t message[2 + MESSAGE_MAX];
	int fd = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);
	size_t length;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (recv(fd, message, 2, MSG_WAITALL) != 2)
		goto out;
	length = (size_t)message[0] << 8 | message[1];
	if (length > MESSAGE_MAX ||
	    recv(fd, message + 2, length, MSG_WAITALL) != (ssize_t)length)
		goto out;
	length = answer_query(message + 2, length);
	message[0] = (uint8_t)(length >> 8);
	message[1] = (uint8_t)length;
	if (length)
		(void)send(fd, message, length + 2, MSG_NOSIGNAL);
out:
	close(fd);
}

static void serve(int tcp, int udp, int signals, int limit_ms)
{
	struct pollfd ready[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = udp, .events = POLLIN },
		{ .fd = tcp, .events = POLLIN },
	};
	uint64_t end_ns = flow_now_ns() + (uint64_t)limit_ms * 1000000;

	while (!ready[0].revents) {
		int left_ms = -1;

		if (limit_ms) {
			uint64_t now_ns = flow_now_ns();

			if (now_ns >= end_ns)
				break;
			left_ms = (int)((end_ns - now_ns) / 1000000) + 1;
		}
		if (poll(ready, 3, left_ms) < 0 && errno != EINTR)
			break;
		if (ready[1].revents)
			serve_udp(udp);
		if (ready[2].revents)
			serve_tcp(tcp);
	}
}

int dns_run(const struct options *options)
{
	int signals = server_signals();
	int tcp;
	int udp;
	int port;

	if (signals < 0)
		return EXIT_FAILURE;
	port = server_open(&options->bind, &tcp, &udp);
	if (port >= 0) {
		printf("port %d\n", port);
		fflush(stdout);
		serve(tcp, udp, signals, (int)(options->seconds * 1000));
		close(tcp);
		close(udp);
	}
	close(signals);
	return port < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
