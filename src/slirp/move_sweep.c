/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/move.h"

/*
 * Theory of operation
 *
 * The guest may use fewer queue pairs than there are (virtio 1.2, 5.1.6.5.5).
 * Frames of the flows of other queues' shards then come in elsewhere, and those
 * that have frames soon move by themselves; but a flow that is idle, or only
 * hears from the host, would keep a shard awake that has nothing else to do. So
 * such a shard looks through its flows, a part between two turns, and proposes
 * each to the shard whose queue its frames to the guest take; again after
 * SWEEP_AGAIN_US, for those that could not leave or have come since.
 */

#define SWEEP_SLOTS    256 /* looked at between two turns */
#define SWEEP_AGAIN_US 1000000

/* Return: false if no record is free */
static bool sweep_slot(struct shard *shard, unsigned int queues)
{
	struct flow *flow = flow_in_slot(shard, shard->sweep_slot);

	if (!flow->ops || flow->dead || !move_is_possible(shard, flow))
		return true;
	return move_propose(shard, flow, flow->rx_queue % queues);
}

static void sweep_part(struct shard *shard, unsigned int queues)
{
	for (unsigned int i = 0; i < SWEEP_SLOTS; i++, shard->sweep_slot++) {
		if (shard->sweep_slot >= shard->slab_used) {
			shard->sweep_us = shard->now_us + SWEEP_AGAIN_US;
			shard->sweep_slot = 0;
			return;
		}
		/* An answer wakes us, and makes one free. */
		if (!sweep_slot(shard, queues))
			return;
	}
	shard->more = true;
}

void move_sweep(struct shard *shard)
{
	unsigned int queues =
		__atomic_load_n(&shard->slirp->queues, __ATOMIC_RELAXED);

	if (queues != shard->swept_queues) {
		shard->swept_queues = queues;
		shard->sweep_slot = 0;
		shard->sweep_us = 0;
	}
	if (shard->index >= queues && shard->now_us >= shard->sweep_us)
		sweep_part(shard, queues);
}
