/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/header.h"

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

static void header_write_ether(const struct slirp_config *config, uint16_t type,
			       uint8_t *to)
{
	struct ether_header ether = { .ether_type = htons(type) };

	memcpy(ether.ether_dhost, config->guest_mac, ETH_ALEN);
	memcpy(ether.ether_shost, config->gateway_mac, ETH_ALEN);
	memcpy(to, &ether, sizeof(ether));
}

static size_t header_write_ip4(const struct slirp_config *config,
			       const struct header_ip *ip, uint8_t *to)
{
	struct iphdr header = {
		.version = 4,
		.ihl = sizeof(header) / 4,
		.tot_len = htons((uint16_t)(sizeof(header) + ip->length)),
		.id = htons(ip->id),
		.frag_off = htons(ip->fragment),
		.ttl = IPDEFTTL,
		.protocol = ip->protocol,
		.saddr = address_to4(&ip->source).s_addr,
		.daddr = address_to4(&ip->destination).s_addr,
	};

	header_write_ether(config, ETHERTYPE_IP, to);
	header.check = checksum_fold(checksum_add(&header, sizeof(header), 0));
	memcpy(to + HEADER_IP, &header, sizeof(header));
	return HEADER_IP + sizeof(header);
}

static size_t header_write_fragment6(const struct header_ip *ip, uint8_t *to)
{
	bool more = ip->fragment & HEADER_MORE_FRAGMENTS;
	struct ip6_frag fragment = {
		.ip6f_nxt = ip->protocol,
		.ip6f_offlg = htons((uint16_t)(ip->fragment << 3 | more)),
		.ip6f_ident = htonl(ip->id),
	};

	memcpy(to, &fragment, sizeof(fragment));
	return sizeof(fragment);
}

/* RFC 2464, 7 */
static void header_set_group(const struct in6_addr *group, uint8_t *to)
{
	to[0] = 0x33;
	to[1] = 0x33;
	memcpy(to + 2, &group->s6_addr[12], 4);
}

static size_t header_write_ip6(const struct slirp_config *config,
			       const struct header_ip *ip, uint8_t *to)
{
	size_t more = ip->fragment & HEADER_FRAGMENT ? HEADER_FRAGMENT6 : 0;
	struct ip6_hdr header = {
		.ip6_src = ip->source,
		.ip6_dst = ip->destination,
	};

	header.ip6_flow = htonl(6U << 28);
	header.ip6_plen = htons((uint16_t)(more + ip->length));
	header.ip6_nxt = more ? IPPROTO_FRAGMENT : ip->protocol;
	/* Neighbour discovery believes nothing that could have been routed. */
	header.ip6_hlim = ip->protocol == IPPROTO_ICMPV6 ? 255 : IPDEFTTL;
	header_write_ether(config, ETHERTYPE_IPV6, to);
	if (address_is_group(&ip->destination))
		header_set_group(&ip->destination, to);
	memcpy(to + HEADER_IP, &header, sizeof(header));
	if (more)
		header_write_fragment6(ip, to + HEADER_IP + sizeof(header));
	return HEADER_IP + sizeof(header) + more;
}

size_t header_write_ip(const struct slirp_config *config,
		       const struct header_ip *ip, uint8_t *to)
{
	if (address_is4(&ip->destination))
		return header_write_ip4(config, ip, to);
	return header_write_ip6(config, ip, to);
}

/* A sum of zero means that there is none, so zero is sent as all ones. */
static uint16_t header_udp_sum(uint32_t sum)
{
	uint16_t folded = checksum_fold(sum);

	return folded ? folded : 0xffff;
}

size_t header_write_udp(const struct slirp_config *config,
			const struct slirp_endpoint *from,
			const struct slirp_endpoint *to, size_t size,
			uint32_t sum, struct port_offload *offload,
			uint8_t *header)
{
	struct header_ip ip = {
		.source = from->address,
		.destination = to->address,
		.protocol = IPPROTO_UDP,
		.length = sizeof(struct udphdr) + size,
	};
	struct udphdr udp = {
		.uh_sport = htons(from->port),
		.uh_dport = htons(to->port),
		.uh_ulen = htons((uint16_t)ip.length),
	};
	uint32_t pseudo = checksum_pseudo(&ip.source, &ip.destination,
					  IPPROTO_UDP, ip.length);
	size_t at = header_write_ip(config, &ip, header);

	if (offload) {
		udp.uh_sum = (uint16_t)~checksum_fold(pseudo);
		*offload = (struct port_offload) {
			.flags = PORT_NEEDS_CSUM,
			.csum_start = (uint16_t)at,
			.csum_offset = offsetof(struct udphdr, uh_sum),
		};
	} else {
		udp.uh_sum = header_udp_sum(
			checksum_add(&udp, sizeof(udp), pseudo + sum));
	}
	memcpy(header + at, &udp, sizeof(udp));
	return at + sizeof(udp);
}
