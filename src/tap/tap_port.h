/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TAP_TAP_PORT_H
#define MQVMM_TAP_TAP_PORT_H

#include "slirp/port.h"

/**
 * tap_port_create() - One queue of a TAP as a shard's port
 * @fd:		The queue, from tap_create(); stays the caller's to close
 * @mtu:	Of the interface, bytes of IP packet
 *
 * Return: the port, NULL if out of memory
 */
struct port *tap_port_create(int fd, unsigned int mtu);
void tap_port_destroy(struct port *port);

#endif
