/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TAP_TAP_H
#define MQVMM_TAP_TAP_H

#include "base/fail.h"

/**
 * tap_open() - Make a multi-queue TAP in the calling thread's network namespace
 * @name:	Of the interface, which must not exist
 * @queues:	1 to 256
 * @fd:		One descriptor per queue, with virtio-net headers of 12 bytes
 *		and checksum and segmentation offloads. The interface goes when
 *		the last of them is closed.
 *
 * Return: 0, or negative errno with @fail set and nothing left open
 *
 * Context: needs CAP_NET_ADMIN in the namespace; sleeps.
 */
int tap_open(const char *name, unsigned int queues, int *fd, struct fail *fail);

#endif
