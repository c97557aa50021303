/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TAP_TAP_H
#define MQVMM_TAP_TAP_H

#include <netinet/in.h>

#include "base/fail.h"

/**
 * struct tap_config - A network namespace's interface
 * @name:	Of the interface
 * @queues:	1 to 256
 * @mac:	Of the interface
 * @mtu:	Bytes of IP packet
 * @address, @netmask, @gateway: IPv4 configuration
 */
struct tap_config {
	const char *name;
	unsigned int queues;
	uint8_t mac[6];
	unsigned int mtu;
	struct in_addr address;
	struct in_addr netmask;
	struct in_addr gateway;
};

/**
 * tap_create() - Make a multi-queue TAP in the calling thread's network
 *		namespace and configure it: address, route, loopback up
 * @fd:		One descriptor per queue, with virtio-net headers of 12 bytes
 *and checksum and segmentation offloads
 *
 * Return: 0, or negative errno with @fail set and nothing left open
 *
 * Context: needs CAP_NET_ADMIN in the namespace; sleeps.
 */
int tap_create(const struct tap_config *config, int *fd, struct fail *fail);

#endif
