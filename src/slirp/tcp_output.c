/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "slirp/tcp_internal.h"

/*
 * Segments to the guest. Each carries the newest acknowledgement and window,
 * so one of their own is only sent when nothing else goes out: at once for two
 * full segments, a duplicate or a wider window, else after ACK_DELAY_MS. That
 * leaves the request's acknowledgement to the reply, and the FIN's to the FIN
 * of the other side.
 */

#define ACK_DELAY_MS 1 /* the server's answer on this host comes sooner */

static struct tcp_frame output_frame(struct tcp_flow *tcp, uint32_t seq,
				     uint8_t flags, size_t length)
{
	return (struct tcp_frame) {
		.key = &tcp->flow.key,
		.seq = seq,
		.ack = flags & TH_ACK ? tcp->rcv_nxt : 0,
		.window = tcp_window_tell(tcp, flags & TH_SYN),
		.flags = flags,
		.length = length,
		.mss = tcp->mss,
	};
}

/* What every segment does: acknowledge. */
static void output_sent(struct shard *shard, struct tcp_flow *tcp, uint32_t seq,
			size_t length)
{
	bool fresh = false;

	tcp->rcv_acked = tcp->rcv_nxt;
	tcp->ack_now = false;
	tcp->ack_due = 0;
	if (!length)
		return;
	tcp->snd_nxt = seq + (uint32_t)length;
	if (tcp_seq_diff(tcp->snd_nxt, tcp->snd_max) > 0) {
		shard_carried_rx(shard, &tcp->flow,
				 tcp->snd_nxt - tcp->snd_max);
		fresh = seq == tcp->snd_max;
		tcp->snd_max = tcp->snd_nxt;
	}
	tcp_ack_expect(shard, tcp, fresh);
}

int tcp_emit(struct shard *shard, struct tcp_flow *tcp, uint32_t seq,
	     uint8_t flags, const void *data, size_t length)
{
	uint8_t header[TCP_HEADERS_MAX + TCP_OPTIONS_MAX];
	struct port_offload offload;
	struct tcp_frame frame;
	struct outgoing out;
	size_t size;

	if (outgoing_begin(shard, tcp->queue, tcp_headers(tcp) + length,
			   &out)) {
		shard_stall_flow(shard, &tcp->flow);
		return -ENOBUFS;
	}
	frame = output_frame(tcp, seq, flags, length);
	if (!shard_features(shard)->rx_csum)
		frame.sum = checksum_add(data, length, 0);
	size = tcp_frame_write(shard, &frame, header, &offload);
	iov_write(out.space.iov, out.space.iov_count, 0, header, size);
	if (length)
		iov_write(out.space.iov, out.space.iov_count, size, data,
			  length);
	outgoing_commit(shard, &out, size + length, &offload);
	if (flags & TH_FIN)
		length++;
	output_sent(shard, tcp, seq, length);
	return 0;
}

void tcp_emit_received(struct shard *shard, struct tcp_flow *tcp,
		       struct outgoing *out, uint32_t seq, size_t length)
{
	struct tcp_frame frame =
		output_frame(tcp, seq, TH_ACK | TH_PUSH, length);
	const struct port_space *space = &out->space;
	uint8_t header[TCP_HEADERS_MAX + TCP_OPTIONS_MAX];
	struct port_offload offload;
	size_t size;

	if (!shard_features(shard)->rx_csum)
		frame.sum = iov_checksum(space->iov, space->iov_count,
					 tcp_headers(tcp), length, 0);
	size = tcp_frame_write(shard, &frame, header, &offload);
	iov_write(space->iov, space->iov_count, 0, header, size);
	outgoing_commit(shard, out, size + length, &offload);
	output_sent(shard, tcp, seq, length);
}

/* Maximum segment size, and the window scale where it may be used
 * (RFC 9293 3.7.1, RFC 7323 2.2). */
static uint8_t output_syn_options(const struct shard *shard,
				  const struct tcp_flow *tcp, uint8_t *options)
{
	unsigned int mtu = shard_features(shard)->mtu;
	unsigned int mss = mtu - tcp_ip_headers(tcp);

	options[0] = TCPOPT_MAXSEG;
	options[1] = TCPOLEN_MAXSEG;
	options[2] = (uint8_t)(mss >> 8);
	options[3] = (uint8_t)mss;
	if (!tcp->rcv_scale)
		return 4;
	options[4] = TCPOPT_NOP;
	options[5] = TCPOPT_WINDOW;
	options[6] = TCPOLEN_WINDOW;
	options[7] = tcp->rcv_scale;
	return 8;
}

static void output_syn(struct shard *shard, struct tcp_flow *tcp)
{
	uint8_t header[TCP_HEADERS_MAX + TCP_OPTIONS_MAX];
	uint8_t flags =
		tcp->state == TCP_STATE_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK;
	struct tcp_frame frame = output_frame(tcp, tcp->iss, flags, 0);
	struct port_offload offload;
	size_t size;

	frame.options_length = output_syn_options(shard, tcp, frame.options);
	size = tcp_frame_write(shard, &frame, header, &offload);
	if (outgoing_send(shard, tcp->queue, header, size, &offload)) {
		shard_stall_flow(shard, &tcp->flow);
		return;
	}
	tcp->syn_due = false;
	output_sent(shard, tcp, tcp->iss, 1);
}

static void output_fin(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp->host_eof || tcp->snd_nxt != tcp->fin_seq ||
	    tcp_emit(shard, tcp, tcp->fin_seq, TH_FIN | TH_ACK, NULL, 0))
		return;
	if (tcp->state == TCP_STATE_ESTABLISHED)
		tcp_set_state(shard, tcp, TCP_STATE_FIN_WAIT_1);
	else if (tcp->state == TCP_STATE_CLOSE_WAIT)
		tcp_set_state(shard, tcp, TCP_STATE_LAST_ACK);
}

static void output_ack(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t unacked = tcp->rcv_nxt - tcp->rcv_acked;
	bool now = tcp->ack_now || unacked >= 2U * tcp->mss ||
		   tcp_window_worth_telling(tcp);

	if (now && tcp_emit(shard, tcp, tcp->snd_nxt, TH_ACK, NULL, 0))
		return;
	while (tcp->dups_due &&
	       !tcp_emit(shard, tcp, tcp->snd_nxt, TH_ACK, NULL, 0))
		tcp->dups_due--;
	if (tcp->rcv_nxt != tcp->rcv_acked && !tcp->ack_due)
		tcp->ack_due = shard_now_ms(shard) + ACK_DELAY_MS;
}

void tcp_output_rest(struct shard *shard, struct tcp_flow *tcp)
{
	output_fin(shard, tcp);
	output_ack(shard, tcp);
	tcp_timer_arm(shard, tcp);
}

void tcp_output(struct shard *shard, struct tcp_flow *tcp)
{
	switch (tcp->state) {
	case TCP_STATE_CONNECTING:
		break;
	case TCP_STATE_SYN_RECEIVED:
	case TCP_STATE_SYN_SENT:
		if (tcp->syn_due)
			output_syn(shard, tcp);
		break;
	case TCP_STATE_TIME_WAIT:
	case TCP_STATE_RESET:
		tcp_close_output(shard, tcp);
		return;
	default:
		tcp_window_refresh(shard, tcp);
		tcp_pull(shard, tcp);
		if (!tcp->pulls)
			tcp_output_rest(shard, tcp);
		return;
	}
	tcp_timer_arm(shard, tcp);
}
