/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/icmp_internal.h"
#include "slirp/protocols.h"

/*
 * ICMP errors towards the guest (RFC 792; when not to send one: RFC 1122,
 * 3.2.2). They are as long as RFC 1812, 4.3.2.3 wants them at the most. No rate
 * limit: the guest gets one frame at the most for each that it sends.
 */

#define ICMP_ERROR_MAX 576 /* bytes of IP packet */
#define ICMP_QUOTE_MAX (ICMP_ERROR_MAX - 20 - 8)
#define ICMP_AT        HEADER_L4
#define ICMP_QUOTE_AT  (HEADER_L4 + 8)

struct icmp_frame {
	uint8_t data[HEADER_IP + ICMP_ERROR_MAX];
	size_t quoted; /* bytes */
};

static bool icmp_is_host(struct in_addr address)
{
	uint32_t value = ntohl(address.s_addr);

	return value >> 24 != 0 && value >> 24 != 127 && value >> 28 < 14;
}

/* About nothing that went to many, or came from nobody. */
static bool icmp_may_send(const struct slirp_config *config,
			  struct in_addr source, struct in_addr destination)
{
	uint32_t edge = config->network.s_addr | ~config->netmask.s_addr;

	return icmp_is_host(source) && source.s_addr != edge &&
	       ntohl(destination.s_addr) >> 28 < 14 &&
	       destination.s_addr != edge;
}

static void icmp_send_frame(struct shard *shard, unsigned int queue,
			    struct icmp_frame *frame,
			    const struct host_error *error, struct in_addr to)
{
	const struct slirp_config *config = shard_config(shard);
	struct icmphdr icmp = { .type = error->type, .code = error->code };
	size_t size = sizeof(icmp) + frame->quoted;
	struct header_ip4 ip = {
		.source = error->offender,
		.destination = to,
		.protocol = IPPROTO_ICMP,
		.length = size,
	};

	if (!ip.source.s_addr)
		ip.source = config->gateway;
	if (error->type == ICMP_DEST_UNREACH && error->code == ICMP_FRAG_NEEDED)
		icmp.un.frag.mtu = htons(error->mtu);
	memcpy(frame->data + ICMP_AT, &icmp, sizeof(icmp));
	icmp.checksum =
		checksum_fold(checksum_add(frame->data + ICMP_AT, size, 0));
	memcpy(frame->data + ICMP_AT, &icmp, sizeof(icmp));
	header_write_ip4(config, &ip, frame->data);
	if (outgoing_send(shard, queue, frame->data, ICMP_AT + size, NULL))
		SHARD_COUNT(shard, rx_dropped, 1);
}

void icmp_send_error(struct shard *shard, const struct packet *packet,
		     uint8_t type, uint8_t code, uint16_t mtu)
{
	struct host_error error = { .type = type, .code = code, .mtu = mtu };
	struct in_addr source = { packet->ip.saddr };
	struct in_addr destination = { packet->ip.daddr };
	struct icmp_frame frame;
	struct cursor at;

	if (!icmp_may_send(shard_config(shard), source, destination))
		return;
	frame.quoted = ntohs(packet->ip.tot_len);
	if (frame.quoted > ICMP_QUOTE_MAX)
		frame.quoted = ICMP_QUOTE_MAX;
	cursor_init(&at, packet->frame->iov, packet->frame->iov_count,
		    packet->frame->length);
	if (!cursor_skip(&at, HEADER_IP) ||
	    !cursor_take(&at, frame.data + ICMP_QUOTE_AT, frame.quoted))
		return;
	/* The header as it was judged, whatever became of it since. */
	memcpy(frame.data + ICMP_QUOTE_AT, &packet->ip, sizeof(packet->ip));
	icmp_send_frame(shard, shard_input_queue(shard), &frame, &error,
			source);
}

void icmp_send_quote(struct shard *shard, unsigned int queue,
		     const struct icmp_quote *quote)
{
	const struct slirp_config *config = shard_config(shard);
	struct header_ip4 ip = {
		.source = quote->source,
		.destination = quote->destination,
		.protocol = quote->protocol,
		.length = quote->length,
		.fragment = HEADER_DONT_FRAGMENT,
	};
	uint8_t header[HEADER_L4];
	struct icmp_frame frame;
	size_t size = quote->size;

	if (!icmp_may_send(config, quote->source, quote->destination))
		return;
	if (size > ICMP_QUOTE_MAX - sizeof(struct iphdr))
		size = ICMP_QUOTE_MAX - sizeof(struct iphdr);
	frame.quoted = sizeof(struct iphdr) + size;
	header_write_ip4(config, &ip, header);
	memcpy(frame.data + ICMP_QUOTE_AT, header + HEADER_IP,
	       sizeof(struct iphdr));
	memcpy(frame.data + ICMP_QUOTE_AT + sizeof(struct iphdr), quote->data,
	       size);
	icmp_send_frame(shard, queue, &frame, quote->error, quote->source);
}
