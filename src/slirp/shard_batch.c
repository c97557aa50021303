/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * Operations that protocols queue run together, in order, when the shard says
 * so: at the end of each phase of a turn, or earlier when the batch might not
 * take what the next call into a protocol may add. There are two batches: what
 * done() queues while one is finished waits in the other, which runs next.
 * That never overflows, since each done() may queue one operation.
 */

struct shard_op *shard_queue_op(struct shard *shard, struct flow *flow,
				enum engine_op_kind kind,
				void (*done)(struct shard *shard,
					     struct shard_op *op))
{
	struct shard_batch *batch = &shard->batch[shard->queueing];
	struct shard_op *op = &batch->op[batch->count];

	assert(batch->count < SHARD_OPS_MAX);
	op->index = batch->count++;
	op->op.kind = kind;
	op->op.fd = flow->sock;
	op->op.flags = 0;
	op->op.length = 0;
	op->op.message = (struct msghdr) { 0 };
	op->flow = flow;
	op->by = flow;
	op->done = done;
	op->has_out = false;
	op->context = 0;
	return op;
}

uint8_t *shard_op_buffer(struct shard *shard, const struct shard_op *op)
{
	/* Both batches' buffers are the same: one is finished before the other
	 * runs. */
	return shard->op_memory + (size_t)op->index * SHARD_OP_BUFFER_SIZE;
}

/* Its socket has been closed since, and the number perhaps used again. */
static bool batch_lacks_socket(const struct shard_op *op)
{
	return op->flow->dead || op->by->dead || op->by->sock < 0;
}

static void batch_finish(struct shard *shard, struct shard_op *op)
{
	if (!batch_lacks_socket(op))
		op->done(shard, op);
	else if (op->has_out)
		outgoing_cancel(shard, &op->out);
}

static void batch_run(struct shard *shard, struct shard_batch *batch)
{
	struct engine_op *list[SHARD_OPS_MAX];
	unsigned int count = 0;

	for (unsigned int i = 0; i < batch->count; i++)
		if (!batch_lacks_socket(&batch->op[i]))
			list[count++] = &batch->op[i].op;
	engine_run(shard->engine, list, count);
	SHARD_COUNT(shard, batches, 1);
	SHARD_COUNT(shard, operations, count);
	shard->finishing = true;
	for (unsigned int i = 0; i < batch->count; i++)
		batch_finish(shard, &batch->op[i]);
	shard->finishing = false;
	batch->count = 0;
}

void shard_run_batch(struct shard *shard)
{
	struct shard_batch *batch;

	while ((batch = &shard->batch[shard->queueing])->count) {
		shard->queueing ^= 1;
		batch_run(shard, batch);
	}
}

void shard_make_room(struct shard *shard)
{
	/* A flow that is made in done() may evict another, which queues
	 * nothing. */
	if (shard->finishing)
		return;
	if (shard->batch[shard->queueing].count + FLOW_OPS_MAX > SHARD_OPS_MAX)
		shard_run_batch(shard);
}

void shard_queue_ack(struct shard *shard, struct flow *flow)
{
	if (flow->ack_queued || flow->dead)
		return;
	flow->ack_queued = true;
	flow->ack_next = NULL;
	*shard->ack_last = flow;
	shard->ack_last = &flow->ack_next;
}

void shard_stall_flow(struct shard *shard, struct flow *flow)
{
	SHARD_COUNT(shard, rx_stalls, 1);
	if (flow->stalled || flow->dead)
		return;
	flow->stalled = true;
	flow->stall_next = NULL;
	*shard->stall_last = flow;
	shard->stall_last = &flow->stall_next;
}

static void shard_resume_flow(struct shard *shard, struct flow *flow)
{
	if (flow->dead)
		return;
	shard_make_room(shard);
	flow->ops->resume(shard, flow);
}

static void shard_run_round(struct shard *shard)
{
	struct flow *flow = shard->ack_first;

	shard->ack_first = NULL;
	shard->ack_last = &shard->ack_first;
	while (flow) {
		struct flow *next = flow->ack_next;

		flow->ack_queued = false;
		shard_resume_flow(shard, flow);
		flow = next;
	}
	shard_run_batch(shard);
}

void shard_run_acks(struct shard *shard)
{
	for (int i = 0; i < SHARD_ROUNDS_MAX && shard->ack_first; i++)
		shard_run_round(shard);
	if (shard->ack_first)
		shard->more = true;
}

/* Each that still finds no space queues itself again, for the next turn. */
void shard_run_stalled(struct shard *shard)
{
	struct flow *flow = shard->stall_first;

	shard->stall_first = NULL;
	shard->stall_last = &shard->stall_first;
	while (flow) {
		struct flow *next = flow->stall_next;

		flow->stalled = false;
		shard_resume_flow(shard, flow);
		flow = next;
	}
}
