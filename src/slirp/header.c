/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/header.h"

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

void header_write_ip4(const struct slirp_config *config,
		      const struct header_ip4 *ip, uint8_t *to)
{
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct iphdr header = {
		.version = 4,
		.ihl = sizeof(header) / 4,
		.tot_len = htons((uint16_t)(sizeof(header) + ip->length)),
		.id = htons(ip->id),
		.frag_off = htons(ip->fragment),
		.ttl = IPDEFTTL,
		.protocol = ip->protocol,
		.saddr = ip->source.s_addr,
		.daddr = ip->destination.s_addr,
	};

	memcpy(ether.ether_dhost, config->guest_mac, ETH_ALEN);
	memcpy(ether.ether_shost, config->gateway_mac, ETH_ALEN);
	header.check = checksum_fold(checksum_add(&header, sizeof(header), 0));
	memcpy(to, &ether, sizeof(ether));
	memcpy(to + HEADER_IP, &header, sizeof(header));
}

/* A sum of zero means that there is none, so zero is sent as all ones. */
static uint16_t header_udp_sum(uint32_t sum)
{
	uint16_t folded = checksum_fold(sum);

	return folded ? folded : 0xffff;
}

void header_write_udp(const struct slirp_config *config,
		      const struct sockaddr_in *from,
		      const struct sockaddr_in *to, size_t size, uint32_t sum,
		      struct port_offload *offload, uint8_t *header)
{
	struct header_ip4 ip = {
		.source = from->sin_addr,
		.destination = to->sin_addr,
		.protocol = IPPROTO_UDP,
		.length = sizeof(struct udphdr) + size,
	};
	struct udphdr udp = {
		.uh_sport = from->sin_port,
		.uh_dport = to->sin_port,
		.uh_ulen = htons((uint16_t)ip.length),
	};
	uint32_t pseudo = checksum_pseudo4(from->sin_addr, to->sin_addr,
					   IPPROTO_UDP, ip.length);

	header_write_ip4(config, &ip, header);
	if (offload) {
		udp.uh_sum = (uint16_t)~checksum_fold(pseudo);
		*offload = (struct port_offload) {
			.flags = PORT_NEEDS_CSUM,
			.csum_start = HEADER_L4,
			.csum_offset = offsetof(struct udphdr, uh_sum),
		};
	} else {
		udp.uh_sum = header_udp_sum(
			checksum_add(&udp, sizeof(udp), pseudo + sum));
	}
	memcpy(header + HEADER_L4, &udp, sizeof(udp));
}
