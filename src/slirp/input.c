/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "slirp/hop.h"
#include "slirp/move.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"
#include "slirp/reassembly.h"
#include "slirp/shard_internal.h"

/*
 * A frame from the guest finds its flow: in the private index, else in the
 * shared table (then it goes to the owner), else its protocol may open one.
 * Fragments go to the shard that puts their datagram together, and the datagram
 * takes the same way from there.
 */

#define DHCP_SERVER_PORT  67
#define DHCP6_SERVER_PORT 547
#define DNS_PORT          53
#define IP_FRAGMENT_MASK  0x3fff /* more fragments, or not the first */

static void input_key(const struct packet *packet, struct flow_key *key)
{
	memset(key, 0, sizeof(*key));
	key->protocol = packet->protocol;
	key->guest = packet->source;
	key->peer = packet->destination;
}

/* Return: false if the flow is not this shard's */
static bool input_own(struct shard *shard, struct packet *packet,
		      const struct flow_key *key)
{
	struct flow *flow = flow_find(shard, key);

	if (!flow)
		return false;
	/* Fragments come by the shard that puts them together, wherever the
	 * flow is. */
	if (shard->input_queue != shard->index && !packet->frame->reassembled)
		move_note(shard, flow);
	flow->rx_queue = (uint16_t)shard->input_queue;
	flow_touch(shard, flow);
	flow->ops->input(shard, flow, packet);
	return true;
}

void shard_hand_over(struct shard *shard, int owner, struct packet *packet)
{
	handoff_frame(shard, (unsigned int)owner, packet->frame,
		      shard->input_queue);
}

/* To the owner of a flow that is not this shard's, or not yet. Return: false if
 * there is no such flow */
static bool input_others(struct shard *shard, struct packet *packet,
			 const struct flow_key *key)
{
	const struct flow *flow = flow_look_up(shard, key);

	if (!flow)
		return false;
	if (flow->owner == shard->index)
		move_expect(shard, (struct flow *)flow, packet->frame);
	else
		shard_hand_over(shard, flow->owner, packet);
	return true;
}

static void input_find(struct shard *shard, struct packet *packet,
		       const struct flow_key *key,
		       int (*open)(struct shard *shard,
				   const struct flow_key *key,
				   struct packet *packet))
{
	int owner;

	if (input_own(shard, packet, key) || input_others(shard, packet, key))
		return;
	owner = open(shard, key, packet);
	if (owner >= 0)
		shard_hand_over(shard, owner, packet);
}

/* An answer to a forward's client? Return: false if it is not */
static bool input_find_client(struct shard *shard, struct packet *packet,
			      const struct flow_key *key)
{
	/* Pairs with the store in forward.c. */
	if (!__atomic_load_n(&shard->slirp->udp_forwards, __ATOMIC_RELAXED))
		return false;
	return input_own(shard, packet, key) ||
	       input_others(shard, packet, key);
}

