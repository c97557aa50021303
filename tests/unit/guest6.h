/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_GUEST6_H
#define MQVMM_TESTS_GUEST6_H

#include <netinet/icmp6.h>
#include <netinet/ip6.h>

#include "unit/datagram_guest.h"

/* The guest's side of tests of IPv6, as datagram_guest.h is that of IPv4's. */

#define GUEST6     "fec0::15"
#define GUEST6_LL  "fe80::15"
#define GATEWAY6   "fec0::2"
#define DNS6       "fec0::3"
#define ROUTER6    "fe80::2"
#define ALL_NODES6 "ff02::1"

#define GUEST6_L4 54 /* offset of the transport header, bytes */

struct in6_addr in6(const char *text);

/* Make a frame around a transport header and payload, whose checksum at
 * @checksum_at is filled in. Return: its length */
size_t guest6_make(uint8_t *frame, const char *from, const char *to,
		   uint8_t protocol, const void *data, size_t size,
		   size_t checksum_at);

/* Parse a frame as the shard does, and have @input take it. */
void guest6_send(struct shard *shard, const uint8_t *frame, size_t length,
		 void (*input)(struct shard *shard, struct packet *packet));

/* The next frame for the guest, which must be there, from and to these, with a
 * right header and transport checksum. Return: its transport header */
const uint8_t *guest6_take(struct shard *shard, const char *from,
			   const char *to, uint8_t protocol, size_t *size);

#endif
