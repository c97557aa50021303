/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_ACPI_H
#define MQVMM_KVM_ACPI_H

#include <stdint.h>

#include "base/fail.h"
#include "kvm/guest_memory.h"
#include "kvm/machine.h"
#include "sched/placement.h"

/* Where the RSDP and all tables lie: the BIOS area that guests search. */
#define ACPI_AREA_BASE 0xE0000ULL
#define ACPI_AREA_SIZE 0x1C000ULL /* bytes */

#define ACPI_CPUS_MAX 1024U

/*
 * The root bus alone: there are no bridges. Linux looks at each slot of every
 * bus that MCFG names, which costs a VM exit or two a slot.
 */
#define ACPI_PCI_BUSES 1U

/* I/O ports that the tables tell the guest of. */
#define ACPI_PORT_SLEEP_CONTROL 0x600 /* write: SLP_TYPx << 2 | SLP_EN << 5 */
#define ACPI_PORT_SLEEP_STATUS  0x601
#define ACPI_PORT_RESET         0x604
#define ACPI_PORT_PVPANIC       0x505

#define ACPI_SLEEP_TYPE_S5 5    /* SLP_TYPx of \_S5 */
#define ACPI_SLEEP_ENABLE  0x20 /* SLP_EN in the sleep control register */
#define ACPI_RESET_VALUE   1    /* what to write to ACPI_PORT_RESET */

/**
 * acpi_pci64_base() - Where the window of 64-bit BARs begins
 * @memory:	The guest's RAM
 *
 * Return: the first multiple of MACHINE_PCI64_SIZE above all RAM and 4 GiB
 */
uint64_t acpi_pci64_base(const struct guest_memory *memory);

/**
 * acpi_build() - Write the ACPI tables into guest RAM at ACPI_AREA_BASE
 * @memory:	The guest's RAM, which covers the area
 * @topology:	1 to ACPI_CPUS_MAX vCPUs
 * @placement:	Cells that cover @memory; NULL for none
 * @rsdp:	Filled: guest physical address of the RSDP
 * @fail:	The cause
 *
 * RSDP, XSDT, hardware-reduced FADT, MADT, MCFG, DSDT and an SSDT with the
 * 64-bit BAR window; SRAT and SLIT if @placement shows it (ACPI 6.4, chapter
 * 5). Pure but for guest RAM.
 *
 * Return: 0, -EINVAL for a number of vCPUs out of range, -EFAULT if the area is
 * not RAM
 *
 * Context: no vCPU runs.
 */
int acpi_build(const struct guest_memory *memory,
	       const struct machine_topology *topology,
	       const struct placement *placement, uint64_t *rsdp,
	       struct fail *fail);

#endif
