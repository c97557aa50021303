/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/protocols.h"
#include "slirp/resolvers.h"
#include "slirp/udp_internal.h"

/*
 * Theory of operation
 *
 * One guest, one address: there is nothing to remember. Every DISCOVER is
 * offered config->guest, every REQUEST for it is acknowledged, any other is
 * refused, by whichever shard the datagram came to.
 *
 * Limits: option overload (RFC 2132, 9.3) in a client's message is not read;
 * no client that we know uses it.
 */

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_COOKIE      0x63825363
#define DHCP_BROADCAST   0x8000
#define DHCP_LEASE_S     86400
#define DHCP_OPTIONS_MAX 512 /* bytes of a client's options that are read */
#define DHCP_REPLY_MAX   312 /* bytes of ours: the smallest that clients take */

/* Where the message is in a frame, bytes. */
#define DHCP_AT (HEADER_IP + HEADER_IP4 + sizeof(struct udphdr))

#define BOOT_REQUEST 1
#define BOOT_REPLY   2

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

/* RFC 2132 */
enum dhcp_option {
	DHCP_PAD = 0,
	DHCP_NETMASK = 1,
	DHCP_ROUTER = 3,
	DHCP_DNS = 6,
	DHCP_HOSTNAME = 12,
	DHCP_DOMAIN = 15,
	DHCP_MTU = 26,
	DHCP_ADDRESS = 50,
	DHCP_LEASE = 51,
	DHCP_TYPE = 53,
	DHCP_SERVER = 54,
	DHCP_END = 255,
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

/* What the options of a client's message say. */
struct dhcp_request {
	struct dhcp_header header;
	uint8_t type;
	struct in_addr address; /* asked for; 0 if not */
	struct in_addr server;  /* chosen; 0 if not */
};

struct dhcp_reply {
	uint8_t frame[DHCP_AT + sizeof(struct dhcp_header) + DHCP_REPLY_MAX];
	size_t used; /* bytes of options */
};

static void dhcp_take_option(struct dhcp_request *request, uint8_t option,
			     const uint8_t *value, uint8_t size)
{
	if (option == DHCP_TYPE && size == 1)
		request->type = value[0];
	else if (option == DHCP_ADDRESS && size == 4)
		memcpy(&request->address, value, 4);
	else if (option == DHCP_SERVER && size == 4)
		memcpy(&request->server, value, 4);
}

static void dhcp_take_options(struct dhcp_request *request, const uint8_t *at,
			      size_t left)
{
	while (left && *at != DHCP_END) {
		uint8_t size;

		if (*at == DHCP_PAD) {
			at++;
			left--;
			continue;
		}
		if (left < 2)
			return;
		size = at[1];
		if (size > left - 2)
			return;
		dhcp_take_option(request, at[0], at + 2, size);
		at += 2 + size;
		left -= 2U + size;
	}
}

static bool dhcp_parse(struct packet *packet, struct dhcp_request *request)
{
	uint8_t options[DHCP_OPTIONS_MAX];
	struct udphdr udp;
	size_t size;

	memset(request, 0, sizeof(*request));
	if (!udp_take_header(packet, &udp) ||
	    !cursor_take(&packet->l4, &request->header,
			 sizeof(request->header)))
		return false;
	size = packet->l4.left < sizeof(options) ? packet->l4.left
						 : sizeof(options);
	if (!cursor_take(&packet->l4, options, size))
		return false;
	dhcp_take_options(request, options, size);
	return request->header.op == BOOT_REQUEST &&
	       request->header.htype == 1 && request->header.hlen == 6 &&
	       request->header.cookie == htonl(DHCP_COOKIE);
}

static void dhcp_add(struct dhcp_reply *reply, uint8_t option,
		     const void *value, size_t size)
{
	uint8_t *to = reply->frame + DHCP_AT + sizeof(struct dhcp_header) +
		      reply->used;

	if (reply->used + 2 + size + 1 > DHCP_REPLY_MAX)
		return;
	to[0] = option;
	to[1] = (uint8_t)size;
	memcpy(to + 2, value, size);
	reply->used += 2 + size;
}

static void dhcp_add_text(struct dhcp_reply *reply, uint8_t option,
			  const char *text, size_t max)
{
	size_t size = strnlen(text, max);

	if (size && size <= 255)
		dhcp_add(reply, option, text, size);
}

static void dhcp_add_parameters(const struct shard *shard,
				struct dhcp_reply *reply, bool lease)
{
	const struct slirp_config *config = shard_config(shard);
	uint32_t seconds = htonl(DHCP_LEASE_S);
	uint16_t mtu = htons((uint16_t)config->mtu);

