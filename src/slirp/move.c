/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/move.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * The part of the shard that a flow leaves (A in docs/moving-flows.md). It
 * serves the flow until the message with its state is sent, and answers for its
 * end until then. All of this runs on the shard's thread: in input, when
 * messages are taken in, when a flow is freed, and between turns, when nothing
 * of any flow's is queued.
 */

#define MOVE_FRAMES   8   /* in a row from another queue */
#define MOVE_AGAIN_MS 100 /* from one move, or refusal, to the next */
#define MOVE_WAIT_MS  5   /* between looks at what a move waits for */

static void move_request(struct shard *shard, struct move *move,
			 enum move_word word, enum move_stage stage)
{
	move->word = word;
	move->stage = stage;
	move->here = false;
	message_send(shard, move->to, &move->message);
}

static void move_release(struct shard *shard, struct move *move)
{
	move->stage = MOVE_IDLE;
	move->flow = NULL;
	shard->moves_busy--;
}

static struct move *move_take(struct shard *shard)
{
	struct move *move = shard->moves;

	if (shard->moves_busy == MOVES_MAX)
		return NULL;
	while (move->stage != MOVE_IDLE)
		move++;
	shard->moves_busy++;
	return move;
}

bool move_is_possible(struct shard *shard, const struct flow *flow)
{
	return !flow->move && flow->ops->movable &&
	       flow->ops->movable(shard, flow);
}

bool move_propose(struct shard *shard, struct flow *flow, unsigned int to)
{
	struct move *move = move_take(shard);

	if (!move)
		return false;
	move->flow = flow;
	move->to = to;
	move->listed = false;
	move->place = NULL;
	move->retry_ms = 0;
	move->key = flow->key;
	move->ops = flow->ops;
	flow->move = move;
	move_request(shard, move, MOVE_PROPOSE, MOVE_PROPOSED);
	return true;
}

void move_note(struct shard *shard, struct flow *flow)
{
	unsigned int queues =
		__atomic_load_n(&shard->slirp->queues, __ATOMIC_RELAXED);
	uint32_t since_ms = (uint32_t)shard_now_ms(shard) - flow->moved_ms;

	if (flow->rx_queue != shard->input_queue)
		flow->away = 0;
	if (flow->away < MOVE_FRAMES)
		flow->away++;
	if (flow->away == MOVE_FRAMES && since_ms >= MOVE_AGAIN_MS &&
	    shard->input_queue < queues && move_is_possible(shard, flow))
		move_propose(shard, flow, shard->input_queue);
}

void move_end(struct shard *shard, struct flow *flow)
{
	struct move *move = flow->move;

	flow->move = NULL;
	move->flow = NULL;
	SHARD_COUNT(shard, moves_ended, 1);
	if (move->here)
		move_request(shard, move, MOVE_END, MOVE_LEFT);
}

/* Listing and moving exclude each other. Return: false while flows are listed
 */
static bool move_may_leave(struct shard *shard)
{
	struct move_pause *pause = &shard->slirp->move_pause;

	/* Pairs with inspect_pause(): either we see that it has begun, or it
	 * sees us. */
	__atomic_fetch_add(&pause->under_way, 1, __ATOMIC_SEQ_CST);
	if (shard->now_us >=
	    __atomic_load_n(&pause->until_us, __ATOMIC_SEQ_CST))
		return true;
	__atomic_fetch_sub(&pause->under_way, 1, __ATOMIC_SEQ_CST);
	return false;
}

static void move_leave(struct shard *shard, struct move *move)
{
	struct flow *flow = move->flow;

	memcpy(move->state, flow, FLOW_SLOT_SIZE);
	move->now_us = shard->now_us;
	move->flow = NULL;
	flow->move = NULL;
	if (flow->sock >= 0)
		engine_forget(shard->engine, flow->sock, flow_token(flow));
	flow->sock = -1;
	flow_depart(shard, flow);
	SHARD_COUNT(shard, flows_moved_out, 1);
	move_request(shard, move, MOVE_STATE, MOVE_LEFT);
}

