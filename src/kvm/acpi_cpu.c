/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/acpi_internal.h"
#include "kvm/cpuid.h"

static void append_cpu(struct acpi_area *area, unsigned int vcpu,
		       uint32_t apic_id)
{
	if (apic_id < ACPI_X2APIC_ID_MIN)
		*(struct acpi_madt_lapic *)acpi_append(
			area, sizeof(struct acpi_madt_lapic)) =
			(struct acpi_madt_lapic) {
				.type = ACPI_MADT_LAPIC,
				.length = sizeof(struct acpi_madt_lapic),
				.processor = vcpu,
				.apic_id = apic_id,
				.flags = ACPI_MADT_ENABLED,
			};
	else
		*(struct acpi_madt_x2apic *)acpi_append(
			area, sizeof(struct acpi_madt_x2apic)) =
			(struct acpi_madt_x2apic) {
				.type = ACPI_MADT_X2APIC,
				.length = sizeof(struct acpi_madt_x2apic),
				.processor = vcpu,
				.apic_id = apic_id,
				.flags = ACPI_MADT_ENABLED,
			};
}

/* LINT1 of every local APIC is the NMI, as on a PC. */
static void append_nmi(struct acpi_area *area, uint32_t apic_id_max)
{
	*(struct acpi_madt_lapic_nmi *)acpi_append(
		area, sizeof(struct acpi_madt_lapic_nmi)) =
		(struct acpi_madt_lapic_nmi) {
			.type = ACPI_MADT_LAPIC_NMI,
			.length = sizeof(struct acpi_madt_lapic_nmi),
			.processor = 0xFF,
			.lint = 1,
		};
	if (apic_id_max < ACPI_X2APIC_ID_MIN)
		return;
	*(struct acpi_madt_x2apic_nmi *)acpi_append(
		area, sizeof(struct acpi_madt_x2apic_nmi)) =
		(struct acpi_madt_x2apic_nmi) {
			.type = ACPI_MADT_X2APIC_NMI,
			.length = sizeof(struct acpi_madt_x2apic_nmi),
			.processor = 0xFFFFFFFF,
			.lint = 1,
		};
}

static void append_override(struct acpi_area *area, uint8_t irq, uint32_t gsi,
			    uint16_t flags)
{
	*(struct acpi_madt_override *)acpi_append(
		area, sizeof(struct acpi_madt_override)) =
		(struct acpi_madt_override) {
			.type = ACPI_MADT_OVERRIDE,
			.length = sizeof(struct acpi_madt_override),
			.irq = irq,
			.gsi = gsi,
			.flags = flags,
		};
}

uint64_t acpi_build_madt(struct acpi_area *area,
			 const struct machine_topology *topology)
{
	struct acpi_madt *madt =
		acpi_table_begin(area, "APIC", 5, sizeof(*madt));
	uint32_t apic_id = 0;

	madt->lapic_address = MACHINE_LAPIC_BASE;
	for (unsigned int vcpu = 0; vcpu < topology->cpus; vcpu++) {
		apic_id = cpuid_apic_id(topology, vcpu);
		append_cpu(area, vcpu, apic_id);
	}
	*(struct acpi_madt_ioapic *)acpi_append(
		area, sizeof(struct acpi_madt_ioapic)) =
		(struct acpi_madt_ioapic) {
			.type = ACPI_MADT_IOAPIC,
			.length = sizeof(struct acpi_madt_ioapic),
			.address = MACHINE_IOAPIC_BASE,
		};
	/* The wires of KVM's default routing. */
	append_override(area, 0, 2, ACPI_MADT_CONFORMING);
	append_override(area, 9, 9, ACPI_MADT_HIGH_LEVEL);
	append_nmi(area, apic_id); /* ids ascend */
	return acpi_table_end(area);
}
