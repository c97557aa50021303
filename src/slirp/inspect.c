/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * A flow's fields are plain memory of its owner's. So the owner copies them,
 * for a caller that waits, between two turns and a slice of its slab at a
 * time: what a frame may have to wait for is the copying of one slice, some
 * microseconds. To read them from another thread under RCU would need an
 * atomic store for each counter of each flow and frame, for a listing that is
 * rarely asked for.
 *
 * A flow that moved behind the listing's back would be in it twice or not at
 * all. So moves pause while somebody lists (move_may_leave()), and a listing
 * goes on when no flow is between two shards. One that is given up is forgotten
 * when SLIRP_FLOWS_PATIENCE_US have passed since its last call.
 */

/* What one call to a shard does. */
struct inspect_slice {
	struct shard *shard;
	struct slirp_flow_cursor *at;
	struct slirp_flow *flow;
	unsigned int count;
	unsigned int written;
};

static uint64_t inspect_since_ms(const struct shard *shard, uint64_t then_us)
{
	return shard->now_us > then_us ? (shard->now_us - then_us) / 1000 : 0;
}

static void inspect_flow(const struct shard *shard, struct flow *flow,
			 struct slirp_flow *info)
{
	const struct flow_key *key = &flow->key;

	*info = (struct slirp_flow) {
		.protocol = key->protocol,
		.guest = { .address = key->guest, .port = key->guest_port },
		.peer = { .address = key->peer, .port = key->peer_port },
		.shard = shard->index,
		.tx_bytes = flow->tx_bytes,
		.rx_bytes = flow->rx_bytes,
		.age_ms = inspect_since_ms(shard, flow->made_us),
		.idle_ms = inspect_since_ms(shard, flow->active_us),
	};
	flow->ops->inspect(flow, info);
}

static void inspect_slice(void *context)
{
	struct inspect_slice *slice = context;
	struct shard *shard = slice->shard;

	for (unsigned int i = 0; i < SLIRP_FLOWS_SLICE; i++) {
		struct flow *flow;

		if (slice->at->slot >= shard->slab_used) {
			slice->at->shard++;
			slice->at->slot = 0;
			return;
		}
		if (slice->written == slice->count)
			return;
		flow = flow_in_slot(shard, slice->at->slot++);
		if (flow->ops && !flow->dead &&
		    flow->key.protocol != FLOW_LISTENER)
			inspect_flow(shard, flow,
				     &slice->flow[slice->written++]);
	}
}

static uint64_t inspect_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void inspect_nothing(void *context)
{
	(void)context;
}

/* Keep flows where they are. */
static void inspect_pause(struct slirp *slirp, bool begin)
{
	struct move_pause *pause = &slirp->move_pause;
	uint64_t now_us = inspect_clock_us();

	pthread_mutex_lock(&slirp->settings_lock);
	if (now_us >= pause->until_us)
		pause->listings = !begin;
	pause->listings += begin;
	__atomic_store_n(&pause->until_us, now_us + SLIRP_FLOWS_PATIENCE_US,
			 __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&slirp->settings_lock);
	/* Pairs with move_may_leave() and arrival_take_in(): a shard's turn
	 * takes in what is on its way to it. */
	while (__atomic_load_n(&pause->under_way, __ATOMIC_SEQ_CST) &&
	       slirp->shard[0]->started)
		for (unsigned int i = 0; i < slirp->config.shard_count; i++)
			slirp_call_shard(slirp, i, inspect_nothing, NULL);
}

static void inspect_resume(struct slirp *slirp)
{
	struct move_pause *pause = &slirp->move_pause;

	pthread_mutex_lock(&slirp->settings_lock);
	if (pause->listings && !--pause->listings)
		__atomic_store_n(&pause->until_us, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&slirp->settings_lock);
}

unsigned int slirp_list_flows(struct slirp *slirp, struct slirp_flow_cursor *at,
			      struct slirp_flow *flow, unsigned int count)
{
	struct inspect_slice slice = { .at = at, .flow = flow, .count = count };

	inspect_pause(slirp, !at->begun);
	at->begun = true;
	while (!slice.written && at->shard < slirp->config.shard_count) {
		slice.shard = slirp->shard[at->shard];
		slirp_call_shard(slirp, at->shard, inspect_slice, &slice);
	}
	if (!slice.written)
		inspect_resume(slirp);
	return slice.written;
}
