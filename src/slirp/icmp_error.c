/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <string.h>

#include "slirp/fragment.h"
#include "slirp/icmp_internal.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

/*
 * ICMP errors towards the guest (RFC 792, RFC 4443 2.4; when not to send one:
 * RFC 1122, 3.2.2). They are as long as RFC 1812, 4.3.2.3 and RFC 4443, 2.4 c
 * want them at the most. No rate limit: the guest gets one frame at the most
 * for each that it sends.
 */

#define ICMP_ERROR4_MAX 576  /* bytes of IP packet */
#define ICMP_ERROR6_MAX 1280 /* bytes of IP packet */

struct icmp_frame {
	uint8_t data[HEADER_IP + ICMP_ERROR6_MAX];
	size_t quoted; /* bytes */
};

static size_t icmp_quote_at(const struct in6_addr *guest)
{
	return header_l4(guest) + sizeof(struct icmphdr);
}

/* What may be quoted of a packet, bytes from its IP header on. */
static size_t icmp_quote_max(const struct in6_addr *guest)
{
	size_t most = address_is4(guest) ? ICMP_ERROR4_MAX : ICMP_ERROR6_MAX;

	return most - header_ip_size(guest) - sizeof(struct icmphdr);
}

static bool icmp_is_host(const struct in6_addr *address)
{
	if (address_is_loopback(address) || address_is_group(address))
		return false;
	if (address_is4(address))
		return address->s6_addr[12] != 0 && address->s6_addr[12] < 224;
	return !address_is_any(address);
}

/* About nothing that went to many, or came from nobody. (Nor about any but the
 * first fragment, in IPv4.) */
static bool icmp_may_send(const struct slirp_config *config,
			  const struct in6_addr *source,
			  const struct in6_addr *destination)
{
	struct in_addr edge = { config->network.s_addr |
				~config->netmask.s_addr };
	struct in6_addr edge6 = address_from4(edge);

	return icmp_is_host(source) && !address_equal(source, &edge6) &&
	       !address_is_group(destination) &&
	       !address_equal(destination, &edge6) &&
	       (!address_is4(destination) || destination->s6_addr[12] < 224);
}

static uint16_t icmp_checksum(const struct header_ip *ip,
			      const uint8_t *message)
{
	uint32_t sum = 0;

	if (ip->protocol == IPPROTO_ICMPV6)
		sum = checksum_pseudo(&ip->source, &ip->destination,
				      ip->protocol, ip->length);
	return checksum_fold(checksum_add(message, ip->length, sum));
}

void icmp_send_message(struct shard *shard, unsigned int queue,
		       const struct header_ip *ip, uint8_t *message)
{
	struct icmphdr icmp;

	memcpy(&icmp, message, sizeof(icmp));
	icmp.checksum = 0;
	memcpy(message, &icmp, sizeof(icmp));
	icmp.checksum = icmp_checksum(ip, message);
	memcpy(message, &icmp, sizeof(icmp));
	if (!fragment_send(shard, queue, ip, message, ip->length))
		SHARD_COUNT(shard, rx_dropped, 1);
}

void icmp_finish(struct shard *shard, unsigned int queue,
		 const struct header_ip *ip, uint8_t *frame)
{
	size_t at = header_write_ip(shard_config(shard), ip, frame);
	struct icmphdr icmp;

	memcpy(&icmp, frame + at, sizeof(icmp));
	icmp.checksum = icmp_checksum(ip, frame + at);
	memcpy(frame + at, &icmp, sizeof(icmp));
	if (outgoing_send(shard, queue, frame, at + ip->length, NULL))
		SHARD_COUNT(shard, rx_dropped, 1);
}

/* Where the MTU goes differs (RFC 1191, 4; RFC 4443, 3.2, and 3.4). */
static void icmp_set_detail(struct icmphdr *icmp,
			    const struct host_error *error, bool is4)
{
	if (!is4 && error->type == ICMP6_PACKET_TOO_BIG)
		icmp->un.gateway = htonl(error->mtu);
	else if (!is4 && error->type == ICMP6_PARAM_PROB)
		icmp->un.gateway = htonl(error->pointer);
	else if (is4 && error->type == ICMP_DEST_UNREACH &&
		 error->code == ICMP_FRAG_NEEDED)
		icmp->un.frag.mtu = htons(error->mtu);
}

static void icmp_send_frame(struct shard *shard, unsigned int queue,
			    struct icmp_frame *frame,
			    const struct host_error *error,
			    const struct in6_addr *to)
{
	bool is4 = address_is4(to);
	struct icmphdr icmp = { .type = error->type, .code = error->code };
	struct header_ip ip = {
		.source = error->offender,
		.destination = *to,
		.protocol = is4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.length = sizeof(icmp) + frame->quoted,
	};

	if (address_is_any(&ip.source) || address_is4(&ip.source) != is4)
		ip.source = nat_gateway(shard_config(shard), is4);
	icmp_set_detail(&icmp, error, is4);
	memcpy(frame->data + header_l4(to), &icmp, sizeof(icmp));
	icmp_finish(shard, queue, &ip, frame->data);
}

/* The header as it was judged, whatever became of it since. */
static void icmp_quote_header(const struct packet *packet, uint8_t *to)
{
	if (packet->is4)
		memcpy(to, &packet->ip, sizeof(packet->ip));
	else
		memcpy(to, &packet->ip6, sizeof(packet->ip6));
}

void icmp_send_error(struct shard *shard, const struct packet *packet,
		     const struct host_error *error)
{
	const struct in6_addr *guest = &packet->source;
	size_t quote = icmp_quote_at(guest), most = icmp_quote_max(guest);
	struct icmp_frame frame;
	struct cursor at;

	if (!icmp_may_send(shard_config(shard), guest, &packet->destination) ||
	    (packet->is4 && packet->fragment & IP_OFFMASK))
		return;
	frame.quoted = packet->ip_length < most ? packet->ip_length : most;
	cursor_init(&at, packet->frame->iov, packet->frame->iov_count,
		    packet->frame->length);
	if (!cursor_skip(&at, HEADER_IP) ||
	    !cursor_take(&at, frame.data + quote, frame.quoted))
		return;
	icmp_quote_header(packet, frame.data + quote);
	icmp_send_frame(shard, shard_input_queue(shard), &frame, error, guest);
}

void icmp_send_quote(struct shard *shard, unsigned int queue,
		     const struct icmp_quote *quote)
{
	const struct slirp_config *config = shard_config(shard);
	const struct in6_addr *guest = &quote->source;
	size_t headers = header_ip_size(guest), at = icmp_quote_at(guest);
	struct header_ip ip = {
		.source = quote->source,
		.destination = quote->destination,
		.protocol = quote->protocol,
		.length = quote->length,
		.fragment = address_is4(guest) ? HEADER_DONT_FRAGMENT : 0,
	};
	uint8_t header[HEADER_L4_MAX];
	struct icmp_frame frame;
	size_t size = quote->size;

	if (!icmp_may_send(config, guest, &quote->destination))
		return;
	if (size > icmp_quote_max(guest) - headers)
		size = icmp_quote_max(guest) - headers;
	frame.quoted = headers + size;
	header_write_ip(config, &ip, header);
	memcpy(frame.data + at, header + HEADER_IP, headers);
	memcpy(frame.data + at + headers, quote->data, size);
	icmp_send_frame(shard, queue, &frame, quote->error, guest);
}
