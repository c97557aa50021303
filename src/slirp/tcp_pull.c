/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * What the guest has not acknowledged must stay somewhere, to be sent again.
 * There are two places:
 *
 *   snd_una        sock_seq                snd_max
 *      | keep buffer  | in the host socket    | to come
 *
 * Small: a receive consumes into a keep buffer of 2 KiB and is copied to the
 * guest from there. A short reply costs one operation.
 *
 * Bulk: a receive with MSG_PEEK goes straight into the guest's buffers, up to
 * 64 KiB a frame, and ENGINE_DISCARD follows when the guest has acknowledged.
 * SO_PEEK_OFF (Linux 6.9 for TCP) makes the kernel remember how far was
 * peeked; without it each peek begins at the first byte that is not
 * acknowledged, and what was sent already goes to scratch memory.
 *
 * A flow starts small and is bulk while its receives come back full.
 *
 * Limits: readiness is edge-triggered, and a receive that comes back short is
 * taken to have emptied the socket unless the event told of the end of file, or
 * of urgent data, before which a receive stops (drain).
 */

#define PULL_FRAMES_MAX    3 /* receives of one segment each, without TSO */
#define PULL_IP_LENGTH_MAX 65535U

static uint32_t pull_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t tcp_pull_room(const struct tcp_flow *tcp)
{
	int32_t room = tcp_seq_diff(tcp->snd_una + tcp->snd_wnd, tcp->snd_nxt);

	return room > 0 ? (uint32_t)room : 0;
}

static bool pull_segmented(const struct shard *shard,
			   const struct tcp_flow *tcp)
{
	const struct port_features *features = shard_features(shard);
	bool tso = address_is4(&tcp->flow.key.guest) ? features->rx_tso4
						     : features->rx_tso6;

	return !tso || !features->rx_csum;
}

uint32_t tcp_pull_frame_max(const struct shard *shard,
			    const struct tcp_flow *tcp)
{
	size_t space = shard_features(shard)->rx_frame_max;
	size_t headers = tcp_headers(tcp);
	uint32_t most = PULL_IP_LENGTH_MAX - tcp_ip_headers(tcp);

	if (pull_segmented(shard, tcp))
		most = tcp->mss;
	if (space < headers + most)
		most = (uint32_t)(space - headers);
	return most;
}

static bool pull_has_data(const struct tcp_flow *tcp)
{
	if (tcp->host_eof)
		return tcp_seq_diff(tcp->fin_seq, tcp->snd_nxt) > 0;
	return tcp->readable || tcp->snd_nxt != tcp->snd_max;
}

/* The guest's window is too small for a segment, and more of it will open
 * (RFC 9293, 3.8.6.2.1). */
static bool pull_is_silly(const struct tcp_flow *tcp, uint32_t room)
{
	return room < tcp->mss && room < tcp->snd_wnd_max / 2 &&
	       tcp->snd_nxt != tcp->snd_una;
}

/* What a receive's end means: result is 0, or negative. */
static void pull_ended(struct shard *shard, struct tcp_flow *tcp, int result)
{
	if (result == -EAGAIN || result == -EINTR || result == -ENOBUFS) {
		tcp->readable = false;
		tcp->drain = false;
	} else if (result < 0 || tcp->broken) {
		tcp_reset_guest(shard, tcp);
	} else if (!tcp->host_eof) {
		tcp->readable = false;
		tcp->host_eof = true;
		tcp->fin_seq = tcp->snd_max;
	}
}

/* A receive of @asked bytes brought @got: is there more, and how much? */
static void pull_adapt(struct tcp_flow *tcp, uint32_t asked, uint32_t got)
{
	if (got == asked) {
		if (got >= tcp->hint / 2)
			tcp->hint = pull_min(tcp->hint * 4, TCP_HINT_MAX);
		return;
	}
	if (!tcp->drain)
		tcp->readable = false;
	if (got < tcp->hint / 4)
		tcp->hint /= 2;
	if (tcp->hint < TCP_HINT_MIN)
		tcp->hint = TCP_HINT_MIN;
}

