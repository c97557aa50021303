/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/near.h"

#include <numa.h>
#include <numaif.h>

void near_shard(const struct placement *plan, unsigned int shard)
{
	struct id_set nodes = { 0 };
	int node;

	if (!plan->pinned || numa_available() < 0 || numa_max_node() == 0)
		return;
	if (shard >= plan->shards) {
		(void)set_mempolicy(MPOL_DEFAULT, NULL, 0);
		return;
	}
	node = numa_node_of_cpu((int)plan->shard[shard]);
	if (node < 0)
		return;
	id_set_add(&nodes, (unsigned int)node);
	(void)set_mempolicy(MPOL_PREFERRED, (const unsigned long *)nodes.word,
			    ID_SET_MAX);
}
