/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_INTERNAL_H
#define MQVMM_SCHED_PLACEMENT_INTERNAL_H

#include "sched/placement.h"

/**
 * struct planner - A plan in the making
 * @candidate:	By index of topology.cpu: threads may be put here
 * @load:	By index of topology.cpu: threads that are there, others' too
 * @vcpus_at:	By index of topology.cpu: vCPUs of this plan
 * @core_load:	By core
 * @l3_load:	By l3
 * @node_load:	By index of a node
 * @node_cpus:	By index of a node: candidates
 * @at:		By vCPU, index of its CPU
 * @cell_node:	By cell, indices of nodes that its threads are on
 */
struct planner {
	const struct topology *topology;
	const struct placement_request *request;
	const struct placement_taken *taken;
	struct placement *plan;
	struct fail *fail;
	bool candidate[TOPOLOGY_CPUS_MAX];
	uint16_t load[TOPOLOGY_CPUS_MAX];
	uint16_t vcpus_at[TOPOLOGY_CPUS_MAX];
	uint16_t core_load[TOPOLOGY_CPUS_MAX];
	uint16_t l3_load[TOPOLOGY_CPUS_MAX];
	unsigned int node_load[TOPOLOGY_NODES_MAX];
	unsigned int node_cpus[TOPOLOGY_NODES_MAX];
	unsigned int at[PLACEMENT_THREADS_MAX];
	bool cell_node[PLACEMENT_CELLS_MAX][TOPOLOGY_NODES_MAX];
};

/*
 * The parts of placement_plan(), in the order in which they are called. Those
 * that can fail return 0 or -EINVAL with planner->fail set.
 */

/* placement_cells.c: the guest's cells, and which nodes they are on */
int placement_choose_cells(struct planner *planner);

/* placement_nodes.c: what a guest of one cell is on; the idlest for one cell */
void placement_choose_nodes(struct planner *planner);
/* Of those with CPUs for which @skip says nothing, with @planned threads more
 */
unsigned int placement_idlest_node(const struct planner *planner,
				   const unsigned int *planned,
				   const bool *skip);

/* placement_threads.c: vCPUs, shards, helpers and polling */
int placement_choose_cpus(struct planner *planner);

/* placement_memory.c: where the cells' memory is, and their distances */
void placement_choose_memory(struct planner *planner);

#endif
