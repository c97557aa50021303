/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/acpi.h"

#include <errno.h>
#include <string.h>

#include "kvm/acpi_internal.h"

#include "dsdt.hex" /* dsdt_aml_code, from dsdt.asl */

/*
 * Theory of operation
 *
 * The RSDP is at the start of the area. Tables are appended after it, one
 * builder each: acpi_table_begin(), acpi_append() for what follows the table's
 * fixed part, acpi_table_end() for length and checksum. The XSDT, which names
 * the others, comes last. The area is large enough for the largest guest
 * (asserted below), so that appending cannot fail. CPUs are described in
 * acpi_cpu.c, NUMA in acpi_numa.c.
 *
 * The machine is hardware-reduced ACPI: no PM timer, no SCI, no fixed buttons;
 * sleep and reset are one register each. A table for a new purpose is one
 * builder more in acpi_build()'s list.
 */

#define GIB4 0x100000000ULL

#define AREA_NEEDED                                                          \
	(sizeof(struct acpi_rsdp) + sizeof(struct acpi_fadt) +               \
	 sizeof(struct acpi_madt) + 256 /* all but the CPUs in the MADT */ + \
	 ACPI_CPUS_MAX * sizeof(struct acpi_madt_x2apic) +                   \
	 sizeof(struct acpi_mcfg) + sizeof(dsdt_aml_code) +                  \
	 sizeof(struct acpi_ssdt) + sizeof(struct acpi_header) +             \
	 sizeof(struct acpi_srat) +                                          \
	 ACPI_CPUS_MAX * sizeof(struct acpi_srat_x2apic) +                   \
	 (PLACEMENT_CELLS_MAX + GUEST_MEMORY_REGIONS_MAX) *                  \
		 sizeof(struct acpi_srat_memory) +                           \
	 sizeof(struct acpi_slit) +                                          \
	 (size_t)PLACEMENT_CELLS_MAX * PLACEMENT_CELLS_MAX +                 \
	 ACPI_TABLES_MAX * (sizeof(uint64_t) + ACPI_TABLE_ALIGNMENT))

_Static_assert(ACPI_CPUS_MAX <= PLACEMENT_THREADS_MAX, "each vCPU has a cell");
_Static_assert(AREA_NEEDED <= ACPI_AREA_SIZE, "the tables fit their area");

static void name_table(struct acpi_area *area, uint64_t address)
{
	area->name[area->named++] = address;
}

static uint64_t build_dsdt(struct acpi_area *area)
{
	void *dsdt = acpi_table_begin(area, "DSDT", 2, sizeof(dsdt_aml_code));

	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	return acpi_table_end(area);
}

static struct acpi_gas port_register(uint16_t port)
{
	return (struct acpi_gas) {
		.space = ACPI_SPACE_IO,
		.bit_width = 8,
		.access_size = ACPI_ACCESS_BYTE,
		.address = port,
	};
}

static uint64_t build_fadt(struct acpi_area *area, uint64_t dsdt)
{
	struct acpi_fadt *fadt =
		acpi_table_begin(area, "FACP", 6, sizeof(*fadt));

	fadt->boot_flags = ACPI_FADT_BOOT_NO_VGA;
	fadt->flags = ACPI_FADT_WBINVD | ACPI_FADT_PWR_BUTTON |
		      ACPI_FADT_SLP_BUTTON | ACPI_FADT_RESET_REG |
		      ACPI_FADT_HW_REDUCED;
	fadt->reset_register = port_register(ACPI_PORT_RESET);
	fadt->reset_value = ACPI_RESET_VALUE;
	fadt->minor_revision = 4;
	fadt->x_dsdt = dsdt;
	fadt->sleep_control = port_register(ACPI_PORT_SLEEP_CONTROL);
	fadt->sleep_status = port_register(ACPI_PORT_SLEEP_STATUS);
	memcpy(&fadt->hypervisor_id, "MQVMM", 5);
	return acpi_table_end(area);
}

static uint64_t build_mcfg(struct acpi_area *area)
{
	struct acpi_mcfg *mcfg =
		acpi_table_begin(area, "MCFG", 1, sizeof(*mcfg));

	mcfg->base = MACHINE_ECAM_BASE;
	mcfg->last_bus = ACPI_PCI_BUSES - 1;
	return acpi_table_end(area);
}

static struct acpi_aml_name aml_name(const char *name, uint64_t value)
{
	struct acpi_aml_name aml = {
		.name_op = ACPI_AML_NAME,
		.qword_prefix = ACPI_AML_QWORD,
		.value = value,
	};

	memcpy(aml.name, name, sizeof(aml.name));
	return aml;
}

static uint64_t build_ssdt(struct acpi_area *area, uint64_t pci64_base)
{
	struct acpi_ssdt *ssdt =
		acpi_table_begin(area, "SSDT", 2, sizeof(*ssdt));

	ssdt->pci64_first = aml_name("P64B", pci64_base);
	ssdt->pci64_last =
		aml_name("P64E", pci64_base + MACHINE_PCI64_SIZE - 1);
	return acpi_table_end(area);
}

static uint64_t build_xsdt(struct acpi_area *area)
{
	uint64_t size = area->named * sizeof(area->name[0]);

	acpi_table_begin(area, "XSDT", 1, sizeof(struct acpi_header));
	memcpy(acpi_append(area, size), area->name, size);
	return acpi_table_end(area);
}

static void write_rsdp(struct acpi_rsdp *rsdp, uint64_t xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "MQVMM ", sizeof(rsdp->oem_id));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = acpi_checksum(rsdp, 20);
	rsdp->extended_checksum = acpi_checksum(rsdp, sizeof(*rsdp));
}

uint64_t acpi_pci64_base(const struct guest_memory *memory)
{
	uint64_t top = GIB4;

	for (unsigned int i = 0; i < memory->region_count; i++) {
		const struct guest_memory_region *region = &memory->region[i];

		if (region->gpa + region->size > top)
			top = region->gpa + region->size;
	}
	return (top + MACHINE_PCI64_SIZE - 1) & ~(MACHINE_PCI64_SIZE - 1);
}

int acpi_build(const struct guest_memory *memory,
	       const struct machine_topology *topology,
	       const struct placement *placement, uint64_t *rsdp,
	       struct fail *fail)
{
	struct acpi_area area = {
		.host = guest_memory_at(memory, ACPI_AREA_BASE, ACPI_AREA_SIZE),
	};
	struct acpi_rsdp *root;

	if (!topology->cpus || topology->cpus > ACPI_CPUS_MAX)
		return fail_set(fail, -EINVAL,
				"%u vCPUs do not fit the ACPI tables: use "
				"--cpus 1 to %u",
				topology->cpus, ACPI_CPUS_MAX);
	if (!area.host)
		return fail_set(fail, -EFAULT,
				"the guest has no memory at 0x%llx for the "
				"ACPI tables",
				ACPI_AREA_BASE);
	root = acpi_append(&area, sizeof(*root));
	name_table(&area, build_fadt(&area, build_dsdt(&area)));
	name_table(&area, acpi_build_madt(&area, topology));
	name_table(&area, build_mcfg(&area));
	name_table(&area, build_ssdt(&area, acpi_pci64_base(memory)));
	if (placement && placement->numa) {
		name_table(&area,
			   acpi_build_srat(&area, memory, topology, placement));
		name_table(&area, acpi_build_slit(&area, placement));
	}
	write_rsdp(root, build_xsdt(&area));
	*rsdp = ACPI_AREA_BASE;
	return 0;
}
