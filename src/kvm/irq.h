/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_IRQ_H
#define MQVMM_KVM_IRQ_H

#include <stdint.h>

/*
 * Theory of operation
 *
 * A device signals an interrupt by writing 1 to an eventfd, from any thread,
 * without a lock. What happens then is the interrupt controller's business:
 * KVM injects it in the kernel (irqfd); a test's controller counts it. This
 * interface is all that src/pci and src/virtio know of KVM's interrupts and
 * doorbells.
 *
 * An eventfd that is not connected keeps its count: a device that signals a
 * masked vector leaves it readable there, and connecting it delivers it. This
 * is how MSI-X pending bits are kept.
 */

struct msi_message {
	uint64_t address;
	uint32_t data;
};

struct irq_controller;

/**
 * struct irq_controller_ops - How eventfds become guest interrupts and back
 * @route_alloc:	Reserve a GSI for an MSI route. Return: GSI or -errno
 *			(-ENOSPC when KVM has no more)
 * @route_free:		Give it back; it is disconnected by then
 * @route_set:		Point the GSI at a message; a connected eventfd follows
 *			without losing an interrupt. Return: 0 or -errno
 * @msi_connect:	From now on @eventfd injects @gsi; what is pending in
 *			the eventfd is delivered. Return: 0 or -errno
 * @msi_disconnect:	Signals stay in @eventfd from now on
 * @intx_connect:	@eventfd asserts the level-triggered line @gsi (0-23)
 *			until the guest's EOI, upon which @resamplefd is
 *			signalled. Return: 0 or -errno
 * @intx_disconnect:	Undo it, the line is lowered
 * @doorbell_add:	A guest write of any value to @address signals
 *			@eventfd without leaving the kernel. @size 0 means any
 *			width. Return: 0 or -errno
 * @doorbell_remove:	Undo it
 *
 * All are called on vCPU threads or at start and stop, may sleep, and may be
 * called concurrently.
 */
struct irq_controller_ops {
	int (*route_alloc)(struct irq_controller *irq);
	void (*route_free)(struct irq_controller *irq, int gsi);
	int (*route_set)(struct irq_controller *irq, int gsi,
			 const struct msi_message *message);
	int (*msi_connect)(struct irq_controller *irq, int gsi, int eventfd);
	void (*msi_disconnect)(struct irq_controller *irq, int gsi,
			       int eventfd);
	int (*intx_connect)(struct irq_controller *irq, int gsi, int eventfd,
			    int resamplefd);
	void (*intx_disconnect)(struct irq_controller *irq, int gsi,
				int eventfd, int resamplefd);
	int (*doorbell_add)(struct irq_controller *irq, uint64_t address,
			    unsigned int size, int eventfd);
	void (*doorbell_remove)(struct irq_controller *irq, uint64_t address,
				unsigned int size, int eventfd);
};

/* Embedded as first member of an implementation. */
struct irq_controller {
	const struct irq_controller_ops *ops;
};

#endif
