/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_SHARD_H
#define MQVMM_SLIRP_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "slirp/engine.h"
#include "slirp/flow.h"
#include "slirp/port.h"
#include "slirp/slirp.h"
#include "slirp/timer.h"
#include "slirp/wire.h"

struct dns_cache;
struct udp_filter;
struct resolvers;

/*
 * Theory of operation
 *
 * What protocols (tcp.c, udp.c, ...) may ask of the shard that runs them. All
 * of it is for the shard's own thread, inside a turn:
 *
 *   clock - take frames, input() each - run the batch, done() each - events -
 *   run - acknowledgements - run - timers - flush the port - close sockets -
 *   quiescent - wait
 *
 * A protocol never calls the kernel for payload itself: it queues operations
 * (shard_queue_op) that run together, and goes on in done(). Before each call
 * into a protocol the shard makes sure that FLOW_OPS_MAX operations fit.
 */

/**
 * struct shard_counters - One writer, the shard; relaxed reads by anybody
 *
 * Named in the statistics as here.
 */
struct shard_counters {
	uint64_t turns;
	uint64_t waits;
	uint64_t polls;    /* spins for work instead of a wait */
	uint64_t poll_us;  /* spent in them */
	uint64_t poll_won; /* of them, those that saved the wait */
	uint64_t kicks;    /* doorbells that the shard was told of */
	uint64_t tx_frames, tx_bytes;
	uint64_t rx_frames, rx_bytes;
	uint64_t tx_malformed;   /* dropped: not a frame that we can read */
	uint64_t tx_unsupported; /* dropped: protocol that is not carried */
	uint64_t rx_stalls;      /* frame for the guest had to wait for space */
	uint64_t tx_fragments;   /* pieces of datagrams */
	uint64_t reassembled;    /* datagrams put together of them */
	uint64_t reassembly_failed; /* not: overlap, time-out, no room */
	uint64_t tx_dropped;        /* datagrams the host did not take */
	uint64_t rx_dropped;        /* datagrams the guest had no space for */
	uint64_t rx_filtered; /* datagrams that the guest did not ask for */
	uint64_t handoffs_out, handoffs_in; /* frames of other shards' flows */
	uint64_t handoffs_full; /* had to wait for a hand-off buffer */
	uint64_t flows_made, flows_ended, flows_refused;
	/* Of these: above a limit, too fast, no slot or descriptor */
	uint64_t refused_limit, refused_rate, refused_full;
	uint64_t flows_evicted;                   /* gave way to another */
	uint64_t flows_moved_in, flows_moved_out; /* from, to other shards */
	uint64_t moves_refused;   /* by the shard that the flow would go to */
	uint64_t moves_put_off;   /* the flow was not at rest */
	uint64_t moves_ended;     /* the flow ended first */
	uint64_t accepts_delayed; /* a listener had to wait for descriptors */
	uint64_t policy_denied;   /* connections, datagrams, echo requests */
	uint64_t tcp_flows, udp_flows, icmp_flows; /* made, by protocol */
	uint64_t tcp_retransmits, tcp_resets;
	uint64_t dns_queries, dns_cache_hits, dns_cache_misses;
	uint64_t operations, batches;
	uint64_t syscalls; /* of the shard's thread, its port's included */
};

/* Add to one of the calling shard's counters. */
#define SHARD_COUNT(shard, name, n)                    \
	__atomic_store_n(&shard_counters(shard)->name, \
			 shard_counters(shard)->name + (n), __ATOMIC_RELAXED)

struct shard_counters *shard_counters(struct shard *shard);

const struct slirp_config *shard_config(const struct shard *shard);

/* The policy in force; valid until the turn ends. */
const struct slirp_policy *shard_policy(const struct shard *shard);

/* CLOCK_MONOTONIC at the beginning of the turn. */
uint64_t shard_now_ms(const struct shard *shard);
uint64_t shard_now_us(const struct shard *shard);

/* A flow has carried payload: from the guest, or to it. */
static inline void shard_carried_tx(const struct shard *shard,
				    struct flow *flow, uint64_t bytes)
{
	flow->tx_bytes += bytes;
	flow->active_us = shard_now_us(shard);
}

