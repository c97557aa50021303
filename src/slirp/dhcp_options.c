/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/dhcp_internal.h"
#include "slirp/dns_name.h"
#include "slirp/resolvers.h"

/* Options of DHCP messages (RFC 2132). */

#define DHCP_LEASE_S 86400
#define DHCP_REFUSAL "this network has another address for you"

enum dhcp_option {
	DHCP_PAD = 0,
	DHCP_NETMASK = 1,
	DHCP_ROUTER = 3,
	DHCP_DNS = 6,
	DHCP_HOSTNAME = 12,
	DHCP_DOMAIN = 15,
	DHCP_MTU = 26,
	DHCP_BROADCAST_ADDRESS = 28,
	DHCP_ADDRESS = 50,
	DHCP_LEASE = 51,
	DHCP_TYPE = 53,
	DHCP_SERVER = 54,
	DHCP_WANTED = 55,
	DHCP_MESSAGE = 56,
	DHCP_MESSAGE_MAX = 57,
	DHCP_RENEWAL = 58,
	DHCP_REBINDING = 59,
	DHCP_CLIENT = 61,
	DHCP_RELAY = 82,
	DHCP_SEARCH = 119, /* RFC 3397 */
	DHCP_END = 255,
};

/* Reading */

static void dhcp_take_value(struct dhcp_value *to, const uint8_t *value,
			    uint8_t size)
{
	memcpy(to->data, value, size);
	to->size = size;
}

static void dhcp_take_option(struct dhcp_request *request, uint8_t option,
			     const uint8_t *value, uint8_t size)
{
	if (option == DHCP_TYPE && size == 1)
		request->type = value[0];
	else if (option == DHCP_ADDRESS && size == 4)
		memcpy(&request->address, value, 4);
	else if (option == DHCP_SERVER && size == 4)
		memcpy(&request->server, value, 4);
	else if (option == DHCP_MESSAGE_MAX && size == 2)
		request->packet_max = (size_t)(value[0] << 8 | value[1]);
	else if (option == DHCP_WANTED)
		dhcp_take_value(&request->wanted, value, size);
	else if (option == DHCP_CLIENT)
		dhcp_take_value(&request->client, value, size);
	else if (option == DHCP_RELAY)
		dhcp_take_value(&request->relay, value, size);
}

void dhcp_take_options(struct dhcp_request *request, const uint8_t *options,
		       size_t size)
{
	const uint8_t *at = options, *end = options + size;

	while (at < end && *at != DHCP_END) {
		if (*at == DHCP_PAD) {
			at++;
			continue;
		}
		if (end - at < 2 || end - at - 2 < at[1])
			return;
		dhcp_take_option(request, at[0], at + 2, at[1]);
		at += 2 + at[1];
	}
}

/* Writing */

static void dhcp_add(struct dhcp_reply *reply, uint8_t option,
		     const void *value, size_t size)
{
	uint8_t *to = reply->frame + DHCP_AT + sizeof(struct dhcp_header) +
		      reply->used;

	if (!size || size > 255 || reply->used + 2 + size > reply->room)
		return;
	to[0] = option;
	to[1] = (uint8_t)size;
	memcpy(to + 2, value, size);
	reply->used += 2 + size;
}

static void dhcp_add_seconds(struct dhcp_reply *reply, uint8_t option,
			     uint32_t seconds)
{
	uint32_t value = htonl(seconds);

	dhcp_add(reply, option, &value, sizeof(value));
}

/* More than 255 bytes are spread over several options (RFC 3396). */
static void dhcp_add_search(struct dhcp_reply *reply, const char *search)
{
	uint8_t names[SLIRP_SEARCH_SIZE];
	size_t size = dns_write_search(search, names, sizeof(names));
	size_t part;

	/* All or nothing: half a list of names may end within a name. */
	if (reply->used + size + 2 * (size / 255 + 1) > reply->room)
		return;
	for (size_t at = 0; at < size; at += part) {
		part = size - at < 255 ? size - at : 255;
		dhcp_add(reply, DHCP_SEARCH, names + at, part);
	}
}

/* One that a client may ask for. */
static void dhcp_add_parameter(const struct shard *shard,
			       struct dhcp_reply *reply, uint8_t option)
{
	const struct slirp_config *config = shard_config(shard);
	const struct resolvers *resolvers = shard_resolvers(shard);
	uint32_t broadcast = config->network.s_addr | ~config->netmask.s_addr;
	uint16_t mtu = htons((uint16_t)config->mtu);