static void pull_next(struct shard *shard, struct tcp_flow *tcp)
{
	if (tcp_is_over(tcp) || tcp->pulls)
		return;
	if (pull_has_data(tcp) && tcp_pull_room(tcp))
		shard_queue_ack(shard, &tcp->flow);
	tcp_output_rest(shard, tcp);
}

/* Small */

void tcp_pull_release(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp->keep || tcp->keep_op ||
	    tcp_seq_diff(tcp->snd_una, tcp->sock_seq) < 0)
		return;
	shard_put_keep(shard, tcp->keep);
	tcp->keep = NULL;
	tcp->keep_length = 0;
}

/* Send, perhaps again, from the keep buffer. Return: false if it must wait */
static bool pull_send_kept(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t most = tcp_pull_frame_max(shard, tcp);

	while (tcp_seq_diff(tcp->sock_seq, tcp->snd_nxt) > 0) {
		uint32_t left = tcp->sock_seq - tcp->snd_nxt;
		uint32_t room = tcp_pull_room(tcp);
		uint32_t size = pull_min(pull_min(left, room), most);
		const uint8_t *from = tcp->keep + tcp->keep_length - left;

		if (size < left && pull_is_silly(tcp, room))
			return false;
		if (!size) {
			tcp_timer_resend(shard, tcp);
			return false;
		}
		if (tcp_emit(shard, tcp, tcp->snd_nxt, TH_ACK | TH_PUSH, from,
			     size))
			return false;
	}
	return true;
}

static void pull_small_done(struct shard *shard, struct shard_op *op)
{
	struct tcp_flow *tcp = tcp_of(op->flow);
	int got = op->op.result;

	tcp->pulls--;
	tcp->keep_op = NULL;
	if (got > 0) {
		tcp->keep_length += (uint32_t)got;
		tcp->sock_seq += (uint32_t)got;
		if (tcp_seq_diff(tcp->peek_seq, tcp->sock_seq) < 0)
			tcp->peek_seq = tcp->sock_seq;
		pull_adapt(tcp, (uint32_t)op->op.iov[0].iov_len, (uint32_t)got);
		pull_send_kept(shard, tcp);
	} else {
		pull_ended(shard, tcp, got);
		if (!tcp_is_over(tcp))
			tcp_pull_release(shard, tcp);
	}
	pull_next(shard, tcp);
}

/* Return: false if there is no room to keep more */
static bool pull_small(struct shard *shard, struct tcp_flow *tcp, uint32_t room)
{
	struct shard_op *op;

	if (tcp->hint > SHARD_KEEP_SIZE || tcp->snd_nxt != tcp->sock_seq ||
	    tcp->snd_max != tcp->sock_seq ||
	    tcp->keep_length == SHARD_KEEP_SIZE)
		return false;
	if (!tcp->keep)
		tcp->keep = shard_take_keep(shard);
	if (!tcp->keep)
		return false;
	op = shard_queue_op(shard, &tcp->flow, ENGINE_RECV, pull_small_done);
	op->op.iov[0].iov_base = tcp->keep + tcp->keep_length;
	op->op.iov[0].iov_len =
		pull_min(SHARD_KEEP_SIZE - tcp->keep_length, room);
	op->op.message.msg_iovlen = 1;
	tcp->keep_op = op;
	tcp->pulls++;
	return true;
}

/* Bulk */

/* Have the next peek begin at snd_nxt, where the kernel can. */
static void pull_seek(struct shard *shard, struct tcp_flow *tcp)
{
	int offset = (int)(tcp->snd_nxt - tcp->sock_seq);

	if (tcp->peeks && tcp->peek_seq == tcp->snd_nxt)
		return;
	tcp->peek_seq = tcp->snd_nxt;
	if (tcp->no_peek_off)
		return;
	SHARD_COUNT(shard, syscalls, 1);
	if (setsockopt(tcp->flow.sock, SOL_SOCKET, SO_PEEK_OFF, &offset,
		       sizeof(offset)))
		tcp->no_peek_off = true;
	tcp->peeks = !tcp->no_peek_off;
}