static inline void shard_carried_rx(const struct shard *shard,
				    struct flow *flow, uint64_t bytes)
{
	flow->rx_bytes += bytes;
	flow->active_us = shard_now_us(shard);
}

/* What the shard's own port's driver takes at this moment. */
const struct port_features *shard_features(const struct shard *shard);

/* Have another shard look at the frame in hand: it owns its key. */
void shard_hand_over(struct shard *shard, int owner, struct packet *packet);

/* Its number, as in flow->owner; also that of its own queue pair. */
unsigned int shard_index(const struct shard *shard);

/* Queue that the frame in hand was transmitted on: where an answer goes that
 * belongs to no flow. */
unsigned int shard_input_queue(const struct shard *shard);

/* The host's resolvers, the same list for the whole turn. */
struct resolvers *shard_resolvers(const struct shard *shard);

/* The shard's DNS answers, NULL where none are kept. */
struct dns_cache *shard_dns_cache(struct shard *shard);

/* Who may write to the shard's mappings, NULL where anybody may. */
struct udp_filter *shard_udp_filter(struct shard *shard);

struct timer_wheel *shard_timers(struct shard *shard);
struct engine *shard_engine(struct shard *shard);

/**
 * struct outgoing - A frame on its way to the guest
 * @space:	Where to write it: iov, iov_count, length. In the guest's
 *		buffers, or in a hand-off buffer when the receive queue is
 *		another shard's.
 * @queue:	Receive queue
 * @handoff:	The shard's own
 */
struct outgoing {
	struct port_space space;
	unsigned int queue;
	struct handoff *handoff;
};

/**
 * outgoing_begin() - Get space for a frame of up to @length bytes
 * @queue:	Receive queue it should go to (flow->rx_queue); steered below
 *the number of queue pairs in use
 *
 * Return: 0, or -ENOBUFS: shard_stall_flow() then, or drop
 */
int outgoing_begin(struct shard *shard, unsigned int queue, size_t length,
		   struct outgoing *out);

/* Send the first @length bytes of it; @offload may be NULL. */
void outgoing_commit(struct shard *shard, struct outgoing *out, size_t length,
		     const struct port_offload *offload);
void outgoing_cancel(struct shard *shard, struct outgoing *out);

/**
 * outgoing_send() - Send a small frame from plain memory: begin, copy, commit
 *
 * Return: 0 or -ENOBUFS
 */
int outgoing_send(struct shard *shard, unsigned int queue, const void *frame,
		  size_t length, const struct port_offload *offload);

/**
 * struct shard_op - One queued operation
 * @op:		What the engine does; filled in by the protocol
 * @flow:	Whose it is
 * @by:		Whose socket it is on: @flow's, unless changed together with
 *		op.fd
 * @done:	Called in queueing order once the batch has run, with op.result;
 *not called when the flow died or lost its socket meanwhile (then @out is
 * cancelled)
 * @out:	For receives straight into the guest's buffers
 * @has_out:	@out is reserved: done() must commit or cancel it
 * @context:	The protocol's
 * @index:	Its place in the batch
 */
struct shard_op {
	struct engine_op op;
	struct flow *flow;
	struct flow *by;
	void (*done)(struct shard *shard, struct shard_op *op);
	struct outgoing out;
	bool has_out;
	uint64_t context;
	unsigned int index;
};

/**
 * shard_queue_op() - Add an operation to the turn's batch
 * @flow:	Its socket is operated on: op.fd is set to flow->sock
 * @done:	See struct shard_op
 *
 * At most FLOW_OPS_MAX from inside one call into a protocol (input, event,
 * timer, resume), and one from inside done(). Bytes that the operation reads
 * from the guest's frame stay in place until the turn ends.
 *
 * Return: the operation; op.message, op.iov are zeroed counts, to be filled in
 */
struct shard_op *shard_queue_op(struct shard *shard, struct flow *flow,
				enum engine_op_kind kind,
				void (*done)(struct shard *shard,
					     struct shard_op *op));

/**
 * shard_run_batch() - Run what is queued now, and what done() queues
 *
 * For input() only, when a flow's next bytes cannot join the operation that is
 * queued for it: a second one behind it could succeed where the first fell
 * short. The caller's flow may be dead afterwards.
 */
