/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_NEAR_H
#define MQVMM_SCHED_NEAR_H

#include "sched/placement.h"

/**
 * near_shard() - What the calling thread touches first comes from near a shard
 * @plan:	From placement_plan_host()
 * @shard:	Whose CPU's node is preferred; plan->shards for the default,
 *		which is the node of the CPU that the thread is on
 *
 * A preference (set_mempolicy(2)): where the kernel refuses it nothing changes.
 * Does nothing on a host of one node, and for shards that are not pinned.
 *
 * Context: any thread; changes the policy of that thread alone.
 */
void near_shard(const struct placement *plan, unsigned int shard);

#endif
