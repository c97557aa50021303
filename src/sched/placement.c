/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

void placement_request_init(struct placement_request *request)
{
	memset(request, 0, sizeof(*request));
	request->registry = true;
	for (unsigned int i = 0; i < PLACEMENT_THREADS_MAX; i++)
		request->vcpu[i] = request->shard[i] = PLACEMENT_CPU_ANY;
}

/* Threads in the order vCPU 0, shard 0, vCPU 1, shard 1, ... */
static void plan_apart(const struct topology *topology, struct placement *plan)
{
	unsigned int vcpus = plan->vcpus, shards = plan->shards;
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
static void plan_shared(const struct topology *topology, struct placement *plan)
{
	unsigned int count = topology->usable_count;

	for (unsigned int i = 0; i < plan->vcpus; i++)
		plan->vcpu[i] = topology->cpu[i % count].id;
	for (unsigned int i = 0; i < plan->shards; i++)
		plan->shard[i] = topology->cpu[(i + 1) % count].id;
}

int placement_plan(const struct topology *topology,
		   const struct placement_request *request,
		   const struct placement_taken *taken, struct placement *plan,
		   struct fail *fail)
{
	(void)taken;
	(void)fail;
	memset(plan, 0, sizeof(*plan));
	plan->pinned = request->policy != PLACEMENT_NONE;
	plan->vcpus = request->vcpus;
	plan->shards = request->shards;
	plan->cell_count = 1;
	plan->cell[0].bytes = request->memory_bytes;
	plan->cell[0].distance[0] = TOPOLOGY_DISTANCE_LOCAL;
	if (request->vcpus + request->shards <= topology->usable_count)
		plan_apart(topology, plan);
	else
		plan_shared(topology, plan);
	return 0;
}

int placement_plan_host(const struct placement_request *request,
			struct placement *plan, struct fail *fail)
{
	struct topology *topology;
	int ret = topology_read("", &topology, fail);

	if (ret)
		return ret;
	ret = placement_plan(topology, request, NULL, plan, fail);
	topology_free(topology);
	return ret;
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
