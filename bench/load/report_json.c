/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "fairness.h"
#include "report.h"

static void print_percentiles(const char *name, const struct histogram *ns)
{
	printf(", \"%s\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
	       "\"p999\": %.3f, \"max\": %.3f}",
	       name, totals_percentile_us(ns, 50), totals_percentile_us(ns, 90),
	       totals_percentile_us(ns, 99), totals_percentile_us(ns, 99.9),
	       (double)ns->max / 1e3);
}

static void print_histogram(const struct histogram *ns)
{
	const char *comma = "";

	printf(", \"histogram_us\": [");
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!ns->bucket[i])
			continue;
		printf("%s[%.3f, %llu]", comma,
		       (double)histogram_bucket_end(ns, i) / 1e3,
		       (unsigned long long)ns->bucket[i]);
		comma = ", ";
	}
	printf("]");
}

static void print_errors(const struct totals *totals)
{
	printf(", \"errors\": %llu, \"errors_by_kind\": {",
	       (unsigned long long)totals_errors(totals));
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		printf("%s\"%s\": %llu", kind ? ", " : "",
		       load_error_name((enum load_error)kind),
		       (unsigned long long)totals->errors[kind]);
	printf("}");
}

static void print_shares(const struct totals *totals)
{
	printf(", \"per_flow\": [");
	for (unsigned int i = 0; i < totals->flows; i++)
		printf("%s%llu", i ? ", " : "",
		       (unsigned long long)totals->share[i]);
	printf("], \"fairness\": %.6f",
	       fairness_index(totals->share, totals->flows));
}

static void print_totals(const struct totals *totals)
{
	printf("\"flows\": %u, \"threads\": %u, \"seconds\": %.6f, "
	       "\"done\": %llu, \"rate\": %.3f, \"bytes\": %llu, "
	       "\"mbps\": %.3f",
	       totals->flows, totals->threads, totals->seconds,
	       (unsigned long long)totals->done, totals_rate(totals),
	       (unsigned long long)totals->bytes, totals_mbps(totals));
	print_errors(totals);
	print_percentiles("latency_us", &totals->latency_ns);
	print_histogram(&totals->latency_ns);
	print_shares(totals);
	if (totals->lossy)
		printf(", \"loss\": %.6f", totals_loss(totals));
	else
		printf(", \"loss\": null");
	printf(", \"missed\": %llu", (unsigned long long)totals->missed);
	if (totals->lateness_ns.count)
		print_percentiles("lateness_us", &totals->lateness_ns);
}

static void print_parameters(const struct options *options)
{
	printf(", \"parameters\": {\"seconds\": %g, \"count\": %llu, "
	       "\"size\": %u, \"rate\": %g, \"timeout\": %u, \"pin\": %s, "
	       "\"verify\": %s}",
	       options->seconds, (unsigned long long)options->count,
	       options->size, options->rate, options->timeout_s,
	       options->pin ? "true" : "false",
	       options->verify ? "true" : "false");
}

void report_print_json(const char *mode, const struct options *options,
		       const struct totals *parts, unsigned int count)
{
	printf("{\"mode\": \"%s\", ", mode);
	print_totals(&parts[0]);
	print_parameters(options);
	for (unsigned int i = 1; i < count; i++) {
		printf(", \"%s\": {", parts[i].name);
		print_totals(&parts[i]);
		printf("}");
	}
	printf("}\n");
}
