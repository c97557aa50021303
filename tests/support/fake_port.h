/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_FAKE_PORT_H
#define MQVMM_TESTS_FAKE_PORT_H

#include "slirp/port.h"

/*
 * A port for tests of running shards: the test's thread puts frames in and
 * takes frames out, the shard's thread is on the other side. It takes all
 * offloads, and gives as much receive space as fake_port_set_space() says.
 */
struct fake_port;

struct fake_port *fake_port_create(void);
void fake_port_destroy(struct fake_port *fake);
struct port *fake_port_port(struct fake_port *fake);

/* The guest transmits @length bytes. */
void fake_port_transmit(struct fake_port *fake, const void *frame,
			size_t length);

/**
 * fake_port_receive() - Wait for a frame for the guest
 * @frame:	At least PORT_FRAME_MAX bytes
 * @timeout_ms:	Longest wait
 *
 * Return: its length, 0 at the time-out
 */
size_t fake_port_receive(struct fake_port *fake, void *frame, int timeout_ms);

/* The next frame for the guest, if there is one. Return: as above */
size_t fake_port_take(struct fake_port *fake, void *frame);

/* An eventfd to count up when the shard has given the guest frames; before
 * slirp_start(). */
void fake_port_set_bell(struct fake_port *fake, int bell);

/* Frames that the guest has posted space for from now on; kicks. */
void fake_port_set_space(struct fake_port *fake, unsigned int frames);

/* The transport behind it sends by the queue that the last frame came from;
 * before slirp_start(). */
void fake_port_set_rx_steers_tx(struct fake_port *fake);

/* Frames given to the port that are not yet given back by the shard. */
unsigned int fake_port_outstanding(struct fake_port *fake);

#endif
