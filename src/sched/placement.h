/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_H
#define MQVMM_SCHED_PLACEMENT_H

#include "base/fail.h"
#include "sched/topology.h"

#define PLACEMENT_THREADS_MAX 1024

/**
 * struct placement - Which CPU each thread runs on
 * @vcpu:	By vCPU, the kernel's CPU number
 * @shard:	By shard
 */
struct placement {
	unsigned int vcpu[PLACEMENT_THREADS_MAX];
	unsigned int shard[PLACEMENT_THREADS_MAX];
};

/**
 * placement_plan() - Choose a CPU for each vCPU and shard
 * @topology:	The CPUs that there are
 * @vcpus, @shards: How many of each, at most PLACEMENT_THREADS_MAX
 * @plan:	To fill
 *
 * With a CPU for every thread, vCPU i and shard i get neighbours. With fewer,
 * vCPUs go round the CPUs, and shard i is on the CPU behind that of vCPU i
 * (docs/decisions/0008-shards-beside-vcpus.md).
 *
 * Context: pure; the same input gives the same plan.
 */
void placement_plan(const struct topology *topology, unsigned int vcpus,
		    unsigned int shards, struct placement *plan);

/**
 * placement_apply() - Pin the calling thread and name it
 * @cpu:	The kernel's CPU number
 * @name:	At most 15 characters
 *
 * Return: 0 or negative errno
 */
int placement_apply(unsigned int cpu, const char *name);

#endif
