/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * Payload goes from the guest's frame to the host socket without a copy of
 * ours: its segments join the one send that the flow has in the turn's batch.
 * There is never a second one, since it could succeed where the first fell
 * short and so leave a hole. Only what the socket took is acknowledged.
 *
 * A socket that took less is watched for room. What the guest has sent beyond
 * is dropped, and asked for again by duplicate acknowledgements when there is
 * room: the window that the guest was told makes that rare.
 */

static void push_block(struct shard *shard, struct tcp_flow *tcp)
{
	tcp->blocked = true;
	tcp->dropped = true;
	tcp->ack_now = true;
	tcp_watch(shard, tcp, ENGINE_READABLE | ENGINE_WRITABLE);
}

/*
 * The host's peer has reset or closed. What it sent before is still in the
 * socket and goes to the guest first; the end of it then resets the guest.
 */
static void push_broken(struct tcp_flow *tcp)
{
	tcp->rcv_queued = tcp->rcv_nxt;
	tcp->fin_queued = false;
	tcp->broken = true;
	tcp->readable = true;
	tcp->drain = true;
}

static void push_taken(struct shard *shard, struct tcp_flow *tcp,
		       uint32_t bytes)
{
	tcp->rcv_nxt += bytes;
	shard_carried_tx(shard, &tcp->flow, bytes);
	if (tcp->rcv_nxt != tcp->rcv_queued) {
		tcp->rcv_queued = tcp->rcv_nxt;
		tcp->fin_queued = false;
		push_block(shard, tcp);
	} else if (tcp->fin_queued) {
		tcp->fin_queued = false;
		tcp_push_fin(shard, tcp);
	}
}

static void push_done(struct shard *shard, struct shard_op *op)
{
	struct tcp_flow *tcp = tcp_of(op->flow);
	int result = op->op.result;

	tcp->send_op = NULL;
	tcp_hold_sent(shard, tcp);
	shard_queue_ack(shard, &tcp->flow);
	if (result >= 0)
		push_taken(shard, tcp, (uint32_t)result);
	else if (result == -EAGAIN || result == -EINTR || result == -ENOBUFS)
		push_taken(shard, tcp, 0);
	else if (tcp->host_eof)
		tcp_reset_guest(shard, tcp);
	else
		push_broken(tcp);
}

/* Return: false if the send that is queued has no room for these segments */
static bool push_join(struct shard *shard, struct tcp_flow *tcp,
		      const struct tcp_segment *segment)
{
	struct shard_op *op = tcp->send_op;
	unsigned int used, count;

	if (!op)
		op = tcp->send_op = shard_queue_op(shard, &tcp->flow,
						   ENGINE_SEND, push_done);
	used = (unsigned int)op->op.message.msg_iovlen;
	count = cursor_slice(&segment->payload, segment->length,
			     &op->op.iov[used], PORT_IOV_MAX - used);
	op->op.message.msg_iovlen += count;
	if (count)
		tcp->rcv_queued += segment->length;
	return count > 0;
}

void tcp_push(struct shard *shard, struct tcp_flow *tcp,
	      const struct tcp_segment *segment)
{
	if (tcp->blocked || tcp->broken) {
		tcp->dropped = true;
		tcp->ack_now = true;
		return;
	}
	if (push_join(shard, tcp, segment))
		return;
	shard_run_batch(shard);
	if (tcp_is_over(tcp))
		return;
	/* It may have been too much for the socket. */
	if (segment->seq != tcp->rcv_queued ||
	    !push_join(shard, tcp, segment)) {
		tcp->dropped = true;
		tcp->ack_now = true;
	}
}

void tcp_push_fin(struct shard *shard, struct tcp_flow *tcp)
{
	tcp->rcv_nxt++;
	tcp->rcv_queued = tcp->rcv_nxt;
	if (tcp->state == TCP_STATE_FIN_WAIT_2) {
		/* Closing the socket tells the host. */
		tcp_finish(shard, tcp);
		return;
	}
	SHARD_COUNT(shard, syscalls, 1);
	shutdown(tcp->flow.sock, SHUT_WR);
	if (tcp->state == TCP_STATE_ESTABLISHED)
		tcp_set_state(shard, tcp, TCP_STATE_CLOSE_WAIT);
	else if (tcp->state == TCP_STATE_FIN_WAIT_1)
		tcp_set_state(shard, tcp, TCP_STATE_CLOSING);
}

void tcp_push_writable(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp->writable_watched)
		return;
	tcp->writable_watched = false;
	if (tcp->blocked) {
		tcp->blocked = false;
		tcp->ack_now = true;
		/* Behind the window update, which is no duplicate itself. */
		if (tcp->dropped)
			tcp->dups_due = TCP_DUP_ACKS;
		tcp->dropped = false;
	}
	tcp_window_query(shard, tcp);
}
