/* SPDX-License-Identifier: BSD-3-Clause */
#include "server_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PIECES_PER_TURN 16 /* of a stream, before other connections' turn */

static enum conn_state conn_break(struct conn_context *context)
{
	context->broken++;
	return CONN_DONE;
}

/* The state after a failed call: the same while the socket merely blocks. */
static enum conn_state conn_failed(const struct conn *conn,
				   struct conn_context *context)
{
	if (errno == EAGAIN || errno == EINTR)
		return conn->state;
	return conn_break(context);
}

static void conn_start_result(struct conn *conn)
{
	conn->offset = 0;
	conn->result_sent = 0;
	conn->result = (struct load_result) {
		.magic = LOAD_MAGIC,
		.checksum = CHECKSUM_START,
	};
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum conn_state conn_start(struct conn *conn,
				  struct conn_context *context)
{
	memcpy(&conn->request, conn->head, sizeof(conn->request));
	conn->head_length = 0;
	conn_start_result(conn);
	switch (conn->request.op) {
	case LOAD_ECHO:
		if (conn->request.bytes > LOAD_ECHO_MAX)
			return conn_break(context);
		return CONN_SEND;
	case LOAD_SINK:
		return CONN_SINK;
	case LOAD_SOURCE:
		return CONN_SEND;
	case LOAD_STAMP:
		conn->result.bytes = now_ns();
		return CONN_RESULT;
	default:
		return conn_break(context);
	}
}

/* GET /N: N bytes of the pattern, at most LOAD_ECHO_MAX * 1024; else 64. */
static enum conn_state conn_start_http(struct conn *conn)
{
	char *end;
	uint64_t bytes = strtoull(conn->head + 5, &end, 10);
	char answer[160];
	int length;

	if (end == conn->head + 5 || bytes > LOAD_ECHO_MAX * 1024ULL)
		bytes = 64;
	length = snprintf(answer, sizeof(answer),
			  "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n"
			  "Content-Type: application/octet-stream\r\n"
			  "Connection: close\r\n\r\n",
			  (unsigned long long)bytes);
	conn->http = true;
	conn->request =
		(struct load_request) { .op = LOAD_SOURCE, .bytes = bytes };
	conn_start_result(conn);
	/* The first bytes of a connection: its send buffer has room. */
	if (send(conn->fd, answer, (size_t)length, MSG_NOSIGNAL | MSG_MORE) !=
	    length)
		return CONN_DONE;
	return CONN_SEND;
}

static enum conn_state conn_read_request(struct conn *conn,
					 struct conn_context *context)
{
	bool http = conn->head_length >= 4 && !memcmp(conn->head, "GET ", 4);
	size_t want = http ? CONN_HEAD_MAX - 1 : sizeof(conn->request);
	uint32_t magic;
	ssize_t got;

	if (conn->head_length >= want)
		return conn_break(context);
	got = recv(conn->fd, conn->head + conn->head_length,
		   want - conn->head_length, 0);
	if (got < 0)
		return conn_failed(conn, context);
	if (got == 0)
		return conn->head_length ? conn_break(context) : CONN_DONE;
	conn->head_length += (uint32_t)got;
	conn->head[conn->head_length] = '\0';
	if (conn->head_length < sizeof(magic))
		return CONN_REQUEST;
	if (!memcmp(conn->head, "GET ", 4))
		return strstr(conn->head, "\r\n\r\n") ? conn_start_http(conn)
						      : CONN_REQUEST;
	memcpy(&magic, conn->head, sizeof(magic));
	if (magic != LOAD_MAGIC)
		return conn_break(context);
	return conn->head_length == sizeof(conn->request)
		       ? conn_start(conn, context)
		       : CONN_REQUEST;
}

static enum conn_state conn_sent_all(struct conn *conn,
				     struct conn_context *context)
{
	context->requests++;
	if (conn->request.op == LOAD_ECHO)
		return CONN_REQUEST;
	if (!conn->http)
		return CONN_RESULT;
	shutdown(conn->fd, SHUT_WR);
	return CONN_DRAIN;
}

static enum conn_state conn_send(struct conn *conn,
				 struct conn_context *context)
{
	uint64_t left = conn->request.bytes - conn->offset;
	const uint8_t *bytes =
		pattern_at(context->pattern, conn->request.seed, conn->offset);
	ssize_t sent = 0;

	if (left)
		sent = send(conn->fd, bytes,
			    left < PATTERN_RUN ? left : PATTERN_RUN,
			    MSG_NOSIGNAL);
	if (sent < 0)
		return conn_failed(conn, context);
	if (conn->request.flags & LOAD_CHECKED)
		conn->result.checksum = checksum_add(conn->result.checksum,
						     bytes, (size_t)sent);
	conn->offset += (uint64_t)sent;
	conn->result.bytes = conn->offset;
	if (conn->offset < conn->request.bytes)
		return CONN_SEND;
	return conn_sent_all(conn, context);
}

static enum conn_state conn_sink(struct conn *conn,
				 struct conn_context *context)
{
	ssize_t got = recv(conn->fd, context->buffer, PATTERN_RUN, 0);

	if (got < 0)
		return conn_failed(conn, context);
	if (got == 0) {
		context->requests++;
		return CONN_RESULT;
	}
	if (conn->request.flags & LOAD_CHECKED) {
		const uint8_t *due = pattern_at(
			context->pattern, conn->request.seed, conn->offset);

		if (memcmp(due, context->buffer, (size_t)got) != 0)
			conn->result.wrong++;
		conn->result.checksum = checksum_add(
			conn->result.checksum, context->buffer, (size_t)got);
	}
	conn->offset += (uint64_t)got;
	conn->result.bytes = conn->offset;
	return CONN_SINK;
}

static enum conn_state conn_send_result(struct conn *conn,
					struct conn_context *context)
{
	const uint8_t *bytes = (const uint8_t *)&conn->result;
	ssize_t sent =
		send(conn->fd, bytes + conn->result_sent,
		     sizeof(conn->result) - conn->result_sent, MSG_NOSIGNAL);

	if (sent < 0)
		return conn_failed(conn, context);
	conn->result_sent += (uint32_t)sent;
	if (conn->result_sent < sizeof(conn->result))
		return CONN_RESULT;
	if (conn->request.op == LOAD_STAMP) {
		context->requests++;
		return CONN_REQUEST;
	}
	shutdown(conn->fd, SHUT_WR);
	return CONN_DRAIN;
}

/* Closing with bytes unread would reset the connection under our answer. */
static enum conn_state conn_drain(struct conn *conn,
				  struct conn_context *context)
{
	ssize_t got = recv(conn->fd, context->buffer, PATTERN_RUN, 0);

	if (got < 0)
		return conn_failed(conn, context);
	return got ? CONN_DRAIN : CONN_DONE;
}

static enum conn_state conn_step(struct conn *conn,
				 struct conn_context *context)
{
	switch (conn->state) {
	case CONN_REQUEST:
		return conn_read_request(conn, context);
	case CONN_SEND:
		return conn_send(conn, context);
	case CONN_SINK:
		return conn_sink(conn, context);
	case CONN_RESULT:
		return conn_send_result(conn, context);
	case CONN_DRAIN:
		return conn_drain(conn, context);
	case CONN_DONE:
		break;
	}
	return CONN_DONE;
}

bool conn_advance(struct conn *conn, struct conn_context *context)
{
	for (int piece = 0; piece < PIECES_PER_TURN; piece++) {
		enum conn_state before = conn->state;
		uint64_t offset = conn->offset;

		conn->state = conn_step(conn, context);
		if (conn->state == CONN_DONE)
			return false;
		/* Blocked, or an answer ended: the next request is not here. */
		if (conn->state == before && conn->offset == offset)
			break;
		if (conn->state == CONN_REQUEST)
			break;
	}
	return conn->state == CONN_SEND || conn->state == CONN_RESULT;
}
