/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory)
		return memory;
	fprintf(stderr, "mqload: no memory for %zu flows\n", count);
	exit(EXIT_FAILURE);
}

/* Splits --count so that the flows together do exactly so many. */
static uint64_t flow_budget(const struct options *options, unsigned int index)
{
	if (!options->count)
		return LOAD_UNLIMITED;
	return options->count / options->flows +
	       (index < options->count % options->flows);
}

static unsigned int count_loops(const struct options *options)
{
	return options->threads && options->threads < options->flows
		       ? options->threads
		       : options->flows;
}

void run_create(struct run *run, const struct client_mode *mode,
		const struct options *options, const struct pattern *pattern)
{
	unsigned int first = 0;

	run->mode = mode;
	run->options = options;
	run->flows = allocate(options->flows, sizeof(*run->flows));
	run->loop_count = count_loops(options);
	run->loops = allocate(run->loop_count, sizeof(*run->loops));
	for (unsigned int i = 0; i < options->flows; i++) {
		run->flows[i] = (struct flow) {
			.index = i,
			.options = options,
			.mode = mode,
			.pattern = pattern,
			.budget = flow_budget(options, i),
			.fd = -1,
		};
	}
	for (unsigned int i = 0; i < run->loop_count; i++) {
		unsigned int end = (i + 1) * options->flows / run->loop_count;

		run->loops[i].index = i;
		run->loops[i].options = options;
		run->loops[i].flows = &run->flows[first];
		run->loops[i].flow_count = end - first;
		run->loops[i].flow_total = options->flows;
		first = end;
	}
}

static void start_loops(struct run *run, pthread_barrier_t *gate)
{
	bool events = run->options->threads || run->mode->receive;

	for (unsigned int i = 0; i < run->loop_count; i++) {
		int rc;

		run->loops[i].gate = gate;
		rc = loop_start(&run->loops[i], events);
		if (rc) {
			fprintf(stderr, "mqload: cannot start thread %u: %s\n",
				i, strerror(-rc));
			exit(EXIT_FAILURE);
		}
	}
}

void run_all(struct run *runs, unsigned int count)
{
	pthread_barrier_t gate;
	unsigned int loops = 0;

	for (unsigned int i = 0; i < count; i++)
		loops += runs[i].loop_count;
	pthread_barrier_init(&gate, NULL, loops);
	for (unsigned int i = 0; i < count; i++)
		start_loops(&runs[i], &gate);
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < runs[i].loop_count; k++)
			loop_join(&runs[i].loops[k]);
	pthread_barrier_destroy(&gate);
}

static void add_flow(struct totals *totals, const struct flow *flow)
{
	totals->done += flow->done;
	totals->lost += flow->lost;
	totals->missed += flow_missed(flow);
	totals->bytes += flow->bytes;
	totals->share[flow->index] = totals->stream ? flow->bytes : flow->done;
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		totals->errors[kind] += flow->errors[kind];
}

static double span_seconds(const struct run *run)
{
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;

	for (unsigned int i = 0; i < run->options->flows; i++) {
		if (run->flows[i].started_ns < start)
			start = run->flows[i].started_ns;
		if (run->flows[i].ended_ns > end)
			end = run->flows[i].ended_ns;
	}
	return end > start ? (double)(end - start) / 1e9 : 1e-9;
}

void run_totals(const struct run *run, struct totals *totals)
{
	*totals = (struct totals) {
		.name = run->mode->name,
		.stream = run->mode->stream,
		.lossy = run->mode->lossy,
		.flows = run->options->flows,
		.threads = run->loop_count,
		.seconds = span_seconds(run),
		.share = allocate(run->options->flows, sizeof(*totals->share)),
	};
	histogram_init(&totals->latency_ns);
	histogram_init(&totals->lateness_ns);
	for (unsigned int i = 0; i < run->loop_count; i++) {
		histogram_merge(&totals->latency_ns, &run->loops[i].latency_ns);
		histogram_merge(&totals->lateness_ns,
				&run->loops[i].lateness_ns);
	}
	for (unsigned int i = 0; i < run->options->flows; i++)
		add_flow(totals, &run->flows[i]);
}

int run_report(const char *mode, struct run *runs, unsigned int count)
{
	struct totals *totals = allocate(count, sizeof(*totals));
	uint64_t errors;

	for (unsigned int i = 0; i < count; i++)
		run_totals(&runs[i], &totals[i]);
	errors = report_print(mode, runs[0].options, totals, count);
	for (unsigned int i = 0; i < count; i++) {
		free(totals[i].share);
		free(runs[i].flows);
		free(runs[i].loops);
	}
	free(totals);
	return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct pattern *client_pattern(void)
{
	struct pattern *pattern = pattern_create();

	if (pattern)
		return pattern;
	fprintf(stderr, "mqload: no memory for the pattern\n");
	exit(EXIT_FAILURE);
}

int client_run(const struct client_mode *mode, const struct options *options)
{
	struct pattern *pattern = client_pattern();
	struct run run;
	int status;

	run_create(&run, mode, options, pattern);
	run_all(&run, 1);
	status = run_report(mode->name, &run, 1);
	free(pattern);
	return status;
}
