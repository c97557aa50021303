/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_ICMP_INTERNAL_H
#define MQVMM_SLIRP_ICMP_INTERNAL_H

#include <netinet/ip_icmp.h>

#include "slirp/header.h"
#include "slirp/host_error.h"
#include "slirp/shard.h"

/**
 * struct icmp_quote - An error about something whose frame is gone
 * @error:	What is wrong, and who says so
 * @source, @destination: Of the datagram, as the guest sent it
 * @protocol:	Of the datagram
 * @length:	Of the datagram behind its IP header, bytes
 * @data:	Its transport header and what is known behind it
 * @size:	Bytes of @data, at least 8
 */
struct icmp_quote {
	const struct host_error *error;
	struct in6_addr source;
	struct in6_addr destination;
	uint8_t protocol;
	size_t length;
	const void *data;
	size_t size;
};

/**
 * icmp_finish() - Fill in an ICMP message's checksum and send its frame
 * @frame:	HEADER_L4_MAX bytes of room, the message with a zero checksum at
 *		header_l4() of @ip->destination
 * @ip:		Source, destination, protocol and length
 *
 * Dropped, and counted, where the guest has no space for it.
 */
void icmp_finish(struct shard *shard, unsigned int queue,
		 const struct header_ip *ip, uint8_t *frame);

/**
 * icmp_send_message() - Fill in an ICMP message's checksum and send it, in
 *		fragments if need be
 * @queue:	Receive queue
 * @ip:		Source, destination, protocol, length and identification
 * @message:	From the ICMP header on, its checksum overwritten
 *
 * Dropped, and counted, where the guest has no space for it.
 */
void icmp_send_message(struct shard *shard, unsigned int queue,
		       const struct header_ip *ip, uint8_t *message);

/**
 * icmp_send_quote() - Tell the guest of an error, with the header rebuilt
 * @queue:	Receive queue, flow->rx_queue
 */
void icmp_send_quote(struct shard *shard, unsigned int queue,
		     const struct icmp_quote *quote);

#endif
