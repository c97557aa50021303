/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_TIMERS_H
#define MQVMM_LOAD_TIMERS_H

#include "flow.h"

/**
 * struct timers - A loop's flows, the one to look after next at the top
 * @heap:	Binary heap by @timer_ns, with room for all flows of the loop
 * @count:	Flows in it
 */
struct timers {
	struct flow **heap;
	unsigned int count;
};

/**
 * timers_add() - Add a flow
 * @timers:	Timers with room
 * @flow:	Flow that is not in them
 * @when_ns:	Its time
 */
void timers_add(struct timers *timers, struct flow *flow, uint64_t when_ns);

/**
 * timers_set() - Change a flow's time
 * @timers:	Timers
 * @flow:	Flow in them
 * @when_ns:	Its new time
 */
void timers_set(struct timers *timers, struct flow *flow, uint64_t when_ns);

/**
 * timers_remove() - Take a flow out
 * @timers:	Timers
 * @flow:	Flow in them
 */
void timers_remove(struct timers *timers, struct flow *flow);

#endif