/* B keeps its frames: now, or later. */
static void move_decide(struct shard *shard, struct move *move)
{
	struct flow *flow = move->flow;

	if (flow->ops->movable(shard, flow) && move_may_leave(shard)) {
		move_leave(shard, move);
		return;
	}
	SHARD_COUNT(shard, moves_put_off, 1);
	move_request(shard, move, MOVE_RELEASE, MOVE_RELEASING);
}

static void move_publish(struct shard *shard, struct move *move)
{
	flow_table_replace(shard, move->flow, move->place);
	move->flow->unlisted = true;
	move->listed = true;
	move->grace = grace_tag(shard->slirp);
	move->stage = MOVE_PUBLISHED;
}

static void move_refused(struct shard *shard, struct move *move)
{
	SHARD_COUNT(shard, moves_refused, 1);
	if (move->flow) {
		move->flow->move = NULL;
		move->flow->moved_ms = (uint32_t)shard_now_ms(shard);
	}
	move_release(shard, move);
}

/* B has answered; the flow may have ended meanwhile. */
static void move_answered(struct shard *shard, struct move *move)
{
	move->here = true;
	if (move->word == MOVE_REFUSE) {
		move_refused(shard, move);
	} else if (move->word == MOVE_DONE) {
		if (move->keep)
			shard_put_keep(shard, move->keep);
		move_release(shard, move);
	} else if (!move->flow) {
		move_request(shard, move, MOVE_END, MOVE_LEFT);
	} else if (move->word == MOVE_ACCEPT) {
		move_publish(shard, move);
	} else if (move->word == MOVE_HELD) {
		move->stage = MOVE_READY;
	} else {
		move->stage = MOVE_PUBLISHED;
		move->retry_ms = shard_now_ms(shard) + MOVE_WAIT_MS;
	}
}

void move_receive(struct shard *shard, struct move *move)
{
	if (move->from == shard->index)
		move_answered(shard, move);
	else
		move_serve(shard, move);
}

/* Return: true if it waits for something that sends no message */
static bool move_step(struct shard *shard, struct move *move)
{
	struct slirp *slirp = shard->slirp;

	if (move->stage == MOVE_READY)
		move_decide(shard, move);
	if (move->stage != MOVE_PUBLISHED)
		return false;
	if (!grace_passed(slirp, move->grace))
		grace_want(slirp);
	else if (shard_now_ms(shard) >= move->retry_ms &&
		 shard->now_us >= __atomic_load_n(&slirp->move_pause.until_us,
						  __ATOMIC_RELAXED))
		move_request(shard, move, MOVE_HOLD, MOVE_HOLDING);
	return move->stage == MOVE_PUBLISHED;
}

void move_tidy(struct shard *shard)
{
	bool waiting = false;

	move_sweep(shard);
	if (!shard->moves_busy)
		return;
	for (unsigned int i = 0; i < MOVES_MAX; i++)
		if (shard->moves[i].stage != MOVE_IDLE)
			waiting |= move_step(shard, &shard->moves[i]);
	if (waiting && !shard->mover.link)
		timer_set(&shard->timers, &shard->mover,
			  shard_now_ms(shard) + MOVE_WAIT_MS);
}

int move_setup(struct shard *shard, struct fail *fail)
{
	size_t size = MOVES_MAX * sizeof(*shard->moves);
	struct move *moves;

	if (shard->slirp->config.shard_count == 1)
		return 0;
	moves = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (moves == MAP_FAILED)
		return fail_set(fail, -errno,
				"no memory for flows that change shards");
	shard->moves = moves;
	for (unsigned int i = 0; i < MOVES_MAX; i++) {
		moves[i].message.kind = MESSAGE_MOVE;
		moves[i].from = shard->index;
	}
	return 0;
}

void move_teardown(struct shard *shard)
{
	if (shard->moves)
		munmap(shard->moves, MOVES_MAX * sizeof(*shard->moves));
}

void move_abandon(struct shard *shard)
{
	for (unsigned int i = 0; shard->moves && i < MOVES_MAX; i++) {
		struct move *move = &shard->moves[i];
		const struct flow *state = (const struct flow *)move->state;

		if (move->stage == MOVE_IDLE || move->word == MOVE_DONE)
			continue;
		if (move->listed)
			flow_table_remove(shard, move->place);
		if (move->word == MOVE_STATE && state->sock >= 0)
			close(state->sock);
	}
}
