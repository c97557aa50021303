/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_FLOW_H
#define MQVMM_SLIRP_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/rculfhash.h>

#include "slirp/timer.h"

/*
 * Theory of operation
 *
 * A flow is one conversation of the guest's with one host socket behind it. It
 * has one owner, the only shard that touches it. It is found two ways: through
 * the owner's private index (no lock, no RCU: the hot path), and, by other
 * shards, through the one shared table (cds_lfht under liburcu's QSBR flavour),
 * which answers only "who owns this key?".
 *
 * Flows live in a slab of fixed slots per shard. A freed flow's slot is used
 * again only after a grace period, since another shard may be looking at its
 * key; slot generations tell late events of a dead flow from those of the next.
 */

/**
 * struct flow_key - What makes a flow, as the guest sees it; hashed as bytes
 * @guest, @peer: Addresses, IPv4 as ::ffff:a.b.c.d
 * @guest_port, @peer_port: Host byte order; for ICMP echo the identifier and 0
 * @protocol:	IPPROTO_*, or FLOW_LISTENER
 * @shard:	A listener's, else 0
 *
 * For UDP @peer and @peer_port are zero: one mapping for all that a guest's
 * port talks to (endpoint-independent mapping, RFC 4787 4.1). Queries to the
 * DNS address are apart, with it as @peer, and so are clients of forwards. A
 * forward's UDP socket is a flow, too: @guest is where it leads, @peer where it
 * listens.
 */
struct flow_key {
	struct in6_addr guest;
	struct in6_addr peer;
	uint16_t guest_port;
	uint16_t peer_port;
	uint8_t protocol;
	uint8_t zero;
	uint16_t shard;
};

#define FLOW_LISTENER 0 /* flow_key.protocol of what is not the guest's */

struct shard;
struct packet;
struct flow;
struct slirp_flow;
struct move;

/* What a flow is worth when room for another is needed (flow_admit.c). */
enum flow_class {
	FLOW_ASKING,    /* UDP, DNS, echo that nobody has answered yet */
	FLOW_DATAGRAM,  /* UDP, DNS, echo, since then */
	FLOW_HALF_OPEN, /* TCP, before both sides have agreed */
	FLOW_STREAM,    /* TCP, since then */
	FLOW_ENDED,     /* known for a while yet, without a socket */
	FLOW_CLASSES,
	FLOW_PINNED = FLOW_CLASSES, /* never gives way */
};

/**
 * struct flow_ops - What a protocol does for its flows
 * @input:	A frame from the guest; @packet->l4 stands at the transport
 *header, and the transport checksum has been checked
 * @event:	The socket is ready (ENGINE_* bits)
 * @timer:	flow->timer expired
 * @resume:	Receive space is there again after shard_stall_flow(), or the
 *		turn's end was asked for with shard_queue_ack()
 * @abort:	End it now: another flow needs its place, or the NAT is
 *		destroyed. Must call flow_free(), and queues nothing: it may be
 *		called while another flow's operation is finished.
 * @inspect:	Fill in @info's state and, where it is known, rtt_us
 * @movable:	Between batches: could it go to another shard now? NULL: never
 * @arrive:	It has come from another shard: watch its socket, see to what is
 *		due. Return: how many buffers of shard_take_keep() of that
 *		shard's it has brought, 0 or 1
 *
 * Each of the others may queue up to FLOW_OPS_MAX engine operations and may
 * free its flow.
 */
struct flow_ops {
	void (*input)(struct shard *shard, struct flow *flow,
		      struct packet *packet);
	void (*event)(struct shard *shard, struct flow *flow,
		      unsigned int ready);
	void (*timer)(struct shard *shard, struct flow *flow);
	void (*resume)(struct shard *shard, struct flow *flow);
	void (*abort)(struct shard *shard, struct flow *flow);
	void (*inspect)(struct flow *flow, struct slirp_flow *info);
	bool (*movable)(struct shard *shard, const struct flow *flow);
	unsigned int (*arrive)(struct shard *shard, struct flow *flow);
};

#define FLOW_OPS_MAX 4

