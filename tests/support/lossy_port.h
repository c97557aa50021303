/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_LOSSY_PORT_H
#define MQVMM_TESTS_LOSSY_PORT_H

#include "slirp/port.h"

/*
 * A port around another one that loses, copies and delays frames both ways.
 * Delayed frames and copies are overtaken by later ones.
 */

/**
 * struct lossy_config - What happens to frames, each way alike
 * @loss, @copy, @delay: Frames in a thousand that are lost, come twice, come
 *		late
 * @late_ms:	The latest that they come, milliseconds
 * @seed:	Of the choice
 */
struct lossy_config {
	unsigned int loss;
	unsigned int copy;
	unsigned int delay;
	unsigned int late_ms;
	uint64_t seed;
};

/* Return: the port; @inner outlives it. Aborts if that fails. */
struct port *lossy_port_create(struct port *inner,
			       const struct lossy_config *config);
void lossy_port_destroy(struct port *port);

/* The port inside. */
struct port *lossy_port_inner(struct port *port);

#endif
