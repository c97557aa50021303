/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "sched/placement_internal.h"

/*
 * Theory of operation
 *
 * Threads are placed one after the other, each on the best CPU of its cell's
 * nodes. In this order: fewest threads on the CPU (of all guests of this user),
 * fewest on its core, no efficiency core, and only then near. So plans are
 * balanced, siblings are used when cores have run out, and the rest is
 * nearness: a shard comes behind its vCPU in the order of the topology, on that
 * vCPU's own CPU last (docs/decisions/0008-shards-beside-vcpus.md).
 *
 * Where there is a core for each thread, vCPU i and shard i follow each other.
 * Otherwise all vCPUs come first: what has to share a core, or to do with an
 * efficiency core, is a shard.
 */

struct rank {
	uint64_t first;
	uint64_t second;
};

static bool rank_is_better(struct rank a, struct rank b)
{
	return a.first < b.first || (a.first == b.first && a.second < b.second);
}

static uint64_t rank_load(const struct planner *planner, unsigned int index)
{
	const struct topology_cpu *cpu = &planner->topology->cpu[index];

	return (uint64_t)planner->load[index] << 32 |
	       (uint64_t)planner->core_load[cpu->core] << 8 |
	       (uint64_t)cpu->kind;
}

static struct rank rank_vcpu(const struct planner *planner, unsigned int index,
			     unsigned int home)
{
	const struct topology *topology = planner->topology;
	const struct topology_cpu *cpu = &topology->cpu[index];
	struct rank rank = { rank_load(planner, index), index };
	uint64_t per_cpu;

	if (planner->request->policy == PLACEMENT_SPREAD) {
		per_cpu = (uint64_t)planner->node_load[cpu->node] * 256 /
			  planner->node_cpus[cpu->node];
		rank.second |= per_cpu << 40 |
			       (uint64_t)planner->l3_load[cpu->l3] << 16;
	} else {
		rank.second |=
			(uint64_t)topology->node[home].distance[cpu->node]
			<< 16;
	}
	return rank;
}

static struct rank rank_shard(const struct planner *planner, unsigned int index,
			      unsigned int vcpu)
{
	const struct topology *topology = planner->topology;
	const struct topology_cpu *cpu = &topology->cpu[index];
	const struct topology_cpu *beside = &topology->cpu[vcpu];
	unsigned int count = topology->usable_count;
	struct rank rank = { rank_load(planner, index), 0 };

	rank.second = (uint64_t)topology->node[beside->node].distance[cpu->node]
			      << 24 |
		      (uint64_t)(cpu->l3 != beside->l3) << 16 |
		      (index + count - vcpu - 1) % count;
	return rank;
}

/* The nodes' first: where a thread without a neighbour would like to be */
static unsigned int home_of(const struct planner *planner, const bool *nodes)
{
	for (unsigned int i = 0; i < planner->topology->node_count; i++)
		if (nodes[i] && planner->node_cpus[i])
			return i;
	return 0;
}

static void occupy(struct planner *planner, unsigned int index)
{
	const struct topology_cpu *cpu = &planner->topology->cpu[index];

	planner->load[index]++;
	planner->core_load[cpu->core]++;
	planner->l3_load[cpu->l3]++;
	planner->node_load[cpu->node]++;
}

#define NO_VCPU UINT32_MAX

/* Return: index of the best CPU on @nodes; there is one */
static unsigned int choose(const struct planner *planner, const bool *nodes,
			   unsigned int beside)
{
	const struct topology *topology = planner->topology;
	unsigned int home = home_of(planner, nodes), best = 0;
	struct rank least = { UINT64_MAX, UINT64_MAX }, rank;

	for (unsigned int i = 0; i < topology->usable_count; i++) {
		if (!planner->candidate[i] || !nodes[topology->cpu[i].node])
			continue;
		rank = beside == NO_VCPU ? rank_vcpu(planner, i, home)
					 : rank_shard(planner, i, beside);
		if (rank_is_better(rank, least)) {
			least = rank;
			best = i;
		}
	}
	return best;
}

static void place_vcpu(struct planner *planner, unsigned int vcpu)
{
	struct placement *plan = planner->plan;
	unsigned int index;

	if (planner->request->vcpu[vcpu] != PLACEMENT_CPU_ANY)
		return;
	index = choose(planner, planner->cell_node[plan->vcpu_cell[vcpu]],
		       NO_VCPU);
	occupy(planner, index);
	planner->vcpus_at[index]++;
	planner->at[vcpu] = index;
	plan->vcpu[vcpu] = planner->topology->cpu[index].id;
}

static void place_shard(struct planner *planner, unsigned int shard)
{
	struct placement *plan = planner->plan;
	unsigned int vcpu = plan->vcpus ? shard % plan->vcpus : 0, index;

	if (planner->request->shard[shard] != PLACEMENT_CPU_ANY)
		return;
	index = choose(
		planner,
		planner->cell_node[plan->vcpus ? plan->vcpu_cell[vcpu] : 0],
		plan->vcpus ? planner->at[vcpu] : NO_VCPU);
	occupy(planner, index);
	plan->shard[shard] = planner->topology->cpu[index].id;
}

/* What the user named: it counts before anything is chosen. */
static int place_named(struct planner *planner, const char *kind,
		       unsigned int thread, unsigned int id,
		       unsigned int *index)
{
	const struct topology *topology = planner->topology;
	unsigned int i = 0;

	while (i < topology->cpu_count && topology->cpu[i].id != id)
		i++;
	if (i >= topology->cpu_count)
		return fail_set(planner->fail, -EINVAL,
				"--place %s%u=%u is not possible: there is no "
				"CPU %u",
				kind, thread, id, id);
	if (i >= topology->usable_count)
		return fail_set(planner->fail, -EINVAL,
				"--place %s%u=%u is not possible: CPU %u is %s",
				kind, thread, id, id,
				topology->cpu[i].online
					? "outside of the affinity mask or the "
					  "cpuset"
					: "offline");
	occupy(planner, i);
	*index = i;
	return 0;
}

