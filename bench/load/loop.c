/* SPDX-License-Identifier: BSD-3-Clause */
#include "loop.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL

/* Pins to the (index modulo their number)-th CPU that the process may use. */
static void pin_thread(unsigned int index)
{
	cpu_set_t allowed;
	cpu_set_t one;
	unsigned int nth;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	nth = index % (unsigned int)CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || nth--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static void sleep_until(uint64_t when_ns)
{
	struct timespec when = {
		.tv_sec = (time_t)(when_ns / NS_PER_S),
		.tv_nsec = (long)(when_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	       EINTR)
		;
}

static void run_blocking(struct flow *flow)
{
	uint64_t now_ns = flow->started_ns;
	uint64_t due_ns;

	while (flow_next(flow, now_ns, &due_ns)) {
		int rc;

		if (due_ns > now_ns) {
			sleep_until(due_ns);
			now_ns = flow_now_ns();
		}
		flow_begin(flow, due_ns, now_ns);
		do
			rc = flow->mode->step(flow);
		while (rc == FLOW_MORE);
		now_ns = flow_now_ns();
		flow_end(flow, rc == FLOW_WAIT ? -ETIMEDOUT : rc, now_ns);
	}
}

static void start_flow(const struct loop *loop, struct flow *flow,
		       uint64_t now_ns)
{
	const struct options *options = loop->options;

	flow->started_ns = flow->ended_ns = now_ns;
	flow->schedule = schedule_make(options->rate, loop->flow_total,
				       flow->index, now_ns);
	flow->deadline_ns = UINT64_MAX;
	if (options->seconds > 0)
		flow->deadline_ns = now_ns + (uint64_t)(options->seconds *
							(double)NS_PER_S);
}

static void *loop_thread(void *argument)
{
	struct loop *loop = argument;
	uint64_t now_ns;

	if (loop->options->pin)
		pin_thread(loop->index);
	/* Else the kernel rounds the starts of an open loop up by 50 us. */
	prctl(PR_SET_TIMERSLACK, 1);
	pthread_barrier_wait(loop->gate);
	now_ns = flow_now_ns();
	for (unsigned int i = 0; i < loop->flow_count; i++)
		start_flow(loop, &loop->flows[i], now_ns);
	if (loop->epoll >= 0)
		loop_run_events(loop);
	else
		run_blocking(&loop->flows[0]);
	for (unsigned int i = 0; i < loop->flow_count; i++)
		flow_close(&loop->flows[i]);
	return NULL;
}

static int make_events(struct loop *loop)
{
	const struct timespec no_time = { 0 };
	struct epoll_event event;

	loop->timers.heap = calloc(loop->flow_count, sizeof(struct flow *));
	if (!loop->timers.heap)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return -errno;
	/* Linux 5.11; on an older one a loop would spin. */
	return epoll_pwait2(loop->epoll, &event, 1, &no_time, NULL) ? -errno
								    : 0;
}

int loop_start(struct loop *loop, bool events)
{
	int rc;

	loop->epoll = -1;
	histogram_init(&loop->latency_ns);
	histogram_init(&loop->lateness_ns);
	loop->buffer = malloc(PATTERN_RUN);
	if (!loop->buffer)
		return -ENOMEM;
	rc = events ? make_events(loop) : 0;
	if (rc)
		return rc;
	for (unsigned int i = 0; i < loop->flow_count; i++) {
		struct flow *flow = &loop->flows[i];

		flow->epoll = loop->epoll;
		flow->buffer = loop->buffer;
		flow->latency_ns = &loop->latency_ns;
		flow->lateness_ns = &loop->lateness_ns;
	}
	return -pthread_create(&loop->thread, NULL, loop_thread, loop);
}

void loop_join(struct loop *loop)
{
	pthread_join(loop->thread, NULL);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->timers.heap);
	free(loop->buffer);
}
