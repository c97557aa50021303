/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_FLOW_H
#define MQVMM_LOAD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "options.h"
#include "pattern.h"
#include "protocol.h"
#include "schedule.h"
#include "server_clock.h"

/*
 * What a step returns beside 0, operation done, and -errno. A socket that
 * blocks says FLOW_WAIT only when its time is up.
 */
#define FLOW_MORE 1 /* call again; others may have their turn first */
#define FLOW_WAIT 2 /* nothing to do until the socket is what @wants */

/* How many later datagrams may overtake one of a stream. */
#define FLOW_WINDOW 256

/* Where in its operation a flow is. */
enum flow_state {
	FLOW_START,
	FLOW_REQUEST, /* sending a request, or waiting for the connection */
	FLOW_BODY,    /* the answer, or the bytes of a stream */
	FLOW_RESULT,  /* the load_result of a stream */
};

struct client_mode;

/**
 * struct flow - A sequence of operations, one after the other
 * @index:	Number of the flow, from 0
 * @options:	The command line
 * @mode:	What it does
 * @pattern:	The pattern
 * @buffer:	PATTERN_RUN bytes, its loop's: holds nothing between steps
 * @latency_ns:	Its loop's
 * @lateness_ns: Its loop's
 * @epoll:	Its loop's, which makes sockets non-blocking; -1: they block
 * @budget:	Operations (bytes for streams) to do; LOAD_UNLIMITED for none
 * @deadline_ns: CLOCK_MONOTONIC time to end at; UINT64_MAX for none
 * @schedule:	When operations are to start
 * @fd:		Its socket, -1 when there is none
 * @wants:	What it waits for: EPOLLIN or EPOLLOUT
 * @watched:	What its loop's epoll waits for; 0: does not know @fd
 * @state:	Place in the operation
 * @offset:	Bytes of the present piece that are sent or received
 * @position:	Place in the stream, bytes
 * @checksum:	Of the stream so far
 * @request:	The operation's
 * @result:	The stream's, as far as it is received
 * @clock:	Of the server, for rx
 * @intended_ns: When the operation was to start; for rx, when its answer did
 * @timer_ns:	When its loop looks after it: time-out, or next start
 * @timer_place: In its loop's heap
 * @waiting:	An operation is under way
 * @lingering:	All sent; waits for what may still come
 * @held:	Connections that ramp holds; NULL in other modes
 * @held_count:	Connections in @held
 * @seen:	The newest datagram back in each place of the window, plus 1
 * @begun:	Operations that started
 * @done:	Operations that succeeded
 * @lost:	Datagrams without an answer
 * @bytes:	Payload that the peer confirmed
 * @errors:	Operations that failed, by kind
 * @started_ns: When the flow started
 * @ended_ns:	When its last operation ended
 */
struct flow {
	unsigned int index;
	const struct options *options;
	const struct client_mode *mode;
	const struct pattern *pattern;
	uint8_t *buffer;
	struct histogram *latency_ns;
	struct histogram *lateness_ns;
	int epoll;
	uint64_t budget;
	uint64_t deadline_ns;
	struct schedule schedule;
	int fd;
	uint32_t wants;
	uint32_t watched;
	enum flow_state state;
	size_t offset;
	uint64_t position;
	uint64_t checksum;
	struct load_request request;
	struct load_result result;
	struct server_clock clock;
	uint64_t intended_ns;
	uint64_t timer_ns;
	unsigned int timer_place;
	bool waiting;
	bool lingering;
	int *held;
	uint64_t held_count;
	uint64_t seen[FLOW_WINDOW];
	uint64_t begun;
	uint64_t done;
	uint64_t lost;
	uint64_t bytes;
	uint64_t errors[LOAD_ERRORS];
	uint64_t started_ns;
	uint64_t ended_ns;
};

/**
 * struct client_mode - One kind of load
 * @name:	As on the command line
 * @stream:	An operation is a whole stream, and --count is bytes
 * @lossy:	What is not answered in time is lost
 * @step:	Takes the operation as far as it goes; where it returns
 *		FLOW_MORE or FLOW_WAIT, @wants of the flow is set. A failure
 *		that is not one of the system's is -ENODATA (ended early) or
 *		-EBADMSG (wrong bytes)
 * @receive:	An operation is only to send; this takes what has come, and
 *		counts it. NULL: @step is all there is
 */
