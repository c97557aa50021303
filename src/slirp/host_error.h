/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_HOST_ERROR_H
#define MQVMM_SLIRP_HOST_ERROR_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp/shard.h"

/*
 * Errors that come back to a datagram socket, from the network (ICMP) or from
 * the host's own stack, through its error queue (ip(7), IP_RECVERR).
 */

#define HOST_ERROR_NONE 0xff

/**
 * struct host_error - One error
 * @type, @code: As ICMP (RFC 792) or ICMPv6 (RFC 4443) tells it to the guest
 * @mtu:	Where the datagram was too big, bytes
 * @pointer:	What of an IPv6 packet is wrong, offset in bytes
 * @is4:	Which of the two
 * @destination: Where the datagram was going, on the host
 * @offender:	Who complains; :: if nobody is known
 * @data:	What is known of the datagram: of UDP its payload, of a ping its
 *		ICMP message
 * @size:	Bytes of @data, often 0
 */
struct host_error {
	uint8_t type;
	uint8_t code;
	bool is4;
	uint16_t mtu;
	uint32_t pointer;
	struct slirp_endpoint destination;
	struct in6_addr offender;
	uint8_t *data;
	size_t size;
};

/* Have errors told to this socket, of AF_INET or AF_INET6. */
void host_error_enable(int sock, int family);

/* Queue a look at the error queue; @done calls host_error_take(). Return: the
 * operation, whose context is the caller's */
struct shard_op *host_error_queue(struct shard *shard, struct flow *flow,
				  void (*done)(struct shard *shard,
					       struct shard_op *op));

/**
 * host_error_send_again() - Queue a failed send once more, from its done()
 * @op:		Its @context counts the tries
 *
 * The error may be an earlier datagram's, for which ICMP has come.
 *
 * Return: false if it has been tried often enough, or it is no such case
 */
bool host_error_send_again(struct shard *shard, struct shard_op *op);

/**
 * host_error_take() - What the look has found
 *
 * Return: true with @error filled in (@type HOST_ERROR_NONE if it is no news
 * for a guest): look again; false when there is none
 */
bool host_error_take(struct shard_op *op, struct host_error *error);

/**
 * host_error_of_send() - What a failed send means, as ICMP
 * @err:	Positive errno
 * @is4:	As ICMP, or as ICMPv6
 *
 * Return: false if it is no news for a guest
 */
bool host_error_of_send(int err, bool is4, struct host_error *error);

#endif
