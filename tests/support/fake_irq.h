/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_SUPPORT_FAKE_IRQ_H
#define MQVMM_TESTS_SUPPORT_FAKE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "kvm/irq.h"

/*
 * An interrupt controller for tests. It does what KVM does with eventfds, when
 * it is asked: every question below first takes what was signalled since the
 * last one. So a test that signals and then asks needs to wait for nothing.
 */

struct fake_irq;

/* Make one, with no limit on routes. Asserts success. */
struct fake_irq *fake_irq_create(void);
/* Asserts that every route was given back and everything disconnected. */
void fake_irq_destroy(struct fake_irq *fake);
struct irq_controller *fake_irq_controller(struct fake_irq *fake);

/* From now on only @count MSI routes may be reserved at a time. */
void fake_irq_limit_routes(struct fake_irq *fake, unsigned int count);
/* MSI routes that are reserved, and those with an eventfd connected. */
unsigned int fake_irq_routes(struct fake_irq *fake);
unsigned int fake_irq_connected(struct fake_irq *fake);

/*
 * Signals that arrived as this message since the last call about it. Signals
 * count, not injections: KVM may merge what comes close together.
 */
uint64_t fake_irq_take(struct fake_irq *fake, uint64_t address, uint32_t data);
/* The same for all messages together; forgets them all. */
uint64_t fake_irq_take_all(struct fake_irq *fake);

/* Is the level-triggered line asserted? */
bool fake_irq_line(struct fake_irq *fake, int gsi);
/* Wait until it is. Return: false if it is not after 10 s. */
bool fake_irq_line_wait(struct fake_irq *fake, int gsi);
/* The guest's EOI: lowers the line, signals the resample eventfds on it. */
void fake_irq_eoi(struct fake_irq *fake, int gsi);
/* Signals that devices put on the line in all. */
uint64_t fake_irq_line_signals(struct fake_irq *fake, int gsi);
/* Devices connected to the line. */
unsigned int fake_irq_line_devices(struct fake_irq *fake, int gsi);

/*
 * The guest writes @size bytes at @address.
 * Return: false if there is no doorbell, so that the access would exit
 */
bool fake_irq_doorbell(struct fake_irq *fake, uint64_t address,
		       unsigned int size);
/* Doorbells that are in place. */
unsigned int fake_irq_doorbells(struct fake_irq *fake);

#endif
