/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_ICMP_H
#define MQVMM_SLIRP_ICMP_H

#include <netinet/in.h>

#include "slirp/shard.h"

/**
 * icmp_send_udp_error() - Tell the guest what became of a datagram it sent
 * @queue:	Receive queue
 * @guest, @peer: From and to whom the datagram went, as the guest saw it
 * @type, @code: Of the ICMP message (RFC 792)
 * @mtu:	For "fragmentation needed" (RFC 1191), bytes, host byte order
 *
 * The message bears the datagram's headers, made again from the flow.
 *
 * Context: the shard's thread, inside a turn.
 */
void icmp_send_udp_error(struct shard *shard, unsigned int queue,
			 const struct sockaddr_in *guest,
			 const struct sockaddr_in *peer, uint8_t type,
			 uint8_t code, uint16_t mtu);

#endif
