/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * Receive space in the driver's posted buffers (virtio 1.2, 5.1.6.3, 5.1.6.4).
 * The avail ring only goes forward, but a shard reserves more than it uses. So
 * each popped chain has a slot, which is in one of three kinds of lists linked
 * by slot number: free slots, the stash (popped, nobody's), or a reservation's.
 * A reservation takes from the stash first, then from the ring; what a short
 * commit or a cancel leaves goes back to the stash's front. No slot is ever
 * short, because the ring bounds the chains that are out to its size.
 *
 * With MRG_RXBUF a frame takes as many chains as it needs, the header is in the
 * first. Without it a frame takes one chain, and a chain too short for its
 * frame goes back to the driver empty.
 *
 * Limits: a chain of more than PORT_IOV_MAX segments goes back empty too, and a
 * frame does not get space in more than PORT_IOV_MAX segments: a driver whose
 * buffers are below 1 KiB gets no 64 KiB frames. The header's place is recorded
 * only where it lies in one piece, else the chain is walked again.
 */
#include <errno.h>
#include <string.h>

#include "virtio/net_port.h"

#define HEADER_LEN sizeof(struct net_header)

void net_rx_reset(struct net_port *port, unsigned int slots)
{
	for (unsigned int i = 0; i < slots; i++)
		port->chain[i].next = i + 1;
	port->chain[slots - 1].next = NET_RX_NONE;
	port->rx_free = 0;
	port->rx_stash = NET_RX_NONE;
}

/* Take a list's first slot, which must exist. */
static uint16_t list_pop(struct net_port *port, uint16_t *list)
{
	uint16_t slot = *list;

	*list = port->chain[slot].next;
	return slot;
}

/* Put the linked slots @first to @last in front of a list. */
static void list_splice(struct net_port *port, uint16_t *list, uint16_t first,
			uint16_t last)
{
	port->chain[last].next = *list;
	*list = first;
}

static void chain_describe(struct net_rx_chain *slot, const struct iovec *iov,
			   const struct vring_chain *chain)
{
	slot->base = iov[0].iov_base;
	slot->length = chain->writable;
	slot->head = chain->head;
	slot->segments = chain->writable_count;
	slot->header_fits = iov[0].iov_len >= HEADER_LEN;
}

static bool chain_usable(const struct vring_chain *chain)
{
	return chain->readable_count == 0 && chain->writable >= HEADER_LEN &&
	       chain->writable <= UINT32_MAX;
}

static void chain_refuse(struct net_port *port, uint16_t head)
{
	net_stat_add(&port->rx.stats.malformed, 1);
	vring_push(&port->rx.ring, head, 0);
}

/* Pop chains until one is usable. Return: its slot, or NET_RX_NONE. */
static uint16_t chain_fetch(struct net_port *port)
{
	struct iovec iov[PORT_IOV_MAX];
	struct vring_chain chain;
	uint16_t slot;
	int ret;

	if (port->rx_stash != NET_RX_NONE)
		return list_pop(port, &port->rx_stash);
	for (unsigned int budget = port->rx.ring.size; budget; budget--) {
		ret = vring_pop(&port->rx.ring, iov, PORT_IOV_MAX, &chain);
		if (ret == -EBADMSG)
			net_queue_break(&port->rx, port->transport);
		if (ret == 0 || ret == -EBADMSG)
			return NET_RX_NONE;
		if (ret == 1 && chain_usable(&chain)) {
			slot = list_pop(port, &port->rx_free);
			chain_describe(&port->chain[slot], iov, &chain);
			return slot;
		}
		chain_refuse(port, chain.head);
	}
	return NET_RX_NONE;
}

/*
 * Append a chain's segments to a space. One of several segments is walked again
 * and described anew, because the driver may have changed it.
 */
static bool chain_append(struct net_port *port, struct net_rx_chain *slot,
			 struct port_space *space)
{
	struct iovec *iov = &space->iov[space->iov_count];
	unsigned int room = PORT_IOV_MAX - space->iov_count;
	struct vring_chain chain;

	if (slot->segments > room)
		return false;
	if (slot->segments == 1) {
		*iov = (struct iovec) { slot->base, slot->length };
	} else {
		int ret = vring_map(&port->rx.ring, slot->head, iov, room,
				    &chain);

		if (ret == -EBADMSG)
			net_queue_break(&port->rx, port->transport);
		if (ret != 1 || !chain_usable(&chain))
			return false;
		chain_describe(slot, iov, &chain);
	}
	space->iov_count += slot->segments;
	space->length += slot->length;
	return true;
}

/*
 * Add one more chain to a reservation.
 * Return: false if there is none or it does not fit; it is in the stash then.
 */
static bool space_grow(struct net_port *port, struct port_space *space)
{
	uint16_t slot = chain_fetch(port);

	if (slot == NET_RX_NONE)
		return false;
	if (!chain_append(port, &port->chain[slot], space)) {
		list_splice(port, &port->rx_stash, slot, slot);
		return false;
	}
	if (space->count++ == 0)
		space->first = slot;
	else
		port->chain[port->chain[space->first].last].next = slot;
	port->chain[space->first].last = slot;
	return true;
}

static void space_clear(struct port_space *space)
{
	space->iov_count = 0;
	space->length = 0;
	space->count = 0;
}

/* Gather @need bytes, header included. */
static bool space_fill(struct net_port *port, size_t need,
		       struct port_space *space)
{
	unsigned int budget = port->rx.ring.size;

	while (space->length < need && budget--) {
		if (!port->mergeable && space->count) {
			uint16_t slot = space->first;

			chain_refuse(port, port->chain[slot].head);
			list_splice(port, &port->rx_free, slot, slot);
			space_clear(space);
		}
		if (!space_grow(port, space))
			return false;
	}
	return space->length >= need;
}

int net_rx_reserve(struct port *base, size_t length, struct port_space *space)
{
	struct net_port *port = (struct net_port *)base;

	if (!port->active)
		return -ENOBUFS;
	space_clear(space);
	if (!space_fill(port, length + HEADER_LEN, space)) {
		net_rx_cancel(base, space);
		port->rx_starved = true;
		net_stat_add(&port->rx.stats.stalls, 1);
		return -ENOBUFS;
	}
	net_iov_pull(space->iov, &space->iov_count, NULL, HEADER_LEN);
	space->length -= HEADER_LEN;
	return 0;
}

void net_rx_cancel(struct port *base, struct port_space *space)
{
	struct net_port *port = (struct net_port *)base;

	if (space->count)
		list_splice(port, &port->rx_stash, space->first,
			    port->chain[space->first].last);
	space_clear(space);
}

/* Write a header that lies in several of the chain's segments. */
static void header_scatter(struct net_port *port, uint16_t head,
			   const struct net_header *header)
{
	const uint8_t *data = (const uint8_t *)header;
	struct iovec iov[PORT_IOV_MAX];
	struct vring_chain chain;
	size_t left = HEADER_LEN;

	if (vring_map(&port->rx.ring, head, iov, PORT_IOV_MAX, &chain) != 1 ||
	    !chain_usable(&chain)) {
		net_queue_break(&port->rx, port->transport);
		return;
	}
	for (unsigned int i = 0; left; i++) {
		size_t part = left < iov[i].iov_len ? left : iov[i].iov_len;

		memcpy(iov[i].iov_base, data, part);
		data += part;
		left -= part;
	}
}

static void header_write(struct net_port *port, const struct net_rx_chain *slot,
			 const struct port_offload *offload,
			 unsigned int buffers)
{
	struct net_header header = { .num_buffers = buffers };

	if (offload) {
		header.flags = offload->flags;
		header.gso_type = offload->gso_type;
		header.hdr_len = offload->header_len;
		header.gso_size = offload->gso_size;
		header.csum_start = offload->csum_start;
		header.csum_offset = offload->csum_offset;
	}
	if (slot->header_fits)
		memcpy(slot->base, &header, sizeof(header));
	else
		header_scatter(port, slot->head, &header);
}

void net_rx_commit(struct port *base, struct port_space *space, size_t length,
		   const struct port_offload *offload)
{
	struct net_port *port = (struct net_port *)base;
	uint16_t first = space->first;
	uint16_t end = port->chain[first].last;
	uint16_t slot = first;
	size_t left = length + HEADER_LEN;
	unsigned int buffers = 1;

	while (left > port->chain[slot].length) {
		vring_push(&port->rx.ring, port->chain[slot].head,
			   (uint32_t)port->chain[slot].length);
		left -= port->chain[slot].length;
		slot = port->chain[slot].next;
		buffers++;
	}
	vring_push(&port->rx.ring, port->chain[slot].head, (uint32_t)left);
	header_write(port, &port->chain[first], offload, buffers);
	if (slot != end)
		list_splice(port, &port->rx_stash, port->chain[slot].next, end);
	list_splice(port, &port->rx_free, first, slot);
	space_clear(space);
	net_stat_add(&port->rx.stats.frames, 1);
	net_stat_add(&port->rx.stats.bytes, length);
}
