/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/tcp_internal.h"

/*
 * Segments from the guest, in the order of RFC 9293 3.10.7: sequence number,
 * RST, SYN, ACK, payload, FIN. RST and SYN inside a connection as in RFC 5961.
 *
 * Limits: data in a SYN is ignored, the guest sends it again; urgent data is
 * ordinary data.
 */

#define INPUT_GAP_MS     3  /* longer than frames wait in a hand-off */
#define INPUT_STRAYS_MAX 16 /* segments from another queue, then we follow */

/* The guest's window that is still open from rcv_queued on, bytes. */
static int32_t input_window(const struct tcp_flow *tcp)
{
	return tcp_seq_diff(tcp->rcv_edge, tcp->rcv_queued);
}

static uint32_t input_length(const struct tcp_segment *segment)
{
	return segment->length + (segment->flags & TH_FIN ? 1 : 0);
}

/* RFC 9293, 3.4: some of it lies inside the window */
static bool input_acceptable(const struct tcp_flow *tcp,
			     const struct tcp_segment *segment)
{
	int32_t start = tcp_seq_diff(segment->seq, tcp->rcv_queued);
	uint32_t length = input_length(segment);

	if (start > input_window(tcp))
		return false;
	if (!length)
		return tcp_seq_diff(segment->seq, tcp->rcv_nxt) >= 0;
	return start + (int32_t)length > 0;
}

static void input_reset(struct shard *shard, struct tcp_flow *tcp,
			const struct tcp_segment *segment)
{
	if (segment->seq == tcp->rcv_nxt || segment->seq == tcp->rcv_queued) {
		tcp_reset_host(shard, tcp);
		return;
	}
	/* RFC 5961, 3.2: a guest that means it answers with the exact one. */
	tcp->ack_now = true;
	shard_queue_ack(shard, &tcp->flow);
}

/*
 * One with another sequence number is the guest's, which is done with the old
 * connection and uses its port again. An established one is left by RST only,
 * which the guest sends in answer to our ACK (RFC 5961, 4.2).
 */
static void input_syn(struct shard *shard, struct tcp_flow *tcp,
		      const struct tcp_segment *segment, struct packet *packet)
{
	struct flow_key key = tcp->flow.key;
	bool again = segment->seq == tcp->irs;
	int owner;

	if (again && tcp->state == TCP_STATE_CONNECTING)
		return;
	if (again && tcp->state == TCP_STATE_SYN_RECEIVED) {
		tcp->syn_due = true;
	} else if (again || tcp->state == TCP_STATE_ESTABLISHED) {
		tcp->ack_now = true;
	} else {
		tcp_drop(shard, tcp);
		/* Another shard has the key if the flow was about to move. */
		owner = tcp_open(shard, &key, packet);
		if (owner >= 0)
			shard_hand_over(shard, owner, packet);
		return;
	}
	shard_queue_ack(shard, &tcp->flow);
}

/* Cut off what was taken already and what lies beyond the window. */
static void input_trim(struct tcp_flow *tcp, struct tcp_segment *segment)
{
	int32_t start = tcp_seq_diff(segment->seq, tcp->rcv_queued);
	uint32_t old;

	if (start < 0) {
		old = (uint32_t)-start;
		if (old > segment->length)
			old = segment->length;
		cursor_skip(&segment->payload, old);
		segment->seq += old;
		segment->length -= old;
		tcp->ack_now = true;
	}
	if (segment->length > (uint32_t)input_window(tcp)) {
		segment->length = (uint32_t)input_window(tcp);
		segment->flags &= (uint8_t)~TH_FIN;
		tcp->ack_now = true;
	}
}

static bool input_guest_is_done(const struct tcp_flow *tcp)
{
	return tcp->fin_queued || tcp->state == TCP_STATE_CLOSE_WAIT ||
	       tcp->state >= TCP_STATE_CLOSING;
}

static void input_early(struct shard *shard, struct tcp_flow *tcp,
			const struct tcp_segment *segment)
{
	int32_t end =
		tcp_seq_diff(segment->seq + segment->length, tcp->rcv_queued);

	if (tcp->blocked) {
		tcp->dropped = true;
	} else if (end <= input_window(tcp) && tcp_hold(shard, tcp, segment)) {
		if (!tcp->gap_due)
			tcp->gap_due = shard_now_ms(shard) + INPUT_GAP_MS;
	} else if (tcp->dups_due < TCP_DUP_ACKS) {
		tcp->dups_due++;
	}
}

/* Return: false if that ended the flow */
static bool input_in_order(struct shard *shard, struct tcp_flow *tcp,
			   struct tcp_segment *segment)
{
	input_trim(tcp, segment);
	if (segment->length)
		tcp_push(shard, tcp, segment);
	if (tcp_is_over(tcp))
		return false;
	if (!(segment->flags & TH_FIN) ||
	    segment->seq + segment->length != tcp->rcv_queued)
		return true;
	if (tcp->send_op)
		tcp->fin_queued = true;
	else
		tcp_push_fin(shard, tcp);
	return !tcp_is_over(tcp);
}

