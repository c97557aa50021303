/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdio.h>

uint64_t totals_errors(const struct totals *totals)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		sum += totals->errors[kind];
	return sum;
}

double totals_rate(const struct totals *totals)
{
	return (double)totals->done / totals->seconds;
}

double totals_mbps(const struct totals *totals)
{
	return (double)totals->bytes * 8 / totals->seconds / 1e6;
}

double totals_percentile_us(const struct histogram *ns, double percent)
{
	return (double)histogram_percentile(ns, percent) / 1e3;
}

double totals_loss(const struct totals *totals)
{
	uint64_t sent = totals->done + totals->lost;

	return sent ? (double)totals->lost / (double)sent : 0;
}

static void print_part(const struct totals *totals)
{
	const struct histogram *latency = &totals->latency_ns;

	printf("flows=%u seconds=%.3f done=%llu rate=%.1f mbps=%.1f "
	       "p50_us=%.1f p90_us=%.1f p99_us=%.1f max_us=%.1f errors=%llu",
	       totals->flows, totals->seconds, (unsigned long long)totals->done,
	       totals_rate(totals), totals_mbps(totals),
	       totals_percentile_us(latency, 50),
	       totals_percentile_us(latency, 90),
	       totals_percentile_us(latency, 99), (double)latency->max / 1e3,
	       (unsigned long long)totals_errors(totals));
	for (int kind = 0; kind < LOAD_ERRORS; kind++)
		if (totals->errors[kind])
			printf(" %s=%llu",
			       load_error_name((enum load_error)kind),
			       (unsigned long long)totals->errors[kind]);
}

/* What only some runs have. */
static void print_more(const struct options *options,
		       const struct totals *totals)
{
	if (totals->lossy)
		printf(" loss=%.6f", totals_loss(totals));
	if (options->rate > 0)
		printf(" missed=%llu late_p99_us=%.1f",
		       (unsigned long long)totals->missed,
		       totals_percentile_us(&totals->lateness_ns, 99));
}

/*
 * One line of key=value words, so that a shell can take it apart. A further
 * part follows after a word that ends with a colon.
 */
static void print_text(const char *mode, const struct options *options,
		       const struct totals *parts, unsigned int count)
{
	printf("%s ", mode);
	print_part(&parts[0]);
	print_more(options, &parts[0]);
	printf(" per_flow=");
	for (unsigned int i = 0; i < parts[0].flows; i++)
		printf("%s%llu", i ? "," : "",
		       (unsigned long long)parts[0].share[i]);
	for (unsigned int i = 1; i < count; i++) {
		printf(" %s: ", parts[i].name);
		print_part(&parts[i]);
	}
	printf("\n");
}

uint64_t report_print(const char *mode, const struct options *options,
		      const struct totals *parts, unsigned int count)
{
	uint64_t errors = 0;

	if (options->json)
		report_print_json(mode, options, parts, count);
	else
		print_text(mode, options, parts, count);
	for (unsigned int i = 0; i < count; i++)
		errors += totals_errors(&parts[i]);
	return errors;
}
