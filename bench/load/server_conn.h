/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_SERVER_CONN_H
#define MQVMM_LOAD_SERVER_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "pattern.h"
#include "protocol.h"

#define CONN_HEAD_MAX 1024u /* longest HTTP request that is read, bytes */

enum conn_state {
	CONN_REQUEST, /* reading a request */
	CONN_SEND,    /* sending an answer or a stream */
	CONN_SINK,    /* reading a stream */
	CONN_RESULT,  /* sending the load_result */
	CONN_DRAIN,   /* all sent; the client has to close */
	CONN_DONE,
};

/**
 * struct conn - One TCP connection of the server
 * @fd:		Its socket, non-blocking
 * @state:	What it is doing
 * @http:	The request came as HTTP
 * @head:	Request as far as it was read
 * @head_length: Bytes of it
 * @request:	The request, once it is whole
 * @offset:	Place in the answer or stream, bytes
 * @result:	What a stream amounts to
 * @result_sent: Bytes of it that are sent
 * @waits_to_send: The thread's epoll waits for EPOLLOUT, not EPOLLIN
 * @active_s:	Second in which it last did something
 * @prev:	Neighbours in the thread's list
 * @next:	Neighbours in the thread's list
 *
 * Belongs to the thread that accepted it.
 */
struct conn {
	int fd;
	enum conn_state state;
	bool http;
	char head[CONN_HEAD_MAX];
	uint32_t head_length;
	struct load_request request;
	uint64_t offset;
	struct load_result result;
	uint32_t result_sent;
	bool waits_to_send;
	uint64_t active_s;
	struct conn *prev;
	struct conn *next;
};

/**
 * struct conn_context - What a thread lends its connections
 * @pattern:	The pattern
 * @buffer:	PATTERN_RUN bytes to receive into
 * @requests:	Requests answered or streams ended, counted here
 * @broken:	Connections that asked for nonsense or broke off
 */
struct conn_context {
	const struct pattern *pattern;
	uint8_t *buffer;
	uint64_t requests;
	uint64_t broken;
};

/**
 * conn_advance() - Do what a connection can do without blocking
 * @conn:	Connection; CONN_DONE afterwards means that it is to be closed
 * @context:	The thread's
 *
 * Streams go on for a bounded number of pieces, so that others get their turn;
 * the caller's level-triggered epoll comes back for the rest.
 *
 * Return: true when it waits until it can send, false until it can receive
 */
bool conn_advance(struct conn *conn, struct conn_context *context);

#endif
