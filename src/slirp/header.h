/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_HEADER_H
#define MQVMM_SLIRP_HEADER_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp/shard.h"

/*
 * Headers of frames towards the guest, at fixed places: no options, no tags.
 */

#define HEADER_IP  14 /* offset of the IPv4 header, bytes */
#define HEADER_L4  34 /* of the transport header */
#define HEADER_UDP 42 /* of a datagram's payload */

#define HEADER_DONT_FRAGMENT  0x4000
#define HEADER_MORE_FRAGMENTS 0x2000

/**
 * struct header_ip4 - What an IPv4 header towards the guest says
 * @source, @destination: Addresses
 * @protocol:	IPPROTO_*
 * @length:	Of what follows the IPv4 header, bytes
 * @id:		Identification; matters for fragments only
 * @fragment:	Flags and offset in units of 8 bytes, host byte order
 */
struct header_ip4 {
	struct in_addr source;
	struct in_addr destination;
	uint8_t protocol;
	size_t length;
	uint16_t id;
	uint16_t fragment;
};

/**
 * header_write_ip4() - Make Ethernet and IPv4 header (RFC 894, RFC 791)
 * @to:		HEADER_L4 bytes
 */
void header_write_ip4(const struct slirp_config *config,
		      const struct header_ip4 *ip, uint8_t *to);

/**
 * header_write_udp() - Make Ethernet, IPv4 and UDP header (RFC 768)
 * @from, @to:	Addresses and ports
 * @size:	Of the payload, bytes
 * @sum:	Checksum of the payload so far; only used with @offload NULL
 * @offload:	Filled in so that the guest completes the checksum; NULL where
 *it does not
 * @header:	HEADER_UDP bytes
 */
void header_write_udp(const struct slirp_config *config,
		      const struct sockaddr_in *from,
		      const struct sockaddr_in *to, size_t size, uint32_t sum,
		      struct port_offload *offload, uint8_t *header);

#endif
