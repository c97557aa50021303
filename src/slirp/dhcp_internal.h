/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DHCP_INTERNAL_H
#define MQVMM_SLIRP_DHCP_INTERNAL_H

#include "slirp/header.h"
#include "slirp/udp_internal.h"

/*
 * What dhcp.c (who is answered what) and dhcp_options.c (reading and writing
 * options) share.
 */

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_COOKIE      0x63825363
#define DHCP_BROADCAST   0x8000

/* Where the message is in a frame, bytes. */
#define DHCP_AT (HEADER_IP + HEADER_IP4 + sizeof(struct udphdr))

/* Longest IP packet that every client takes (RFC 2131, 2), and that we make. */
#define DHCP_PACKET_MIN 576
#define DHCP_PACKET_MAX 1400

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

/* RFC 2131, figure 1, to the magic cookie */
struct dhcp_header {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	struct in_addr ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	uint8_t sname[64];
	uint8_t file[128];
	uint32_t cookie;
} __attribute__((packed));

/* An option's value, @size 0 where it is not there. */
struct dhcp_value {
	uint8_t data[255];
	uint8_t size;
};

/**
 * struct dhcp_request - A client's message
 * @sender:	MAC address that it came from: the client's or a relay's
 * @type:	0 if there is none
 * @address:	Asked for; 0 if not
 * @server:	Chosen; 0 if not
 * @packet_max:	Longest IP packet that the client takes, bytes
 * @wanted:	Parameter request list (RFC 2132, 9.8)
 * @client:	Client identifier (RFC 2132, 9.14)
 * @relay:	Relay agent information (RFC 3046)
 */
struct dhcp_request {
	struct dhcp_header header;
	uint8_t sender[6];
	uint8_t type;
	struct in_addr address;
	struct in_addr server;
	size_t packet_max;
	struct dhcp_value wanted;
	struct dhcp_value client;
	struct dhcp_value relay;
};

/**
 * struct dhcp_reply - Our message
 * @used:	Bytes of options
 * @room:	For options without the end, bytes
 */
struct dhcp_reply {
	uint8_t frame[HEADER_IP + DHCP_PACKET_MAX];
	size_t used;
	size_t room;
};

/* Read a client's options, @size bytes; what is malformed is passed over. */
void dhcp_take_options(struct dhcp_request *request, const uint8_t *options,
		       size_t size);

/**
 * dhcp_write_options() - Write the options of a reply, up to the end option
 * @reply:	@used and the options are filled in
 * @type:	Of the reply
 *
 * What the client asked for comes first, in its order; without a list it is
 * given all. What does not fit is left out.
 */
void dhcp_write_options(const struct shard *shard,
			const struct dhcp_request *request,
			struct dhcp_reply *reply, uint8_t type);

#endif
