/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_internal.h"

/*
 * A connection never waits: it reads what is there into a buffer of its own,
 * and sends what the socket takes. While a reply is not sent, nothing is read,
 * so a client that does not read costs one part of a reply and no time.
 */

void connection_open(struct connection *connection, int sock)
{
	memset(connection, 0, sizeof(*connection));
	connection->sock = sock;
}

void connection_close(struct connection *connection)
{
	free(connection->reply.text);
	connection->reply.text = NULL;
	close(connection->sock);
	connection->sock = -1;
}

static bool connection_has_line(const struct connection *connection)
{
	return connection->seen < connection->filled ||
	       (connection->ended && connection->filled);
}

bool connection_is_busy(const struct connection *connection)
{
	return !connection->reply.text &&
	       (connection_has_line(connection) || connection->ended);
}

short connection_events(const struct connection *connection)
{
	return connection->reply.text ? POLLOUT : POLLIN;
}

static bool connection_send(struct control *control,
			    struct connection *connection)
{
	struct reply *reply = &connection->reply;
	ssize_t ret =
		send(connection->sock, reply->text + reply->sent,
		     reply->size - reply->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (ret < 0)
		return errno == EAGAIN || errno == EINTR;
	reply->sent += (size_t)ret;
	if (reply->sent < reply->size)
		return true;
	free(reply->text);
	reply->text = NULL;
	return !reply->more || reply_continue(control, reply);
}

/* Forget the first bytes of the buffer. */
static void connection_consume(struct connection *connection, size_t size)
{
	connection->filled -= size;
	connection->seen = 0;
	memmove(connection->line, connection->line + size, connection->filled);
}

/* The buffer is full, and no line has ended. */
static bool connection_overflow(struct connection *connection)
{
	bool first = !connection->skipping;

	connection->skipping = true;
	connection->filled = 0;
	connection->seen = 0;
	if (!first)
		return true;
	memset(&connection->reply, 0, sizeof(connection->reply));
	reply_error(&connection->reply, "the request is longer than %d bytes",
		    CONTROL_LINE_MAX);
	return connection->reply.text != NULL;
}

/* One line, if there is one; the last one may lack its newline. Return: false
 * without memory for an answer */
static bool connection_answer(struct control *control,
			      struct connection *connection)
{
	char *start = connection->line;
	char *end = memchr(start + connection->seen, '\n',
			   connection->filled - connection->seen);
	size_t size = end ? (size_t)(end - start) : connection->filled;
	bool answered;

	connection->seen = connection->filled;
	if (!end && connection->filled == CONTROL_LINE_MAX + 1)
		return connection_overflow(connection);
	if (!end && !connection->ended)
		return true;
	if (!connection->skipping) {
		start[size] = '\0';
		request_run(control, start, size, &connection->reply);
	}
	answered = connection->skipping || connection->reply.text;
	connection->skipping = false;
	connection_consume(connection, end ? size + 1 : size);
	return answered;
}

static bool connection_read(struct connection *connection)
{
	ssize_t ret = recv(
		connection->sock, connection->line + connection->filled,
		sizeof(connection->line) - connection->filled, MSG_DONTWAIT);

	if (ret < 0)
		return errno == EAGAIN || errno == EINTR;
	connection->ended = ret == 0;
	connection->filled += (size_t)ret;
	return true;
}

bool connection_serve(struct control *control, struct connection *connection)
{
	if (connection->reply.text)
		return connection_send(control, connection);
	if (connection_has_line(connection))
		return connection_answer(control, connection);
	return !connection->ended && connection_read(connection);
}
