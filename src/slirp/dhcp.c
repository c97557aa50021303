/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/dhcp_internal.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * One guest, one address: there is nothing to remember. Every DISCOVER is
 * offered config->guest, every REQUEST for it is acknowledged, whatever state
 * the client is in (RFC 2131, 4.3.2), any other is refused, by whichever shard
 * the datagram came to. A client that declines the address is offered it again:
 * there is no other, and only the guest itself could hold it.
 *
 * Limits: option overload (RFC 2132, 9.3) and options in several parts (RFC
 * 3396) in a client's message are not read; no client that we know uses them.
 */

#define DHCP_OPTIONS_MAX 1024 /* bytes of a client's options that are read */
#define DHCP_MESSAGE_MIN                                     \
	300 /* bytes; BOOTP relays want that (RFC 1542, 2.1) \
	     */

#define BOOT_REQUEST 1
#define BOOT_REPLY   2

static bool dhcp_parse(struct packet *packet, struct dhcp_request *request)
{
	uint8_t options[DHCP_OPTIONS_MAX];
	struct udphdr udp;
	size_t size;

	memset(request, 0, sizeof(*request));
	memcpy(request->sender, packet->ether.ether_shost,
	       sizeof(request->sender));
	if (!udp_take_header(packet, &udp) ||
	    !cursor_take(&packet->l4, &request->header,
			 sizeof(request->header)) ||
	    !cursor_take_most(&packet->l4, options, sizeof(options), &size))
		return false;
	dhcp_take_options(request, options, size);
	return request->header.op == BOOT_REQUEST &&
	       request->header.htype == 1 && request->header.hlen == 6 &&
	       request->header.cookie == htonl(DHCP_COOKIE);
}

/*
 * RFC 2131, 4.1: to the relay if one stands between; to the client's address if
 * it has one; else to the one that it gets, but to everybody where it cannot
 * take that yet
 */
static struct slirp_endpoint dhcp_destination(
	const struct slirp_config *config, const struct dhcp_request *request,
	uint8_t type)
{
	bool broadcast = request->header.flags & htons(DHCP_BROADCAST);
	struct in_addr to = { htonl(INADDR_BROADCAST) };

	if (request->header.giaddr.s_addr)
		return (struct slirp_endpoint) {
			.address = address_from4(request->header.giaddr),
			.port = DHCP_SERVER_PORT,
		};
	if (type != DHCP_NAK && request->header.ciaddr.s_addr)
		to = request->header.ciaddr;
	else if (type != DHCP_NAK && !broadcast && request->type != DHCP_INFORM)
		to = config->guest;
	return (struct slirp_endpoint) { .address = address_from4(to),
					 .port = DHCP_CLIENT_PORT };
}

static void dhcp_send(struct shard *shard, const struct dhcp_request *request,
		      struct dhcp_reply *reply, uint8_t type)
{
	const struct slirp_config *config = shard_config(shard);
	struct slirp_endpoint from = { .address =
					       address_from4(config->gateway),
				       .port = DHCP_SERVER_PORT };
	struct slirp_endpoint to = dhcp_destination(config, request, type);
	size_t size = sizeof(struct dhcp_header) + reply->used + 1;

	if (size < DHCP_MESSAGE_MIN)
		size = DHCP_MESSAGE_MIN;
	header_write_udp(config, &from, &to, size,
			 checksum_add(reply->frame + DHCP_AT, size, 0), NULL,
			 reply->frame);
	/* A client without an address does not answer ARP yet. */
	if (address_is_group(&to.address))
		memset(reply->frame, 0xff, 6);
	else if (request->header.giaddr.s_addr)
		memcpy(reply->frame, request->sender, 6);
	else
		memcpy(reply->frame, request->header.chaddr, 6);
	outgoing_send(shard, shard_input_queue(shard), reply->frame,
		      DHCP_AT + size, NULL);
}

static void dhcp_answer(struct shard *shard, const struct dhcp_request *request,
			uint8_t type)
{
	const struct slirp_config *config = shard_config(shard);
	struct dhcp_reply reply = { 0 };
	struct dhcp_header header = {
		.op = BOOT_REPLY,
		.htype = 1,
		.hlen = 6,
		.xid = request->header.xid,
		.flags = request->header.flags,
		.giaddr = request->header.giaddr,
		.cookie = htonl(DHCP_COOKIE),
	};

	memcpy(header.chaddr, request->header.chaddr, sizeof(header.chaddr));
	/* RFC 2131, table 3 */
	if (type == DHCP_ACK)
		header.ciaddr = request->header.ciaddr;
	if (type != DHCP_NAK)
		header.siaddr = config->gateway;
	if (type != DHCP_NAK && request->type != DHCP_INFORM)
		header.yiaddr = config->guest;
	/* The client may have another network's address: the relay must not
	 * use it (4.3.2). */
	if (type == DHCP_NAK && request->header.giaddr.s_addr)
		header.flags |= htons(DHCP_BROADCAST);
	memcpy(reply.frame + DHCP_AT, &header, sizeof(header));
	dhcp_write_options(shard, request, &reply, type);
	dhcp_send(shard, request, &reply, type);
}

/* Selecting, after a reboot, renewing or rebinding (RFC 2131, table 4) */
static void dhcp_answer_request(struct shard *shard,
				const struct dhcp_request *request)
{
	const struct slirp_config *config = shard_config(shard);
	struct in_addr wanted = request->address;

	/* Another server was chosen: not our business (RFC 2131, 4.3.2). */
	if (request->server.s_addr &&
	    request->server.s_addr != config->gateway.s_addr)
		return;
	if (!wanted.s_addr)
		wanted = request->header.ciaddr;
	if (!wanted.s_addr) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	dhcp_answer(shard, request,
		    wanted.s_addr == config->guest.s_addr ? DHCP_ACK
							  : DHCP_NAK);
}

void dhcp_input(struct shard *shard, struct packet *packet)
{
	struct dhcp_request request;

	if (!dhcp_parse(packet, &request)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	switch (request.type) {
	case DHCP_DISCOVER:
		dhcp_answer(shard, &request, DHCP_OFFER);
		break;
	case DHCP_REQUEST:
		dhcp_answer_request(shard, &request);
		break;
	case DHCP_INFORM:
		dhcp_answer(shard, &request, DHCP_ACK);
		break;
	default: /* RELEASE and DECLINE change nothing */
		break;
	}
}
