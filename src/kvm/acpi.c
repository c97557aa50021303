/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/acpi.h"

#include <errno.h>
#include <string.h>

#include "kvm/acpi_tables.h"
#include "kvm/cpuid.h"

#include "dsdt.hex" /* dsdt_aml_code, from dsdt.asl */

/*
 * Theory of operation
 *
 * The RSDP is at the start of the area. Tables are appended after it, one
 * builder each: table_begin(), append() for what follows the table's fixed
 * part, table_end() for length and checksum. The XSDT, which names the others,
 * comes last. The area is large enough for the largest guest (asserted below),
 * so that appending cannot fail.
 *
 * The machine is hardware-reduced ACPI: no PM timer, no SCI, no fixed buttons;
 * sleep and reset are one register each. A table for a new purpose (SRAT and
 * SLIT for NUMA) is one builder more in acpi_build()'s list.
 */

#define TABLE_ALIGNMENT 16
#define TABLES_MAX      8   /* that the XSDT can name */
#define X2APIC_ID_MIN   255 /* ids below fit xAPIC; 255 is its broadcast */
#define GIB4            0x100000000ULL

#define AREA_NEEDED                                                          \
	(sizeof(struct acpi_rsdp) + sizeof(struct acpi_fadt) +               \
	 sizeof(struct acpi_madt) + 256 /* all but the CPUs in the MADT */ + \
	 ACPI_CPUS_MAX * sizeof(struct acpi_madt_x2apic) +                   \
	 sizeof(struct acpi_mcfg) + sizeof(dsdt_aml_code) +                  \
	 sizeof(struct acpi_ssdt) + sizeof(struct acpi_header) +             \
	 TABLES_MAX * (sizeof(uint64_t) + TABLE_ALIGNMENT))

_Static_assert(AREA_NEEDED <= ACPI_AREA_SIZE, "the tables fit their area");

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
	uint64_t name[TABLES_MAX];
};

static void *append(struct acpi_area *area, uint64_t size)
{
	void *at = area->host + area->used;

	memset(at, 0, size);
	area->used += size;
	return at;
}

static uint8_t checksum(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (size--)
		sum += *bytes++;
	return -sum;
}

/* Open a table with @size bytes of fixed part, header included. */
static void *table_begin(struct acpi_area *area, const char *signature,
			 uint8_t revision, uint64_t size)
{
	struct acpi_header *header;

	area->used = (area->used + TABLE_ALIGNMENT - 1) &
		     ~(uint64_t)(TABLE_ALIGNMENT - 1);
	area->table = area->used;
	header = append(area, size);
	memcpy(header->signature, signature, sizeof(header->signature));
	header->revision = revision;
	memcpy(header->oem_id, "MQVMM ", sizeof(header->oem_id));
	memcpy(header->oem_table_id, "MQVM", 4);
	memcpy(header->oem_table_id + 4, signature, 4);
	header->oem_revision = 1;
	memcpy(header->creator_id, "MQVM", sizeof(header->creator_id));
	header->creator_revision = 1;
	return header;
}

/* Return: the table's guest physical address */
static uint64_t table_end(struct acpi_area *area)
{
	struct acpi_header *header = (void *)(area->host + area->table);

	header->length = area->used - area->table;
	header->checksum = 0;
	header->checksum = checksum(header, header->length);
	return ACPI_AREA_BASE + area->table;
}

static void name_table(struct acpi_area *area, uint64_t address)
{
	area->name[area->named++] = address;
}

static uint64_t build_dsdt(struct acpi_area *area)
{
	void *dsdt = table_begin(area, "DSDT", 2, sizeof(dsdt_aml_code));

	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	return table_end(area);
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
	struct acpi_fadt *fadt = table_begin(area, "FACP", 6, sizeof(*fadt));

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
	return table_end(area);
}

