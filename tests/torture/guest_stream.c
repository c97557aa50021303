/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static struct stream **stream_place(struct guest *guest, bool is6,
				    uint16_t port, uint16_t peer_port)
{
	return port == TORTURE_SERVER_PORT ? &guest->theirs[is6][peer_port]
					   : &guest->ours[port];
}

static struct stream *stream_add(struct guest *guest, bool is6, uint16_t port,
				 uint16_t peer_port)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (guest->live_count == guest->live_room) {
		guest->live_room = 2 * guest->live_room + 64;
		guest->live =
			realloc(guest->live, guest->live_room * sizeof(stream));
	}
	guest->live[guest->live_count++] = stream;
	*stream_place(guest, is6, port, peer_port) = stream;
	stream->is6 = is6;
	stream->port = port;
	stream->peer_port = peer_port;
	stream->iss = random_below(&guest->random, UINT32_MAX);
	stream->alive_us = guest->now_us;
	stream->hops.kind = HOPS_ALWAYS;
	return stream;
}

void stream_open(struct guest *guest)
{
	struct torture *torture = guest->torture;
	uint16_t port = guest->next_port;
	struct stream *stream;
	unsigned int listener;
	struct plan plan;
	uint32_t id;

	guest->next_port =
		port == GUEST_PORT_HIGH ? GUEST_PORT_LOW : (uint16_t)(port + 1);
	if (port == TORTURE_SERVER_PORT || guest->ours[port])
		return;
	id = __atomic_fetch_add(&torture->next_id, 1, __ATOMIC_RELAXED);
	plan = plan_make(torture, id);
	listener = random_below(&guest->random, TORTURE_LISTENERS / 2) * 2 +
		   plan.is6;
	stream = stream_add(guest, plan.is6, port,
			    torture->listener_port[listener]);
	stream->state = GUEST_SYN_SENT;
	stream->id = id;
	stream->plan = plan;
	stream->hops.kind = plan.hops;
	stream->known = true;
	guest->opened++;
	guest->half_open++;
	segment_send_syn(guest, stream);
}

static int segment_scale(const uint8_t *options, size_t size)
{
	size_t at = 0;

	while (at + 2 < size && options[at] != TCPOPT_EOL) {
		if (options[at] == TCPOPT_WINDOW)
			return options[at + 2];
		at += options[at] == TCPOPT_NOP ? 1 : options[at + 1];
	}
	return 0;
}

static void segment_parse(const struct torture *torture, const uint8_t *data,
			  size_t size, struct segment *segment)
{
	struct tcphdr tcp;
	size_t header;

	memcpy(&tcp, data, sizeof(tcp));
	header = tcp.th_off * 4U;
	if (header < sizeof(tcp) || header > size)
		torture_fail(torture, "a TCP header is wrong");
	*segment = (struct segment) {
		.seq = ntohl(tcp.th_seq),
		.ack = ntohl(tcp.th_ack),
		.window = ntohs(tcp.th_win),
		.flags = tcp.th_flags,
		.scale =
			segment_scale(data + sizeof(tcp), header - sizeof(tcp)),
		.data = data + header,
		.size = (uint32_t)(size - header),
	};
}

/* The host opens one, perhaps on the port of one that is over. */
static struct stream *stream_answer(struct guest *guest, bool is6,
				    uint16_t peer_port, struct stream *old,
				    const struct segment *segment)
{
	struct stream *stream;

	if (old && old->state != GUEST_OVER)
		return old;
	if (old)
		old->due_us = 0;
	stream = stream_add(guest, is6, TORTURE_SERVER_PORT, peer_port);
	stream->state = GUEST_SYN_RECEIVED;
	stream->irs = segment->seq;
	stream->plan.window = 65535;
	return stream;
}

void stream_input(struct guest *guest, bool is6, const uint8_t *data,
		  size_t size)
{
	struct segment segment;
	struct stream *stream;
	uint16_t port, peer_port;
	struct tcphdr tcp;

	memcpy(&tcp, data, sizeof(tcp));
	port = ntohs(tcp.th_dport);
	peer_port = ntohs(tcp.th_sport);
	segment_parse(guest->torture, data, size, &segment);
	stream = *stream_place(guest, is6, port, peer_port);
	if ((segment.flags & (TH_SYN | TH_ACK)) == TH_SYN &&
	    port == TORTURE_SERVER_PORT)
		stream = stream_answer(guest, is6, peer_port, stream, &segment);
	if (stream && stream->peer_port == peer_port && stream->is6 == is6)
		stream_take(guest, stream, &segment);
	else
		segment_refuse(guest, is6, port, peer_port, &segment);
}

static bool stream_is_forgotten(const struct guest *guest,
				const struct stream *stream)
{
	return stream->state == GUEST_OVER && stream->due_us <= guest->now_us;
}

static void stream_remove(struct guest *guest, unsigned int index)
{
	struct stream *stream = guest->live[index];
	struct stream **place = stream_place(guest, stream->is6, stream->port,
					     stream->peer_port);

	if (*place == stream)
		*place = NULL;
	guest->live[index] = guest->live[--guest->live_count];
	free(stream);
}

void stream_run_all(struct guest *guest)
{
	for (unsigned int i = 0; i < guest->live_count; i++) {
		struct stream *stream = guest->live[i];

		stream_run(guest, stream);
		if (stream_is_forgotten(guest, stream))
			stream_remove(guest, i--);
	}
}
