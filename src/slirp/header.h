/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_HEADER_H
#define MQVMM_SLIRP_HEADER_H

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp/shard.h"

/*
 * Headers of frames towards the guest, at places that the family alone decides:
 * no options, no tags. The family is the destination's.
 */

#define HEADER_IP     14 /* offset of the IP header, bytes */
#define HEADER_IP4    20 /* IPv4 header, bytes */
#define HEADER_IP6    40 /* IPv6 header, bytes */
#define HEADER_L4_MAX (HEADER_IP + HEADER_IP6 + HEADER_FRAGMENT6)
#define HEADER_UDP_MAX \
	(HEADER_IP + HEADER_IP6 + sizeof(struct udphdr)) /* bytes */

#define HEADER_FRAGMENT6 8 /* IPv6 fragment header, bytes (RFC 8200, 4.5) */

#define HEADER_DONT_FRAGMENT  0x4000
#define HEADER_MORE_FRAGMENTS 0x2000
#define HEADER_FRAGMENT       0x3fff /* more, or an offset */

/* Bytes of an IP header towards @guest, without a fragment header. */
static inline size_t header_ip_size(const struct in6_addr *guest)
{
	return address_is4(guest) ? HEADER_IP4 : HEADER_IP6;
}

/* Offset of the transport header towards @guest, bytes. */
static inline size_t header_l4(const struct in6_addr *guest)
{
	return HEADER_IP + header_ip_size(guest);
}

/* Offset of a datagram's payload, bytes. */
static inline size_t header_udp(const struct in6_addr *guest)
{
	return header_l4(guest) + sizeof(struct udphdr);
}

/**
 * struct header_ip - What an IP header towards the guest says
 * @source, @destination: Of one family
 * @protocol:	IPPROTO_*
 * @length:	Of what follows the IP header, bytes
 * @id:		Identification; matters for fragments only
 * @fragment:	Flags and offset in units of 8 bytes, as in IPv4, host byte
 *		order. IPv6 gets a fragment header where it is one.
 */
struct header_ip {
	struct in6_addr source;
	struct in6_addr destination;
	uint8_t protocol;
	size_t length;
	uint16_t id;
	uint16_t fragment;
};

/**
 * header_write_ip() - Make Ethernet and IP header (RFC 894, 791, 2464, 8200)
 * @to:		HEADER_L4_MAX bytes
 *
 * Return: bytes written: header_l4(), and HEADER_FRAGMENT6 for an IPv6 fragment
 */
size_t header_write_ip(const struct slirp_config *config,
		       const struct header_ip *ip, uint8_t *to);

/**
 * header_write_udp() - Make Ethernet, IP and UDP header (RFC 768)
 * @from, @to:	Addresses and ports
 * @size:	Of the payload, bytes
 * @sum:	Checksum of the payload so far; only used with @offload NULL
 * @offload:	Filled in so that the guest completes the checksum; NULL where
 *		it does not
 * @header:	HEADER_UDP_MAX bytes
 *
 * Return: bytes written, header_udp()
 */
size_t header_write_udp(const struct slirp_config *config,
			const struct slirp_endpoint *from,
			const struct slirp_endpoint *to, size_t size,
			uint32_t sum, struct port_offload *offload,
			uint8_t *header);

#endif