void shard_run_batch(struct shard *shard);

/**
 * shard_stall_flow() - Have flow->ops->resume called when receive space may be
 *		there again
 */
void shard_stall_flow(struct shard *shard, struct flow *flow);

/**
 * shard_queue_ack() - Have flow->ops->resume called once near the end of this
 *		turn, after batches have run: the place to acknowledge what
 *		the turn took, and to receive more
 */
void shard_queue_ack(struct shard *shard, struct flow *flow);

/* What the kernel may buffer for a flow, both ways, bytes; 0 for no limit. */
uint32_t shard_flow_memory(const struct shard *shard);

/**
 * shard_limit_socket() - Hold a flow's new socket to the guest's flow-memory=
 *
 * shard_take_socket() and shard_open_socket() have done it.
 */
void shard_limit_socket(struct shard *shard, int sock);

/* Source ports that the host's kernel may choose for a socket, inclusive. */
struct shard_ports {
	uint16_t first;
	uint16_t last;
};

/**
 * shard_take_socket() - A TCP socket made ready in advance
 * @family:	AF_INET or AF_INET6
 * @ports:	Set to its source ports
 *
 * Non-blocking, close-on-exec, TCP_NODELAY, with a source port range of the
 * shard's own where the host has IP_LOCAL_PORT_RANGE.
 *
 * Return: descriptor, or negative errno (-EMFILE)
 */
int shard_take_socket(struct shard *shard, int family,
		      struct shard_ports *ports);

/**
 * shard_open_socket() - socket(2), non-blocking and close-on-exec
 *
 * Where descriptors have run out one that was made in advance gives way now,
 * and the oldest idle flow at the turn's end.
 *
 * Return: descriptor, or negative errno
 */
int shard_open_socket(struct shard *shard, int family, int type, int protocol);

/**
 * shard_take_keep() - A buffer for a small reply until the guest has it
 *
 * Return: SHARD_KEEP_SIZE bytes, NULL when all are in use
 */
void *shard_take_keep(struct shard *shard);
void shard_put_keep(struct shard *shard, void *keep);

#define SHARD_KEEP_SIZE 2048 /* bytes */

/**
 * shard_take_hold() - A buffer for a segment that came before its turn
 *
 * Return: SHARD_HOLD_SIZE bytes, NULL when all are in use
 */
void *shard_take_hold(struct shard *shard);
void shard_put_hold(struct shard *shard, void *hold);

#define SHARD_HOLD_SIZE (65536 + 64) /* bytes */

/* Scratch memory of 64 KiB + 64 bytes, for the current call only. */
void *shard_scratch(struct shard *shard);

/**
 * shard_op_buffer() - Memory of a queued operation's own
 *
 * Where a receive's bytes go that the guest's space cannot take.
 *
 * Return: SHARD_OP_BUFFER_SIZE bytes, valid until the operation's done() has
 * returned
 */
uint8_t *shard_op_buffer(struct shard *shard, const struct shard_op *op);

#define SHARD_OP_BUFFER_SIZE 65536 /* bytes */

/* What is worth one line in the log in the NAT's life. */
enum shard_notice {
	SHARD_NOTICE_PING,
	SHARD_NOTICE_SOCKETS,
	SHARD_NOTICE_POLICY,
	SHARD_NOTICE_RATE,
	SHARD_NOTICE_LIMIT,
	SHARD_NOTICE_FULL,
};

/* Return: true for the first caller of all shards, who then logs */
bool shard_first_notice(struct shard *shard, enum shard_notice notice);

/**
 * shard_next_listener() - Find this shard's sockets of UDP forwards to a port
 * @guest, @port: The guest's
 * @place:	0 to begin with; moves on
 *
 * Return: the flow of udp_listen(), NULL if there is no further one
 */
struct flow *shard_next_listener(struct shard *shard,
				 const struct in6_addr *guest,
				 unsigned int port, unsigned int *place);

/* Random bytes for sequence numbers and identifiers, keyed per NAT. */
uint64_t shard_secret(const struct shard *shard, unsigned int which);

#endif
