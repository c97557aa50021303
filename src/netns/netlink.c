/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void netlink_begin(union netlink_message *message, unsigned short type,
		   unsigned short flags, const void *body, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_LENGTH(size);
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(NLMSG_DATA(&message->header), body, size);
}

void netlink_put(union netlink_message *message, unsigned short type,
		 const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(message->bytes + at);

	assert(at + RTA_LENGTH(size) <= sizeof(*message));
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	message->header.nlmsg_len = (unsigned int)(at + RTA_LENGTH(size));
}

int netlink_open(void)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return sock < 0 ? -errno : sock;
}

int netlink_talk(int sock, union netlink_message *message)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char request[NETLINK_MESSAGE_MAX];
	} answer;

	if (send(sock, message, message->header.nlmsg_len, 0) < 0)
		return -errno;
	if (recv(sock, &answer, sizeof(answer), 0) < 0)
		return -errno;
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}