struct client_mode {
	const char *name;
	bool stream;
	bool lossy;
	int (*step)(struct flow *flow);
	void (*receive)(struct flow *flow);
};

extern const struct client_mode client_crr;
extern const struct client_mode client_rr;
extern const struct client_mode client_rx;
extern const struct client_mode client_udp;
extern const struct client_mode client_up;
extern const struct client_mode client_down;
extern const struct client_mode client_dnsq;
extern const struct client_mode client_ping;
extern const struct client_mode client_udpstream;

/**
 * flow_now_ns() - CLOCK_MONOTONIC
 *
 * Return: nanoseconds
 */
uint64_t flow_now_ns(void);

/**
 * flow_next() - Tell when the next operation starts
 * @flow:	Flow without an operation under way
 * @now_ns:	The time
 * @due_ns:	Set to the start: @now_ns or later, or before it when late
 *
 * Return: false when there is none: budget or time are used up
 */
bool flow_next(const struct flow *flow, uint64_t now_ns, uint64_t *due_ns);

/**
 * flow_begin() - Start the operation that flow_next() told
 * @flow:	Flow
 * @due_ns:	When it was to start
 * @now_ns:	The time
 */
void flow_begin(struct flow *flow, uint64_t due_ns, uint64_t now_ns);

/**
 * flow_end() - Count the operation; a failed one closes the socket
 * @flow:	Flow
 * @rc:		0 or -errno
 * @now_ns:	The time
 */
void flow_end(struct flow *flow, int rc, uint64_t now_ns);

/**
 * flow_missed() - Operations that were due but never started
 * @flow:	Flow that ended
 *
 * Return: their number; 0 in a closed loop
 */
uint64_t flow_missed(const struct flow *flow);

/**
 * flow_connect() - Open the flow's socket to --to
 * @flow:	Flow without a socket
 * @type:	SOCK_STREAM or SOCK_DGRAM
 * @protocol:	0, or one of IPPROTO_*
 *
 * In an event loop the connection may still be under way: the first send then
 * waits for it.
 *
 * Return: 0 or -errno
 */
int flow_connect(struct flow *flow, int type, int protocol);

/**
 * flow_close() - Close the flow's socket, if it has one
 * @flow:	Flow
 */
void flow_close(struct flow *flow);

/**
 * flow_unwatch() - Have the loop's epoll forget the flow's socket
 * @flow:	Flow
 */
void flow_unwatch(struct flow *flow);

/**
 * flow_blocked() - What a step returns when a call failed
 * @flow:	Flow, whose @wants is set
 * @events:	EPOLLIN or EPOLLOUT: when to try again
 *
 * Reads errno.
 *
 * Return: FLOW_WAIT, FLOW_MORE or -errno
 */
int flow_blocked(struct flow *flow, uint32_t events);

/**
 * flow_send() - Send the rest of a buffer
 * @flow:	Flow; @offset is what was sent, and is 0 again at the end
 * @bytes:	The whole buffer
 * @length:	Its length, bytes
 *
 * Return: 0, FLOW_WAIT, FLOW_MORE or -errno
 */
int flow_send(struct flow *flow, const void *bytes, size_t length);

/**
 * flow_recv() - Receive the rest of a buffer
 * @flow:	Flow; @offset is what was received, and is 0 again at the end
 * @bytes:	The whole buffer
 * @length:	Its length, bytes
 *
 * Return: 0, FLOW_WAIT, FLOW_MORE, -ENODATA when the stream ended, or -errno
 */
int flow_recv(struct flow *flow, void *bytes, size_t length);

/**
 * flow_exchange() - A LOAD_ECHO request and its answer, checked
 * @flow:	Flow with a socket; FLOW_START is the beginning
 *
 * Return: as a step
 */
int flow_exchange(struct flow *flow);

#endif
