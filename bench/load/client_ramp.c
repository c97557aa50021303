/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * Two runs of the same flows. In the first each opens its share of the
 * connections, one after the other, and keeps them; then all are idle for
 * --hold seconds; in the second each flow makes one exchange on each connection
 * that it keeps and closes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "client.h"

/* Where connect() did not wait, the socket tells what became of it. */
static int connection_error(const struct flow *flow)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &length))
		return -errno;
	return -error;
}

static int open_step(struct flow *flow)
{
	int rc;

	if (flow->state == FLOW_START) {
		flow->state = FLOW_REQUEST;
		flow->wants = EPOLLOUT;
		rc = flow_connect(flow, SOCK_STREAM, 0);
		if (!rc && flow->epoll >= 0)
			return FLOW_WAIT;
	} else {
		rc = connection_error(flow);
	}
	if (rc)
		return rc;
	flow_unwatch(flow);
	flow->held[flow->held_count++] = flow->fd;
	flow->fd = -1;
	return 0;
}

static const struct client_mode ramp_open = { .name = "ramp",
					      .step = open_step };

static int use_step(struct flow *flow)
{
	int rc;

	if (flow->state == FLOW_START && flow->fd < 0)
		flow->fd = flow->held[flow->begun - 1];
	rc = flow_exchange(flow);
	if (!rc)
		flow_close(flow);
	return rc;
}

static const struct client_mode ramp_use = { .name = "use", .step = use_step };

static void hold(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* From the first run to the second. */
static void hand_over(const struct run *opened, struct run *used)
{
	for (unsigned int i = 0; i < opened->options->flows; i++) {
		used->flows[i].held = opened->flows[i].held;
		used->flows[i].budget = opened->flows[i].held_count;
	}
}

int ramp_run(const struct options *options)
{
	struct pattern *pattern = client_pattern();
	struct options at_once = *options;
	int *held = calloc(options->count, sizeof(*held));
	int *next = held;
	struct run runs[2];
	int status;

	if (!held) {
		fprintf(stderr, "mqload: no memory for %llu connections\n",
			(unsigned long long)options->count);
		free(pattern);
		return EXIT_FAILURE;
	}
	at_once.rate = 0;
	at_once.seconds = 0;
	run_create(&runs[0], &ramp_open, options, pattern);
	run_create(&runs[1], &ramp_use, &at_once, pattern);
	for (unsigned int i = 0; i < options->flows; i++) {
		runs[0].flows[i].held = next;
		next += runs[0].flows[i].budget;
	}
	run_all(&runs[0], 1);
	hold(options->hold_s);
	hand_over(&runs[0], &runs[1]);
	run_all(&runs[1], 1);
	status = run_report("ramp", runs, 2);
	free(held);
	free(pattern);
	return status;
}
