/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "kvm/acpi_internal.h"
#include "kvm/cpuid.h"

static void append_cpu(struct acpi_area *area, uint32_t apic_id, uint8_t cell)
{
	if (apic_id < ACPI_X2APIC_ID_MIN)
		*(struct acpi_srat_lapic *)acpi_append(
			area, sizeof(struct acpi_srat_lapic)) =
			(struct acpi_srat_lapic) {
				.type = ACPI_SRAT_LAPIC,
				.length = sizeof(struct acpi_srat_lapic),
				.proximity = cell,
				.apic_id = apic_id,
				.flags = ACPI_SRAT_ENABLED,
			};
	else
		*(struct acpi_srat_x2apic *)acpi_append(
			area, sizeof(struct acpi_srat_x2apic)) =
			(struct acpi_srat_x2apic) {
				.type = ACPI_SRAT_X2APIC,
				.length = sizeof(struct acpi_srat_x2apic),
				.proximity = cell,
				.apic_id = apic_id,
				.flags = ACPI_SRAT_ENABLED,
			};
}

/* The part of @region that is in the @bytes of RAM behind @start. */
static void append_memory(struct acpi_area *area,
			  const struct guest_memory_region *region,
			  uint64_t region_start, uint64_t start, uint64_t bytes,
			  unsigned int cell)
{
	uint64_t from = start > region_start ? start - region_start : 0;
	uint64_t to = start + bytes < region_start + region->size
			      ? start + bytes
			      : region_start + region->size;

	if (start + bytes <= region_start || region_start + from >= to)
		return;
	*(struct acpi_srat_memory *)acpi_append(
		area, sizeof(struct acpi_srat_memory)) =
		(struct acpi_srat_memory) {
			.type = ACPI_SRAT_MEMORY,
			.length = sizeof(struct acpi_srat_memory),
			.proximity = cell,
			.base = region->gpa + from,
			.bytes = to - region_start - from,
			.flags = ACPI_SRAT_ENABLED,
		};
}

/* A cell that goes on behind the 32-bit hole has an entry on both sides. */
static void append_cell(struct acpi_area *area,
			const struct guest_memory *memory, uint64_t start,
			uint64_t bytes, unsigned int cell)
{
	uint64_t region_start = 0;

	for (unsigned int i = 0; i < memory->region_count; i++) {
		append_memory(area, &memory->region[i], region_start, start,
			      bytes, cell);
		region_start += memory->region[i].size;
	}
}

uint64_t acpi_build_srat(struct acpi_area *area,
			 const struct guest_memory *memory,
			 const struct machine_topology *topology,
			 const struct placement *placement)
{
	struct acpi_srat *srat =
		acpi_table_begin(area, "SRAT", 3, sizeof(*srat));
	uint64_t start = 0;

	srat->one = 1;
	for (unsigned int vcpu = 0; vcpu < topology->cpus; vcpu++)
		append_cpu(area, cpuid_apic_id(topology, vcpu),
			   placement->vcpu_cell[vcpu]);
	for (unsigned int i = 0; i < placement->cell_count; i++) {
		append_cell(area, memory, start, placement->cell[i].bytes, i);
		start += placement->cell[i].bytes;
	}
	return acpi_table_end(area);
}

uint64_t acpi_build_slit(struct acpi_area *area,
			 const struct placement *placement)
{
	struct acpi_slit *slit =
		acpi_table_begin(area, "SLIT", 1, sizeof(*slit));

	slit->localities = placement->cell_count;
	for (unsigned int i = 0; i < placement->cell_count; i++)
		memcpy(acpi_append(area, placement->cell_count),
		       placement->cell[i].distance, placement->cell_count);
	return acpi_table_end(area);
}
