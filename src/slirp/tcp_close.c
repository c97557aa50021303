/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * A flow that ended in order on both sides loses its socket at once, but stays
 * known for a while (RFC 9293, 3.6.1). Segments of it may still come: copies,
 * those that another queue has delayed, and the guest's FIN again if our last
 * acknowledgement was lost. To answer them with RST, as those of no connection,
 * would be wrong.
 *
 * Where the guest acknowledged our FIN last, nothing of ours can be missing,
 * and the flow is remembered only as long as segments overtake each other.
 */

#define CLOSE_STRAYS_MS 100 /* longer than a frame waits in queues */

/* A receive that still runs must not write into a buffer given back. */
static void close_release(struct shard *shard, struct tcp_flow *tcp)
{
	if (tcp->keep_op)
		tcp->keep_op->op.message.msg_iovlen = 0;
	if (tcp->keep)
		shard_put_keep(shard, tcp->keep);
	tcp->keep = NULL;
	tcp_hold_free(shard, tcp);
}

static void close_free(struct shard *shard, struct tcp_flow *tcp)
{
	close_release(shard, tcp);
	flow_free(shard, &tcp->flow);
}

/* The flow outlives its socket, and operations that are queued for it. */
static void close_socket(struct shard *shard, struct tcp_flow *tcp,
			 enum tcp_state state)
{
	close_release(shard, tcp);
	flow_close_socket(shard, &tcp->flow);
	tcp->keep_op = NULL;
	tcp->send_op = NULL;
	tcp->pulls = 0;
	tcp->ack_due = 0;
	tcp->gap_due = 0;
	tcp->resend_due = 0;
	tcp->keep_due = 0;
	tcp->dups_due = 0;
	tcp_set_state(shard, tcp, state);
}

void tcp_linger(struct shard *shard, int sock)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	SHARD_COUNT(shard, syscalls, 1);
	setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Return: 0, or -ENOBUFS */
static int close_emit_reset(struct shard *shard, struct tcp_flow *tcp)
{
	uint8_t flags =
		tcp->state == TCP_STATE_SYN_SENT ? TH_RST : TH_RST | TH_ACK;

	return tcp_emit(shard, tcp, tcp->snd_max, flags, NULL, 0);
}

void tcp_finish(struct shard *shard, struct tcp_flow *tcp)
{
	bool guest_has_all = tcp->state == TCP_STATE_LAST_ACK;

	/* A close with data unread would be a reset. */
	tcp_discard_all(shard, tcp);
	close_socket(shard, tcp, TCP_STATE_TIME_WAIT);
	if (guest_has_all)
		tcp->life_due = shard_now_ms(shard) + CLOSE_STRAYS_MS;
	tcp->ack_now = tcp->rcv_acked != tcp->rcv_nxt;
	tcp_close_output(shard, tcp);
}

void tcp_reset_host(struct shard *shard, struct tcp_flow *tcp)
{
	SHARD_COUNT(shard, tcp_resets, 1);
	tcp_linger(shard, tcp->flow.sock);
	close_free(shard, tcp);
}

void tcp_reset_guest(struct shard *shard, struct tcp_flow *tcp)
{
	SHARD_COUNT(shard, tcp_resets, 1);
	if (!close_emit_reset(shard, tcp)) {
		close_free(shard, tcp);
		return;
	}
	close_socket(shard, tcp, TCP_STATE_RESET);
	tcp_timer_arm(shard, tcp);
}

/* Its FIN was passed on to the host. */
static bool close_guest_has_ended(const struct tcp_flow *tcp)
{
	return tcp->state == TCP_STATE_CLOSE_WAIT ||
	       tcp->state >= TCP_STATE_CLOSING;
}

void tcp_drop(struct shard *shard, struct tcp_flow *tcp)
{
	/* What the guest ended in order, the host's kernel delivers yet. */
	if (!close_guest_has_ended(tcp))
		tcp_linger(shard, tcp->flow.sock);
	close_free(shard, tcp);
}

void tcp_abort(struct shard *shard, struct flow *flow)
{
	struct tcp_flow *tcp = tcp_of(flow);

	if (tcp->state != TCP_STATE_TIME_WAIT) {
		SHARD_COUNT(shard, tcp_resets, 1);
		close_emit_reset(shard, tcp);
	}
	tcp_drop(shard, tcp);
}

/* After the end */

static void close_input_syn(struct shard *shard, struct tcp_flow *tcp,
			    const struct tcp_segment *segment,
			    struct packet *packet)
{
	struct flow_key key = tcp->flow.key;
	int owner;

	if (segment->seq == tcp->irs)
		return; /* a late copy */
	close_free(shard, tcp);
	/* Another shard has the key if the flow was about to move. */
	owner = tcp_open(shard, &key, packet);
	if (owner >= 0)
		shard_hand_over(shard, owner, packet);
}

void tcp_close_input(struct shard *shard, struct tcp_flow *tcp,
		     const struct tcp_segment *segment, struct packet *packet)
{
	if (segment->flags & TH_RST) {
		/* RFC 1337: not the end of TIME-WAIT */
		if (tcp->state == TCP_STATE_RESET)
			close_free(shard, tcp);
		return;
	}
	if ((segment->flags & (TH_SYN | TH_ACK)) == TH_SYN) {
		close_input_syn(shard, tcp, segment, packet);
		return;
	}
	if (segment->flags & TH_FIN) {
		tcp_touch(shard, tcp);
		tcp->ack_now = true;
	}
	shard_queue_ack(shard, &tcp->flow);
}

void tcp_close_output(struct shard *shard, struct tcp_flow *tcp)
{
	if (tcp->state == TCP_STATE_RESET) {
		if (!close_emit_reset(shard, tcp)) {
			close_free(shard, tcp);
			return;
		}
	} else if (tcp->ack_now) {
		tcp_emit(shard, tcp, tcp->snd_max, TH_ACK, NULL, 0);
	}
	tcp_timer_arm(shard, tcp);
}
