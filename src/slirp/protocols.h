/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_PROTOCOLS_H
#define MQVMM_SLIRP_PROTOCOLS_H

#include "slirp/shard.h"

/*
 * The shard's dispatch table in words: what it calls for frames that belong to
 * no flow of its own. All on the shard's thread, inside a turn.
 */

/* ARP (RFC 826): answers for every address of the subnet but the guest's. */
void arp_input(struct shard *shard, struct packet *packet);

/* DHCPv4 (RFC 2131): a datagram to port 67; @packet->l4 at the UDP header. */
void dhcp_input(struct shard *shard, struct packet *packet);

/* DHCPv6 (RFC 8415): a datagram to port 547; @packet->l4 at the UDP header. */
void dhcp6_input(struct shard *shard, struct packet *packet);

/**
 * ndp_input() - A message of neighbour discovery (RFC 4861)
 * @type:	Of the ICMPv6 message at @packet->l4, whose checksum has not
 *been checked
 *
 * Return: true if it was one that routers and hosts are asked by
 */
bool ndp_input(struct shard *shard, struct packet *packet, uint8_t type);

/* Tell the guest of the router, unasked (RFC 4861, 6.2.4). */
void ndp_run_router(struct shard *shard);

#define NDP_ROUTER_INTERVAL_MS 600000

extern const struct flow_ops tcp_flow_ops;
extern const struct flow_ops udp_flow_ops;
extern const struct flow_ops dns_flow_ops;
extern const struct flow_ops icmp_flow_ops;

/**
 * tcp_open() - A segment for which no flow exists anywhere
 * @key:	Its key
 *
 * A SYN makes a flow and begins to connect, everything else but RST is answered
 * by RST (RFC 9293, 3.5.2).
 *
 * Return: -1, or the index of the shard that turned out to own the key, to
 * which the caller hands the frame
 */
int tcp_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet);

/**
 * tcp_accept() - A connection came in on a forward's listener
 * @sock:	The connected socket, non-blocking; taken over, closed on
 * failure
 * @guest:	Where it leads in the guest
 */
void tcp_accept(struct shard *shard, int sock,
		const struct slirp_endpoint *guest);

/* The same for a datagram or echo request without a flow; first packet
 * included. */
int udp_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet);
int dns_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet);
int icmp_open(struct shard *shard, const struct flow_key *key,
	      struct packet *packet);

/**
 * udp_listen() - Begin to read a UDP forward's socket
 * @sock:	Bound, non-blocking; taken over, closed on failure
 * @host:	Where it listens
 * @guest:	Where it leads in the guest
 *
 * Its abort() ends it, with the flows of its clients.
 *
 * Return: the flow that it has become, NULL if there is no room for one
 */
struct flow *udp_listen(struct shard *shard, int sock,
			const struct slirp_endpoint *host,
			const struct slirp_endpoint *guest);

struct host_error;

/**
 * icmp_send_error() - Tell the guest that its packet cannot be carried (RFC 792
 *		and 1812, 4.3.2; RFC 4443)
 * @error:	Type, code and MTU; without an offender the gateway says it
 */
void icmp_send_error(struct shard *shard, const struct packet *packet,
		     const struct host_error *error);

#endif
