/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_PSEUDO4_H
#define MQVMM_TESTS_PSEUDO4_H

#include "slirp/wire.h"

/* Sum of the IPv4 pseudo header (RFC 9293, 3.1) as its bytes are laid out. */
static inline uint32_t checksum_pseudo4(struct in_addr src, struct in_addr dst,
					uint8_t protocol, size_t length)
{
	struct {
		struct in_addr src, dst;
		uint8_t zero, protocol;
		uint16_t length;
	} pseudo = { src, dst, 0, protocol, htons((uint16_t)length) };

	return checksum_add(&pseudo, sizeof(pseudo), 0);
}

#endif