static void input_tcp(struct shard *shard, struct packet *packet)
{
	struct cursor at = packet->l4;
	struct flow_key key;
	struct tcphdr tcp;

	if (!cursor_take(&at, &tcp, sizeof(tcp)) ||
	    !packet_checksum_ok(packet)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	input_key(packet, &key);
	key.guest_port = ntohs(tcp.th_sport);
	key.peer_port = ntohs(tcp.th_dport);
	input_find(shard, packet, &key, tcp_open);
}

/* IPv4 may do without (RFC 768), IPv6 may not (RFC 8200, 8.1). */
static bool input_udp_checksum_ok(const struct packet *packet,
				  const struct udphdr *udp)
{
	return (packet->is4 && !udp->uh_sum) || packet_checksum_ok(packet);
}

static void input_udp(struct shard *shard, struct packet *packet)
{
	struct cursor at = packet->l4;
	struct flow_key key;
	struct udphdr udp;

	if (!cursor_take(&at, &udp, sizeof(udp)) ||
	    !input_udp_checksum_ok(packet, &udp)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (packet->is4 && ntohs(udp.uh_dport) == DHCP_SERVER_PORT) {
		dhcp_input(shard, packet);
		return;
	}
	if (!packet->is4 && ntohs(udp.uh_dport) == DHCP6_SERVER_PORT) {
		dhcp6_input(shard, packet);
		return;
	}
	input_key(packet, &key);
	key.guest_port = ntohs(udp.uh_sport);
	if (ntohs(udp.uh_dport) == DNS_PORT &&
	    nat_is_dns(shard_config(shard), &packet->destination)) {
		key.peer_port = DNS_PORT;
		input_find(shard, packet, &key, dns_open);
		return;
	}
	key.peer_port = ntohs(udp.uh_dport);
	if (input_find_client(shard, packet, &key))
		return;
	key.peer_port = 0;
	memset(&key.peer, 0, sizeof(key.peer));
	input_find(shard, packet, &key, udp_open);
}

static void input_icmp(struct shard *shard, struct packet *packet)
{
	struct cursor at = packet->l4;
	struct flow_key key;
	struct icmphdr icmp;

	if (!cursor_take(&at, &icmp, sizeof(icmp))) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (!packet->is4 && ndp_input(shard, packet, icmp.type))
		return;
	if (icmp.type != (packet->is4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST)) {
		SHARD_COUNT(shard, tx_unsupported, 1);
		return;
	}
	input_key(packet, &key);
	key.guest_port = ntohs(icmp.un.echo.id);
	input_find(shard, packet, &key, icmp_open);
}

static void input_transport(struct shard *shard, struct packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		input_tcp(shard, packet);
		break;
	case IPPROTO_UDP:
		input_udp(shard, packet);
		break;
	default:
		if (packet->protocol ==
		    (packet->is4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
			input_icmp(shard, packet);
		else
			SHARD_COUNT(shard, tx_unsupported, 1);
	}
}

/* Inside, such an address means an IPv4 one. */
static bool input_is_mapped(const struct packet *packet)
{
	return address_is4(&packet->source) ||
	       address_is4(&packet->destination);
}

/* Return: false for a header that is malformed */
static bool input_parse(struct packet *packet)
{
	bool ok;

	if (packet->ether.ether_type == htons(ETHERTYPE_IP))
		ok = packet_parse_ip4(packet);
	else
		ok = packet_parse_ip6(packet) && !input_is_mapped(packet);
	/* What came in fragments may go on so. */
	if (packet->frame->reassembled)
		packet->fragment &= (uint16_t)~IP_DF;
	return ok;
}

static bool input_is_fragment(const struct packet *packet)
{
	return packet->fragment & IP_FRAGMENT_MASK;
}

/* Take a fragment in. Return: true if *@packet is a whole datagram now */
static bool input_reassemble(struct shard *shard, struct packet *packet)
{
	unsigned int owner = reassembly_shard(shard->slirp->secret, packet,
					      shard->slirp->config.shard_count);
	const struct port_frame *whole;

	if (owner != shard->index) {
		handoff_frame(shard, owner, packet->frame, shard->input_queue);
		return false;
	}
	whole = reassembly_add(shard, shard->reassembly, packet);
	if (!whole)
		return false;
	/* Nobody cuts up a fragment. */
	if (!packet_parse_ether(packet, whole) || !input_parse(packet) ||
	    input_is_fragment(packet)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return false;
	}
	return true;
}

static void input_ip(struct shard *shard, struct packet *packet)
{
	if (!input_parse(packet)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (!hop_enter(shard, packet))
		return;
	if (!input_is_fragment(packet) || input_reassemble(shard, packet))
		input_transport(shard, packet);
}

/* Return: false for a frame of a family that the guest is not to have */
static bool input_network(struct shard *shard, struct packet *packet)
{
	const struct slirp_config *config = shard_config(shard);
	uint16_t type = ntohs(packet->ether.ether_type);

	if ((type == ETHERTYPE_IP && config->ipv4) ||
	    (type == ETHERTYPE_IPV6 && config->ipv6))
		input_ip(shard, packet);
	else if (type == ETHERTYPE_ARP && config->ipv4)
		arp_input(shard, packet);
	else
		return false;
	return true;
}

void shard_input(struct shard *shard, const struct port_frame *frame,
		 unsigned int queue)
{
	struct packet packet;

	shard->input_queue = queue;
	if (!packet_parse_ether(&packet, frame)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (!input_network(shard, &packet))
		SHARD_COUNT(shard, tx_unsupported, 1);
}
