/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "guest.h"

/*
 * A plain TCP: no congestion control, go-back-N, everything acknowledged at
 * once. It keeps no bytes: what it sends again it makes again, and what comes
 * before its turn is checked there and then, and remembered as a range.
 */

#define SEGMENT_MAX   8000   /* bytes; longer than a frame of the guest's MTU */
#define BURST_MAX     4      /* segments at a time */
#define RESEND_US     300000 /* doubled with each try */
#define RESEND_TRIES  5      /* ... so often */
#define LINGER_US     3000000 /* a stream that is over is known for so long: */
#define LINGER_END_US 1000000 /* ... in the end, where there is less to do */
#define PAUSE_US      20000   /* longest that the guest has nothing to say */

static uint32_t up_end(const struct stream *stream)
{
	return stream->plan.up + 1;
}

static void stream_progress(struct guest *guest, struct stream *stream)
{
	stream->alive_us = guest->now_us;
	stream->tries = 0;
	stream->dups = 0;
	stream->due_us = guest->now_us + RESEND_US;
}

static void stream_end(struct guest *guest, struct stream *stream, bool reset)
{
	if (stream->port != TORTURE_SERVER_PORT)
		guest->opened--;
	stream->state = GUEST_OVER;
	/* Longer than frames wait on a busy machine: RST, the answer to those
	 * of a stream that is forgotten, may overtake its last acknowledgement.
	 */
	stream->due_us = guest->now_us + (torture_is(&guest->torture->stopping)
						  ? LINGER_END_US
						  : LINGER_US);
	guest->torture->streams++;
	guest->torture->resets += reset;
}

static void stream_take_reset(struct guest *guest, struct stream *stream,
			      const struct segment *segment)
{
	if (stream->state == GUEST_OVER)
		return;
	/* We have answered a late copy of the SYN of one that is over. If not,
	 * the host tells. */
	if (stream->state == GUEST_SYN_RECEIVED) {
		stream->state = GUEST_OVER;
		stream->due_us = 0;
		return;
	}
	if (!stream->known || stream->plan.abort != ABORT_HOST)
		torture_fail(guest->torture,
			     "stream %u, port %u to %u, is reset, state %d, up "
			     "%u, sent %u of %u, down %u of %u, abort %d; the "
			     "reset's flags are %x, %u and %u",
			     stream->id, stream->port, stream->peer_port,
			     stream->state, stream->up_acked, stream->up_max,
			     stream->plan.up, stream->down_next,
			     stream->plan.down, stream->plan.abort,
			     segment->flags, segment->seq - (stream->irs + 1),
			     segment->ack - (stream->iss + 1));
	stream_end(guest, stream, true);
}

static void stream_abort(struct guest *guest, struct stream *stream)
{
	segment_send(guest, stream, stream->up_max, TH_RST | TH_ACK, 0);
	stream_end(guest, stream, true);
}

static void stream_take_ack(struct guest *guest, struct stream *stream,
			    const struct segment *segment)
{
	uint32_t acked = segment->ack - (stream->iss + 1);
	int32_t fresh = (int32_t)(acked - stream->up_acked);

	if (fresh < 0)
		return;
	if (acked > stream->up_max)
		torture_fail(guest->torture,
			     "stream %u: %u acknowledged, %u sent", stream->id,
			     acked, stream->up_max);
	if (acked + (segment->window << stream->peer_scale) > stream->up_edge)
		stream->up_edge =
			acked + (segment->window << stream->peer_scale);
	if (fresh) {
		stream->up_acked = acked;
		if (stream->up_sent < acked)
			stream->up_sent = acked;
		stream_progress(guest, stream);
	} else if (!segment->size && stream->up_sent != acked &&
		   ++stream->dups == 3) {
		stream->up_sent = acked;
	}
}

/* Remember a range that came before its turn; without room it is forgotten. */
static void stream_note_early(struct stream *stream, uint32_t start,
			      uint32_t end)
{
	for (int i = 0; i < GUEST_GAPS; i++)
		if (!stream->early[i].end) {
			stream->early[i] = (struct gap) { start, end };
			return;
		}
}

