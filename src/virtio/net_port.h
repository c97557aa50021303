/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_NET_PORT_H
#define MQVMM_VIRTIO_NET_PORT_H

#include "slirp/port.h"
#include "virtio/net_wire.h"
#include "virtio/vring.h"

/* Two cache lines: CPUs prefetch the neighbour too. */
#define NET_PORT_ALIGN 128

/**
 * struct net_queue_stats - What one queue did since the device was made
 * @frames, @bytes: Carried, without the virtio-net header
 * @interrupts:	Sent
 * @suppressed:	Interrupts that the driver did not want
 * @malformed:	Chains given back without a frame in them
 * @stalls:	Receive only: times the driver had not posted enough
 * @broken:	Times the driver broke the ring
 *
 * Written by the queue's thread, read by any, relaxed and lock-free.
 */
struct net_queue_stats {
	uint64_t frames;
	uint64_t bytes;
	uint64_t interrupts;
	uint64_t suppressed;
	uint64_t malformed;
	uint64_t stalls;
	uint64_t broken;
};

/**
 * struct net_queue - One ring and what goes with it
 * @ring:	Zeroed while the port is stopped
 * @index:	Of the virtqueue
 * @reported:	The transport knows that the ring is broken
 * @stats:	Its counters
 */
struct net_queue {
	struct vring ring;
	unsigned int index;
	bool reported;
	struct net_queue_stats stats;
};

#define NET_RX_NONE UINT16_MAX

/**
 * struct net_rx_chain - A receive chain that was popped and not yet used
 * @base:	Its first segment
 * @length:	All of its segments, bytes
 * @head:	Its name in the ring
 * @segments:	How many
 * @header_fits: The first segment holds a whole virtio-net header
 * @next:	In a list: slot, or NET_RX_NONE
 * @last:	In a reservation's first chain: the slot of its last
 */
struct net_rx_chain {
	uint8_t *base;
	size_t length;
	uint16_t head;
	uint16_t segments;
	bool header_fits;
	uint16_t next;
	uint16_t last;
};

/**
 * struct net_port - One queue pair as its shard's port
 * @base:	What the shard sees
 * @transport:	Interrupts go through it
 * @kick_fd:	Doorbells of both queues
 * @running:	The rings are valid
 * @active:	Below the driver's VQ_PAIRS_SET
 * @mergeable:	VIRTIO_NET_F_MRG_RXBUF was agreed
 * @rx_starved:	An rx_reserve failed since the last arm
 * @tx_put_off:	An interrupt for transmitted frames waits for settle
 * @tx_lag_frames, @tx_lag_bytes: Taken since the last one was judged
 * @features:	Agreed
 * @device_mtu:	Offered with VIRTIO_NET_F_MTU, bytes
 * @on_wake:	Called at the start of each turn, or NULL
 * @on_wake_context: Passed to it
 * @tx, @rx:	The pair's queues
 * @rx_free:	List of unused slots of @chain
 * @rx_stash:	List of popped chains that no reservation holds
 * @chain:	Slots, one for each entry that the ring may have
 *
 * Owned by the shard's thread while @running; by the device's caller before.
 */
struct net_port {
	struct port base;
	struct virtio_transport *transport;
	int kick_fd;
	bool running;
	bool active;
	bool mergeable;
	bool rx_starved;
	bool tx_put_off;
	uint32_t tx_lag_frames;
	uint64_t tx_lag_bytes;
	uint64_t features;
	unsigned int device_mtu;
	void (*on_wake)(void *context);
	void *on_wake_context;
	struct net_queue tx __attribute__((aligned(64)));
	struct net_queue rx __attribute__((aligned(64)));
	uint16_t rx_free;
	uint16_t rx_stash;
	struct net_rx_chain chain[];
} __attribute__((aligned(NET_PORT_ALIGN)));

/**
 * net_port_create() - Allocate a stopped port
 * @pair:	Which queue pair
 * @queue_size_max: Entries that its rings may have
 * @mtu:	Offered, bytes of IP packet
 *
 * Return: 0, -ENOMEM, or the negative errno of eventfd()
 */
int net_port_create(unsigned int pair, uint16_t queue_size_max,
		    unsigned int mtu, struct net_port **out);

/** net_port_destroy() - Free a stopped port; NULL does nothing */
void net_port_destroy(struct net_port *port);

/**
 * net_port_prepare() - Translate the rings of a stopped port
 * @queue:	The receive queue's set-up and behind it the transmit queue's;
 *		a pair of which one is not enabled stays unusable
 * @features:	Agreed
 *
 * Return: 0, -EINVAL or -EFAULT (vring_init())
 *
 * Context: the transport's lock; the shard's thread does not look at the rings.
 */
int net_port_prepare(struct net_port *port, const struct guest_memory *memory,
		     struct virtio_transport *transport,
		     const struct virtio_queue_setup *queue, uint64_t features);

/** net_port_usable() - Return: true if the driver has set up both rings */
bool net_port_usable(const struct net_port *port);

/**
 * net_port_start() - Let the shard use the prepared rings, both ways
 * net_port_pause() - Take no more receive space; what was transmitted before
 *	still comes out. net_port_start() undoes it.
 * net_port_stop() - Forget the rings; guest memory is not touched afterwards
 * @context:	struct net_port
 *
 * Context: the shard's thread between turns (virtio_net_backend.call_queue).
 */
void net_port_start(void *context);
void net_port_pause(void *context);
void net_port_stop(void *context);

/**
 * net_queue_break() - The driver broke a ring: count it and say so once
 * net_queue_interrupt() - Used buffers were published: interrupt if wanted
 *
 * Context: the queue's thread; one system call at most.
 */
void net_queue_break(struct net_queue *queue,
		     struct virtio_transport *transport);
unsigned int net_queue_interrupt(struct net_queue *queue,
				 struct virtio_transport *transport);

/**
 * net_stat_add(), net_stat_read() - One writer, any number of readers
 *
 * Relaxed on both sides: a counter orders nothing.
 */
static inline void net_stat_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t net_stat_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/**
 * net_tx_take(), net_tx_done() - Transmit part of the port's operations
 * net_rx_reserve(), net_rx_commit(), net_rx_cancel() - Receive part
 *
 * As struct port_ops demands (slirp/port.h). Context: the shard's thread.
 */
int net_tx_take(struct port *base, struct port_frame *frame);
void net_tx_done(struct port *base, uint32_t token);
int net_rx_reserve(struct port *base, size_t length, struct port_space *space);
void net_rx_commit(struct port *base, struct port_space *space, size_t length,
		   const struct port_offload *offload);
void net_rx_cancel(struct port *base, struct port_space *space);

/**
 * net_rx_reset() - Forget all chains
 * @slots:	Entries of the receive ring
 */
void net_rx_reset(struct net_port *port, unsigned int slots);

/**
 * net_iov_pull() - Take bytes off the front of a list of segments
 * @iov:	Segments
 * @count:	How many; fewer afterwards if some were used up
 * @data:	Where the bytes are copied to, NULL to skip them
 * @length:	Bytes, at most the sum of the segments
 *
 * Context: any; reads guest memory that may change meanwhile.
 */
void net_iov_pull(struct iovec *iov, unsigned int *count, void *data,
		  size_t length);

#endif
