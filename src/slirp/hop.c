/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/hop.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "slirp/host_error.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

#define HOP_SMALL4 576  /* bytes; every host takes them whole (RFC 1122) */
#define HOP_SMALL6 1280 /* bytes; every link takes them (RFC 8200, 5) */

static unsigned int hop_ttl(const struct packet *packet)
{
	return packet->is4 ? packet->ip.ttl : packet->ip6.ip6_hlim;
}

static bool hop_ends_here(const struct shard *shard,
			  const struct packet *packet)
{
	const struct in6_addr *to = &packet->destination;

	return address_is_group(to) || IN6_IS_ADDR_LINKLOCAL(to) ||
	       nat_is_local(shard_config(shard), to);
}

bool hop_enter(struct shard *shard, const struct packet *packet)
{
	struct host_error error = {
		.type = packet->is4 ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED,
		.code = ICMP_EXC_TTL, /* the same in ICMPv6 */
	};

	if (hop_ttl(packet) > 1 || hop_ends_here(shard, packet))
		return true;
	icmp_send_error(shard, packet, &error);
	return false;
}

void hop_set_ttl(const struct shard *shard, struct shard_op *op,
		 const struct packet *packet)
{
	struct cmsghdr *control = (struct cmsghdr *)op->op.control;
	int ttl = (int)hop_ttl(packet) - 1;

	if (ttl >= HOP_TTL_MAX || hop_ends_here(shard, packet))
		return;
	control->cmsg_level = packet->is4 ? IPPROTO_IP : IPPROTO_IPV6;
	control->cmsg_type = packet->is4 ? IP_TTL : IPV6_HOPLIMIT;
	control->cmsg_len = CMSG_LEN(sizeof(ttl));
	memcpy(CMSG_DATA(control), &ttl, sizeof(ttl));
	op->op.message.msg_control = control;
	op->op.message.msg_controllen = CMSG_SPACE(sizeof(ttl));
}

bool hop_set_df(int sock, enum hop_df *df, const struct packet *packet)
{
	enum hop_df want = packet->fragment & IP_DF ? HOP_DF_ON : HOP_DF_OFF;
	int discover = want == HOP_DF_ON ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
	int on = want == HOP_DF_ON;

	if (*df == want ||
	    packet->ip_length <= (packet->is4 ? HOP_SMALL4 : HOP_SMALL6))
		return false;
	*df = want;
	if (packet->is4)
		setsockopt(sock, IPPROTO_IP, IP_MTU_DISCOVER, &discover,
			   sizeof(discover));
	else
		setsockopt(sock, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof(on));
	return true;
}
