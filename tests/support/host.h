/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_HOST_H
#define MQVMM_TESTS_HOST_H

#include <stdint.h>

#include "slirp/slirp.h"

/* The host's end of what tests of running shards send. */

/**
 * host_open() - A socket on 127.0.0.1
 * @type:	SOCK_DGRAM, or SOCK_STREAM for one that listens
 * @wait_ms:	How long to wait for what is to come
 * @port:	Set to its port, host byte order
 *
 * Return: the socket; the test fails without one
 */
int host_open(int type, unsigned int wait_ms, uint16_t *port);

/* The host's port of the only forward that there is. */
uint16_t host_forwarded_port(struct slirp *slirp);

#endif
