/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_NAT_H
#define MQVMM_SLIRP_NAT_H

#include <netinet/in.h>

#include "slirp/slirp.h"

/**
 * nat_translate() - Where a guest's destination leads on the host
 * @config:	Addresses and policy
 * @protocol:	IPPROTO_TCP, IPPROTO_UDP or IPPROTO_ICMP
 * @destination: As the guest addressed it
 * @port:	Destination port, host byte order
 * @host:	Where to connect or send to
 *
 * The gateway stands for 127.0.0.1 (config->host_loopback), the DNS address's
 * port 53 for the first resolver. Refused: 127.0.0.0/8, 0.0.0.0/8, multicast
 * and broadcast, 169.254.0.0/16 (metadata services), everything with
 * config->restricted, other addresses of the guest's own subnet.
 *
 * Return: 0, -EACCES (refused), -EHOSTUNREACH (nobody there)
 *
 * Context: pure.
 */
int nat_translate(const struct slirp_config *config, int protocol,
		  struct in_addr destination, unsigned int port,
		  struct sockaddr_in *host);

/* The address under which the guest sees a host peer: loopback is the gateway.
 */
struct in_addr nat_translate_peer(const struct slirp_config *config,
				  struct in_addr host);

#endif
