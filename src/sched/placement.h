/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_H
#define MQVMM_SCHED_PLACEMENT_H

#include <stdbool.h>

#include "base/fail.h"
#include "sched/topology.h"

#define PLACEMENT_THREADS_MAX 1024

/**
 * struct placement - Which CPU each thread runs on
 * @pinned:	Threads are pinned; otherwise only named
 * @vcpu:	By vCPU, the kernel's CPU number
 * @shard:	By shard
 */
struct placement {
	bool pinned;
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
 * placement_plan_host() - The same for the CPUs that this process may use
 * @pin:	Otherwise threads are left to the scheduler
 *
 * Return: 0, or negative errno with @fail set
 */
int placement_plan_host(bool pin, unsigned int vcpus, unsigned int shards,
			struct placement *plan, struct fail *fail);

/**
 * placement_enter_shard() - Name the calling thread shardN, and pin it
 * @plan:	From placement_plan_host()
 * @shard:	Index; that of the vCPU for placement_enter_vcpu()
 *
 * What does not work is logged: the thread runs on anywhere.
 */
void placement_enter_shard(const struct placement *plan, unsigned int shard);
void placement_enter_vcpu(const struct placement *plan, unsigned int vcpu);

#endif
