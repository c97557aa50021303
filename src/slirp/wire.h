/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_WIRE_H
#define MQVMM_SLIRP_WIRE_H

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "slirp/address.h"
#include "slirp/port.h"

/*
 * Theory of operation
 *
 * Bytes that a guest wrote are read through a cursor and only through it: it
 * copies headers out (the guest may change them while we look) and never
 * passes the end. Frames towards the guest are written with iov_write().
 */

/**
 * struct cursor - A place in a frame and what is left of it
 * @iov:	Segment that the place is in
 * @count:	Segments from @iov on
 * @offset:	Place in @iov, bytes
 * @left:	Bytes until the end of what may be read
 */
struct cursor {
	const struct iovec *iov;
	unsigned int count;
	size_t offset;
	size_t left;
};

/**
 * cursor_init() - Start at the beginning of segments
 * @length:	Bytes that may be read, at most the sum of the segments
 */
void cursor_init(struct cursor *cursor, const struct iovec *iov,
		 unsigned int count, size_t length);

/**
 * cursor_take() - Copy the next @size bytes out
 *
 * Return: true; false, with nothing taken, if fewer are left
 */
bool cursor_take(struct cursor *cursor, void *to, size_t size);

/**
 * cursor_take_most() - Copy what is left out, but no more than @max bytes
 * @size:	Set to the bytes taken
 *
 * Return: as cursor_take()
 */
bool cursor_take_most(struct cursor *cursor, void *to, size_t max,
		      size_t *size);

/**
 * cursor_skip() - Pass over the next @size bytes
 *
 * Return: true; false, with nothing passed, if fewer are left
 */
bool cursor_skip(struct cursor *cursor, size_t size);

/**
 * cursor_slice() - The next @size bytes as segments, in place
 * @to:		At least @max entries
 *
 * Return: segments written, 0 if fewer than @size bytes are left or @max is too
 * small (or @size is 0)
 */
unsigned int cursor_slice(const struct cursor *cursor, size_t size,
			  struct iovec *to, unsigned int max);

/**
 * iov_write() - Write bytes into segments at an offset
 *
 * Return: bytes written: @size, or fewer where the segments end
 */
size_t iov_write(const struct iovec *iov, unsigned int count, size_t offset,
		 const void *from, size_t size);

/**
 * iov_slice() - The part of segments from @offset on, @size bytes at most
 *
 * Return: segments written to @to, at most @max
 */
unsigned int iov_slice(const struct iovec *iov, unsigned int count,
		       size_t offset, size_t size, struct iovec *to,
		       unsigned int max);

/**
 * iov_checksum() - Ones' complement sum of a part of segments (RFC 1071)
 * @sum:	Sum so far, not folded
 *
 * Return: the sum, for checksum_fold()
 */
uint32_t iov_checksum(const struct iovec *iov, unsigned int count,
		      size_t offset, size_t size, uint32_t sum);

/* The same over plain memory. */
uint32_t checksum_add(const void *data, size_t size, uint32_t sum);

/**
 * checksum_pseudo() - Sum of the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1)
 * @length:	Of transport header and payload, bytes
 */
uint32_t checksum_pseudo(const struct in6_addr *src, const struct in6_addr *dst,
			 uint8_t protocol, size_t length);

/* Return: the checksum in network byte order, ready to be stored */
uint16_t checksum_fold(uint32_t sum);

/**
 * struct packet - One frame from the guest, its headers copied out
 * @frame:	Where the bytes are, with the offload fields
 * @ether:	Ethernet header
 * @ip, @ip6:	The IP header without options, network byte order; the one that
 *		@is4 tells
 * @is4:	Is it IPv4?
 * @source, @destination: Of either family
 * @protocol:	Of the transport, IPPROTO_*
 * @ip_length:	IP header and all that follows, bytes
 * @fragment:	Flags and offset as in IPv4's header, host byte order; an IPv6
 *		packet that is whole has IP_DF
 * @fragment_id: Identification of a fragment
 * @l4:		Cursor at the transport header, ends where the IP packet ends
 * @l4_offset:	Of the transport header in the frame, bytes
 */
struct packet {
	const struct port_frame *frame;
	struct ether_header ether;
	union {
		struct iphdr ip;
		struct ip6_hdr ip6;
	};
	bool is4;
	struct in6_addr source;
	struct in6_addr destination;
	uint8_t protocol;
	size_t ip_length;
	uint16_t fragment;
	uint32_t fragment_id;
	struct cursor l4;
	size_t l4_offset;
};

/**
 * packet_parse_ether() - Take the Ethernet header; @packet->l4 then stands
 * behind it
 *
 * Return: true, false if the frame is too short
 */
bool packet_parse_ether(struct packet *packet, const struct port_frame *frame);

/**
 * packet_parse_ip4() - Take and check the IPv4 header (RFC 791, RFC 1122 3.2.1)
 *
 * Return: true, false for a malformed one: version, lengths, header checksum
 */
bool packet_parse_ip4(struct packet *packet);

/**
 * packet_parse_ip6() - Take the IPv6 header and pass over extension headers
 *		(RFC 8200, 4)
 *
 * A jumbogram is malformed. A fragment's header is taken; behind the first
 * fragment's nothing is passed over.
 *
 * Return: true, false for a malformed one, or more headers than anybody sends
 */
bool packet_parse_ip6(struct packet *packet);

/**
 * packet_checksum_ok() - Is the transport checksum right, or left to us?
 *
 * True without a look at the bytes where the guest left the checksum to the
 * device (PORT_NEEDS_CSUM) or vouches for it (PORT_DATA_VALID); for UDP a zero
 * checksum is the caller's to accept.
 */
bool packet_checksum_ok(const struct packet *packet);

#endif
