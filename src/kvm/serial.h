/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_SERIAL_H
#define MQVMM_KVM_SERIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/bus.h"

#define SERIAL_PORT        0x3f8
#define SERIAL_PORT_COUNT  8
#define SERIAL_IRQ         4
#define SERIAL_FIFO_LENGTH 16 /* bytes, as in a 16550A */

/**
 * struct serial_host - What a serial port needs of the outside
 * @transmit:	A byte that the guest sent; may sleep for a bounded time
 * @interrupt:	The interrupt line rises
 * @drained:	There is room for input again; optional
 *
 * All are called with the port's lock held.
 */
struct serial_host {
	void (*transmit)(void *context, uint8_t byte);
	void (*interrupt)(void *context);
	void (*drained)(void *context);
};

/**
 * struct serial - A 16550A without modem and without line speed
 * @lock:	Guards all of it: vCPU threads against the input
 * @host:	The outside
 * @context:	Passed to @host
 */
struct serial {
	pthread_mutex_t lock;
	const struct serial_host *host;
	void *context;
	uint8_t divisor[2];
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
	bool overrun;
	bool transmitted; /* "transmitter empty" is waiting to be noticed */
	bool line;        /* the interrupt line is high */
	bool listening;   /* the guest has asked for receive interrupts */
	unsigned int rx_first;
	unsigned int rx_count;
	uint8_t rx[SERIAL_FIFO_LENGTH];
};

/**
 * serial_init() - A port as at power-on
 * @serial:	Filled
 * @host:	Outlives it
 * @context:	Passed to @host
 *
 * Return: 0 or negative errno
 */
int serial_init(struct serial *serial, const struct serial_host *host,
		void *context);

/**
 * serial_destroy() - Release it
 * @serial:	From serial_init()
 */
void serial_destroy(struct serial *serial);

/**
 * serial_reset() - Back to power-on; what was received is lost
 * @serial:	From serial_init()
 */
void serial_reset(struct serial *serial);

/**
 * serial_receive() - Bytes arrive on the line
 * @serial:	From serial_init()
 * @bytes:	What arrives
 * @count:	How many
 *
 * Takes nothing before the guest's driver has switched receive interrupts on:
 * drivers empty the FIFO when they start, and input that waited for the guest
 * would be lost.
 *
 * Return: how many bytes found room; @host->drained tells when to try again
 *
 * Context: any thread.
 */
size_t serial_receive(struct serial *serial, const uint8_t *bytes,
		      size_t count);

/**
 * serial_ops() - Its registers, for a bus region of SERIAL_PORT_COUNT bytes
 *
 * Return: operations whose device is a struct serial
 */
const struct bus_ops *serial_ops(void);

#endif
