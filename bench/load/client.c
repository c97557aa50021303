/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"
#include "report.h"

#define NS_PER_S 1000000000ULL

uint64_t client_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

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

static int flow_step(struct flow *flow)
{
	int rc = 0;

	if (flow->fd < 0 && flow->mode->open)
		rc = flow->mode->open(flow);
	if (!rc)
		rc = flow->mode->step(flow);
	if (rc && flow->fd >= 0) {
		close(flow->fd);
		flow->fd = -1;
	}
	return rc;
}

static void flow_loop(struct flow *flow)
{
	uint64_t now = flow->started_ns = client_now_ns();

	for (uint64_t i = 0; i < flow->budget && now < flow->deadline_ns; i++) {
		uint64_t start = now;
		int rc = flow_step(flow);

		now = client_now_ns();
		if (rc) {
			flow->errors[load_error_of(rc)]++;
		} else {
			flow->done++;
			histogram_record(&flow->latency_ns, now - start);
		}
		if (flow->mode->stream)
			break;
	}
	flow->ended_ns = now;
}

static void *flow_thread(void *argument)
{
	struct flow *flow = argument;

	if (flow->options->pin)
		pin_thread(flow->index);
	pthread_barrier_wait(flow->gate);
	if (flow->options->seconds > 0)
		flow->deadline_ns =
			client_now_ns() +
			(uint64_t)(flow->options->seconds * (double)NS_PER_S);
	flow_loop(flow);
	if (flow->fd >= 0)
		close(flow->fd);
	return NULL;
}

/* Splits --count so that the flows together do exactly so many. */
static uint64_t flow_budget(const struct options *options, unsigned int index)
{
	if (!options->count)
		return LOAD_UNLIMITED;
	return options->count / options->flows +
	       (index < options->count % options->flows);
}

static int flow_start(struct flow *flow)
{
	flow->fd = -1;
	flow->budget = flow_budget(flow->options, flow->index);
	flow->deadline_ns = UINT64_MAX;
	histogram_init(&flow->latency_ns);
	flow->buffer = malloc(PATTERN_RUN);
	if (!flow->buffer)
		return -ENOMEM;
	return -pthread_create(&flow->thread, NULL, flow_thread, flow);
}

/*
 * Threads that wait at the gate cannot be called back: where one flow does
 * not start, the process ends.
 */
static void flows_run(struct flow *flows, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		int rc = flow_start(&flows[i]);

		if (rc) {
			fprintf(stderr, "mqload: cannot start flow %u: %s\n", i,
				strerror(-rc));
			exit(EXIT_FAILURE);
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(flows[i].thread, NULL);
		free(flows[i].buffer);
	}
}

static void totals_add(struct totals *totals, const struct flow *flow)
{
	totals->done += flow->done;
	totals->bytes += flow->bytes;
	totals->share[flow->index] = totals->stream ? flow->bytes : flow->done;
	histogram_merge(&totals->latency_ns, &flow->latency_ns);
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		totals->errors[kind] += flow->errors[kind];
}

static uint64_t report(const struct client_mode *mode,
		       const struct options *options, const struct flow *flows)
{
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;
	struct totals totals = {
		.name = mode->name,
		.stream = mode->stream,
		.flows = options->flows,
		.threads = options->flows,
		.share = calloc(options->flows, sizeof(*totals.share)),
	};

	if (!totals.share)
		return 1;
	histogram_init(&totals.latency_ns);
	histogram_init(&totals.lateness_ns);
	for (unsigned int i = 0; i < options->flows; i++) {
		totals_add(&totals, &flows[i]);
		if (flows[i].started_ns < start)
			start = flows[i].started_ns;
		if (flows[i].ended_ns > end)
			end = flows[i].ended_ns;
	}
	totals.seconds = end > start ? (double)(end - start) / 1e9 : 1e-9;
	start = report_print(mode->name, options, &totals, 1);
	free(totals.share);
	return start;
}

int client_run(const struct client_mode *mode, const struct options *options)
{
	struct pattern *pattern = pattern_create();
	struct flow *flows = calloc(options->flows, sizeof(*flows));
	pthread_barrier_t gate;
	uint64_t errors = 1;

	if (!pattern || !flows) {
		fprintf(stderr, "mqload: no memory for %u flows\n",
			options->flows);
		goto out;
	}
	pthread_barrier_init(&gate, NULL, options->flows);
	for (unsigned int i = 0; i < options->flows; i++) {
		flows[i].index = i;
		flows[i].options = options;
		flows[i].mode = mode;
		flows[i].pattern = pattern;
		flows[i].gate = &gate;
	}
	flows_run(flows, options->flows);
	pthread_barrier_destroy(&gate);
	errors = report(mode, options, flows);
out:
	free(flows);
	free(pattern);
	return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
