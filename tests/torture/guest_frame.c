/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/ethernet.h>
#include <netinet/ip6.h>
#include <string.h>

#include "guest.h"
#include "slirp/wire.h"

#define SEGMENT_ROOM 16384 /* bytes of payload */

/* The guest's receive window is counted in units of 128 bytes. */
#define SCALE 7

static const uint8_t syn_options[] = {
	TCPOPT_MAXSEG, TCPOLEN_MAXSEG, 1460 >> 8,      1460 & 0xff,
	TCPOPT_NOP,    TCPOPT_WINDOW,  TCPOLEN_WINDOW, SCALE,
};

static void frame_write_ip4(const struct slirp_config *config, uint8_t *at,
			    uint8_t protocol, size_t size)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = protocol,
		.tot_len = htons((uint16_t)(sizeof(ip) + size)),
		.saddr = config->guest.s_addr,
		.daddr = config->gateway.s_addr,
	};

	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
}

static void frame_write_ip6(const struct slirp_config *config, uint8_t *at,
			    uint8_t protocol, size_t size)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons((uint16_t)size),
		.ip6_nxt = protocol,
		.ip6_hlim = 64,
		.ip6_src = config->guest6,
		.ip6_dst = config->gateway6,
	};

	memcpy(at, &ip, sizeof(ip));
}

size_t frame_begin(const struct guest *guest, uint8_t *frame, bool is6,
		   uint8_t protocol, size_t size)
{
	const struct slirp_config *config = &guest->torture->config;
	struct ether_header ether = {
		.ether_type = htons(is6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP),
	};

	memcpy(ether.ether_shost, config->guest_mac, 6);
	memcpy(ether.ether_dhost, config->gateway_mac, 6);
	memcpy(frame, &ether, sizeof(ether));
	if (is6)
		frame_write_ip6(config, frame + sizeof(ether), protocol, size);
	else
		frame_write_ip4(config, frame + sizeof(ether), protocol, size);
	return sizeof(ether) +
	       (is6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr));
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

/* Send a header with @size bytes of options or payload at @data. */
static void segment_transmit(struct guest *guest, struct stream *stream,
			     const struct tcphdr *tcp, const uint8_t *data,
			     size_t size)
{
	uint8_t frame[GUEST_HEADERS_MAX + sizeof(*tcp) + SEGMENT_ROOM];
	size_t at = frame_begin(guest, frame, stream->is6, IPPROTO_TCP,
				sizeof(*tcp) + size);

	memcpy(frame + at, tcp, sizeof(*tcp));
	memcpy(frame + at + sizeof(*tcp), data, size);
	guest_transmit(guest, guest_hop(guest, &stream->hops), frame,
		       at + sizeof(*tcp) + size);
}

void segment_send(struct guest *guest, struct stream *stream, uint32_t offset,
		  uint8_t flags, uint32_t size)
{
	uint8_t data[SEGMENT_ROOM];
	struct tcphdr tcp =
		stream_header(stream, stream->iss + 1 + offset, flags);

	stream_fill(guest->torture, stream->id, true, offset, data, size);
	segment_transmit(guest, stream, &tcp, data, size);
}

void segment_send_syn(struct guest *guest, struct stream *stream)
{
	uint8_t flags =
		stream->state == GUEST_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK;
	struct tcphdr tcp = stream_header(stream, stream->iss, flags);

	tcp.th_off = (sizeof(tcp) + sizeof(syn_options)) / 4 & 0xf;
	segment_transmit(guest, stream, &tcp, syn_options, sizeof(syn_options));
}

void segment_refuse(struct guest *guest, bool is6, uint16_t port,
		    uint16_t peer_port, const struct segment *segment)
{
	struct stream none = { .is6 = is6,
			       .port = port,
			       .peer_port = peer_port,
			       .iss = segment->ack - 1,
			       .hops.kind = HOPS_ALWAYS };

	if (segment->flags & TH_RST)
		return;
	segment_send(guest, &none, 0, TH_RST, 0);
}
