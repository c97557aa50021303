/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * The guest's transmitted frames, handed out in place (virtio 1.2, 5.1.6.2).
 * A chain's head is the frame's token, so frames may be outstanding in any
 * number and come back in any order without any state of ours. The header is
 * copied once; everything in it and behind it stays untrusted.
 */
#include <errno.h>
#include <string.h>

#include "virtio/net_port.h"

void net_iov_pull(struct iovec *iov, unsigned int *count, void *data,
		  size_t length)
{
	uint8_t *out = data;
	unsigned int used = 0;

	while (length) {
		struct iovec *front = &iov[used];
		size_t part = length < front->iov_len ? length : front->iov_len;

		if (out) {
			memcpy(out, front->iov_base, part);
			out += part;
		}
		front->iov_base = (uint8_t *)front->iov_base + part;
		front->iov_len -= part;
		length -= part;
		if (front->iov_len == 0)
			used++;
	}
	if (used) {
		*count -= used;
		memmove(iov, iov + used, *count * sizeof(*iov));
	}
}

static bool net_tx_fill(struct port_frame *frame,
			const struct vring_chain *chain)
{
	struct net_header header;

	if (chain->writable_count || chain->readable <= sizeof(header) ||
	    chain->readable > sizeof(header) + PORT_FRAME_MAX)
		return false;
	frame->iov_count = chain->readable_count;
	net_iov_pull(frame->iov, &frame->iov_count, &header, sizeof(header));
	/* The guest may write on: the compiler must not read it again. */
	__asm__ volatile("" : "+m"(header));
	frame->length = chain->readable - sizeof(header);
	frame->offload = (struct port_offload) {
		.flags = header.flags & (PORT_NEEDS_CSUM | PORT_DATA_VALID),
		.gso_type = header.gso_type,
		.header_len = header.hdr_len,
		.gso_size = header.gso_size,
		.csum_start = header.csum_start,
		.csum_offset = header.csum_offset,
	};
	frame->token = chain->head;
	return true;
}

int net_tx_take(struct port *base, struct port_frame *frame)
{
	struct net_port *port = (struct net_port *)base;
	struct net_queue *tx = &port->tx;
	struct vring_chain chain;
	int ret;

	if (!port->running)
		return 0;
	/* Bounded, or a driver that feeds malformed chains holds the shard. */
	for (unsigned int budget = tx->ring.size; budget; budget--) {
		ret = vring_pop(&tx->ring, frame->iov, PORT_IOV_MAX, &chain);
		if (ret == 0)
			return 0;
		if (ret == -EBADMSG) {
			net_queue_break(tx, port->transport);
			return 0;
		}
		if (ret == 1 && net_tx_fill(frame, &chain)) {
			net_stat_add(&tx->stats.frames, 1);
			net_stat_add(&tx->stats.bytes, frame->length);
			port->tx_lag_frames++;
			port->tx_lag_bytes += frame->length;
			return 1;
		}
		net_stat_add(&tx->stats.malformed, 1);
		vring_push(&tx->ring, chain.head, 0);
	}
	return 0;
}

void net_tx_done(struct port *base, uint32_t token)
{
	struct net_port *port = (struct net_port *)base;

	vring_push(&port->tx.ring, (uint16_t)token, 0);
}