static void input_payload(struct shard *shard, struct tcp_flow *tcp,
			  struct tcp_segment *segment)
{
	struct tcp_segment held;
	struct iovec iov;

	if (tcp_seq_diff(segment->seq, tcp->rcv_queued) > 0) {
		input_early(shard, tcp, segment);
		return;
	}
	if (!input_in_order(shard, tcp, segment))
		return;
	while (tcp_hold_next(tcp, &held, &iov)) {
		if (!input_guest_is_done(tcp) &&
		    !input_in_order(shard, tcp, &held))
			return;
		tcp_hold_pushed(shard, tcp);
	}
	if (!tcp->held)
		tcp->gap_due = 0;
}

/*
 * Segments to the guest follow the queue that it transmits on (virtio 1.2,
 * 5.1.6.5.5), but not while some are under way, since those of two queues may
 * overtake each other; unless the guest has moved for good.
 */
static void input_steer(struct tcp_flow *tcp)
{
	if (tcp->flow.rx_queue == tcp->queue) {
		tcp->strays = 0;
	} else if (tcp->snd_una == tcp->snd_max ||
		   ++tcp->strays == INPUT_STRAYS_MAX) {
		tcp->queue = tcp->flow.rx_queue;
		tcp->strays = 0;
	}
}

static void input_establish(struct shard *shard, struct tcp_flow *tcp,
			    const struct tcp_segment *segment)
{
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp->keep_due = shard_now_ms(shard) + TCP_KEEP_MS;
	tcp_set_state(shard, tcp, TCP_STATE_ESTABLISHED);
}

static void input_synchronized(struct shard *shard, struct tcp_flow *tcp,
			       struct tcp_segment *segment)
{
	shard_queue_ack(shard, &tcp->flow);
	if (!input_acceptable(tcp, segment)) {
		/* Also answers keep-alives and window probes. */
		tcp->ack_now = true;
		return;
	}
	if (!(segment->flags & TH_ACK))
		return;
	if (tcp->state == TCP_STATE_SYN_RECEIVED) {
		if (segment->ack != tcp->snd_max) {
			tcp_refuse(shard, &tcp->flow.key, segment);
			return;
		}
		input_establish(shard, tcp, segment);
	}
	if (!tcp_ack(shard, tcp, segment))
		return;
	tcp_touch(shard, tcp);
	if (!input_length(segment))
		return;
	if (input_guest_is_done(tcp))
		tcp->ack_now = true;
	else
		input_payload(shard, tcp, segment);
}

/* An answer to our SYN (RFC 9293, 3.10.7.3) */
static void input_syn_sent(struct shard *shard, struct tcp_flow *tcp,
			   const struct tcp_segment *segment)
{
	bool acked = (segment->flags & TH_ACK) && segment->ack == tcp->iss + 1;

	if (segment->flags & TH_RST) {
		if (acked)
			tcp_reset_host(shard, tcp);
		return;
	}
	if ((segment->flags & TH_ACK) && !acked) {
		tcp_refuse(shard, &tcp->flow.key, segment);
		return;
	}
	/* A SYN alone, simultaneous open, is left to our SYN's repetition. */
	if (!acked || !(segment->flags & TH_SYN))
		return;
	tcp_negotiate(shard, tcp, segment);
	input_establish(shard, tcp, segment);
	tcp_ack(shard, tcp, segment);
	tcp->snd_wnd = segment->window; /* a SYN's is not scaled */
	tcp->ack_now = true;
	tcp_watch(shard, tcp, ENGINE_READABLE);
	shard_queue_ack(shard, &tcp->flow);
}

void tcp_input(struct shard *shard, struct flow *flow, struct packet *packet)
{
	struct tcp_flow *tcp = tcp_of(flow);
	struct tcp_segment segment;
	uint8_t kind;

	if (!tcp_segment_parse(packet, &segment)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	input_steer(tcp);
	kind = segment.flags & (TH_SYN | TH_RST | TH_ACK);
	if (tcp_is_over(tcp)) {
		tcp_close_input(shard, tcp, &segment, packet);
	} else if (tcp->state == TCP_STATE_SYN_SENT) {
		input_syn_sent(shard, tcp, &segment);
	} else if (kind == TH_SYN) {
		input_syn(shard, tcp, &segment, packet);
	} else if (tcp->state == TCP_STATE_CONNECTING) {
		if (segment.flags & TH_RST && segment.seq == tcp->rcv_nxt)
			tcp_reset_host(shard, tcp);
	} else if (segment.flags & TH_RST) {
		if (input_acceptable(tcp, &segment))
			input_reset(shard, tcp, &segment);
	} else if (segment.flags & TH_SYN) {
		tcp->ack_now = true;
		shard_queue_ack(shard, flow);
	} else {
		input_synchronized(shard, tcp, &segment);
	}
}