/**
 * struct flow - What all protocols' flows begin with
 * @node:	In the shared table
 * @key:	Does not change while in the table
 * @published:	Non-zero once @key may be read by other shards: stored after
 *		the key, pairs with the load in the table's match function
 * @owner:	Shard; read by other shards under RCU
 * @hash:	Of @key
 * @generation:	Of the slot, bumped when it is freed
 * @slot:	Index in the owner's slab
 * @dead:	Freed; operations in flight are dropped
 * @stalled, @ack_queued: On the shard's list of that name
 * @class:	Which list of idle flows it is on
 * @idle_prev, @idle_next: Slots of its neighbours there, plus one; 0 for none
 * @listed_ms:	When it was last moved to that list's end: at most a second
 *		before it last did anything
 * @unlisted:	Another shard's slot, where it goes to, is in the table for it
 * @away:	Frames in a row that came from @rx_queue, another shard's
 * @moved_ms:	When it came here, or was refused elsewhere; the shard's clock
 * @move:	It is about to move
 * @rx_queue:	Queue that the guest last transmitted on; receive steering
 * @sock:	Host socket, -1 if none
 * @ops:	The protocol's
 * @timer:	The flow's one timer
 * @stall_next, @ack_next: Links of those lists
 * @tx_bytes, @rx_bytes: Payload from the guest and to it, once each; TCP's
 *		rx_bytes with SYN and FIN
 * @made_us:	Beginning, shard's clock
 * @active_us:	Last payload, either way
 * @free_after:	Grace period that must have passed before the slot is reused
 * @free_next:	In the limbo or free list
 */
struct flow {
	/* What other shards read has a line of its own. */
	struct cds_lfht_node node;
	struct flow_key key;
	uint32_t published;
	uint16_t owner;

	uint32_t hash;
	uint32_t generation;
	uint32_t slot;
	uint16_t rx_queue;
	bool dead;
	bool stalled;
	bool ack_queued;
	bool unlisted;
	uint8_t away;
	uint8_t class; /* enum flow_class */
	uint32_t moved_ms;
	struct move *move;
	uint32_t idle_prev;
	uint32_t idle_next;
	uint32_t listed_ms;
	int sock;
	const struct flow_ops *ops;
	struct timer timer;
	struct flow *stall_next;
	struct flow *ack_next;
	uint64_t tx_bytes;
	uint64_t rx_bytes;
	uint64_t made_us;
	uint64_t active_us;
	uint64_t free_after;
	struct flow *free_next;
};

#define FLOW_SLOT_SIZE 448 /* bytes per flow of any protocol */

/* Slot, private index and shared table together, for each slot, bytes. */
#define FLOW_MEMORY_MAX 512

/**
 * flow_create() - Make a flow that this shard owns, in both indexes
 * @key:	Not in the private index
 * @ops:	The protocol's
 * @owner:	Set when another shard owns @key already
 *
 * Where slots or descriptors run out the oldest idle flow gives way: its abort
 * is called.
 *
 * Return: the flow, zeroed behind struct flow, sock -1; NULL with *owner set
 * to another shard's index when that shard owns the key; NULL with *owner set
 * to this shard's when a limit forbids it, which has been counted
 */
struct flow *flow_create(struct shard *shard, const struct flow_key *key,
			 const struct flow_ops *ops, unsigned int *owner);

/**
 * flow_find() - Look a key up in the shard's private index
 *
 * Return: the flow, NULL if this shard does not own it
 */
struct flow *flow_find(struct shard *shard, const struct flow_key *key);

/**
 * flow_look_up() - Look a key up among all shards' flows
 *
 * Of another shard's flow only key, owner and ops may be read, and what its
 * protocol publishes for that.
 *
 * Return: the flow, valid until the turn ends; NULL if there is none
 */
const struct flow *flow_look_up(struct shard *shard,
				const struct flow_key *key);

/**
 * flow_free() - Take a flow out of both indexes, close its socket later in the
 *		turn, cancel its timer
 */
void flow_free(struct shard *shard, struct flow *flow);

/**
 * flow_close_socket() - Close the socket later in the turn; the flow stays
 *
 * Operations that are queued for it are dropped, without done(). It does not
 * count for limits any more, and gives way to any other.
 */
void flow_close_socket(struct shard *shard, struct flow *flow);

/* Both sides have spoken: a TCP flow is half open no more, a datagram was
 * answered. */
void flow_settle(struct shard *shard, struct flow *flow);

/* A flow that somebody configured, and that must not give way. */
void flow_pin(struct shard *shard, struct flow *flow);

/* Token of a flow's socket for engine_watch(). */
uint64_t flow_token(const struct flow *flow);

#endif
