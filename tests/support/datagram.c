/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/datagram.h"

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

static uint16_t header_checksum(const struct iphdr *ip)
{
	const uint8_t *bytes = (const uint8_t *)ip;
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(*ip); i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t) ~((sum >> 16) + sum));
}

size_t datagram_make(const struct slirp_config *config, uint8_t *frame,
		     uint16_t from_port, uint16_t port, const void *data,
		     size_t size)
{
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons((uint16_t)(28 + size)),
		.saddr = config->guest.s_addr,
		.daddr = config->gateway.s_addr,
	};
	struct udphdr udp = {
		.uh_sport = htons(from_port),
		.uh_dport = htons(port),
		.uh_ulen = htons((uint16_t)(8 + size)),
	};

	memcpy(ether.ether_shost, config->guest_mac, 6);
	memcpy(ether.ether_dhost, config->gateway_mac, 6);
	ip.check = header_checksum(&ip);
	memcpy(frame, &ether, 14);
	memcpy(frame + 14, &ip, 20);
	memcpy(frame + 34, &udp, 8);
	memcpy(frame + DATAGRAM_HEADERS, data, size);
	return DATAGRAM_HEADERS + size;
}
