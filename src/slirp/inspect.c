/* SPDX-License-Identifier: BSD-3-Clause */
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

unsigned int slirp_list_flows(struct slirp *slirp, struct slirp_flow_cursor *at,
			      struct slirp_flow *flow, unsigned int count)
{
	struct inspect_slice slice = { .at = at, .flow = flow, .count = count };

	while (!slice.written && at->shard < slirp->config.shard_count) {
		slice.shard = slirp->shard[at->shard];
		slirp_call_shard(slirp, at->shard, inspect_slice, &slice);
	}
	return slice.written;
}
