/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_NETLINK_H
#define MQVMM_NETNS_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>

#define NETLINK_MESSAGE_MAX 256 /* bytes; far more than any of ours */

/* One request to the kernel's rtnetlink(7): header, body, attributes. */
union netlink_message {
	struct nlmsghdr header;
	char bytes[NETLINK_MESSAGE_MAX];
};

/**
 * netlink_begin() - Begin a request
 * @type:	RTM_*
 * @flags:	NLM_F_* beyond NLM_F_REQUEST and NLM_F_ACK
 * @body:	What @type begins with (struct ifinfomsg, ...)
 */
void netlink_begin(union netlink_message *message, unsigned short type,
		   unsigned short flags, const void *body, size_t size);

/* Add an attribute; @data is @size bytes. */
void netlink_put(union netlink_message *message, unsigned short type,
		 const void *data, size_t size);

/* Return: an rtnetlink socket of the calling thread's namespace, or -errno */
int netlink_open(void);

/**
 * netlink_talk() - Send a request and wait for the kernel's answer
 *
 * Return: 0, or the kernel's negative errno
 */
int netlink_talk(int sock, union netlink_message *message);

#endif
