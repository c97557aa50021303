/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_PCI_INTX_H
#define MQVMM_PCI_INTX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "kvm/irq.h"

/**
 * struct intx - A function's level-triggered interrupt
 * @irq:	Where it goes
 * @gsi:	The line
 * @asserted:	Does the device want the line asserted? Called on any thread,
 *		lock-free
 * @context:	Passed to @asserted
 * @eventfd:	Asserts the line
 * @resamplefd:	Signalled at the guest's EOI, which lowered the line
 * @connected:	@eventfd and @resamplefd are
 * @stopping:	The thread is to end; pairs release with its acquire
 * @thread:	Re-asserts the line after an EOI
 */
struct intx {
	struct irq_controller *irq;
	int gsi;
	bool (*asserted)(void *context);
	void *context;
	int eventfd;
	int resamplefd;
	bool connected;
	atomic_bool stopping;
	pthread_t thread;
};

/**
 * intx_init() - Make the function's interrupt, not connected
 *
 * Return: 0 or negative errno
 */
int intx_init(struct intx *intx, struct irq_controller *irq, int gsi,
	      bool (*asserted)(void *context), void *context);

/** intx_destroy() - Disconnect and close; nobody signals any more */
void intx_destroy(struct intx *intx);

/**
 * intx_set_connected() - Does the function drive its line?
 *
 * Connecting asserts the line if the device wants it; disconnecting lowers it.
 *
 * Return: 0 or negative errno
 *
 * Context: vCPU threads, under the function's lock; may sleep.
 */
int intx_set_connected(struct intx *intx, bool connected);

/**
 * intx_assert() - The device now wants the line asserted
 *
 * Its @asserted must say so already.
 *
 * Context: any thread, lock-free, one system call.
 */
void intx_assert(struct intx *intx);

#endif
