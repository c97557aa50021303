/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * Each flow has one time in the loop's heap: its next start, or the time-out of
 * the operation under way. A turn handles the times that passed, then waits for
 * sockets until the next one. epoll is level-triggered and learns of a socket
 * when a step first waits for it; a flow that could go on at once (FLOW_MORE)
 * is ready in epoll too, so that its loop's other flows come first.
 *
 * A mode with a receive function only sends in its operations. When all is
 * sent, the flow lingers for what still comes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "loop.h"

#define NS_PER_S   1000000000ULL
#define LINGER_NS  (NS_PER_S / 2)
#define EVENTS_MAX 64

static int watch(struct flow *flow)
{
	struct epoll_event event = {
		.events = flow->wants | (flow->mode->receive ? EPOLLIN : 0),
		.data.ptr = flow,
	};

	if (flow->watched == event.events)
		return 0;
	if (epoll_ctl(flow->epoll,
		      flow->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, flow->fd,
		      &event))
		return -errno;
	flow->watched = event.events;
	return 0;
}

static void finish(struct loop *loop, struct flow *flow)
{
	timers_remove(&loop->timers, flow);
	flow_close(flow);
}

static void plan(struct loop *loop, struct flow *flow, uint64_t now_ns)
{
	uint64_t due_ns;

	flow->waiting = false;
	if (flow_next(flow, now_ns, &due_ns)) {
		timers_set(&loop->timers, flow, due_ns);
	} else if (flow->mode->receive && flow->fd >= 0) {
		flow->lingering = true;
		timers_set(&loop->timers, flow, now_ns + LINGER_NS);
	} else {
		finish(loop, flow);
	}
}

static void step(struct loop *loop, struct flow *flow, uint64_t now_ns)
{
	int rc = flow->mode->step(flow);

	if (rc == FLOW_MORE || rc == FLOW_WAIT ||
	    (!rc && flow->mode->receive)) {
		int watched = watch(flow);

		if (watched < 0)
			rc = watched;
	}
	if (rc == FLOW_MORE || rc == FLOW_WAIT) {
		flow->waiting = true;
		timers_set(&loop->timers, flow,
			   now_ns + flow->options->timeout_s * NS_PER_S);
		return;
	}
	now_ns = flow_now_ns();
	flow_end(flow, rc, now_ns);
	plan(loop, flow, now_ns);
}

static void expire(struct loop *loop, struct flow *flow, uint64_t now_ns)
{
	if (flow->lingering) {
		finish(loop, flow);
	} else if (flow->waiting) {
		flow_end(flow, -ETIMEDOUT, now_ns);
		plan(loop, flow, now_ns);
	} else if (now_ns >= flow->deadline_ns) {
		plan(loop, flow, now_ns);
	} else {
		flow_begin(flow, flow->timer_ns, now_ns);
		step(loop, flow, now_ns);
	}
}

static void take_event(struct loop *loop, struct flow *flow, uint64_t now_ns)
{
	if (flow->mode->receive)
		flow->mode->receive(flow);
	if (flow->lingering && !flow->lost)
		finish(loop, flow);
	else if (flow->waiting)
		step(loop, flow, now_ns);
	else if (!flow->mode->receive)
		flow_unwatch(flow); /* the next operation will find out why */
}

/* Flows whose time has come, each at most once before sockets have their turn.
 */
static void take_timers(struct loop *loop)
{
	struct timers *timers = &loop->timers;
	unsigned int limit = timers->count;

	while (limit-- && timers->count) {
		uint64_t now_ns = flow_now_ns();

		if (timers->heap[0]->timer_ns > now_ns)
			break;
		expire(loop, timers->heap[0], now_ns);
	}
}

static void wait_for_events(struct loop *loop)
{
	uint64_t now_ns = flow_now_ns();
	uint64_t when_ns = loop->timers.heap[0]->timer_ns;
	uint64_t left_ns = when_ns > now_ns ? when_ns - now_ns : 0;
	struct timespec limit = {
		.tv_sec = (time_t)(left_ns / NS_PER_S),
		.tv_nsec = (long)(left_ns % NS_PER_S),
	};
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_pwait2(loop->epoll, events, EVENTS_MAX, &limit, NULL);

	now_ns = flow_now_ns();
	for (int i = 0; i < count; i++)
		take_event(loop, events[i].data.ptr, now_ns);
}

void loop_run_events(struct loop *loop)
{
	for (unsigned int i = 0; i < loop->flow_count; i++) {
		struct flow *flow = &loop->flows[i];

		timers_add(&loop->timers, flow, flow->started_ns);
		plan(loop, flow, flow->started_ns);
	}
	while (loop->timers.count) {
		take_timers(loop);
		if (loop->timers.count)
			wait_for_events(loop);
	}
}