static void append_cpu(struct acpi_area *area, unsigned int vcpu,
		       uint32_t apic_id)
{
	if (apic_id < X2APIC_ID_MIN)
		*(struct acpi_madt_lapic *)append(
			area, sizeof(struct acpi_madt_lapic)) =
			(struct acpi_madt_lapic) {
				.type = ACPI_MADT_LAPIC,
				.length = sizeof(struct acpi_madt_lapic),
				.processor = vcpu,
				.apic_id = apic_id,
				.flags = ACPI_MADT_ENABLED,
			};
	else
		*(struct acpi_madt_x2apic *)append(
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
	*(struct acpi_madt_lapic_nmi *)append(
		area, sizeof(struct acpi_madt_lapic_nmi)) =
		(struct acpi_madt_lapic_nmi) {
			.type = ACPI_MADT_LAPIC_NMI,
			.length = sizeof(struct acpi_madt_lapic_nmi),
			.processor = 0xFF,
			.lint = 1,
		};
	if (apic_id_max < X2APIC_ID_MIN)
		return;
	*(struct acpi_madt_x2apic_nmi *)append(
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
	*(struct acpi_madt_override *)append(
		area, sizeof(struct acpi_madt_override)) =
		(struct acpi_madt_override) {
			.type = ACPI_MADT_OVERRIDE,
			.length = sizeof(struct acpi_madt_override),
			.irq = irq,
			.gsi = gsi,
			.flags = flags,
		};
}

static uint64_t build_madt(struct acpi_area *area,
			   const struct machine_topology *topology)
{
	struct acpi_madt *madt = table_begin(area, "APIC", 5, sizeof(*madt));
	uint32_t apic_id = 0;

	madt->lapic_address = MACHINE_LAPIC_BASE;
	for (unsigned int vcpu = 0; vcpu < topology->cpus; vcpu++) {
		apic_id = cpuid_apic_id(topology, vcpu);
		append_cpu(area, vcpu, apic_id);
	}
	*(struct acpi_madt_ioapic *)append(area,
					   sizeof(struct acpi_madt_ioapic)) =
		(struct acpi_madt_ioapic) {
			.type = ACPI_MADT_IOAPIC,
			.length = sizeof(struct acpi_madt_ioapic),
			.address = MACHINE_IOAPIC_BASE,
		};
	/* The wires of KVM's default routing. */
	append_override(area, 0, 2, ACPI_MADT_CONFORMING);
	append_override(area, 9, 9, ACPI_MADT_HIGH_LEVEL);
	append_nmi(area, apic_id); /* ids ascend */
	return table_end(area);
}

static uint64_t build_mcfg(struct acpi_area *area)
{
	struct acpi_mcfg *mcfg = table_begin(area, "MCFG", 1, sizeof(*mcfg));

	mcfg->base = MACHINE_ECAM_BASE;
	mcfg->last_bus = ACPI_PCI_BUSES - 1;
	return table_end(area);
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
	struct acpi_ssdt *ssdt = table_begin(area, "SSDT", 2, sizeof(*ssdt));

	ssdt->pci64_first = aml_name("P64B", pci64_base);
	ssdt->pci64_last =
		aml_name("P64E", pci64_base + MACHINE_PCI64_SIZE - 1);
	return table_end(area);
}

static uint64_t build_xsdt(struct acpi_area *area)
{
	uint64_t size = area->named * sizeof(area->name[0]);

	table_begin(area, "XSDT", 1, sizeof(struct acpi_header));
	memcpy(append(area, size), area->name, size);
	return table_end(area);
}

static void write_rsdp(struct acpi_rsdp *rsdp, uint64_t xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "MQVMM ", sizeof(rsdp->oem_id));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
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
	       const struct machine_topology *topology, uint64_t *rsdp,
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
	root = append(&area, sizeof(*root));
	name_table(&area, build_fadt(&area, build_dsdt(&area)));
	name_table(&area, build_madt(&area, topology));
	name_table(&area, build_mcfg(&area));
	name_table(&area, build_ssdt(&area, acpi_pci64_base(memory)));
	write_rsdp(root, build_xsdt(&area));
	*rsdp = ACPI_AREA_BASE;
	return 0;
}
