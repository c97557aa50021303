/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sched/placement_internal.h"

void placement_request_init(struct placement_request *request)
{
	memset(request, 0, sizeof(*request));
	request->registry = true;
	for (unsigned int i = 0; i < PLACEMENT_THREADS_MAX; i++)
		request->vcpu[i] = request->shard[i] = PLACEMENT_CPU_ANY;
}

/* Isolated CPUs are for those who name them, unless there are no others. */
static void find_candidates(struct planner *planner)
{
	const struct topology *topology = planner->topology;
	unsigned int isolated = 0;

	for (unsigned int i = 0; i < topology->usable_count; i++)
		isolated += topology->cpu[i].isolated;
	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];

		planner->candidate[i] =
			!cpu->isolated || isolated == topology->usable_count;
		planner->node_cpus[cpu->node] += planner->candidate[i];
	}
}

static void count_others(struct planner *planner)
{
	const struct topology *topology = planner->topology;

	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];
		uint16_t threads = planner->taken->threads[cpu->id];

		planner->load[i] = threads;
		planner->core_load[cpu->core] += threads;
		planner->l3_load[cpu->l3] += threads;
		planner->node_load[cpu->node] += threads;
	}
}

static int plan_all(struct planner *planner)
{
	struct placement *plan = planner->plan;
	int ret;

	find_candidates(planner);
	if (planner->taken)
		count_others(planner);
	ret = placement_choose_cells(planner);
	if (!ret && plan->pinned)
		ret = placement_choose_cpus(planner);
	if (!ret)
		placement_choose_memory(planner);
	return ret;
}

int placement_plan(const struct topology *topology,
		   const struct placement_request *request,
		   const struct placement_taken *taken, struct placement *plan,
		   struct fail *fail)
{
	struct planner *planner = calloc(1, sizeof(*planner));
	int ret;

	if (!planner)
		return fail_set(fail, -ENOMEM, "no memory to plan in");
	memset(plan, 0, sizeof(*plan));
	plan->pinned = request->policy != PLACEMENT_NONE;
	plan->vcpus = request->vcpus;
	plan->shards = request->shards;
	planner->topology = topology;
	planner->request = request;
	planner->taken = taken;
	planner->plan = plan;
	planner->fail = fail;
	ret = plan_all(planner);
	free(planner);
	return ret;
}

/* The kernel's masks are words of bits too; cpu_set_t ends at 1023. */
static void pin(const struct id_set *cpus, const char *name)
{
	char list[256];

	if (!sched_setaffinity(0, sizeof(*cpus), (const cpu_set_t *)cpus))
		return;
	id_set_format(cpus, list, sizeof(list));
	log_line("cannot pin %s to CPU %s: %s", name, list, strerror(errno));
}

static void enter(bool pinned, unsigned int cpu, const char *kind,
		  unsigned int index)
{
	struct id_set cpus = { 0 };
	char name[16];

	snprintf(name, sizeof(name), "%s%u", kind, index);
	pthread_setname_np(pthread_self(), name);
	id_set_add(&cpus, cpu);
	if (pinned)
		pin(&cpus, name);
}

void placement_enter_shard(const struct placement *plan, unsigned int shard)
{
	enter(plan->pinned, plan->shard[shard], "shard", shard);
}

void placement_enter_vcpu(const struct placement *plan, unsigned int vcpu)
{
	enter(plan->pinned, plan->vcpu[vcpu], "vcpu", vcpu);
}

void placement_enter_helper(const struct placement *plan)
{
	if (plan->pinned)
		pin(&plan->helpers, "other threads");
}
