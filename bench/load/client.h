/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_CLIENT_H
#define MQVMM_LOAD_CLIENT_H

#include "flow.h"
#include "loop.h"
#include "report.h"

/**
 * struct run - Flows of one mode that start and end together
 * @mode:	What they do
 * @options:	What they are told; --threads 0: each has a thread
 * @flows:	The flows
 * @loops:	Their threads
 * @loop_count:	How many
 */
struct run {
	const struct client_mode *mode;
	const struct options *options;
	struct flow *flows;
	struct loop *loops;
	unsigned int loop_count;
};

/**
 * run_create() - Make the flows of a run; without memory the process ends
 * @run:	Filled in
 * @mode:	What they do
 * @options:	What they are told; outlives the run
 * @pattern:	The pattern; outlives the run
 */
void run_create(struct run *run, const struct client_mode *mode,
		const struct options *options, const struct pattern *pattern);

/**
 * run_all() - Run flows to their end
 * @runs:	Runs that start together
 * @count:	How many
 *
 * Where one thread does not start the process ends: those that wait at the gate
 * cannot be called back.
 */
void run_all(struct run *runs, unsigned int count);

/**
 * run_totals() - Sum up a run that ended
 * @run:	Run
 * @totals:	Filled in; @share is for free()
 */
void run_totals(const struct run *run, struct totals *totals);

/**
 * run_report() - Sum up and print runs that ended, and free them
 * @mode:	As on the command line
 * @runs:	Runs: the one that matters first
 * @count:	How many
 *
 * Return: exit status of the process: failure when any operation failed
 */
int run_report(const char *mode, struct run *runs, unsigned int count);

/**
 * client_pattern() - Make the pattern; without memory the process ends
 *
 * Return: the pattern, for free()
 */
struct pattern *client_pattern(void);

/**
 * client_run() - Run all flows of one mode and report
 * @mode:	What they do
 * @options:	The command line, with --to
 *
 * Return: exit status of the process: failure when any operation failed
 */
int client_run(const struct client_mode *mode, const struct options *options);

/**
 * ramp_run() - Open --count connections, hold them, use each once; report
 * @options:	The command line, with --to
 *
 * Return: as client_run()
 */
int ramp_run(const struct options *options);

/**
 * mixed_run() - CRR while streams run in both directions; report
 * @options:	The command line, with --to and --seconds
 *
 * Return: as client_run()
 */
int mixed_run(const struct options *options);

/**
 * ping_permitted() - Try to open an ICMP socket
 * @options:	The command line, with --to
 *
 * Return: 0; -errno after one sentence on stderr
 */
int ping_permitted(const struct options *options);

#endif
