/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/ethernet.h>
#include <string.h>

#include "slirp/dns_name.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"
#include "slirp/resolvers.h"
#include "slirp/udp_internal.h"

/*
 * Theory of operation
 *
 * DHCPv6 without state (RFC 8415, 6.1): a guest makes its address from the
 * router's prefix, and asks here for the DNS address and the search domains.
 * Whoever solicits an address is told that there is none to be had (18.3.9).
 *
 * Limits: no relays, no authentication, no reconfiguration.
 */

#define DHCP6_CLIENT_PORT 546
#define DHCP6_SERVER_PORT 547
#define DHCP6_DUID_LL     3 /* RFC 8415, 11.4 */
#define DHCP6_ETHERNET    1
#define DHCP6_REFRESH_S   86400
#define DHCP6_NO_ADDRS    2   /* status code */
#define DHCP6_OPTIONS_MAX 512 /* bytes of a client's options that are read */
#define DHCP6_ID_MAX      130 /* bytes: RFC 8415, 11.1 */
#define DHCP6_REPLY_MAX   512 /* bytes of ours */

enum dhcp6_type {
	DHCP6_SOLICIT = 1,
	DHCP6_ADVERTISE = 2,
	DHCP6_REPLY = 7,
	DHCP6_INFORMATION = 11,
};

enum dhcp6_option {
	DHCP6_CLIENT_ID = 1,
	DHCP6_SERVER_ID = 2,
	DHCP6_STATUS = 13,
	DHCP6_DNS = 23,
	DHCP6_DOMAIN = 24,
	DHCP6_REFRESH = 32,
};

struct dhcp6_header {
	uint8_t type;
	uint8_t transaction[3];
};

/* What a client's message says; its own identifier is repeated to it. */
struct dhcp6_request {
	struct dhcp6_header header;
	uint8_t client[DHCP6_ID_MAX];
	uint16_t client_size;
	bool other_server;
};

struct dhcp6_reply {
	uint8_t room[UDP_HEADROOM];
	uint8_t data[DHCP6_REPLY_MAX];
	size_t used; /* bytes of data */
};

struct dhcp6_duid {
	uint16_t type;
	uint16_t hardware;
	uint8_t mac[ETH_ALEN];
};

static struct dhcp6_duid dhcp6_duid(const struct slirp_config *config)
{
	struct dhcp6_duid duid = { htons(DHCP6_DUID_LL),
				   htons(DHCP6_ETHERNET),
				   { 0 } };

	memcpy(duid.mac, config->gateway_mac, ETH_ALEN);
	return duid;
}

static void dhcp6_take_option(const struct slirp_config *config,
			      struct dhcp6_request *request, uint16_t option,
			      const uint8_t *value, uint16_t size)
{
	struct dhcp6_duid duid = dhcp6_duid(config);

	if (option == DHCP6_CLIENT_ID && size <= DHCP6_ID_MAX) {
		memcpy(request->client, value, size);
		request->client_size = size;
	} else if (option == DHCP6_SERVER_ID) {
		request->other_server =
			size != sizeof(duid) || memcmp(value, &duid, size) != 0;
	}
}

static void dhcp6_take_options(const struct slirp_config *config,
			       struct dhcp6_request *request, const uint8_t *at,
			       size_t left)
{
	while (left >= 4) {
		uint16_t option = (uint16_t)(at[0] << 8 | at[1]);
		uint16_t size = (uint16_t)(at[2] << 8 | at[3]);

		if (size > left - 4)
			return;
		dhcp6_take_option(config, request, option, at + 4, size);
		at += 4 + size;
		left -= 4U + size;
	}
}

static bool dhcp6_parse(const struct slirp_config *config,
			struct packet *packet, struct dhcp6_request *request)
{
	uint8_t options[DHCP6_OPTIONS_MAX];
	struct udphdr udp;
	size_t size;

	memset(request, 0, sizeof(*request));
	if (!udp_take_header(packet, &udp) ||
	    !cursor_take(&packet->l4, &request->header,
			 sizeof(request->header)) ||
	    !cursor_take_most(&packet->l4, options, sizeof(options), &size))
		return false;
	dhcp6_take_options(config, request, options, size);
	return true;
}

static void dhcp6_add(struct dhcp6_reply *reply, uint16_t option,
		      const void *value, size_t size)
{
	uint16_t header[2] = { htons(option), htons((uint16_t)size) };

	if (reply->used + sizeof(header) + size > DHCP6_REPLY_MAX)
		return;
	memcpy(reply->data + reply->used, header, sizeof(header));
	memcpy(reply->data + reply->used + sizeof(header), value, size);
	reply->used += sizeof(header) + size;
}

static void dhcp6_add_parameters(const struct shard *shard,
				 struct dhcp6_reply *reply)
{
	const struct slirp_config *config = shard_config(shard);
	uint8_t domain[DNS_NAME_ROOM];
	size_t size = dns_write_search(shard_resolvers(shard)->search, domain,
				       sizeof(domain));

	dhcp6_add(reply, DHCP6_DNS, &config->dns6, sizeof(config->dns6));
	if (size)
		dhcp6_add(reply, DHCP6_DOMAIN, domain, size);
}

static void dhcp6_send(struct shard *shard, const struct packet *packet,
		       struct dhcp6_reply *reply)
{
	struct slirp_endpoint from = { .address = nat_router6(),
				       .port = DHCP6_SERVER_PORT };
	struct slirp_endpoint to = { .address = packet->source,
				     .port = DHCP6_CLIENT_PORT };

	udp_deliver(shard, shard_input_queue(shard), &from, &to, reply->data,
		    reply->used, 0);
}

static void dhcp6_answer(struct shard *shard, const struct packet *packet,
			 const struct dhcp6_request *request, uint8_t type)
{
	const struct slirp_config *config = shard_config(shard);
	struct dhcp6_header header = request->header;
	struct dhcp6_duid duid = dhcp6_duid(config);
	uint16_t status = htons(DHCP6_NO_ADDRS);
	uint32_t refresh = htonl(DHCP6_REFRESH_S);
	struct dhcp6_reply reply;

	header.type = type;
	memcpy(reply.data, &header, sizeof(header));
	reply.used = sizeof(header);
	dhcp6_add(&reply, DHCP6_SERVER_ID, &duid, sizeof(duid));
	if (request->client_size)
		dhcp6_add(&reply, DHCP6_CLIENT_ID, request->client,
			  request->client_size);
	if (type == DHCP6_ADVERTISE)
		dhcp6_add(&reply, DHCP6_STATUS, &status, sizeof(status));
	else
		dhcp6_add(&reply, DHCP6_REFRESH, &refresh, sizeof(refresh));
	dhcp6_add_parameters(shard, &reply);
	dhcp6_send(shard, packet, &reply);
}

void dhcp6_input(struct shard *shard, struct packet *packet)
{
	struct dhcp6_request request;

	if (address_is_any(&packet->source) ||
	    !dhcp6_parse(shard_config(shard), packet, &request)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (request.other_server)
		return;
	if (request.header.type == DHCP6_INFORMATION)
		dhcp6_answer(shard, packet, &request, DHCP6_REPLY);
	else if (request.header.type == DHCP6_SOLICIT && request.client_size)
		dhcp6_answer(shard, packet, &request, DHCP6_ADVERTISE);
}
