/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement_internal.h"

/* What a node still has for a guest: places for threads, and bytes. */
struct room {
	unsigned int places;
	uint64_t bytes;
};

static uint64_t class_of(const struct planner *planner, unsigned int index)
{
	const struct topology_cpu *cpu = &planner->topology->cpu[index];

	if (planner->request->policy == PLACEMENT_COMPACT)
		return planner->load[index];
	return (uint64_t)planner->load[index] << 32 |
	       (uint64_t)planner->core_load[cpu->core] << 8 |
	       (uint64_t)cpu->kind;
}

static uint64_t least_class(const struct planner *planner)
{
	uint64_t least = UINT64_MAX, class;

	for (unsigned int i = 0; i < planner->topology->usable_count; i++) {
		class = planner->candidate[i] ? class_of(planner, i)
					      : UINT64_MAX;
		least = class < least ? class : least;
	}
	return least;
}

static uint64_t room_bytes(const struct planner *planner, unsigned int node)
{
	const struct topology_node *at = &planner->topology->node[node];
	uint64_t taken = planner->taken ? planner->taken->bytes[at->id] : 0;
	uint64_t left = taken < at->total_bytes ? at->total_bytes - taken : 0;

	if (!at->allowed)
		return 0;
	return left < at->available_bytes ? left : at->available_bytes;
}

/* A place is one of the idlest CPUs; of a core one, unless packed densely. */
static void measure(const struct planner *planner, struct room *room)
{
	const struct topology *topology = planner->topology;
	bool dense = planner->request->policy == PLACEMENT_COMPACT;
	uint64_t least = least_class(planner);
	unsigned int last = UINT32_MAX;

	for (unsigned int i = 0; i < topology->node_count; i++)
		room[i] = (struct room) { 0, room_bytes(planner, i) };
	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];

		if (!planner->candidate[i] || class_of(planner, i) != least ||
		    (!dense && cpu->core == last))
			continue;
		last = cpu->core;
		room[cpu->node].places++;
	}
}

static bool fits(struct room room, struct room need)
{
	return room.places >= need.places && room.bytes >= need.bytes;
}

/*
 * Is node @a to be taken before @b? One that is enough; near the @first; the
 * one with most room, or when packing with least that is enough.
 */
static bool is_before(const struct planner *planner, const struct room *room,
		      struct room need, unsigned int first, unsigned int a,
		      unsigned int b)
{
	const struct topology_node *node = planner->topology->node;
	bool enough = fits(room[a], need), dense;

	if (enough != fits(room[b], need))
		return enough;
	if (first != UINT32_MAX &&
	    node[first].distance[a] != node[first].distance[b])
		return node[first].distance[a] < node[first].distance[b];
	dense = planner->request->policy == PLACEMENT_COMPACT && enough;
	return dense ? room[a].places < room[b].places
		     : room[a].places > room[b].places;
}

void placement_choose_nodes(struct planner *planner)
{
	const struct topology *topology = planner->topology;
	struct room room[TOPOLOGY_NODES_MAX], have = { 0 };
	struct room need = { planner->plan->vcpus + planner->plan->shards,
			     topology->node_count > 1
				     ? planner->request->memory_bytes
				     : 0 };
	bool *chosen = planner->cell_node[0];
	unsigned int first = UINT32_MAX, best;

	measure(planner, room);
	do {
		best = UINT32_MAX;
		for (unsigned int i = 0; i < topology->node_count; i++)
			if (planner->node_cpus[i] && !chosen[i] &&
			    (best == UINT32_MAX ||
			     is_before(planner, room, need, first, i, best)))
				best = i;
		if (best == UINT32_MAX)
			break;
		chosen[best] = true;
		first = first == UINT32_MAX ? best : first;
		have.places += room[best].places;
		have.bytes += room[best].bytes;
	} while (planner->request->policy == PLACEMENT_SPREAD ||
		 !fits(have, need));
}

unsigned int placement_idlest_node(const struct planner *planner,
				   const unsigned int *planned,
				   const bool *skip)
{
	unsigned int best = UINT32_MAX;

	for (unsigned int i = 0; i < planner->topology->node_count; i++) {
		uint64_t load = planner->node_load[i] + planned[i], least;

		if (!planner->node_cpus[i] || skip[i])
			continue;
		least = best == UINT32_MAX
				? 0
				: planner->node_load[best] + planned[best];
		if (best == UINT32_MAX || load * planner->node_cpus[best] <
						  least * planner->node_cpus[i])
			best = i;
	}
	return best;
}
