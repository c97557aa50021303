/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_TOPOLOGY_INTERNAL_H
#define MQVMM_SCHED_TOPOLOGY_INTERNAL_H

#include "sched/host_file.h"
#include "sched/id_set.h"
#include "sched/topology.h"

/* The parts of topology_read(), in the order in which they are called. */

/**
 * struct topology_share - What of the host this process may use
 * @cpus:	CPUs, by affinity and cpuset
 * @nodes:	Nodes that memory may come from
 * @cpus_told, @nodes_told: False: the host does not tell, so all of them
 * @quota_millicpus: As in struct topology
 */
struct topology_share {
	struct id_set cpus;
	struct id_set nodes;
	bool cpus_told;
	bool nodes_told;
	uint32_t quota_millicpus;
};

/* topology_share.c: affinity (proc_pid_status(5)) and cgroups (cgroups(7)) */
void topology_read_share(struct host_file *file, struct topology_share *share);

/**
 * topology_read_cpus() - Find the CPUs, and what they have in common
 * @topology:	Gets cpu[] in ascending order of id, without nodes, and counts
 *
 * topology_cpu.c
 */
void topology_read_cpus(struct host_file *file,
			const struct topology_share *share,
			struct topology *topology);

/**
 * topology_read_nodes() - Find the nodes, and give each CPU its node
 *
 * topology_node.c
 */
void topology_read_nodes(struct host_file *file,
			 const struct topology_share *share,
			 struct topology *topology);

#endif
