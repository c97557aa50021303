/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/tcp_internal.h"

/*
 * What the guest acknowledges, how long that takes, and what is sent again:
 * round trip and retransmission time-out of RFC 6298, fast retransmit of RFC
 * 5681. The path to the guest is memory, which loses nothing unless the
 * guest's driver does, so there is no congestion window.
 */

#define ACK_RTO_MIN_MS 200 /* as Linux; the guest may delay by 40 ms */
#define ACK_RTO_MAX_MS 60000

/* RFC 6298, 2.2 and 2.3 */
static void ack_sample_rtt(struct tcp_flow *tcp, uint64_t rtt_us)
{
	uint32_t rtt =
		rtt_us > UINT32_MAX / 8 ? UINT32_MAX / 8 : (uint32_t)rtt_us;
	uint32_t off;

	if (!tcp->srtt_us) {
		tcp->srtt_us = rtt ? rtt : 1;
		tcp->rttvar_us = rtt / 2;
		return;
	}
	off = rtt > tcp->srtt_us ? rtt - tcp->srtt_us : tcp->srtt_us - rtt;
	tcp->rttvar_us = tcp->rttvar_us - tcp->rttvar_us / 4 + off / 4;
	tcp->srtt_us = tcp->srtt_us - tcp->srtt_us / 8 + rtt / 8;
}

static uint32_t ack_rto_ms(const struct tcp_flow *tcp)
{
	uint64_t rto;

	if (!tcp->srtt_us)
		return TCP_RTO_FIRST_MS;
	rto = (tcp->srtt_us + 4ULL * tcp->rttvar_us) / 1000 + 1;
	if (rto < ACK_RTO_MIN_MS)
		return ACK_RTO_MIN_MS;
	return rto > ACK_RTO_MAX_MS ? ACK_RTO_MAX_MS : (uint32_t)rto;
}

void tcp_ack_expect(struct shard *shard, struct tcp_flow *tcp, bool fresh)
{
	tcp_timer_resend(shard, tcp);
	if (tcp->rtt_timed || !fresh)
		return;
	tcp->rtt_timed = true;
	tcp->rtt_seq = tcp->snd_nxt;
	tcp->rtt_start_us = shard_now_us(shard);
}

void tcp_rewind(struct tcp_flow *tcp)
{
	tcp->snd_nxt = tcp->snd_una;
	tcp->recover = tcp->snd_max;
	/* An answer would not tell which of the two it is for (Karn). */
	tcp->rtt_timed = false;
}

static void ack_advance(struct shard *shard, struct tcp_flow *tcp, uint32_t ack)
{
	tcp->snd_una = ack;
	if (tcp_seq_diff(tcp->snd_nxt, ack) < 0)
		tcp->snd_nxt = ack;
	if (tcp->rtt_timed && tcp_seq_diff(ack, tcp->rtt_seq) >= 0) {
		tcp->rtt_timed = false;
		ack_sample_rtt(tcp, shard_now_us(shard) - tcp->rtt_start_us);
		/* Only now: a guest slower than the time-out is never timed
		 * unless the time-out stays as long as it has become. */
		tcp->rto_ms = ack_rto_ms(tcp);
	}
	tcp->retries = 0;
	tcp->dup_acks = 0;
	tcp->resend_due = 0;
	if (ack != tcp->snd_max)
		tcp_timer_resend(shard, tcp);
	tcp_pull_release(shard, tcp);
}

/* RFC 5681, 2 says what a duplicate is. */
static void ack_duplicate(struct shard *shard, struct tcp_flow *tcp,
			  const struct tcp_segment *segment)
{
	if (segment->length || segment->flags & TH_FIN ||
	    tcp->snd_una == tcp->snd_max ||
	    segment->window << tcp->snd_scale != tcp->snd_wnd)
		return;
	if (tcp->dup_acks < UINT8_MAX)
		tcp->dup_acks++;
	if (tcp->dup_acks != TCP_DUP_ACKS ||
	    tcp_seq_diff(tcp->snd_una, tcp->recover) < 0)
		return;
	tcp_rewind(tcp);
	SHARD_COUNT(shard, tcp_retransmits, 1);
}

static void ack_take_window(struct tcp_flow *tcp,
			    const struct tcp_segment *segment)
{
	int32_t newer = tcp_seq_diff(segment->seq, tcp->snd_wl1);

	if (newer < 0 ||
	    (newer == 0 && tcp_seq_diff(segment->ack, tcp->snd_wl2) < 0))
		return;
	if (!tcp->snd_wnd && segment->window && tcp->snd_una == tcp->snd_max) {
		/* Probing is over. */
		tcp->retries = 0;
		tcp->rto_ms = ack_rto_ms(tcp);
		tcp->resend_due = 0;
	}
	/* A closed window is a living guest's (RFC 9293, 3.8.6.1). */
	if (!segment->window)
		tcp->retries = 0;
	tcp->snd_wnd = segment->window << tcp->snd_scale;
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	if (tcp->snd_wnd > tcp->snd_wnd_max)
		tcp->snd_wnd_max = tcp->snd_wnd;
}

/* Our FIN is acknowledged. Return: false if that ended the flow */
static bool ack_take_fin(struct shard *shard, struct tcp_flow *tcp)
{
	switch (tcp->state) {
	case TCP_STATE_FIN_WAIT_1:
		tcp_set_state(shard, tcp, TCP_STATE_FIN_WAIT_2);
		return true;
	case TCP_STATE_CLOSING:
	case TCP_STATE_LAST_ACK:
		tcp_finish(shard, tcp);
		return false;
	default:
		return true;
	}
}

bool tcp_ack(struct shard *shard, struct tcp_flow *tcp,
	     const struct tcp_segment *segment)
{
	int32_t ahead = tcp_seq_diff(segment->ack, tcp->snd_una);

	if (tcp_seq_diff(segment->ack, tcp->snd_max) > 0) {
		tcp->ack_now = true;
		return false;
	}
	/* RFC 5961, 5.2: too old to be of this connection */
	if (ahead < 0 && (uint32_t)-ahead > tcp->snd_wnd_max) {
		tcp->ack_now = true;
		return false;
	}
	if (ahead > 0)
		ack_advance(shard, tcp, segment->ack);
	else if (ahead == 0)
		ack_duplicate(shard, tcp, segment);
	if (ahead >= 0)
		ack_take_window(tcp, segment);
	if (tcp_fin_sent(tcp) && tcp->snd_una == tcp->snd_max)
		return ack_take_fin(shard, tcp);
	return true;
}
