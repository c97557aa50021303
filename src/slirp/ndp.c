/* SPDX-License-Identifier: BSD-3-Clause */
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <string.h>

#include "slirp/dns_name.h"
#include "slirp/icmp_internal.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"
#include "slirp/resolvers.h"

/*
 * Theory of operation
 *
 * Neighbour discovery (RFC 4861): the gateway's and the DNS's addresses are
 * ours, and fe80::2, from which the router speaks. A solicitation is answered,
 * and so is a guest that wants to take one of them for itself (RFC 4862,
 * 5.4.3).
 *
 * The router tells the prefix for addresses of the guest's own choice, the MTU,
 * the DNS address and search domains (RFC 8106), that more is to be had by
 * DHCPv6 without state, and whether it leads anywhere: when it is asked, and
 * every NDP_ROUTER_INTERVAL_MS from the first shard.
 *
 * Limits: unlike with ARP, other addresses of the subnet are nobody's.
 */

#define NDP_HOP_LIMIT    255
#define NDP_LIFETIME_S   1800
#define NDP_FOREVER      0xffffffffU
#define NDP_OPTION_RDNSS 25 /* RFC 8106, 5.1 */
#define NDP_OPTION_DNSSL 31 /* RFC 8106, 5.2 */

static const struct in6_addr ndp_all_nodes = { { { 0xff, 2, [15] = 1 } } };

/* An option with a link-layer address in it (RFC 4861, 4.6.1). */
struct ndp_link_option {
	struct nd_opt_hdr header;
	uint8_t mac[ETH_ALEN];
};

struct ndp_dns_option {
	struct nd_opt_hdr header;
	uint16_t reserved;
	uint32_t lifetime_s;
	struct in6_addr address;
} __attribute__((packed));

struct ndp_domain_option {
	struct nd_opt_hdr header;
	uint16_t reserved;
	uint32_t lifetime_s;
} __attribute__((packed));

struct ndp_neighbour {
	struct nd_neighbor_advert advert;
	struct ndp_link_option link;
};

struct ndp_router {
	struct nd_router_advert advert;
	struct ndp_link_option link;
	struct nd_opt_mtu mtu;
	struct nd_opt_prefix_info prefix;
	struct ndp_dns_option dns;
	struct ndp_domain_option domain;
	uint8_t name[DNS_NAME_ROOM];
};

static bool ndp_is_ours(const struct slirp_config *config,
			const struct in6_addr *address)
{
	return nat_is_gateway(config, address) || nat_is_dns(config, address) ||
	       nat_is_router6(address) || nat_is_server(config, address);
}

static struct ndp_link_option ndp_link(const struct slirp_config *config,
				       uint8_t type)
{
	struct ndp_link_option option = { .header = { .nd_opt_type = type,
						      .nd_opt_len = 1 } };

	memcpy(option.mac, config->gateway_mac, ETH_ALEN);
	return option;
}

static void ndp_send(struct shard *shard, unsigned int queue,
		     const struct in6_addr *from, const struct in6_addr *to,
		     const void *message, size_t size)
{
	struct header_ip ip = { .source = *from,
				.destination = *to,
				.protocol = IPPROTO_ICMPV6,
				.length = size };
	uint8_t frame[HEADER_L4_MAX + sizeof(struct ndp_router)];

	memcpy(frame + header_l4(to), message, size);
	icmp_finish(shard, queue, &ip, frame);
}

/* Neighbours */

static void ndp_advertise_neighbour(struct shard *shard,
				    const struct packet *packet,
				    const struct in6_addr *target)
{
	const struct slirp_config *config = shard_config(shard);
	bool detects = address_is_any(&packet->source);
	struct ndp_neighbour reply = {
		.advert = { .nd_na_hdr = { .icmp6_type = ND_NEIGHBOR_ADVERT },
			    .nd_na_target = *target },
		.link = ndp_link(config, ND_OPT_TARGET_LINKADDR),
	};

	reply.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	if (!detects)
		reply.advert.nd_na_flags_reserved |= ND_NA_FLAG_SOLICITED;
	if (!nat_is_dns(config, target) && !nat_is_server(config, target))
		reply.advert.nd_na_flags_reserved |= ND_NA_FLAG_ROUTER;
	ndp_send(shard, shard_input_queue(shard), target,
		 detects ? &ndp_all_nodes : &packet->source, &reply,
		 sizeof(reply));
}

