/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_MOVE_H
#define MQVMM_SLIRP_MOVE_H

#include "slirp/shard_internal.h"

/*
 * How a flow moves to the shard on whose queue its frames come in. The
 * protocol, and why it is right, is in docs/moving-flows.md; names are as
 * there: a flow goes from shard A to shard B. move.c is A's part, move_arrive.c
 * B's, move_sweep.c has flows leave queues that the guest has given up.
 */

#define MOVES_MAX 32 /* that leave a shard at a time */

/* What a message says: A's requests, and B's answers. */
enum move_word {
	MOVE_PROPOSE,  /* the key: will you have it? */
	MOVE_ACCEPT,   /* yes, in @place */
	MOVE_REFUSE,   /* no */
	MOVE_HOLD,     /* keep its frames */
	MOVE_HELD,     /* done; those before are in your inbox */
	MOVE_RELEASE,  /* send me its frames again */
	MOVE_RELEASED, /* done; so are those that were kept */
	MOVE_STATE,    /* the flow: it is yours */
	MOVE_END,      /* there is no flow any more */
	MOVE_DONE,     /* either was taken in */
};

enum move_stage {
	MOVE_IDLE,
	MOVE_PROPOSED,
	MOVE_PUBLISHED, /* others find B; a grace period or a pause passes */
	MOVE_HOLDING,   /* B was asked to keep frames */
	MOVE_READY,     /* B keeps them: the turn's end decides */
	MOVE_RELEASING,
	MOVE_LEFT, /* the flow, or word of its end, is on its way */
};

/**
 * struct move - A move, and its one message
 * @stage, @here, @flow, @retry_ms: A's, at all times. @here: A has the message.
 *		@flow: NULL once it has ended or left
 * @from, @to:	A and B; do not change while it is not idle
 * @word:	What the message says. It and all that follows is whose who has
 *		the message.
 * @place:	B's slot
 * @listed:	@place is in the shared table
 * @grace:	Tag of the period that must have passed before MOVE_HOLD
 * @key, @ops:	MOVE_PROPOSE: the flow's
 * @now_us:	MOVE_STATE: A's clock
 * @state:	MOVE_STATE: the flow, of FLOW_SLOT_SIZE bytes
 * @keep:	MOVE_DONE: a buffer for the one that the flow has brought, or
 *		NULL
 */
struct move {
	struct message message;
	enum move_stage stage;
	bool here;
	struct flow *flow;
	uint64_t retry_ms;
	unsigned int from, to;

	enum move_word word __attribute__((aligned(CACHE_LINE)));
	bool listed;
	struct flow *place;
	uint64_t grace;
	struct flow_key key;
	const struct flow_ops *ops;
	uint64_t now_us;
	void *keep;
	uint8_t state[FLOW_SLOT_SIZE] __attribute__((aligned(CACHE_LINE)));
};

/* Records for a shard that is not alone. Return: 0 or -ENOMEM with @fail */
int move_setup(struct shard *shard, struct fail *fail);
void move_teardown(struct shard *shard);

/**
 * move_abandon() - Close flows that are on their way from a shard
 *
 * Context: all shards' threads have ended.
 */
void move_abandon(struct shard *shard);

/**
 * move_note() - A frame of a flow of ours came in on another queue
 *
 * Proposes to move it there when there were enough of them. Before
 * flow->rx_queue is set to that queue.
 */
void move_note(struct shard *shard, struct flow *flow);

/* Could a flow of ours move, and is it not about to? */
bool move_is_possible(struct shard *shard, const struct flow *flow);

/**
 * move_propose() - Have a flow of ours move to another shard
 * @flow:	move_is_possible()
 *
 * Return: false if no record is free
 */
bool move_propose(struct shard *shard, struct flow *flow, unsigned int to);

/* A flow that is about to move is freed instead. */
void move_end(struct shard *shard, struct flow *flow);

/* A message has come: of a flow that leaves here, or wants to come. */
void move_receive(struct shard *shard, struct move *move);

/* Between turns: go on with moves for which something has passed. */
void move_tidy(struct shard *shard);

/* move_arrive.c */

/* One of A's requests: do it, and send the answer. */
void move_serve(struct shard *shard, struct move *move);

/* A frame for a flow whose place is here, but not yet itself. */
void move_expect(struct shard *shard, struct flow *place,
		 const struct port_frame *frame);

/* The shard that has a flow which was found in the shared table: not this one
 * if its place is here, but not yet itself. */
unsigned int move_owner(const struct shard *shard, const struct flow *flow);

/* move_sweep.c: between turns of a shard whose queue is not in use. */
void move_sweep(struct shard *shard);

#endif
