/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/move.h"

/*
 * Theory of operation
 *
 * The part of the shard that a flow goes to (B in docs/moving-flows.md). Its
 * place is a slot that is dead to all but the shared table, where others find
 * it as soon as A has put it there; this shard, too, since its private index
 * does not have the key. Frames for it go on to A, or are kept once A has asked
 * for that, until the flow is here.
 */

/**
 * struct arrival - A place, until the flow is in it
 * @from:	A
 * @holding:	Frames are kept, not passed on
 * @first, @last: Frames that are kept
 */
struct arrival {
	struct flow flow;
	unsigned int from;
	bool holding;
	struct handoff *first, **last;
};

_Static_assert(sizeof(struct arrival) <= FLOW_SLOT_SIZE, "it fits its slot");

static struct arrival *arrival_of(struct flow *place)
{
	return (struct arrival *)place;
}

unsigned int move_owner(const struct shard *shard, const struct flow *flow)
{
	return flow->owner == shard->index
		       ? ((const struct arrival *)flow)->from
		       : flow->owner;
}

void move_expect(struct shard *shard, struct flow *place,
		 const struct port_frame *frame)
{
	struct arrival *arrival = arrival_of(place);
	struct handoff *handoff =
		handoff_keep(shard, frame, shard->input_queue);

	if (!handoff)
		return;
	if (!arrival->holding) {
		handoff_send(shard, arrival->from, handoff);
		return;
	}
	handoff->next = NULL;
	*arrival->last = handoff;
	arrival->last = &handoff->next;
}

static void arrival_clear(struct arrival *arrival)
{
	arrival->holding = false;
	arrival->first = NULL;
	arrival->last = &arrival->first;
}

static enum move_word arrival_reserve(struct shard *shard, struct move *move)
{
	struct flow *place;

	if (shard->index >=
	    __atomic_load_n(&shard->slirp->queues, __ATOMIC_RELAXED))
		return MOVE_REFUSE;
	place = flow_reserve(shard, &move->key, move->ops);
	if (!place)
		return MOVE_REFUSE;
	arrival_of(place)->from = move->from;
	arrival_clear(arrival_of(place));
	move->place = place;
	return MOVE_ACCEPT;
}

static void arrival_release(struct shard *shard, struct arrival *arrival)
{
	struct handoff *handoff = arrival->first;

	arrival_clear(arrival);
	while (handoff) {
		struct handoff *next = handoff->next;

		handoff_send(shard, arrival->from, handoff);
		handoff = next;
	}
}

static void arrival_take_in(struct shard *shard, struct move *move)
{
	unsigned int keeps;

	/* Times that the flow remembers are not in the future. */
	if (shard->now_us < move->now_us)
		shard->now_us = move->now_us;
	flow_arrive(shard, move->place, (const struct flow *)move->state);
	/* Pairs with inspect_pause(). */
	__atomic_fetch_sub(&shard->slirp->move_pause.under_way, 1,
			   __ATOMIC_SEQ_CST);
	SHARD_COUNT(shard, flows_moved_in, 1);
	shard_make_room(shard);
	keeps = move->place->ops->arrive(shard, move->place);
	move->keep = keeps ? shard_take_keep(shard) : NULL;
}

/* The flow is here, or will never be: its frames are as any. */
static void arrival_finish(struct shard *shard, struct move *move)
{
	struct handoff *handoff = arrival_of(move->place)->first;

	move->keep = NULL;
	if (move->word == MOVE_STATE)
		arrival_take_in(shard, move);
	else
		flow_unreserve(shard, move->place, move->listed);
	move->word = MOVE_DONE;
	message_send(shard, move->from, &move->message);
	while (handoff) {
		struct handoff *next = handoff->next;

		handoff_input(shard, handoff);
		handoff = next;
	}
}

void move_serve(struct shard *shard, struct move *move)
{
	switch (move->word) {
	case MOVE_PROPOSE:
		move->word = arrival_reserve(shard, move);
		break;
	case MOVE_HOLD:
		arrival_of(move->place)->holding = true;
		move->word = MOVE_HELD;
		break;
	case MOVE_RELEASE:
		arrival_release(shard, arrival_of(move->place));
		move->word = MOVE_RELEASED;
		break;
	default:
		arrival_finish(shard, move);
		return;
	}
	message_send(shard, move->from, &move->message);
}