static void ndp_take_neighbour(struct shard *shard, struct packet *packet)
{
	struct nd_neighbor_solicit solicit;
	struct cursor at = packet->l4;

	if (!cursor_take(&at, &solicit, sizeof(solicit)) ||
	    solicit.nd_ns_hdr.icmp6_code) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (ndp_is_ours(shard_config(shard), &solicit.nd_ns_target))
		ndp_advertise_neighbour(shard, packet, &solicit.nd_ns_target);
}

/* The router */

static void ndp_fill_prefix(const struct slirp_config *config,
			    struct nd_opt_prefix_info *prefix)
{
	*prefix = (struct nd_opt_prefix_info) {
		.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
		.nd_opt_pi_len = sizeof(*prefix) / 8,
		.nd_opt_pi_prefix_len = SLIRP_PREFIX6_BITS,
		.nd_opt_pi_flags_reserved =
			ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
		.nd_opt_pi_valid_time = htonl(NDP_FOREVER),
		.nd_opt_pi_preferred_time = htonl(NDP_FOREVER),
		.nd_opt_pi_prefix = config->prefix6,
	};
}

/* Return: bytes of the option, 0 without a domain */
static size_t ndp_fill_domain(const char *search, struct ndp_router *router)
{
	size_t size =
		dns_write_search(search, router->name, sizeof(router->name));

	if (!size)
		return 0;
	/* Zeros fill it up to a multiple of eight. */
	size = (size + 7) / 8 * 8;
	router->domain = (struct ndp_domain_option) {
		.header = { .nd_opt_type = NDP_OPTION_DNSSL },
		.lifetime_s = htonl(NDP_FOREVER),
	};
	router->domain.header.nd_opt_len = (uint8_t)(1 + size / 8);
	return sizeof(router->domain) + size;
}

static size_t ndp_fill_router(const struct shard *shard,
			      struct ndp_router *router)
{
	const struct slirp_config *config = shard_config(shard);

	*router = (struct ndp_router) {
		.advert = { .nd_ra_hdr = { .icmp6_type = ND_ROUTER_ADVERT } },
		.link = ndp_link(config, ND_OPT_SOURCE_LINKADDR),
		.mtu = { .nd_opt_mtu_type = ND_OPT_MTU,
			 .nd_opt_mtu_len = sizeof(router->mtu) / 8,
			 .nd_opt_mtu_mtu = htonl(config->mtu) },
		.dns = { .header = { .nd_opt_type = NDP_OPTION_RDNSS,
				     .nd_opt_len = sizeof(router->dns) / 8 },
			 .lifetime_s = htonl(NDP_FOREVER),
			 .address = config->dns6 },
	};
	router->advert.nd_ra_curhoplimit = IPDEFTTL;
	router->advert.nd_ra_flags_reserved = ND_RA_FLAG_OTHER;
	if (config->route6 && !config->restricted)
		router->advert.nd_ra_router_lifetime = htons(NDP_LIFETIME_S);
	ndp_fill_prefix(config, &router->prefix);
	return offsetof(struct ndp_router, domain) +
	       ndp_fill_domain(shard_resolvers(shard)->search, router);
}

static void ndp_advertise_router(struct shard *shard, unsigned int queue,
				 const struct in6_addr *to)
{
	const struct in6_addr from = nat_router6();
	struct ndp_router router;
	size_t size = ndp_fill_router(shard, &router);

	ndp_send(shard, queue, &from, to, &router, size);
}

void ndp_run_router(struct shard *shard)
{
	if (shard_features(shard)->active)
		ndp_advertise_router(shard, shard_index(shard), &ndp_all_nodes);
}

static void ndp_take_router(struct shard *shard, struct packet *packet)
{
	bool nobody = address_is_any(&packet->source);

	ndp_advertise_router(shard, shard_input_queue(shard),
			     nobody ? &ndp_all_nodes : &packet->source);
}

bool ndp_input(struct shard *shard, struct packet *packet, uint8_t type)
{
	if (type != ND_NEIGHBOR_SOLICIT && type != ND_ROUTER_SOLICIT)
		return false;
	if (packet->ip6.ip6_hlim != NDP_HOP_LIMIT ||
	    !packet_checksum_ok(packet))
		SHARD_COUNT(shard, tx_malformed, 1);
	else if (type == ND_NEIGHBOR_SOLICIT)
		ndp_take_neighbour(shard, packet);
	else
		ndp_take_router(shard, packet);
	return true;
}
