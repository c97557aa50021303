/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/tcp_internal.h"

struct tcp_header {
	struct tcphdr fixed;
	uint8_t options[TCP_OPTIONS_MAX];
};

_Static_assert(HEADER_IP + HEADER_IP6 + sizeof(struct tcphdr) ==
		       TCP_HEADERS_MAX,
	       "headers are as long as their parts");

size_t tcp_headers(const struct tcp_flow *tcp)
{
	return header_l4(&tcp->flow.key.guest) + sizeof(struct tcphdr);
}

static void frame_fill(const struct tcp_frame *frame, struct tcp_header *header)
{
	struct tcphdr *fixed = &header->fixed;

	*fixed = (struct tcphdr) {
		.th_sport = htons(frame->key->peer_port),
		.th_dport = htons(frame->key->guest_port),
		.th_seq = htonl(frame->seq),
		.th_ack = htonl(frame->ack),
		.th_win = htons(frame->window),
	};
	fixed->th_off = (sizeof(*fixed) + frame->options_length) / 4 & 0xf;
	fixed->th_flags = frame->flags;
	memcpy(header->options, frame->options, frame->options_length);
}

/* virtio 1.2, 5.1.6.4: the field holds the pseudo header's sum, not inverted */
static void frame_leave_checksum(const struct tcp_frame *frame, uint32_t sum,
				 struct tcphdr *tcp,
				 struct port_offload *offload)
{
	size_t at = header_l4(&frame->key->guest);

	tcp->th_sum = (uint16_t)~checksum_fold(sum);
	offload->flags = PORT_NEEDS_CSUM;
	offload->csum_start = (uint16_t)at;
	offload->csum_offset = offsetof(struct tcphdr, th_sum);
	if (frame->length <= frame->mss)
		return;
	offload->gso_type = address_is4(&frame->key->guest) ? PORT_GSO_TCPV4
							    : PORT_GSO_TCPV6;
	offload->gso_size = frame->mss;
	offload->header_len =
		(uint16_t)(at + sizeof(struct tcphdr) + frame->options_length);
}

size_t tcp_frame_write(const struct shard *shard, const struct tcp_frame *frame,
		       uint8_t *header, struct port_offload *offload)
{
	size_t size = sizeof(struct tcphdr) + frame->options_length;
	struct header_ip ip = {
		.source = frame->key->peer,
		.destination = frame->key->guest,
		.protocol = IPPROTO_TCP,
		.length = size + frame->length,
		.fragment = HEADER_DONT_FRAGMENT,
	};
	struct tcp_header tcp;
	uint32_t sum;
	size_t at;

	frame_fill(frame, &tcp);
	*offload = (struct port_offload) { 0 };
	sum = checksum_pseudo(&ip.source, &ip.destination, IPPROTO_TCP,
			      ip.length);
	if (shard_features(shard)->rx_csum)
		frame_leave_checksum(frame, sum, &tcp.fixed, offload);
	else
		tcp.fixed.th_sum = checksum_fold(
			checksum_add(&tcp, size, sum + frame->sum));
	at = header_write_ip(shard_config(shard), &ip, header);
	memcpy(header + at, &tcp, size);
	return at + size;
}
