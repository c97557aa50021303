/* SPDX-License-Identifier: BSD-3-Clause */
#include "timers.h"

static void place(struct timers *timers, struct flow *flow, unsigned int at)
{
	timers->heap[at] = flow;
	flow->timer_place = at;
}

static void move_up(struct timers *timers, struct flow *flow)
{
	unsigned int at = flow->timer_place;

	while (at) {
		struct flow *parent = timers->heap[(at - 1) / 2];

		if (parent->timer_ns <= flow->timer_ns)
			break;
		place(timers, parent, at);
		at = (at - 1) / 2;
	}
	place(timers, flow, at);
}

static void move_down(struct timers *timers, struct flow *flow)
{
	unsigned int at = flow->timer_place;

	for (;;) {
		unsigned int child = 2 * at + 1;

		if (child >= timers->count)
			break;
		if (child + 1 < timers->count &&
		    timers->heap[child + 1]->timer_ns <
			    timers->heap[child]->timer_ns)
			child++;
		if (timers->heap[child]->timer_ns >= flow->timer_ns)
			break;
		place(timers, timers->heap[child], at);
		at = child;
	}
	place(timers, flow, at);
}

void timers_add(struct timers *timers, struct flow *flow, uint64_t when_ns)
{
	flow->timer_ns = when_ns;
	place(timers, flow, timers->count++);
	move_up(timers, flow);
}

void timers_set(struct timers *timers, struct flow *flow, uint64_t when_ns)
{
	flow->timer_ns = when_ns;
	move_up(timers, flow);
	move_down(timers, flow);
}

void timers_remove(struct timers *timers, struct flow *flow)
{
	struct flow *last = timers->heap[--timers->count];

	if (last == flow)
		return;
	place(timers, last, flow->timer_place);
	timers_set(timers, last, last->timer_ns);
}
