/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * Frames of one flow come out of order when the guest changes the queue that
 * it transmits on: those on another shard's queue are handed over and arrive
 * later. Nothing is lost then, so a segment that came before its turn is
 * copied and held, quietly; only if the gap lasts is it asked for (gap_due).
 *
 * Held segments that are in order at last join the flow's send. Their buffers
 * go back when it has run.
 *
 * Limits: HOLD_MAX segments a flow, and the shard's pool; what is beyond is
 * dropped and asked for by duplicate acknowledgements.
 */

#define HOLD_MAX 64 /* segments of one flow */

/**
 * struct tcp_held - A segment in a buffer of shard_take_hold()
 * @fin:	The guest's FIN follows @data
 */
struct tcp_held {
	struct tcp_held *next;
	uint32_t seq;
	uint32_t length;
	bool fin;
	uint8_t data[];
};

#define HOLD_ROOM (SHARD_HOLD_SIZE - offsetof(struct tcp_held, data))

_Static_assert(HOLD_ROOM >= 65535, "any segment can be held");

/* Return: where a segment at @seq belongs in the list */
static struct tcp_held **hold_place(struct tcp_flow *tcp, uint32_t seq)
{
	struct tcp_held **place = &tcp->held;

	while (*place && tcp_seq_diff((*place)->seq, seq) < 0)
		place = &(*place)->next;
	return place;
}

bool tcp_hold(struct shard *shard, struct tcp_flow *tcp,
	      const struct tcp_segment *segment)
{
	struct tcp_held **place = hold_place(tcp, segment->seq);
	struct cursor from = segment->payload;
	struct tcp_held *held;

	if (*place && (*place)->seq == segment->seq &&
	    (*place)->length >= segment->length)
		return true; /* here already */
	if (tcp->held_count == HOLD_MAX)
		return false;
	held = shard_take_hold(shard);
	if (!held)
		return false;
	if (!cursor_take(&from, held->data, segment->length)) {
		shard_put_hold(shard, held);
		return false;
	}
	held->seq = segment->seq;
	held->length = segment->length;
	held->fin = segment->flags & TH_FIN;
	held->next = *place;
	*place = held;
	tcp->held_count++;
	return true;
}

bool tcp_hold_next(struct tcp_flow *tcp, struct tcp_segment *segment,
		   struct iovec *iov)
{
	struct tcp_held *held = tcp->held;

	if (!held || tcp_seq_diff(held->seq, tcp->rcv_queued) > 0)
		return false;
	*iov = (struct iovec) { .iov_base = held->data,
				.iov_len = held->length };
	*segment = (struct tcp_segment) {
		.seq = held->seq,
		.length = held->length,
		.flags = held->fin ? TH_ACK | TH_FIN : TH_ACK,
	};
	cursor_init(&segment->payload, iov, 1, held->length);
	return true;
}

void tcp_hold_pushed(struct shard *shard, struct tcp_flow *tcp)
{
	struct tcp_held *held = tcp->held;

	tcp->held = held->next;
	held->next = tcp->held_sent;
	tcp->held_sent = held;
	if (!tcp->send_op)
		tcp_hold_sent(shard, tcp);
}

static void hold_put_all(struct shard *shard, struct tcp_held *held)
{
	while (held) {
		struct tcp_held *next = held->next;

		shard_put_hold(shard, held);
		held = next;
	}
}

void tcp_hold_sent(struct shard *shard, struct tcp_flow *tcp)
{
	for (struct tcp_held *held = tcp->held_sent; held; held = held->next)
		tcp->held_count--;
	hold_put_all(shard, tcp->held_sent);
	tcp->held_sent = NULL;
}

void tcp_hold_free(struct shard *shard, struct tcp_flow *tcp)
{
	/* A send that still runs must not read buffers given back. */
	if (tcp->held_sent && tcp->send_op)
		tcp->send_op->op.message.msg_iovlen = 0;
	hold_put_all(shard, tcp->held_sent);
	hold_put_all(shard, tcp->held);
	tcp->held_sent = NULL;
	tcp->held = NULL;
}
