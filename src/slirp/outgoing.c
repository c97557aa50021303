/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "slirp/shard_internal.h"

/*
 * Frames towards the guest: into the guest's own buffers where the flow's
 * receive queue is this shard's, else into a buffer that travels to the shard
 * whose queue it is.
 */

/* Receive steering stays below the number of pairs in use
 * (virtio 1.2, 5.1.6.5.5) */
static unsigned int outgoing_steer(const struct shard *shard,
				   unsigned int queue)
{
	unsigned int queues =
		__atomic_load_n(&shard->slirp->queues, __ATOMIC_RELAXED);

	if (shard->features.rx_steers_tx)
		return shard->index;
	return queue < queues ? queue : queue % queues;
}

static int outgoing_begin_handoff(struct shard *shard, size_t length,
				  struct outgoing *out)
{
	struct handoff *handoff = handoff_take(shard, length, true);

	if (!handoff)
		return -ENOBUFS;
	out->handoff = handoff;
	out->space.iov[0].iov_base = handoff->data;
	out->space.iov[0].iov_len = length;
	out->space.iov_count = 1;
	out->space.length = length;
	return 0;
}

int outgoing_begin(struct shard *shard, unsigned int queue, size_t length,
		   struct outgoing *out)
{
	out->queue = outgoing_steer(shard, queue);
	out->handoff = NULL;
	if (out->queue != shard->index)
		return outgoing_begin_handoff(shard, length, out);
	/* What waits for space here goes before what comes now. */
	if (!shard->features.active || shard->backlog_first)
		return -ENOBUFS;
	return shard->port->ops->rx_reserve(shard->port, length, &out->space);
}

void outgoing_commit(struct shard *shard, struct outgoing *out, size_t length,
		     const struct port_offload *offload)
{
	if (!out->handoff) {
		SHARD_COUNT(shard, rx_frames, 1);
		SHARD_COUNT(shard, rx_bytes, length);
		if (shard->pcap)
			pcap_note(shard, out->space.iov, out->space.iov_count,
				  length, true);
		shard->port->ops->rx_commit(shard->port, &out->space, length,
					    offload);
		return;
	}
	out->handoff->message.kind = MESSAGE_RX;
	out->handoff->length = length;
	out->handoff->offload =
		offload ? *offload : (struct port_offload) { 0 };
	handoff_send(shard, out->queue, out->handoff);
}

void outgoing_cancel(struct shard *shard, struct outgoing *out)
{
	if (out->handoff)
		handoff_put(shard, out->handoff);
	else
		shard->port->ops->rx_cancel(shard->port, &out->space);
}

int outgoing_send(struct shard *shard, unsigned int queue, const void *frame,
		  size_t length, const struct port_offload *offload)
{
	struct outgoing out;
	int ret = outgoing_begin(shard, queue, length, &out);

	if (ret)
		return ret;
	iov_write(out.space.iov, out.space.iov_count, 0, frame, length);
	outgoing_commit(shard, &out, length, offload);
	return 0;
}