static int check_names(struct planner *planner, const char *kind,
		       const uint16_t *named, unsigned int count)
{
	for (unsigned int i = count; i < PLACEMENT_THREADS_MAX; i++)
		if (named[i] != PLACEMENT_CPU_ANY)
			return fail_set(planner->fail, -EINVAL,
					"--place %s%u=%u is not possible: "
					"there is no %s%u",
					kind, i, named[i], kind, i);
	return 0;
}

static int place_all_named(struct planner *planner)
{
	const struct placement_request *request = planner->request;
	struct placement *plan = planner->plan;
	unsigned int index = 0;
	int ret = check_names(planner, "vcpu", request->vcpu, plan->vcpus);

	if (!ret)
		ret = check_names(planner, "shard", request->shard,
				  plan->shards);
	for (unsigned int i = 0; !ret && i < plan->vcpus; i++) {
		if (request->vcpu[i] == PLACEMENT_CPU_ANY)
			continue;
		ret = place_named(planner, "vcpu", i, request->vcpu[i], &index);
		planner->vcpus_at[index]++;
		planner->at[i] = index;
		plan->vcpu[i] = request->vcpu[i];
	}
	for (unsigned int i = 0; !ret && i < plan->shards; i++) {
		if (request->shard[i] == PLACEMENT_CPU_ANY)
			continue;
		ret = place_named(planner, "shard", i, request->shard[i],
				  &index);
		plan->shard[i] = request->shard[i];
	}
	return ret;
}

/* Is there an idle core for each thread on the cells' nodes, all of a kind? */
static bool has_cores(const struct planner *planner)
{
	const struct topology *topology = planner->topology;
	const struct placement *plan = planner->plan;
	unsigned int cores = 0, last = UINT32_MAX;

	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];
		bool used = false;

		for (unsigned int c = 0; c < plan->cell_count; c++)
			used |= planner->cell_node[c][cpu->node];
		if (used && planner->candidate[i] && cpu->core != last &&
		    cpu->kind == TOPOLOGY_PERFORMANCE &&
		    !planner->core_load[cpu->core]) {
			last = cpu->core;
			cores++;
		}
	}
	return cores >= plan->vcpus + plan->shards;
}

/* Helpers run on idle cores, else idle CPUs, else CPUs without a vCPU. */
static bool helper_fits(const struct planner *planner, unsigned int index,
			unsigned int pass)
{
	switch (pass) {
	case 0:
		return !planner->core_load[planner->topology->cpu[index].core];
	case 1:
		return !planner->load[index];
	case 2:
		return !planner->vcpus_at[index];
	default:
		return true;
	}
}

static void place_helpers(struct planner *planner)
{
	struct id_set *helpers = &planner->plan->helpers;

	for (unsigned int pass = 0; id_set_is_empty(helpers); pass++)
		for (unsigned int i = 0; i < planner->topology->usable_count;
		     i++)
			if (planner->candidate[i] &&
			    helper_fits(planner, i, pass))
				id_set_add(helpers,
					   planner->topology->cpu[i].id);
}

static int place_named_helpers(struct planner *planner)
{
	struct id_set usable = { 0 };

	planner->plan->helpers = planner->request->helpers;
	for (unsigned int i = 0; i < planner->topology->usable_count; i++)
		id_set_add(&usable, planner->topology->cpu[i].id);
	id_set_intersect(&usable, &planner->request->helpers);
	if (memcmp(&usable, &planner->request->helpers, sizeof(usable)) == 0)
		return 0;
	return fail_set(planner->fail, -EINVAL,
			"--place helpers= names a CPU that is offline or "
			"outside of the affinity mask or the cpuset");
}

/*
 * Who polls takes the CPU from others on it and on its core, and from what a
 * quota leaves to the guest. Of two CPUs none is to spare, whatever the plan
 * puts on them: the shard's clients and servers run on them too.
 */
static void allow_polling(struct planner *planner)
{
	const struct topology *topology = planner->topology;
	struct placement *plan = planner->plan;

	if (topology->usable_count < PLACEMENT_POLL_CPUS ||
	    (topology->quota_millicpus &&
	     topology->quota_millicpus < topology->usable_count * 1000))
		return;
	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];

		if (planner->core_load[cpu->core] != 1 ||
		    id_set_has(&plan->helpers, cpu->id))
			continue;
		for (unsigned int j = 0; j < plan->shards; j++)
			if (plan->shard[j] == cpu->id)
				plan->poll_us[j] = PLACEMENT_POLL_US;
	}
}

int placement_choose_cpus(struct planner *planner)
{
	struct placement *plan = planner->plan;
	unsigned int pairs =
		plan->vcpus > plan->shards ? plan->vcpus : plan->shards;
	bool together = has_cores(planner);
	int ret = place_all_named(planner);

	if (!ret)
		ret = place_named_helpers(planner);
	if (ret)
		return ret;
	for (unsigned int i = 0; !together && i < plan->vcpus; i++)
		place_vcpu(planner, i);
	for (unsigned int i = 0; i < pairs; i++) {
		if (together && i < plan->vcpus)
			place_vcpu(planner, i);
		if (i < plan->shards)
			place_shard(planner, i);
	}
	place_helpers(planner);
	allow_polling(planner);
	return 0;
}