/* Everything below @end is there, and what was early may be next. */
static void stream_move_on(struct guest *guest, struct stream *stream,
			   uint32_t end)
{
	bool again = true;

	stream->down_next = end;
	stream_progress(guest, stream);
	while (again) {
		again = false;
		for (int i = 0; i < GUEST_GAPS; i++) {
			struct gap *gap = &stream->early[i];

			if (!gap->end || gap->start > stream->down_next)
				continue;
			if (gap->end > stream->down_next)
				stream->down_next = gap->end;
			gap->end = 0;
			again = true;
		}
	}
}

/* The first bytes of a stream that the host has opened tell which it is. */
static void stream_learn(struct guest *guest, struct stream *stream,
			 const struct segment *segment)
{
	if (segment->size < TORTURE_HEADER || segment->seq != stream->irs + 1)
		return;
	stream->id = stream_id(segment->data);
	stream->plan = plan_make(guest->torture, stream->id);
	stream->hops.kind = stream->plan.hops;
	stream->known = true;
}

static void stream_take_data(struct guest *guest, struct stream *stream,
			     const struct segment *segment)
{
	bool fin = segment->flags & TH_FIN;
	uint32_t start = segment->seq - (stream->irs + 1);
	uint32_t end = start + segment->size;

	if (!segment->size && !fin)
		return;
	stream->ack_due = true;
	if (!stream->known)
		stream_learn(guest, stream, segment);
	if (!stream->known)
		return;
	if (end > stream->plan.down || (fin && end != stream->plan.down))
		torture_fail(guest->torture,
			     "stream %u: %u to %u%s came of %u bytes",
			     stream->id, start, end, fin ? " with FIN" : "",
			     stream->plan.down);
	stream_check(guest->torture, stream->id, false, start, segment->data,
		     segment->size);
	end += fin;
	if (start > stream->down_next)
		stream_note_early(stream, start, end);
	else if (end > stream->down_next)
		stream_move_on(guest, stream, end);
}

static void stream_take_syn(struct guest *guest, struct stream *stream,
			    const struct segment *segment)
{
	bool answer = segment->flags & TH_ACK;

	stream->peer_scale = (uint8_t)segment->scale;
	if (stream->state == GUEST_SYN_SENT && answer) {
		if (segment->ack != stream->iss + 1)
			torture_fail(guest->torture,
				     "stream %u: a SYN-ACK of %u", stream->id,
				     segment->ack - stream->iss);
		stream->irs = segment->seq;
		stream->up_edge = segment->window;
		stream->state = GUEST_OPEN;
		guest->half_open--;
		stream_progress(guest, stream);
	} else if (stream->state == GUEST_SYN_RECEIVED && !answer) {
		stream->up_edge = segment->window;
		segment_send_syn(guest, stream);
		stream->due_us = guest->now_us + RESEND_US;
	}
	stream->ack_due = stream->state == GUEST_OPEN;
}

static bool stream_is_complete(const struct stream *stream)
{
	return stream->known && stream->up_acked == up_end(stream) &&
	       stream->down_next == stream->plan.down + 1;
}

static void stream_take_late(struct guest *guest, struct stream *stream,
			     const struct segment *segment)
{
	if (!stream_is_complete(stream))
		segment_refuse(guest, stream->is6, stream->port,
			       stream->peer_port, segment);
	else if (segment->size || segment->flags & (TH_FIN | TH_SYN))
		segment_send(guest, stream, stream->up_max, TH_ACK, 0);
}

/* A late one of the connection that had the ports before. What is wrong with a
 * segment of this one begins at most where the stream ends. */
static bool stream_is_foreign(const struct stream *stream,
			      const struct segment *segment)
{
	return stream->state == GUEST_OPEN && !(segment->flags & TH_SYN) &&
	       segment->seq - (stream->irs + 1) > stream->plan.down + 1;
}

void stream_take(struct guest *guest, struct stream *stream,
		 const struct segment *segment)
{
	if (stream_is_foreign(stream, segment)) {
		stream->ack_due = true;
		return;
	}
	if (segment->flags & TH_RST) {
		/* Or it is for the one before (RFC 9293, 3.10.7.4). */
		if (stream->state != GUEST_SYN_RECEIVED ||
		    segment->seq == stream->irs + 1)
			stream_take_reset(guest, stream, segment);
		return;
	}
	if (stream->state == GUEST_OVER) {
		stream_take_late(guest, stream, segment);
		return;
	}
	if (segment->flags & TH_SYN) {
		stream_take_syn(guest, stream, segment);
		return;
	}
	if (stream->state == GUEST_SYN_SENT)
		return;
	if (stream->state == GUEST_SYN_RECEIVED &&
	    segment->ack != stream->iss + 1) {
		segment_refuse(guest, stream->is6, stream->port,
			       stream->peer_port, segment);
		return;
	}
	stream->state = GUEST_OPEN;
	stream_take_ack(guest, stream, segment);
	stream_take_data(guest, stream, segment);
	if (stream->known && stream->plan.abort == ABORT_GUEST &&
	    stream->down_next >= stream->plan.abort_at)
		stream_abort(guest, stream);
}

