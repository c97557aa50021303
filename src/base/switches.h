/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BASE_SWITCHES_H
#define MQVMM_BASE_SWITCHES_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/**
 * struct switches - How often a thread gave its CPU up, or had to
 * @tid:	While the thread runs, which it is; else 0
 * @voluntary, @involuntary: Of threads that had its part before and have ended,
 *		as a vCPU's do when the guest reboots
 *
 * All zeroes before the first thread begins.
 */
struct switches {
	pid_t tid;
	uint64_t voluntary;
	uint64_t involuntary;
};

/* Called by the thread, first and last thing. */
void switches_begin(struct switches *switches);
void switches_end(struct switches *switches);

/**
 * switches_print() - Write them as members of a JSON object:
 * ,"voluntary_switches":N,"involuntary_switches":N
 * @switches:	Of a thread of this process
 * @out:	Where to
 *
 * Writes nothing where /proc does not tell.
 *
 * Context: any thread; reads a file of /proc
 */
void switches_print(const struct switches *switches, FILE *out);

#endif
