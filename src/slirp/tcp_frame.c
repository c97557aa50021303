/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/tcp_internal.h"

struct tcp_header {
	struct tcphdr fixed;
	uint8_t options[TCP_OPTIONS_MAX];
};

_Static_assert(HEADER_L4 + sizeof(struct tcphdr) == TCP_HEADERS_SIZE,
	       "headers are as long as their parts");

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
	tcp->th_sum = (uint16_t)~checksum_fold(sum);
	offload->flags = PORT_NEEDS_CSUM;
	offload->csum_start = HEADER_L4;
	offload->csum_offset = offsetof(struct tcphdr, th_sum);
	if (frame->length <= frame->mss)
		return;
	offload->gso_type = PORT_GSO_TCPV4;
	offload->gso_size = frame->mss;
	offload->header_len = TCP_HEADERS_SIZE + frame->options_length;
}

size_t tcp_frame_write(const struct shard *shard, const struct tcp_frame *frame,
		       uint8_t *header, struct port_offload *offload)
{
	size_t size = sizeof(struct tcphdr) + frame->options_length;
	struct header_ip4 ip = {
		.source = { frame->key->peer.s6_addr32[3] },
		.destination = { frame->key->guest.s6_addr32[3] },
		.protocol = IPPROTO_TCP,
		.length = size + frame->length,
		.fragment = HEADER_DONT_FRAGMENT,
	};
	struct tcp_header tcp;
	uint32_t sum;

	frame_fill(frame, &tcp);
	*offload = (struct port_offload) { 0 };
	sum = checksum_pseudo4(ip.source, ip.destination, IPPROTO_TCP,
			       ip.length);
	if (shard_features(shard)->rx_csum)
		frame_leave_checksum(frame, sum, &tcp.fixed, offload);
	else
		tcp.fixed.th_sum = checksum_fold(
			checksum_add(&tcp, size, sum + frame->sum));
	header_write_ip4(shard_config(shard), &ip, header);
	memcpy(header + HEADER_L4, &tcp, size);
	return HEADER_L4 + size;
}
