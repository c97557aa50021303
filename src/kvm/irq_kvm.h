/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_IRQ_KVM_H
#define MQVMM_KVM_IRQ_KVM_H

#include "base/fail.h"
#include "kvm/irq.h"

/**
 * irq_kvm_create() - The interrupt controller of a VM with in-kernel irqchip
 * @vm_fd:	KVM VM with PIC, IOAPIC and KVM_CAP_X2APIC_API; outlives it
 * @out:	The controller
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int irq_kvm_create(int vm_fd, struct irq_controller **out, struct fail *fail);

/**
 * irq_kvm_destroy() - Free it
 * @irq:	From irq_kvm_create(), may be NULL; nothing is connected by then
 */
void irq_kvm_destroy(struct irq_controller *irq);

/**
 * irq_kvm_edge_connect() - A signal of @eventfd is an edge on an ISA line
 * @irq:	From irq_kvm_create()
 * @pin:	Line, 0 to 15
 * @eventfd:	The device's
 *
 * Return: 0 or negative errno
 */
int irq_kvm_edge_connect(struct irq_controller *irq, int pin, int eventfd);

/**
 * irq_kvm_edge_disconnect() - Undo it
 * @irq:	From irq_kvm_create()
 * @pin:	The line
 * @eventfd:	The device's
 */
void irq_kvm_edge_disconnect(struct irq_controller *irq, int pin, int eventfd);

#endif
