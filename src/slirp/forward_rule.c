/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "slirp/nat.h"

/* What a forward may be, and how it is written; pure. */

#define PORT_MAX 65535U

/* The guest, or another host behind it, may have it. */
static bool rule_is_guest(const struct slirp_config *config,
			  const struct in6_addr *address)
{
	uint32_t host = address_to4(address).s_addr & ~config->netmask.s_addr;

	if (!(address_is4(address) ? config->ipv4 : config->ipv6))
		return false;
	if (address_is4(address) && (!host || host == ~config->netmask.s_addr))
		return false;
	return nat_is_local(config, address) &&
	       !nat_is_gateway(config, address) && !nat_is_dns(config, address);
}

int slirp_forward_check(const struct slirp_config *config,
			struct slirp_forward *forward, struct fail *fail)
{
	char text[ADDRESS_TEXT_MAX];

	if (!forward->count)
		forward->count = 1;
	if (address_is_any(&forward->guest.address))
		forward->guest.address = config->ipv4
						 ? address_from4(config->guest)
						 : config->guest6;
	if (forward->count > SLIRP_FORWARD_PORTS_MAX)
		return fail_set(fail, -EINVAL,
				"a forward has %d ports at most: make several",
				SLIRP_FORWARD_PORTS_MAX);
	if (!forward->guest.port ||
	    forward->guest.port + forward->count - 1 > PORT_MAX ||
	    forward->host.port + forward->count - 1 > PORT_MAX ||
	    (!forward->host.port && forward->count > 1))
		return fail_set(fail, -EINVAL,
				"the ports of a forward end at 65535, and only "
				"one at a time can be chosen by the host");
	if (!rule_is_guest(config, &forward->guest.address))
		return fail_set(fail, -EINVAL,
				"%s is no address that the guest can have: "
				"give one in its subnet, or none",
				address_format(&forward->guest.address, text));
	return 0;
}

int slirp_guest_forward_check(const struct slirp_config *config,
			      const struct slirp_guest_forward *forward,
			      struct fail *fail)
{
	const struct in6_addr *server = &forward->server.address;
	struct in6_addr guest = address_is4(server)
					? address_from4(config->guest)
					: config->guest6;
	char text[ADDRESS_TEXT_MAX];

	if (!rule_is_guest(config, server) || address_equal(server, &guest))
		return fail_set(fail, -EINVAL,
				"%s cannot be a server for the guest: give an "
				"address in its subnet that is neither its own "
				"nor the gateway's nor the resolver's",
				address_format(server, text));
	return 0;
}

const char *slirp_forward_format(const struct slirp_forward *forward,
				 char *text)
{
	char host[ADDRESS_TEXT_MAX], guest[ADDRESS_TEXT_MAX], last[8] = "";

	if (forward->count > 1)
		snprintf(last, sizeof(last), "-%u",
			 forward->host.port + forward->count - 1);
	snprintf(text, SLIRP_FORWARD_TEXT_MAX, "%s:%s:%u%s-%s:%u",
		 forward->protocol == IPPROTO_UDP ? "udp" : "tcp",
		 address_format(&forward->host.address, host),
		 forward->host.port, last,
		 address_format(&forward->guest.address, guest),
		 forward->guest.port);
	return text;
}
