/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_FRAGMENT_H
#define MQVMM_SLIRP_FRAGMENT_H

#include "slirp/header.h"
#include "slirp/shard.h"

/* Longest IP packet for the guest's interface, bytes. */
size_t fragment_mtu(const struct shard *shard);

/**
 * fragment_send() - Send the guest a packet from plain memory, in fragments if
 *		need be (RFC 791, 3.2; RFC 8200, 4.5)
 * @queue:	Receive queue, flow->rx_queue
 * @ip:		Source, destination, protocol and identification
 * @data:	Transport header, its checksum complete, and payload
 * @size:	Bytes of @data, at least 1
 *
 * Return: false, some fragments perhaps sent, where the guest has no space
 */
bool fragment_send(struct shard *shard, unsigned int queue,
		   const struct header_ip *ip, const uint8_t *data,
		   size_t size);

#endif
