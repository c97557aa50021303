/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_REPORT_H
#define MQVMM_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "options.h"

/**
 * struct totals - What the flows of one kind did together
 * @name:	Their mode
 * @stream:	A flow's share is bytes, not operations
 * @lossy:	An operation that was not answered is a loss
 * @flows:	How many
 * @threads:	Threads that they ran on
 * @seconds:	From the first start to the last end
 * @done:	Operations that succeeded
 * @lost:	Datagrams without an answer
 * @missed:	Operations that --rate wanted but that never started
 * @bytes:	Payload
 * @errors:	Failed operations, by kind
 * @share:	Of each flow
 * @latency_ns:	Of all operations that succeeded
 * @lateness_ns: How long after its intended time each operation started
 */
struct totals {
	const char *name;
	bool stream;
	bool lossy;
	unsigned int flows;
	unsigned int threads;
	double seconds;
	uint64_t done;
	uint64_t lost;
	uint64_t missed;
	uint64_t bytes;
	uint64_t errors[LOAD_ERRORS];
	uint64_t *share;
	struct histogram latency_ns;
	struct histogram lateness_ns;
};

/**
 * totals_errors() - Failed operations of all kinds
 * @totals:	Totals
 *
 * Return: their number
 */
uint64_t totals_errors(const struct totals *totals);

/**
 * totals_rate() - Operations per second
 * @totals:	Totals
 *
 * Return: the rate
 */
double totals_rate(const struct totals *totals);

/**
 * totals_mbps() - Payload per second
 * @totals:	Totals
 *
 * Return: 10^6 bit/s
 */
double totals_mbps(const struct totals *totals);

/**
 * totals_percentile_us() - Percentile of a histogram of nanoseconds
 * @ns:		Histogram
 * @percent:	0 to 100
 *
 * Return: microseconds
 */
double totals_percentile_us(const struct histogram *ns, double percent);

/**
 * totals_loss() - Share of the datagrams that were not answered
 * @totals:	Totals
 *
 * Return: 0 to 1
 */
double totals_loss(const struct totals *totals);

/**
 * report_print() - Print a run on one line of stdout
 * @mode:	As on the command line
 * @options:	The command line: tells whether as JSON
 * @parts:	The run; what else went on beside or after it
 * @count:	Parts, at least 1
 *
 * Return: failed operations of all parts
 */
uint64_t report_print(const char *mode, const struct options *options,
		      const struct totals *parts, unsigned int count);

/**
 * report_print_json() - Print a run as JSON on one line of stdout
 * @mode:	As on the command line
 * @options:	The command line
 * @parts:	As for report_print()
 * @count:	Parts, at least 1
 *
 * The README tells what the members are.
 */
void report_print_json(const char *mode, const struct options *options,
		       const struct totals *parts, unsigned int count);

#endif
