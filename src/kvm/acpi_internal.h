/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_ACPI_INTERNAL_H
#define MQVMM_KVM_ACPI_INTERNAL_H

/* Private to the ACPI files of src/kvm. */

#include <stdint.h>

#include "kvm/acpi_tables.h"
#include "kvm/machine.h"
#include "sched/placement.h"

#define ACPI_TABLE_ALIGNMENT 16
#define ACPI_TABLES_MAX      8   /* that the XSDT can name */
#define ACPI_X2APIC_ID_MIN   255 /* ids below fit xAPIC; 255 is its broadcast */

/**
 * struct acpi_area - The tables under construction
 * @host:	Of ACPI_AREA_BASE
 * @used:	Bytes
 * @table:	Offset of the table that is open
 * @named:	Tables that the XSDT will name
 * @name:	Their guest physical addresses
 */
struct acpi_area {
	uint8_t *host;
	uint64_t used;
	uint64_t table;
	unsigned int named;
	uint64_t name[ACPI_TABLES_MAX];
};

/**
 * acpi_append() - Take the next bytes of the area
 *
 * Return: @size zeroed bytes; the area is large enough, see acpi.c
 */
void *acpi_append(struct acpi_area *area, uint64_t size);

/* Return: what makes the sum of @size bytes 0 (5.2.3) */
uint8_t acpi_checksum(const void *data, uint64_t size);

/**
 * acpi_table_begin() - Open a table (5.2.6)
 * @signature:	Four letters
 * @size:	Bytes of its fixed part, header included
 *
 * Return: the fixed part, zeroed behind the header
 */
void *acpi_table_begin(struct acpi_area *area, const char *signature,
		       uint8_t revision, uint64_t size);

/**
 * acpi_table_end() - Close the open table: length and checksum
 *
 * Return: its guest physical address
 */
uint64_t acpi_table_end(struct acpi_area *area);

/**
 * acpi_build_madt() - Interrupt controllers and CPUs (5.2.12)
 *
 * Return: its guest physical address
 */
uint64_t acpi_build_madt(struct acpi_area *area,
			 const struct machine_topology *topology);

/**
 * acpi_build_srat() - Which cell each CPU and each run of RAM is in (5.2.16)
 *
 * Return: its guest physical address
 */
uint64_t acpi_build_srat(struct acpi_area *area,
			 const struct guest_memory *memory,
			 const struct machine_topology *topology,
			 const struct placement *placement);

/**
 * acpi_build_slit() - Distances between cells (5.2.17)
 *
 * Return: its guest physical address
 */
uint64_t acpi_build_slit(struct acpi_area *area,
			 const struct placement *placement);

#endif
