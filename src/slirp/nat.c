/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/nat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DNS_PORT 53

struct nat_range {
	uint8_t address[16];
	unsigned int bits;
};

#define MAPPED(a, b) 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), 0, 0

/* Never reached on the host, whatever the options say. */
static const struct nat_range nat_denied[] = {
	{ { MAPPED(0, 0) }, 96 + 8 },      /* this host (RFC 1122) */
	{ { MAPPED(127, 0) }, 96 + 8 },    /* only through the gateway */
	{ { MAPPED(169, 254) }, 96 + 16 }, /* metadata services */
	{ { MAPPED(224, 0) }, 96 + 4 },    /* multicast */
	{ { MAPPED(240, 0) }, 96 + 4 },    /* reserved and broadcast */
	{ { 0 }, 96 },                     /* ::, ::1, ::a.b.c.d */
	{ { 0xfe, 0x80 }, 10 },            /* the host's own links */
	{ { 0xff }, 8 },                   /* multicast */
	/* fd00:ec2::254, a metadata service */
	{ { 0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54 }, 128 },
};

/* 64:ff9b::/96 leads to an IPv4 address (RFC 6052). */
static const struct in6_addr nat64 = { { { 0, 0x64, 0xff, 0x9b } } };

static bool nat_is_denied(const struct in6_addr *address)
{
	struct in6_addr inner = *address, range;

	if (address_in(address, &nat64, 96))
		inner = address_from4(address_to4(address));
	for (unsigned int i = 0; i < sizeof(nat_denied) / sizeof(*nat_denied);
	     i++) {
		memcpy(&range, nat_denied[i].address, sizeof(range));
		if (address_in(&inner, &range, nat_denied[i].bits))
			return true;
	}
	return false;
}

static const struct in6_addr nat_router = { { { 0xfe, 0x80, [15] = 2 } } };

struct in6_addr nat_router6(void)
{
	return nat_router;
}

bool nat_is_router6(const struct in6_addr *address)
{
	return address_equal(address, &nat_router);
}

struct in6_addr nat_loopback(bool is4)
{
	struct in_addr loopback = { htonl(INADDR_LOOPBACK) };

	return is4 ? address_from4(loopback) : in6addr_loopback;
}

struct in6_addr nat_gateway(const struct slirp_config *config, bool is4)
{
	return is4 ? address_from4(config->gateway) : config->gateway6;
}

bool nat_is_gateway(const struct slirp_config *config,
		    const struct in6_addr *address)
{
	struct in6_addr gateway = nat_gateway(config, address_is4(address));

	return address_equal(address, &gateway);
}

bool nat_is_dns(const struct slirp_config *config,
		const struct in6_addr *address)
{
	struct in6_addr dns = address_is4(address) ? address_from4(config->dns)
						   : config->dns6;

	return address_equal(address, &dns);
}

static bool nat_is_local(const struct slirp_config *config,
			 const struct in6_addr *address)
{
	struct in_addr in = address_to4(address);

	if (!address_is4(address))
		return address_in(address, &config->prefix6,
				  SLIRP_PREFIX6_BITS);
	return ((in.s_addr ^ config->network.s_addr) &
		config->netmask.s_addr) == 0;
}

static int nat_translate_dns(const struct slirp_config *config,
			     struct slirp_endpoint *host)
{
	if (!config->resolver_count)
		return -EHOSTUNREACH;
	*host = config->resolver[0];
	return 0;
}

int nat_translate(const struct slirp_config *config, int protocol,
		  const struct in6_addr *destination, unsigned int port,
		  struct slirp_endpoint *host)
{
	bool ping = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;

	*host = (struct slirp_endpoint) { .address = *destination,
					  .port = (uint16_t)port };
	if (config->restricted)
		return -EACCES;
	if (nat_is_dns(config, destination) && port == DNS_PORT && !ping)
		return nat_translate_dns(config, host);
	if (nat_is_gateway(config, destination)) {
		host->address = nat_loopback(address_is4(destination));
		return config->host_loopback ? 0 : -EACCES;
	}
	if (nat_is_denied(destination))
		return -EACCES;
	return nat_is_local(config, destination) ? -EHOSTUNREACH : 0;
}

struct in6_addr nat_translate_peer(const struct slirp_config *config,
				   const struct in6_addr *host,
				   const struct in6_addr *guest)
{
	bool is4 = address_is4(guest);

	if (address_is4(host) == is4 && !address_is_loopback(host))
		return *host;
	return nat_gateway(config, is4);
}
