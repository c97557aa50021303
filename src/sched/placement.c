/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

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
	unsigned int count = topology->usable_count;

	for (unsigned int i = 0; i < vcpus; i++)
		plan->vcpu[i] = topology->cpu[i % count].id;
	for (unsigned int i = 0; i < shards; i++)
		plan->shard[i] = topology->cpu[(i + 1) % count].id;
}

void placement_plan(const struct topology *topology, unsigned int vcpus,
		    unsigned int shards, struct placement *plan)
{
	if (vcpus + shards <= topology->usable_count)
		plan_apart(topology, vcpus, shards, plan);
	else
		plan_shared(topology, vcpus, shards, plan);
}

int placement_plan_host(bool pin, unsigned int vcpus, unsigned int shards,
			struct placement *plan, struct fail *fail)
{
	struct topology *topology;
	int ret;

	plan->pinned = pin;
	if (!pin)
		return 0;
	ret = topology_read("", &topology, fail);
	if (ret)
		return ret;
	placement_plan(topology, vcpus, shards, plan);
	topology_free(topology);
	return 0;
}

static void placement_enter(bool pin, unsigned int cpu, const char *kind,
			    unsigned int index)
{
	char name[16];
	cpu_set_t set;

	snprintf(name, sizeof(name), "%s%u", kind, index);
	pthread_setname_np(pthread_self(), name);
	if (!pin)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		log_line("cannot pin %s to CPU %u: %s", name, cpu,
			 strerror(errno));
}

void placement_enter_shard(const struct placement *plan, unsigned int shard)
{
	placement_enter(plan->pinned, plan->shard[shard], "shard", shard);
}

void placement_enter_vcpu(const struct placement *plan, unsigned int vcpu)
{
	placement_enter(plan->pinned, plan->vcpu[vcpu], "vcpu", vcpu);
}
