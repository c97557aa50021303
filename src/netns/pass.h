/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_PASS_H
#define MQVMM_NETNS_PASS_H

#include <stddef.h>

/**
 * pass_send() - Send one message, with a descriptor if there is one
 * @sock:	SOCK_SEQPACKET of AF_UNIX
 * @fd:		-1 for none
 *
 * Return: 0 or negative errno
 */
int pass_send(int sock, const void *data, size_t size, int fd);

/**
 * pass_receive() - Receive one message
 * @size:	What it must have, bytes
 * @fd:		The descriptor that came with it, close-on-exec, or -1
 *
 * Return: 0, -EPIPE when the other end is closed, or negative errno
 *
 * Context: sleeps.
 */
int pass_receive(int sock, void *data, size_t size, int *fd);

#endif