static void pull_bulk_done(struct shard *shard, struct shard_op *op)
{
	struct tcp_flow *tcp = tcp_of(op->flow);
	uint32_t asked = (uint32_t)op->context;
	uint32_t skipped = (uint32_t)(op->context >> 32);
	int got = op->op.result;

	tcp->pulls--;
	if (got > 0)
		got -= (int)skipped;
	if (op->op.result > 0 && got <= 0) {
		/* Nothing new; an end of file does not show yet. */
		outgoing_cancel(shard, &op->out);
		tcp->readable = false;
	} else if (got <= 0) {
		outgoing_cancel(shard, &op->out);
		pull_ended(shard, tcp, got);
	} else if (tcp->peek_seq != tcp->snd_nxt) {
		/* Sent again, or acknowledged, since this was queued. */
		outgoing_cancel(shard, &op->out);
		tcp->peek_seq += (uint32_t)got;
	} else {
		tcp->peek_seq += (uint32_t)got;
		pull_adapt(tcp, asked, (uint32_t)got);
		tcp_emit_received(shard, tcp, &op->out, tcp->snd_nxt,
				  (size_t)got);
	}
	pull_next(shard, tcp);
}

/* Return: 0, or -ENOBUFS without receive space for @size bytes of payload */
static int pull_queue_peek(struct shard *shard, struct tcp_flow *tcp,
			   uint32_t size)
{
	uint32_t skip = tcp->no_peek_off ? tcp->snd_nxt - tcp->sock_seq : 0;
	struct outgoing out;
	struct shard_op *op;
	unsigned int skips;
	size_t headers = tcp_headers(tcp);
	int ret = outgoing_begin(shard, tcp->queue, headers + size, &out);

	if (ret)
		return ret;
	op = shard_queue_op(shard, &tcp->flow, ENGINE_RECV, pull_bulk_done);
	op->out = out;
	op->has_out = true;
	op->op.flags = MSG_PEEK;
	skips = tcp_discard_iov(shard, skip, op->op.iov);
	op->op.message.msg_iovlen =
		skips + iov_slice(op->out.space.iov, op->out.space.iov_count,
				  headers, size, &op->op.iov[skips],
				  PORT_IOV_MAX - skips);
	op->context = (uint64_t)skip << 32 | size;
	tcp->pulls++;
	return 0;
}

static void pull_bulk(struct shard *shard, struct tcp_flow *tcp, uint32_t room)
{
	uint32_t most = tcp_pull_frame_max(shard, tcp);
	unsigned int frames = pull_segmented(shard, tcp) ? PULL_FRAMES_MAX : 1;
	uint32_t size;

	pull_seek(shard, tcp);
	if (tcp->no_peek_off) {
		/* How much to skip is only known when nothing is under way. */
		if (tcp->discarding ||
		    tcp->snd_nxt - tcp->sock_seq >= TCP_DISCARD_MAX)
			return;
		frames = 1;
	}
	for (; frames && room; frames--, room -= size) {
		size = pull_min(pull_min(tcp->hint, room), most);
		if (!pull_queue_peek(shard, tcp, size))
			continue;
		/* Less may fit, and is better than to wait. */
		size = pull_min(size, tcp->mss);
		if (tcp->pulls || pull_queue_peek(shard, tcp, size)) {
			shard_stall_flow(shard, &tcp->flow);
			return;
		}
	}
}

void tcp_pull(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t room;

	if (tcp->pulls || !pull_send_kept(shard, tcp))
		return;
	tcp_discard(shard, tcp);
	if (!pull_has_data(tcp))
		return;
	room = tcp_pull_room(tcp);
	if (!room) {
		tcp_timer_resend(shard, tcp);
		return;
	}
	if (pull_is_silly(tcp, room))
		return;
	if (!pull_small(shard, tcp, room))
		pull_bulk(shard, tcp, room);
}
