/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/nat.h"

#include <errno.h>
#include <stdbool.h>

#define DNS_PORT 53

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

bool nat_is_server(const struct slirp_config *config,
		   const struct in6_addr *address)
{
	for (unsigned int i = 0; i < config->guest_forward_count; i++)
		if (address_equal(&config->guest_forward[i].server.address,
				  address))
			return true;
	return false;
}

bool nat_is_local(const struct slirp_config *config,
		  const struct in6_addr *address)
{
	struct in_addr in = address_to4(address);

	if (!address_is4(address))
		return address_in(address, &config->prefix6,
				  SLIRP_PREFIX6_BITS);
	return ((in.s_addr ^ config->network.s_addr) &
		config->netmask.s_addr) == 0;
}

int nat_translate(const struct slirp_config *config,
		  const struct slirp_policy *policy, int protocol,
		  const struct in6_addr *destination, unsigned int port,
		  struct slirp_endpoint *host)
{
	bool ping = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
	bool gateway = nat_is_gateway(config, destination);
	bool dns = nat_is_dns(config, destination) && port == DNS_PORT && !ping;
	struct policy_destination to = { .protocol = protocol,
					 .port = (uint16_t)port,
					 .named = *destination };

	*host = (struct slirp_endpoint) { .address = *destination,
					  .port = (uint16_t)port };
	if (gateway)
		host->address = nat_loopback(address_is4(destination));
	else if (!dns && policy_is_reserved(destination))
		return -EACCES;
	if (config->restricted || (gateway && !config->host_loopback))
		return -EACCES;
	to.reached = host->address;
	if (!policy_allows(policy, &to, NULL))
		return -EPERM;
	if (dns)
		return 0;
	return !gateway && nat_is_local(config, destination) ? -EHOSTUNREACH
							     : 0;
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

/* Would the guest's answers to this address come to us? */
static bool nat_is_routed(const struct slirp_config *config,
			  const struct in6_addr *address)
{
	struct in6_addr link = address_from4(
		(struct in_addr) { htonl(0xa9fe0000) }); /* 169.254.0.0/16 */

	return !address_is_any(address) && !address_is_loopback(address) &&
	       !address_is_group(address) && !IN6_IS_ADDR_LINKLOCAL(address) &&
	       !address_in(address, &link, 96 + 16) &&
	       !nat_is_local(config, address);
}

struct in6_addr nat_translate_client(const struct slirp_config *config,
				     const struct in6_addr *host,
				     const struct in6_addr *guest)
{
	bool is4 = address_is4(guest);

	if (config->keep_source && address_is4(host) == is4 &&
	    nat_is_routed(config, host))
		return *host;
	return nat_gateway(config, is4);
}
