/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "netns/netlink.h"

#define LOOPBACK_INDEX 1 /* in every network namespace */

/* Requests of one interface, up to the first that fails. */
struct link {
	int sock;
	unsigned int index;
};

static int link_set_up(const struct link *link,
		       const struct slirp_config *slirp)
{
	struct ifinfomsg body = {
		.ifi_index = (int)link->index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	union netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &body, sizeof(body));
	if (slirp) {
		netlink_put(&message, IFLA_ADDRESS, slirp->guest_mac,
			    sizeof(slirp->guest_mac));
		netlink_put(&message, IFLA_MTU, &slirp->mtu,
			    sizeof(slirp->mtu));
	}
	return netlink_talk(link->sock, &message);
}

/* The bytes of an address as the kernel wants them */
static const void *link_bytes(const struct in6_addr *address, size_t *size)
{
	bool is4 = address_is4(address);

	*size = is4 ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	return is4 ? &address->s6_addr[12] : &address->s6_addr[0];
}

static int link_add_address(const struct link *link,
			    const struct in6_addr *address, unsigned int bits,
			    const struct in_addr *broadcast)
{
	struct ifaddrmsg body = {
		.ifa_family = (uint8_t)address_family(address),
		.ifa_prefixlen = (uint8_t)bits,
		/* Usable at once: nobody else can have it. */
		.ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = link->index,
	};
	union netlink_message message;
	size_t size;
	const void *bytes = link_bytes(address, &size);

	netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body,
		      sizeof(body));
	netlink_put(&message, IFA_LOCAL, bytes, size);
	netlink_put(&message, IFA_ADDRESS, bytes, size);
	if (broadcast)
		netlink_put(&message, IFA_BROADCAST, broadcast,
			    sizeof(*broadcast));
	return netlink_talk(link->sock, &message);
}

static int link_add_default_route(const struct link *link,
				  const struct in6_addr *gateway)
{
	struct rtmsg body = {
		.rtm_family = (uint8_t)address_family(gateway),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	union netlink_message message;
	size_t size;
	const void *bytes = link_bytes(gateway, &size);

	netlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body,
		      sizeof(body));
	netlink_put(&message, RTA_GATEWAY, bytes, size);
	netlink_put(&message, RTA_OIF, &link->index, sizeof(link->index));
	return netlink_talk(link->sock, &message);
}

static int link_configure4(const struct link *link,
			   const struct slirp_config *slirp)
{
	struct in6_addr address = address_from4(slirp->guest);
	struct in6_addr gateway = address_from4(slirp->gateway);
	unsigned int bits =
		(unsigned int)__builtin_popcount(slirp->netmask.s_addr);
	struct in_addr broadcast = { slirp->guest.s_addr |
				     ~slirp->netmask.s_addr };
	int ret = link_add_address(link, &address, bits, &broadcast);

	return ret || !slirp->route4 ? ret
				     : link_add_default_route(link, &gateway);
}

static int link_configure6(const struct link *link,
			   const struct slirp_config *slirp)
{
	int ret = link_add_address(link, &slirp->guest6, SLIRP_PREFIX6_BITS,
				   NULL);

	return ret || !slirp->route6
		       ? ret
		       : link_add_default_route(link, &slirp->gateway6);
}

/*
 * Hosts may have IPv6 off by default. What router advertisements would tell is
 * configured here, and nobody else can have our link-local address.
 */
static void link_prepare6(const char *name)
{
	static const struct {
		const char *key;
		const char *value;
	} settings[] = {
		{ "disable_ipv6", "0" },
		{ "accept_ra", "0" },
		{ "accept_dad", "0" },
	};
	char path[128];

	for (unsigned int i = 0; i < sizeof(settings) / sizeof(*settings);
	     i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s",
			 name, settings[i].key);
		/* Where it is forbidden, most often the default is right. */
		file_write(path, settings[i].value);
	}
}

static int link_configure_all(struct link *link, const char *name,
			      const struct slirp_config *slirp)
{
	int ret;

	link->index = LOOPBACK_INDEX;
	ret = link_set_up(link, NULL);
	if (ret)
		return ret;
	link->index = if_nametoindex(name);
	if (slirp->ipv6)
		link_prepare6(name);
	ret = link_set_up(link, slirp);
	if (!ret && slirp->ipv4)
		ret = link_configure4(link, slirp);
	if (!ret && slirp->ipv6)
		ret = link_configure6(link, slirp);
	return ret;
}

int link_configure(const char *name, const struct slirp_config *slirp,
		   struct fail *fail)
{
	struct link link = { .sock = netlink_open() };
	int ret = link.sock;

	if (ret >= 0) {
		ret = link_configure_all(&link, name, slirp);
		close(link.sock);
	}
	if (ret)
		return fail_set(fail, ret,
				"cannot configure the interface %s (%s): the "
				"namespace has such addresses or routes "
				"already",
				name, strerror(-ret));
	return 0;
}
