/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_PCI_MSIX_H
#define MQVMM_PCI_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm/irq.h"

#define MSIX_VECTORS_MAX 2048 /* PCI 3.0, 6.8.2.3 */

struct msix;

/**
 * msix_create() - Make the vectors, masked, of a function with MSI-X disabled
 * @vectors:	1 to MSIX_VECTORS_MAX
 * @irq:	Where interrupts go
 * @out:	Table and pending bits
 *
 * Return: 0, -EINVAL, -ENOMEM, or -EMFILE and the like: each vector is an
 * eventfd
 */
int msix_create(unsigned int vectors, struct irq_controller *irq,
		struct msix **out);

/**
 * msix_destroy() - Disconnect and free
 * @msix:	May be NULL; nobody signals any more
 */
void msix_destroy(struct msix *msix);

/** msix_vectors() - How many there are */
unsigned int msix_vectors(const struct msix *msix);

/**
 * msix_vector_fd() - The eventfd that signals a vector
 * @vector:	Below msix_vectors()
 *
 * The same for the life of @msix. Adding 1 to it signals the vector, from any
 * thread and at any time; if the guest has masked it, it becomes pending.
 *
 * Context: any thread, lock-free.
 */
int msix_vector_fd(const struct msix *msix, unsigned int vector);

/**
 * msix_bar_size() - Bytes of the BAR that holds table and pending bits
 *
 * A power of two. The table begins at 0.
 */
uint64_t msix_bar_size(const struct msix *msix);

/** msix_pba_offset() - Where in it the pending bits begin, bytes */
uint32_t msix_pba_offset(const struct msix *msix);

/**
 * msix_read(), msix_write() - The guest accesses the BAR
 * @offset:	Bytes from the BAR's start, any
 * @data:	@size bytes
 * @size:	1 to 8; what lies beyond table and pending bits reads as zeros
 *
 * The specification (PCI 3.0, 6.8.2) wants aligned doublewords and quadwords;
 * bytes and words do the obvious.
 *
 * Context: vCPU threads, under the function's lock; may sleep.
 */
void msix_read(struct msix *msix, uint64_t offset, void *data,
	       unsigned int size);
void msix_write(struct msix *msix, uint64_t offset, const void *data,
		unsigned int size);

/**
 * msix_set_control() - The guest wrote the Message Control register
 * @enabled:	MSI-X Enable (PCI 3.0, 6.8.2.3)
 * @masked:	Function Mask
 *
 * Context: as msix_write().
 */
void msix_set_control(struct msix *msix, bool enabled, bool masked);

/**
 * msix_forget_pending() - Nothing is left that a vector would tell of
 * @vector:	Below msix_vectors()
 *
 * For a device that was reset: a masked vector's pending bit goes away
 * (PCI 3.0, 6.8.3.5).
 *
 * Context: as msix_write().
 */
void msix_forget_pending(struct msix *msix, unsigned int vector);

/**
 * msix_reset() - Everything back to the state after msix_create()
 *
 * Context: as msix_write(); nobody signals.
 */
void msix_reset(struct msix *msix);

#endif