/* Return: how far the guest may send, FIN included */
static uint32_t stream_may_send(const struct stream *stream)
{
	bool waits = stream->plan.guest_waits &&
		     stream->down_next <= stream->plan.down;
	uint32_t most = waits ? stream->plan.up : up_end(stream);

	if (!stream->known)
		return 0;
	return most < stream->up_edge ? most : stream->up_edge;
}

static void stream_send_one(struct guest *guest, struct stream *stream,
			    uint32_t size)
{
	uint32_t start = stream->up_sent, end = start + size;
	bool fin = end == up_end(stream);

	segment_send(guest, stream, start,
		     (uint8_t)(TH_ACK | (fin ? TH_FIN : 0)), size - fin);
	stream->ack_due = false;
	stream->up_sent = end;
	if (stream->up_max < end)
		stream->up_max = end;
	if (!stream->due_us)
		stream->due_us = guest->now_us + RESEND_US;
}

void stream_send(struct guest *guest, struct stream *stream)
{
	uint32_t most = stream_may_send(stream), size;

	for (int i = 0; i < BURST_MAX && stream->up_sent < most &&
			stream->pump_us <= guest->now_us;
	     i++) {
		size = 1 + random_below(&guest->random, SEGMENT_MAX);
		if (size > most - stream->up_sent)
			size = most - stream->up_sent;
		stream_send_one(guest, stream, size);
		if (random_below(&guest->random, 8) == 0)
			stream->pump_us =
				guest->now_us +
				random_below(&guest->random, PAUSE_US);
	}
	if (stream->ack_due)
		/* Never below what was sent: it would not be looked at. */
		segment_send(guest, stream, stream->up_max, TH_ACK, 0);
	stream->ack_due = false;
}

/* Nothing has been heard for long: say the oldest again. */
static void stream_resend(struct guest *guest, struct stream *stream)
{
	if (stream->tries < RESEND_TRIES)
		stream->tries++;
	stream->due_us = guest->now_us + (RESEND_US << stream->tries);
	if (stream->state != GUEST_OPEN) {
		segment_send_syn(guest, stream);
		return;
	}
	stream->up_sent = stream->up_acked;
	/* A window that is closed is probed with one byte. */
	if (stream->known && stream->up_acked >= stream->up_edge &&
	    stream->up_acked < up_end(stream))
		stream_send_one(guest, stream, 1);
}

static void stream_check_alive(const struct guest *guest,
			       const struct stream *stream)
{
	if (guest->now_us - stream->alive_us < TORTURE_QUIET_S * 1000000ULL)
		return;
	torture_fail(guest->torture,
		     "stream %u%s hangs: state %d, port %u to %u, queue %u, up "
		     "%u sent %u edge %u of %u, down %u of %u, waits %d %d",
		     stream->id, stream->known ? "" : " (not known yet)",
		     stream->state, stream->port, stream->peer_port,
		     stream->hops.queue, stream->up_acked, stream->up_sent,
		     stream->up_edge, stream->plan.up, stream->down_next,
		     stream->plan.down, stream->plan.guest_waits,
		     stream->plan.host_waits);
}

void stream_run(struct guest *guest, struct stream *stream)
{
	if (stream->state == GUEST_OVER)
		return;
	stream_check_alive(guest, stream);
	if (!stream->due_us)
		stream->due_us = guest->now_us + RESEND_US;
	if (stream->due_us <= guest->now_us)
		stream_resend(guest, stream);
	if (stream->state == GUEST_OPEN)
		stream_send(guest, stream);
	if (!stream_is_complete(stream))
		return;
	/* The last acknowledgement may have been with data that was sent again,
	 * and looked at no more. */
	segment_send(guest, stream, stream->up_max, TH_ACK, 0);
	stream_end(guest, stream, false);
}
