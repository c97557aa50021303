/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * A flow has one timer and up to five deadlines in it: a delayed
 * acknowledgement, a gap in what the guest sent, something to send again, a
 * connection that lasts, and the end of its life. The timer is set to the
 * earliest; when it expires each deadline that has come is acted
 * upon. Deadlines that move on with every packet are only stored (the timer
 * then expires too early once, and is set again).
 */

#define TIMER_RESENDS_MAX  8     /* unanswered, then the flow is reset */
#define TIMER_PROBES_MAX   15    /* the same for window probes */
#define TIMER_RTO_MAX_MS   60000 /* RFC 6298, 2.5 */
#define TIMER_GAP_AGAIN_MS 50
#define TIMER_ASK_MS       75000 /* RFC 9293, 3.8.4: keep-alive, as Linux */
#define TIMER_ASKS_MAX     9     /* unanswered, then the guest is gone */

void tcp_timer_arm(struct shard *shard, struct tcp_flow *tcp)
{
	uint64_t next = tcp->life_due;

	if (tcp->ack_due && tcp->ack_due < next)
		next = tcp->ack_due;
	if (tcp->gap_due && tcp->gap_due < next)
		next = tcp->gap_due;
	if (tcp->resend_due && tcp->resend_due < next)
		next = tcp->resend_due;
	if (tcp->keep_due && tcp->keep_due < next)
		next = tcp->keep_due;
	if (!tcp->flow.timer.link || tcp->flow.timer.deadline_ms != next)
		timer_set(shard_timers(shard), &tcp->flow.timer, next);
}

void tcp_timer_resend(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp->resend_due)
		tcp->resend_due = shard_now_ms(shard) + tcp->rto_ms;
}

static void timer_back_off(struct shard *shard, struct tcp_flow *tcp)
{
	tcp->retries++;
	tcp->rto_ms *= 2;
	if (tcp->rto_ms > TIMER_RTO_MAX_MS)
		tcp->rto_ms = TIMER_RTO_MAX_MS;
	tcp->resend_due = shard_now_ms(shard) + tcp->rto_ms;
}

/*
 * One below what is acknowledged, without payload: the guest must answer with
 * its window (RFC 9293, 3.8.6.1; Linux probes alike).
 */
static void timer_probe(struct shard *shard, struct tcp_flow *tcp)
{
	tcp_emit(shard, tcp, tcp->snd_una - 1, TH_ACK, NULL, 0);
}

/* Return: false if the flow ended */
static bool timer_resend(struct shard *shard, struct tcp_flow *tcp)
{
	bool outstanding = tcp->snd_una != tcp->snd_max;

	if (tcp->retries >=
	    (outstanding ? TIMER_RESENDS_MAX : TIMER_PROBES_MAX)) {
		tcp_abort(shard, &tcp->flow);
		return false;
	}
	if (tcp->state == TCP_STATE_CONNECTING) {
		tcp_open_hurry(shard, tcp);
		return true;
	}
	timer_back_off(shard, tcp);
	if (tcp->state == TCP_STATE_SYN_RECEIVED ||
	    tcp->state == TCP_STATE_SYN_SENT) {
		tcp->syn_due = true;
		SHARD_COUNT(shard, tcp_retransmits, 1);
		return true;
	}
	tcp_rewind(tcp);
	if (!tcp_pull_room(tcp))
		timer_probe(shard, tcp);
	else if (outstanding)
		SHARD_COUNT(shard, tcp_retransmits, 1);
	return true;
}

/* A NAT may not end an idle connection that its guest still has (RFC 5382,
 * REQ-5). Return: false if the guest is gone */
static bool timer_ask(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp_may_idle(tcp) || tcp->asked == TIMER_ASKS_MAX)
		return false;
	tcp->asked++;
	tcp->life_due = shard_now_ms(shard) + TIMER_ASK_MS;
	timer_probe(shard, tcp);
	return true;
}

/* Short connections do without the system call. */
static void timer_keep(struct shard *shard, struct tcp_flow *tcp)
{
	int one = 1;

	tcp->keep_due = 0;
	if (tcp_is_over(tcp))
		return;
	SHARD_COUNT(shard, syscalls, 1);
	setsockopt(tcp->flow.sock, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

/* What is missing may be lost after all: have the guest send it again. */
static void timer_gap(struct tcp_flow *tcp, uint64_t now)
{
	tcp->gap_due = tcp->held ? now + TIMER_GAP_AGAIN_MS : 0;
	if (tcp->held)
		tcp->dups_due = TCP_DUP_ACKS;
}

void tcp_timer(struct shard *shard, struct flow *flow)
{
	struct tcp_flow *tcp = tcp_of(flow);
	uint64_t now = shard_now_ms(shard);

	if (now >= tcp->life_due && !timer_ask(shard, tcp)) {
		tcp_abort(shard, flow);
		return;
	}
	if (tcp->keep_due && now >= tcp->keep_due)
		timer_keep(shard, tcp);
	if (tcp->resend_due && now >= tcp->resend_due &&
	    !timer_resend(shard, tcp))
		return;
	if (tcp->ack_due && now >= tcp->ack_due) {
		tcp->ack_now = true;
		/* Without space now, it is not time but space that it needs. */
		tcp->ack_due = 0;
	}
	if (tcp->gap_due && now >= tcp->gap_due)
		timer_gap(tcp, now);
	tcp_output(shard, tcp);
}
