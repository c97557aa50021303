/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/ethernet.h>
#include <string.h>

#include "guest.h"
#include "slirp/wire.h"

#define HEADERS 54 /* Ethernet, IPv4, TCP without options, bytes */

/* The guest's receive window is counted in units of 128 bytes. */
#define SCALE 7

static const uint8_t syn_options[] = {
	TCPOPT_MAXSEG, TCPOLEN_MAXSEG, 1460 >> 8,      1460 & 0xff,
	TCPOPT_NOP,    TCPOPT_WINDOW,  TCPOLEN_WINDOW, SCALE,
};

/* Headers in front of @size bytes of options and payload. */
static void frame_write(const struct slirp_config *config, uint8_t *frame,
			const struct tcphdr *tcp, size_t size)
{
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.tot_len = htons((uint16_t)(40 + size)),
		.saddr = config->guest.s_addr,
		.daddr = config->gateway.s_addr,
	};

	memcpy(ether.ether_shost, config->guest_mac, 6);
	memcpy(ether.ether_dhost, config->gateway_mac, 6);
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame, &ether, sizeof(ether));
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + 34, tcp, sizeof(*tcp));
}

static struct tcphdr stream_header(const struct stream *stream, uint32_t seq,
				   uint8_t flags)
{
	uint32_t window = stream->plan.window >> (flags & TH_SYN ? 0 : SCALE);
	struct tcphdr tcp = {
		.th_sport = htons(stream->port),
		.th_dport = htons(stream->peer_port),
		.th_seq = htonl(seq),
		.th_off = 5,
		.th_win = htons((uint16_t)(window < 65535 ? window : 65535)),
	};

	tcp.th_flags = flags;
	if (flags & TH_ACK)
		tcp.th_ack = htonl(stream->irs + 1 + stream->down_next);
	return tcp;
}

void segment_send(struct guest *guest, struct stream *stream, uint32_t offset,
		  uint8_t flags, uint32_t size)
{
	uint8_t frame[HEADERS + 16384];
	struct tcphdr tcp =
		stream_header(stream, stream->iss + 1 + offset, flags);

	stream_fill(guest->torture, stream->id, true, offset, frame + HEADERS,
		    size);
	frame_write(&guest->torture->config, frame, &tcp, size);
	guest_transmit(guest, guest_hop(guest, &stream->hops), frame,
		       HEADERS + size);
}

void segment_send_syn(struct guest *guest, struct stream *stream)
{
	uint8_t flags =
		stream->state == GUEST_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK;
	struct tcphdr tcp = stream_header(stream, stream->iss, flags);
	uint8_t frame[HEADERS + sizeof(syn_options)];

	tcp.th_off = (sizeof(tcp) + sizeof(syn_options)) / 4 & 0xf;
	memcpy(frame + HEADERS, syn_options, sizeof(syn_options));
	frame_write(&guest->torture->config, frame, &tcp, sizeof(syn_options));
	guest_transmit(guest, guest_hop(guest, &stream->hops), frame,
		       sizeof(frame));
}

void segment_refuse(struct guest *guest, uint16_t port, uint16_t peer_port,
		    const struct segment *segment)
{
	struct stream none = { .port = port,
			       .peer_port = peer_port,
			       .iss = segment->ack - 1,
			       .hops.kind = HOPS_ALWAYS };

	if (segment->flags & TH_RST)
		return;
	segment_send(guest, &none, 0, TH_RST, 0);
}
