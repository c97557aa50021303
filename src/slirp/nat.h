/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_NAT_H
#define MQVMM_SLIRP_NAT_H

#include <netinet/in.h>

#include "slirp/slirp.h"

struct shard;

/**
 * nat_translate() - Where a guest's destination leads on the host
 * @config:	Addresses
 * @policy:	What may be reached
 * @protocol:	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP or IPPROTO_ICMPV6
 * @destination: As the guest addressed it, either family
 * @port:	Destination port, host byte order
 * @host:	Where to connect or send to, of the same family; the DNS
 *		address stays what it is
 *
 * The gateway stands for the host's loopback (config->host_loopback), the DNS
 * address's port 53 for a resolver, which the caller chooses. Rules see the
 * gateway by both of its names, the DNS by the guest's only: which resolver the
 * host has is no business of theirs.
 *
 *	10.0.2.2 port 80	127.0.0.1 port 80
 *	192.0.2.1 port 80	the same
 *	192.0.2.1, deny=192.0.2.0/24	-EPERM
 *	10.0.2.2, deny=127.0.0.0/8	-EPERM
 *	127.0.0.1		-EACCES, whatever the rules say
 *	10.0.2.77		-EHOSTUNREACH
 *
 * Return: 0; -EACCES, where the network does not go (policy_is_reserved(),
 * config->restricted, no config->host_loopback); -EPERM, denied by the policy;
 * -EHOSTUNREACH, nobody there: another address of the guest's own subnet
 *
 * Context: pure.
 */
int nat_translate(const struct slirp_config *config,
		  const struct slirp_policy *policy, int protocol,
		  const struct in6_addr *destination, unsigned int port,
		  struct slirp_endpoint *host);

/**
 * nat_admit() - nat_translate() by the policy of the moment
 *
 * Denials are counted, and the first of all is logged.
 *
 * Return: as nat_translate()
 *
 * Context: the shard's thread, inside a turn.
 */
int nat_admit(struct shard *shard, int protocol,
	      const struct in6_addr *destination, unsigned int port,
	      struct slirp_endpoint *host);

/**
 * nat_translate_peer() - The address under which the guest sees a host peer
 * @host:	The peer's
 * @guest:	The guest's, which tells the family
 *
 * Return: @host, or the gateway for loopback and for peers of the other family
 */
struct in6_addr nat_translate_peer(const struct slirp_config *config,
				   const struct in6_addr *host,
				   const struct in6_addr *guest);

/* fe80::2, from which the router speaks (RFC 4861, 4.2). */
struct in6_addr nat_router6(void);
bool nat_is_router6(const struct in6_addr *address);

/**
 * nat_translate_client() - The address under which the guest sees a client of a
 *		forward
 * @host:	The client's
 * @guest:	The guest's, which tells the family
 *
 * With config->keep_source the client's own, if the guest's answers to it come
 * back to us: not for loopback, link-local addresses, those of the guest's own
 * subnet and those of the other family.
 *
 * Return: @host, or the gateway
 *
 * Context: pure.
 */
struct in6_addr nat_translate_client(const struct slirp_config *config,
				     const struct in6_addr *host,
				     const struct in6_addr *guest);

/* Is it a server of config->guest_forward? */
bool nat_is_server(const struct slirp_config *config,
		   const struct in6_addr *address);

/* Is it an address of the guest's subnet? */
bool nat_is_local(const struct slirp_config *config,
		  const struct in6_addr *address);

/* 127.0.0.1 or ::1 */
struct in6_addr nat_loopback(bool is4);

/* The gateway's address of a family, and whether an address is it, or the
 * DNS's. */
struct in6_addr nat_gateway(const struct slirp_config *config, bool is4);
bool nat_is_gateway(const struct slirp_config *config,
		    const struct in6_addr *address);
bool nat_is_dns(const struct slirp_config *config,
		const struct in6_addr *address);

#endif
