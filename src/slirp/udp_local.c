/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/udp_internal.h"

/*
 * Which of the host's addresses a datagram came to, and leaves from (ip(7),
 * IP_PKTINFO; ipv6(7), RFC 3542, 6): a socket that is bound to none would
 * answer from the one that routing prefers, which the client did not write to.
 */

void udp_local_enable(int sock, int family)
{
	int one = 1;

	if (family == AF_INET)
		setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	else
		setsockopt(sock, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one,
			   sizeof(one));
}

struct in6_addr udp_local_take(const struct shard_op *op)
{
	struct msghdr message = op->op.message;
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	struct in6_pktinfo info6;
	struct in_pktinfo info;

	for (; control; control = CMSG_NXTHDR(&message, control)) {
		if (control->cmsg_level == IPPROTO_IP &&
		    control->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(control), sizeof(info));
			return address_from4(info.ipi_spec_dst);
		}
		if (control->cmsg_level == IPPROTO_IPV6 &&
		    control->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(control), sizeof(info6));
			return info6.ipi6_addr;
		}
	}
	return in6addr_any;
}

void udp_local_set(struct shard_op *op, int family,
		   const struct in6_addr *local, uint32_t scope)
{
	struct in_pktinfo info = { .ipi_spec_dst = address_to4(local) };
	struct in6_pktinfo info6 = { .ipi6_addr = *local,
				     .ipi6_ifindex = scope };
	size_t size = family == AF_INET ? sizeof(info) : sizeof(info6);
	struct msghdr *message = &op->op.message;
	struct cmsghdr *control;

	/* A datagram to many has no address of its own to answer from. */
	if (address_is_any(local) || address_is_group(local))
		return;
	control = (struct cmsghdr *)(op->op.control + message->msg_controllen);
	control->cmsg_level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	control->cmsg_type = family == AF_INET ? IP_PKTINFO : IPV6_PKTINFO;
	control->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(control),
	       family == AF_INET ? (void *)&info : (void *)&info6, size);
	message->msg_control = op->op.control;
	message->msg_controllen += CMSG_SPACE(size);
}
