/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "client.h"

static const char *const error_names[LOAD_ERRORS] = {
	[LOAD_REFUSED] = "refused", [LOAD_RESET] = "reset",
	[LOAD_TIMEOUT] = "timeout", [LOAD_UNREACHABLE] = "unreachable",
	[LOAD_NO_PORT] = "no_port", [LOAD_SHORT] = "short",
	[LOAD_WRONG] = "wrong",     [LOAD_OTHER] = "other",
};

/**
 * struct totals - All flows of a run together
 * @seconds:	From the first start to the last end
 * @done:	Operations that succeeded
 * @bytes:	Payload
 * @errors:	Failed operations, by kind
 * @error_total: Failed operations
 * @latency_ns:	Of all operations that succeeded
 */
struct totals {
	double seconds;
	uint64_t done;
	uint64_t bytes;
	uint64_t errors[LOAD_ERRORS];
	uint64_t error_total;
	struct histogram latency_ns;
};

static void totals_sum(struct totals *totals, const struct flow *flows,
		       unsigned int count)
{
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;

	*totals = (struct totals) { 0 };
	histogram_init(&totals->latency_ns);
	for (unsigned int i = 0; i < count; i++) {
		const struct flow *flow = &flows[i];

		totals->done += flow->done;
		totals->bytes += flow->bytes;
		histogram_merge(&totals->latency_ns, &flow->latency_ns);
		for (int kind = 0; kind < LOAD_ERRORS; kind++) {
			totals->errors[kind] += flow->errors[kind];
			totals->error_total += flow->errors[kind];
		}
		if (flow->started_ns < start)
			start = flow->started_ns;
		if (flow->ended_ns > end)
			end = flow->ended_ns;
	}
	totals->seconds = end > start ? (double)(end - start) / 1e9 : 1e-9;
}

static double percentile_us(const struct totals *totals, double percent)
{
	return (double)histogram_percentile(&totals->latency_ns, percent) / 1e3;
}

/* One line of key=value words, so that a shell can take it apart. */
static void print_text(const char *mode, const struct totals *totals,
		       const struct flow *flows, unsigned int count)
{
	printf("%s flows=%u seconds=%.3f done=%llu rate=%.1f mbps=%.1f "
	       "p50_us=%.1f p90_us=%.1f p99_us=%.1f max_us=%.1f errors=%llu",
	       mode, count, totals->seconds, (unsigned long long)totals->done,
	       (double)totals->done / totals->seconds,
	       (double)totals->bytes * 8 / totals->seconds / 1e6,
	       percentile_us(totals, 50), percentile_us(totals, 90),
	       percentile_us(totals, 99), (double)totals->latency_ns.max / 1e3,
	       (unsigned long long)totals->error_total);
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		if (totals->errors[kind])
			printf(" %s=%llu", error_names[kind],
			       (unsigned long long)totals->errors[kind]);
	printf(" per_flow=");
	for (unsigned int i = 0; i < count; i++)
		printf("%s%llu", i ? "," : "",
		       (unsigned long long)flows[i].done);
	printf("\n");
}

static void print_json(const char *mode, const struct totals *totals,
		       const struct flow *flows, unsigned int count)
{
	printf("{\"mode\": \"%s\", \"flows\": %u, \"seconds\": %.6f, "
	       "\"done\": %llu, \"rate\": %.1f, \"bytes\": %llu, "
	       "\"mbps\": %.1f, \"p50_us\": %.1f, \"p90_us\": %.1f, "
	       "\"p99_us\": %.1f, \"max_us\": %.1f, \"errors\": {",
	       mode, count, totals->seconds, (unsigned long long)totals->done,
	       (double)totals->done / totals->seconds,
	       (unsigned long long)totals->bytes,
	       (double)totals->bytes * 8 / totals->seconds / 1e6,
	       percentile_us(totals, 50), percentile_us(totals, 90),
	       percentile_us(totals, 99), (double)totals->latency_ns.max / 1e3);
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		printf("%s\"%s\": %llu", kind ? ", " : "", error_names[kind],
		       (unsigned long long)totals->errors[kind]);
	printf("}, \"per_flow\": [");
	for (unsigned int i = 0; i < count; i++)
		printf("%s%llu", i ? ", " : "",
		       (unsigned long long)flows[i].done);
	printf("]}\n");
}

uint64_t client_report(const struct client_mode *mode,
		       const struct options *options, const struct flow *flows)
{
	struct totals totals;

	totals_sum(&totals, flows, options->flows);
	if (options->json)
		print_json(mode->name, &totals, flows, options->flows);
	else
		print_text(mode->name, &totals, flows, options->flows);
	return totals.error_total;
}
