/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_POWER_H
#define MQVMM_KVM_POWER_H

#include <stdint.h>

#include "base/fail.h"
#include "kvm/bus.h"
#include "kvm/ending.h"

/* The chipset's reset control register, in the middle of PCI's 0xCF8. */
#define POWER_PORT_RESET_CONTROL 0xCF9

/**
 * struct power - The ways in which a guest ends the machine
 * @ending:	Where they lead
 *
 * ACPI's sleep control and reset registers, the keyboard controller's reset
 * line, the chipset's reset control register and pvpanic.
 */
struct power {
	struct ending *ending;
};

/**
 * power_init() - Put the registers on the bus
 * @power:	Filled; outlives the bus
 * @pio:	Port I/O bus
 * @ending:	The machine's
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int power_init(struct power *power, struct bus *pio, struct ending *ending,
	       struct fail *fail);

/**
 * power_write_reset_control() - A byte written to POWER_PORT_RESET_CONTROL
 * @power:	From power_init()
 * @value:	Bit 2 resets the CPUs
 *
 * Not on the bus: the PCI root owns the doubleword at 0xCF8, whose second byte
 * this port is when it is written as a byte.
 *
 * Context: vCPU threads.
 */
void power_write_reset_control(struct power *power, uint8_t value);

#endif
