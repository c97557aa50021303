/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_CLIENT_H
#define MQVMM_LOAD_CLIENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "options.h"
#include "pattern.h"

struct client_mode;

/**
 * struct flow - One closed loop of operations, on a thread of its own
 * @thread:	Its thread
 * @index:	Number of the flow, from 0
 * @options:	The command line
 * @mode:	What it does
 * @pattern:	The pattern
 * @gate:	All flows start together when the last one is here
 * @budget:	Operations (bytes for streams) to do; LOAD_UNLIMITED for none
 * @deadline_ns: CLOCK_MONOTONIC time to end at; UINT64_MAX for none
 * @buffer:	PATTERN_RUN bytes
 * @fd:		Its lasting socket, -1 when there is none
 * @done:	Operations that succeeded
 * @bytes:	Payload that the peer confirmed
 * @errors:	Operations that failed, by kind
 * @latency_ns:	Of the operations that succeeded
 * @started_ns: When its first operation started
 * @ended_ns:	When its last operation ended
 */
struct flow {
	pthread_t thread;
	unsigned int index;
	const struct options *options;
	const struct client_mode *mode;
	const struct pattern *pattern;
	pthread_barrier_t *gate;
	uint64_t budget;
	uint64_t deadline_ns;
	uint8_t *buffer;
	int fd;
	uint64_t done;
	uint64_t bytes;
	uint64_t errors[LOAD_ERRORS];
	struct histogram latency_ns;
	uint64_t started_ns;
	uint64_t ended_ns;
};

/**
 * struct client_mode - One kind of load
 * @name:	As on the command line
 * @stream:	@step moves a whole stream, and --count is bytes
 * @open:	Get ready, or ready again after an error; may be NULL
 * @step:	One operation
 *
 * Both return 0 or -errno; a failure that is not one of the system's is
 * -ENODATA (ended early) or -EBADMSG (wrong bytes).
 */
struct client_mode {
	const char *name;
	bool stream;
	int (*open)(struct flow *flow);
	int (*step)(struct flow *flow);
};

extern const struct client_mode client_crr;
extern const struct client_mode client_rr;
extern const struct client_mode client_udp;
extern const struct client_mode client_up;
extern const struct client_mode client_down;

/**
 * client_run() - Run all flows of one mode and report
 * @mode:	What they do
 * @options:	The command line, with --to
 *
 * Return: exit status of the process: failure when any operation failed
 */
int client_run(const struct client_mode *mode, const struct options *options);

/**
 * client_now_ns() - CLOCK_MONOTONIC
 *
 * Return: nanoseconds
 */
uint64_t client_now_ns(void);

/**
 * client_connect() - Open a socket to --to with --timeout on each operation
 * @options:	The command line
 * @type:	SOCK_STREAM or SOCK_DGRAM
 *
 * Return: a blocking socket; -errno, -ETIMEDOUT after --timeout seconds
 */
int client_connect(const struct options *options, int type);

/**
 * client_send() - Send all of a buffer
 * @fd:		Socket of client_connect()
 * @bytes:	What to send
 * @length:	Its length, bytes
 *
 * Return: 0 or -errno
 */
int client_send(int fd, const void *bytes, size_t length);

/**
 * client_recv() - Receive until a buffer is full
 * @fd:		Socket of client_connect()
 * @bytes:	Where to
 * @length:	Its length, bytes
 *
 * Return: 0; -ENODATA when the stream ended before; -errno
 */
int client_recv(int fd, void *bytes, size_t length);

/**
 * client_exchange() - Send one LOAD_ECHO request and check its answer
 * @flow:	Flow, for its options, buffer and seed
 * @fd:		Connection
 *
 * Return: 0; -EBADMSG when the answer is wrong; -errno
 */
int client_exchange(struct flow *flow, int fd);

#endif
