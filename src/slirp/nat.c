/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/nat.h"

#include <errno.h>
#include <stdbool.h>

#define DNS_PORT 53

struct nat_range {
	uint32_t address; /* host byte order */
	uint32_t mask;
};

/* Never reached on the host, whatever the options say. */
static const struct nat_range nat_denied[] = {
	{ 0x00000000, 0xff000000 }, /* 0.0.0.0/8 is this host (RFC 1122) */
	{ 0x7f000000, 0xff000000 }, /* loopback: only through the gateway */
	{ 0xa9fe0000, 0xffff0000 }, /* link-local: metadata services */
	{ 0xe0000000, 0xf0000000 }, /* multicast */
	{ 0xf0000000, 0xf0000000 }, /* reserved and broadcast */
};

static bool nat_is_denied(uint32_t address)
{
	for (unsigned int i = 0; i < sizeof(nat_denied) / sizeof(*nat_denied);
	     i++)
		if ((address & nat_denied[i].mask) == nat_denied[i].address)
			return true;
	return false;
}

static int nat_translate_dns(const struct slirp_config *config,
			     struct sockaddr_in *host)
{
	if (!config->resolver_count)
		return -EHOSTUNREACH;
	*host = config->resolver[0];
	return 0;
}

int nat_translate(const struct slirp_config *config, int protocol,
		  struct in_addr destination, unsigned int port,
		  struct sockaddr_in *host)
{
	bool same = (destination.s_addr & config->netmask.s_addr) ==
		    (config->network.s_addr & config->netmask.s_addr);

	*host = (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = destination,
	};
	if (config->restricted)
		return -EACCES;
	if (destination.s_addr == config->dns.s_addr && port == DNS_PORT &&
	    protocol != IPPROTO_ICMP)
		return nat_translate_dns(config, host);
	if (destination.s_addr == config->gateway.s_addr) {
		host->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return config->host_loopback ? 0 : -EACCES;
	}
	if (nat_is_denied(ntohl(destination.s_addr)))
		return -EACCES;
	return same ? -EHOSTUNREACH : 0;
}

struct in_addr nat_translate_peer(const struct slirp_config *config,
				  struct in_addr host)
{
	bool loopback = (ntohl(host.s_addr) & 0xff000000) == 0x7f000000;

	return loopback ? config->gateway : host;
}
