/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/placement_internal.h"

/* Return: index of the nearest node with memory that may be used, or UINT_MAX
 */
static unsigned int memory_near(const struct topology *topology,
				unsigned int node)
{
	const uint8_t *distance = topology->node[node].distance;
	unsigned int best = UINT32_MAX;

	for (unsigned int i = 0; i < topology->node_count; i++) {
		unsigned int at = i == node ? 0 : distance[i];

		if (!topology->node[i].allowed ||
		    !topology->node[i].total_bytes)
			continue;
		if (best == UINT32_MAX ||
		    at < (best == node ? 0 : distance[best]))
			best = i;
	}
	return best;
}

static unsigned int node_of_cpu(const struct topology *topology,
				unsigned int id)
{
	unsigned int i = 0;

	while (topology->cpu[i].id != id)
		i++;
	return topology->cpu[i].node;
}

/* The nodes that a cell's vCPUs are on, or the memory that is nearest to them
 */
static void follow_threads(struct planner *planner, unsigned int index)
{
	const struct topology *topology = planner->topology;
	struct placement *plan = planner->plan;

	for (unsigned int i = 0; i < plan->vcpus; i++) {
		unsigned int node;

		if (plan->vcpu_cell[i] != index)
			continue;
		node = memory_near(topology,
				   node_of_cpu(topology, plan->vcpu[i]));
		if (node != UINT32_MAX)
			id_set_add(&plan->cell[index].nodes,
				   topology->node[node].id);
	}
}

static void choose_nodes(struct planner *planner, unsigned int index)
{
	const struct placement_request *request = planner->request;
	struct placement_cell *cell = &planner->plan->cell[index];

	if (request->cell_count &&
	    !id_set_is_empty(&request->cell[index].nodes)) {
		cell->nodes = request->cell[index].nodes;
		cell->strict = true;
	} else if (planner->topology->node_count > 1 && planner->plan->pinned) {
		follow_threads(planner, index);
		cell->strict =
			planner->plan->numa && !id_set_is_empty(&cell->nodes);
	}
}

/* Least between any two of their nodes; ACPI wants it above the local one. */
static uint8_t distance_between(const struct topology *topology,
				const struct placement_cell *a,
				const struct placement_cell *b)
{
	unsigned int least = UINT8_MAX;

	if (a == b)
		return TOPOLOGY_DISTANCE_LOCAL;
	if (id_set_is_empty(&a->nodes) || id_set_is_empty(&b->nodes))
		return TOPOLOGY_DISTANCE_REMOTE;
	for (unsigned int i = 0; i < topology->node_count; i++) {
		const struct topology_node *node = &topology->node[i];

		for (unsigned int j = 0; j < topology->node_count; j++)
			if (id_set_has(&a->nodes, node->id) &&
			    id_set_has(&b->nodes, topology->node[j].id) &&
			    node->distance[j] < least)
				least = node->distance[j];
	}
	if (least == UINT8_MAX) /* ACPI's "cannot be reached" */
		return UINT8_MAX - 1;
	return least > TOPOLOGY_DISTANCE_LOCAL ? (uint8_t)least
					       : TOPOLOGY_DISTANCE_LOCAL + 1;
}

void placement_choose_memory(struct planner *planner)
{
	struct placement *plan = planner->plan;
	uint64_t start = 0;

	for (unsigned int i = 0; i < plan->cell_count; i++) {
		plan->cell[i].start = start;
		start += plan->cell[i].bytes;
		choose_nodes(planner, i);
	}
	for (unsigned int i = 0; i < plan->cell_count; i++)
		for (unsigned int j = 0; j < plan->cell_count; j++)
			plan->cell[i].distance[j] = distance_between(
				planner->topology, &plan->cell[i],
				&plan->cell[j]);
}
