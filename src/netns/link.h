/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_LINK_H
#define MQVMM_NETNS_LINK_H

#include "base/fail.h"
#include "slirp/slirp.h"

/**
 * link_configure() - Configure an interface and loopback for the NAT's guest
 * @name:	Of the interface; it exists
 * @slirp:	MAC and IP addresses, MTU, and which families and routes there
 *		are
 *
 * All of it is there at once: no DHCP, no duplicate address detection.
 *
 * Return: 0, or negative errno with @fail set
 *
 * Context: CAP_NET_ADMIN in the calling thread's network namespace.
 */
int link_configure(const char *name, const struct slirp_config *slirp,
		   struct fail *fail);

#endif
