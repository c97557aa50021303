/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/if_ether.h>
#include <string.h>

#include "slirp/protocols.h"

/* Every address of the subnet is ours, but the guest's and the edges. */
static bool arp_is_ours(const struct slirp_config *config,
			struct in_addr address, struct in_addr asker)
{
	uint32_t mask = config->netmask.s_addr;
	uint32_t host = address.s_addr & ~mask;

	return (address.s_addr & mask) == (config->network.s_addr & mask) &&
	       host != 0 && host != ~mask &&
	       address.s_addr != config->guest.s_addr &&
	       address.s_addr != asker.s_addr;
}

static bool arp_is_request(const struct ether_arp *arp)
{
	return ntohs(arp->arp_hrd) == ARPHRD_ETHER &&
	       ntohs(arp->arp_pro) == ETHERTYPE_IP &&
	       arp->arp_hln == ETH_ALEN && arp->arp_pln == 4 &&
	       ntohs(arp->arp_op) == ARPOP_REQUEST;
}

void arp_input(struct shard *shard, struct packet *packet)
{
	const struct slirp_config *config = shard_config(shard);
	struct {
		struct ether_header ether;
		struct ether_arp arp;
		uint8_t padding[18]; /* to the shortest Ethernet frame */
	} __attribute__((packed)) reply = { 0 };
	struct in_addr target, asker;
	struct ether_arp arp;

	if (!cursor_take(&packet->l4, &arp, sizeof(arp)) ||
	    !arp_is_request(&arp)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	memcpy(&target, arp.arp_tpa, sizeof(target));
	memcpy(&asker, arp.arp_spa, sizeof(asker));
	if (!arp_is_ours(config, target, asker))
		return;
	memcpy(reply.ether.ether_dhost, arp.arp_sha, ETH_ALEN);
	memcpy(reply.ether.ether_shost, config->gateway_mac, ETH_ALEN);
	reply.ether.ether_type = htons(ETHERTYPE_ARP);
	reply.arp = arp;
	reply.arp.arp_op = htons(ARPOP_REPLY);
	memcpy(reply.arp.arp_sha, config->gateway_mac, ETH_ALEN);
	memcpy(reply.arp.arp_spa, arp.arp_tpa, sizeof(arp.arp_tpa));
	memcpy(reply.arp.arp_tha, arp.arp_sha, ETH_ALEN);
	memcpy(reply.arp.arp_tpa, arp.arp_spa, sizeof(arp.arp_spa));
	/* Lost when the guest has no space posted, as on any link. */
	outgoing_send(shard, shard_input_queue(shard), &reply, sizeof(reply),
		      NULL);
}