	switch (option) {
	case DHCP_ROUTER:
		if (config->route4 && !config->restricted)
			dhcp_add(reply, option, &config->gateway, 4);
		break;
	case DHCP_DNS:
		dhcp_add(reply, option, &config->dns, 4);
		break;
	case DHCP_HOSTNAME:
		dhcp_add(reply, option, config->hostname,
			 strnlen(config->hostname, sizeof(config->hostname)));
		break;
	case DHCP_DOMAIN:
		dhcp_add(reply, option, resolvers->domain,
			 strlen(resolvers->domain));
		break;
	case DHCP_MTU:
		dhcp_add(reply, option, &mtu, sizeof(mtu));
		break;
	case DHCP_BROADCAST_ADDRESS:
		dhcp_add(reply, option, &broadcast, sizeof(broadcast));
		break;
	case DHCP_SEARCH:
		dhcp_add_search(reply, resolvers->search);
		break;
	default: /* not known here, or given anyway */
		break;
	}
}

static void dhcp_add_parameters(const struct shard *shard,
				const struct dhcp_request *request,
				struct dhcp_reply *reply)
{
	static const uint8_t all[] = { DHCP_ROUTER,   DHCP_DNS,
				       DHCP_MTU,      DHCP_BROADCAST_ADDRESS,
				       DHCP_HOSTNAME, DHCP_DOMAIN,
				       DHCP_SEARCH };
	const uint8_t *wanted = request->wanted.data;
	size_t count = request->wanted.size;
	bool given[256] = { false };

	if (!count) {
		wanted = all;
		count = sizeof(all);
	}
	/* RFC 2132, 3.3: the mask before the router. */
	dhcp_add(reply, DHCP_NETMASK, &shard_config(shard)->netmask, 4);
	for (size_t i = 0; i < count; i++) {
		if (!given[wanted[i]])
			dhcp_add_parameter(shard, reply, wanted[i]);
		given[wanted[i]] = true;
	}
}

static void dhcp_add_lease(struct dhcp_reply *reply)
{
	dhcp_add_seconds(reply, DHCP_LEASE, DHCP_LEASE_S);
	/* T1 and T2 of RFC 2131, 4.4.5 */
	dhcp_add_seconds(reply, DHCP_RENEWAL, DHCP_LEASE_S / 2);
	dhcp_add_seconds(reply, DHCP_REBINDING, DHCP_LEASE_S / 8 * 7);
}

static size_t dhcp_room(const struct shard *shard,
			const struct dhcp_request *request)
{
	size_t most = request->packet_max;

	if (most > shard_config(shard)->mtu)
		most = shard_config(shard)->mtu;
	if (most > DHCP_PACKET_MAX)
		most = DHCP_PACKET_MAX;
	if (most < DHCP_PACKET_MIN)
		most = DHCP_PACKET_MIN;
	return HEADER_IP + most - DHCP_AT - sizeof(struct dhcp_header) - 1;
}

void dhcp_write_options(const struct shard *shard,
			const struct dhcp_request *request,
			struct dhcp_reply *reply, uint8_t type)
{
	const struct slirp_config *config = shard_config(shard);
	size_t relay = request->relay.size ? 2U + request->relay.size : 0;

	reply->used = 0;
	reply->room = dhcp_room(shard, request) - relay;
	dhcp_add(reply, DHCP_TYPE, &type, 1);
	dhcp_add(reply, DHCP_SERVER, &config->gateway, 4);
	/* RFC 6842 */
	dhcp_add(reply, DHCP_CLIENT, request->client.data,
		 request->client.size);
	if (type == DHCP_NAK)
		dhcp_add(reply, DHCP_MESSAGE, DHCP_REFUSAL,
			 strlen(DHCP_REFUSAL));
	else if (request->type != DHCP_INFORM)
		dhcp_add_lease(reply);
	if (type != DHCP_NAK)
		dhcp_add_parameters(shard, request, reply);
	/* RFC 3046, 2.2: the last one, as it came. */
	reply->room += relay;
	dhcp_add(reply, DHCP_RELAY, request->relay.data, request->relay.size);
	reply->frame[DHCP_AT + sizeof(struct dhcp_header) + reply->used] =
		DHCP_END;
}
