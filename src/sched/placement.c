/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement.h"

#include <errno.h>
#include <pthread.h>

/* Threads in the order vCPU 0, shard 0, vCPU 1, shard 1, ... */
static void plan_apart(const struct topology *topology, unsigned int vcpus,
		       unsigned int shards, struct placement *plan)
{
	unsigned int pairs = vcpus > shards ? vcpus : shards, next = 0;

	for (unsigned int i = 0; i < pairs; i++) {
		if (i < vcpus)
			plan->vcpu[i] = topology->cpu[next++].id;
		if (i < shards)
			plan->shard[i] = topology->cpu[next++].id;
	}
}

/*
 * Round robin, each shard one CPU further than its vCPU: on the vCPU's own it
 * could only run once the vCPU has left the guest.
 */
static void plan_shared(const struct topology *topology, unsigned int vcpus,
			unsigned int shards, struct placement *plan)
{
	unsigned int count = topology->cpu_count;

	for (unsigned int i = 0; i < vcpus; i++)
		plan->vcpu[i] = topology->cpu[i % count].id;
	for (unsigned int i = 0; i < shards; i++)
		plan->shard[i] = topology->cpu[(i + 1) % count].id;
}

void placement_plan(const struct topology *topology, unsigned int vcpus,
		    unsigned int shards, struct placement *plan)
{
	if (vcpus + shards <= topology->cpu_count)
		plan_apart(topology, vcpus, shards, plan);
	else
		plan_shared(topology, vcpus, shards, plan);
}

int placement_apply(unsigned int cpu, const char *name)
{
	cpu_set_t set;

	pthread_setname_np(pthread_self(), name);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}