	if (lease)
		dhcp_add(reply, DHCP_LEASE, &seconds, sizeof(seconds));
	dhcp_add(reply, DHCP_NETMASK, &config->netmask, 4);
	if (config->route4 && !config->restricted)
		dhcp_add(reply, DHCP_ROUTER, &config->gateway, 4);
	dhcp_add(reply, DHCP_DNS, &config->dns, 4);
	dhcp_add(reply, DHCP_MTU, &mtu, sizeof(mtu));
	dhcp_add_text(reply, DHCP_HOSTNAME, config->hostname,
		      sizeof(config->hostname));
	dhcp_add_text(reply, DHCP_DOMAIN, shard_resolvers(shard)->domain,
		      SLIRP_DOMAIN_SIZE);
}

/*
 * RFC 2131, 4.1: to the client's address if it has one; else to the one that it
 * gets, but to everybody where it cannot take that yet
 */
static struct in_addr dhcp_destination(const struct slirp_config *config,
				       const struct dhcp_request *request,
				       uint8_t type)
{
	bool broadcast = request->header.flags & htons(DHCP_BROADCAST);

	if (type != DHCP_NAK && request->header.ciaddr.s_addr)
		return request->header.ciaddr;
	if (type != DHCP_NAK && !broadcast && request->type != DHCP_INFORM)
		return config->guest;
	return (struct in_addr) { htonl(INADDR_BROADCAST) };
}

static void dhcp_send(struct shard *shard, const struct dhcp_request *request,
		      struct dhcp_reply *reply, uint8_t type)
{
	const struct slirp_config *config = shard_config(shard);
	struct in_addr destination = dhcp_destination(config, request, type);
	struct slirp_endpoint from = { .address =
					       address_from4(config->gateway),
				       .port = DHCP_SERVER_PORT };
	struct slirp_endpoint to = { .address = address_from4(destination),
				     .port = DHCP_CLIENT_PORT };
	size_t size = sizeof(struct dhcp_header) + DHCP_REPLY_MAX;

	reply->frame[DHCP_AT + sizeof(struct dhcp_header) + reply->used] =
		DHCP_END;
	header_write_udp(config, &from, &to, size,
			 checksum_add(reply->frame + DHCP_AT, size, 0), NULL,
			 reply->frame);
	/* A client without an address does not answer ARP yet. */
	if (destination.s_addr == htonl(INADDR_BROADCAST))
		memset(reply->frame, 0xff, 6);
	else
		memcpy(reply->frame, request->header.chaddr, 6);
	outgoing_send(shard, shard_input_queue(shard), reply->frame,
		      sizeof(reply->frame), NULL);
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
	bool inform = request->type == DHCP_INFORM;

	memcpy(header.chaddr, request->header.chaddr, sizeof(header.chaddr));
	if (type != DHCP_NAK) {
		header.siaddr = config->gateway;
		header.ciaddr = request->header.ciaddr;
		if (!inform)
			header.yiaddr = config->guest;
	}
	memcpy(reply.frame + DHCP_AT, &header, sizeof(header));
	dhcp_add(&reply, DHCP_TYPE, &type, 1);
	dhcp_add(&reply, DHCP_SERVER, &config->gateway, 4);
	if (type != DHCP_NAK)
		dhcp_add_parameters(shard, &reply, !inform);
	dhcp_send(shard, request, &reply, type);
}

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
