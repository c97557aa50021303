/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_LOOP_H
#define MQVMM_LOAD_LOOP_H

#include <pthread.h>

#include "flow.h"
#include "timers.h"

/**
 * struct loop - A thread and the flows that it carries
 * @thread:	The thread
 * @index:	Number of the loop, which chooses its CPU with --pin
 * @options:	The command line
 * @gate:	All loops of a run start when the last one is here
 * @flows:	Its flows
 * @flow_count:	How many
 * @flow_total:	Flows of all loops: they share --rate
 * @epoll:	-1 when its one flow blocks
 * @timers:	Of an event loop
 * @buffer:	PATTERN_RUN bytes for any of its flows
 * @latency_ns:	Of its flows' operations that succeeded
 * @lateness_ns: How long after their time operations started
 */
struct loop {
	pthread_t thread;
	unsigned int index;
	const struct options *options;
	pthread_barrier_t *gate;
	struct flow *flows;
	unsigned int flow_count;
	unsigned int flow_total;
	int epoll;
	struct timers timers;
	uint8_t *buffer;
	struct histogram latency_ns;
	struct histogram lateness_ns;
};

/**
 * loop_start() - Start the thread, which waits at the gate
 * @loop:	Loop with all that its flows are to do; @epoll, @timers and
 *		@buffer are made here
 * @events:	Many flows on an event loop; else one flow that blocks
 *
 * Return: 0 or -errno
 */
int loop_start(struct loop *loop, bool events);

/**
 * loop_join() - Wait until all flows of a loop ended and free what it has
 * @loop:	Started loop
 */
void loop_join(struct loop *loop);

/**
 * loop_run_events() - Carry all flows to their end on an event loop
 * @loop:	Loop with an epoll
 *
 * Context: the loop's thread
 */
void loop_run_events(struct loop *loop);

#endif
