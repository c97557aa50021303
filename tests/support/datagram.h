/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DATAGRAM_H
#define MQVMM_TESTS_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "slirp/slirp.h"

/* Frames for tests of running shards, which have fake ports. */

#define DATAGRAM_HEADERS (14 + 20 + 8) /* Ethernet, IPv4, UDP, bytes */

/**
 * datagram_make() - A UDP datagram from the guest to the gateway
 * @frame:	DATAGRAM_HEADERS + @size bytes
 * @from_port, @port: Host byte order
 *
 * Return: the frame's length
 */
size_t datagram_make(const struct slirp_config *config, uint8_t *frame,
		     uint16_t from_port, uint16_t port, const void *data,
		     size_t size);

#endif
