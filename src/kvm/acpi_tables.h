/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_ACPI_TABLES_H
#define MQVMM_KVM_ACPI_TABLES_H

#include <stdint.h>

/*
 * The ACPI 6.4 tables that the acpi*.c files build, as they lie in memory.
 * Private to them. Little endian like the host.
 */

/* 5.2.5.3 Root System Description Pointer */
struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes, which ACPI 1.0 had */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

/* 5.2.6 System Description Table Header */
struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

#define ACPI_SPACE_IO    1
#define ACPI_ACCESS_BYTE 1

/* 5.2.3.2 Generic Address Structure */
struct acpi_gas {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __attribute__((packed));

#define ACPI_FADT_WBINVD      (1U << 0)
#define ACPI_FADT_PWR_BUTTON  (1U << 4) /* not a fixed one */
#define ACPI_FADT_SLP_BUTTON  (1U << 5) /* likewise */
#define ACPI_FADT_RESET_REG   (1U << 10)
#define ACPI_FADT_HW_REDUCED  (1U << 20)
#define ACPI_FADT_BOOT_NO_VGA (1U << 2)

/* 5.2.9 Fixed ACPI Description Table, revision 6.4 */
struct acpi_fadt {
	struct acpi_header header;
	uint8_t registers_of_full_hardware[73];
	uint16_t boot_flags; /* at 109 */
	uint8_t reserved;
	uint32_t flags;
	struct acpi_gas reset_register;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor_revision;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_gas x_registers_of_full_hardware[8];
	struct acpi_gas sleep_control;
	struct acpi_gas sleep_status;
	uint64_t hypervisor_id;
} __attribute__((packed));

#define ACPI_MADT_ENABLED 1U

/* 5.2.12 Multiple APIC Description Table; its structures follow */
struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));

#define ACPI_MADT_LAPIC      0
#define ACPI_MADT_IOAPIC     1
#define ACPI_MADT_OVERRIDE   2
#define ACPI_MADT_LAPIC_NMI  4
#define ACPI_MADT_X2APIC     9
#define ACPI_MADT_X2APIC_NMI 10

struct acpi_madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t processor;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));

struct acpi_madt_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t processor;
} __attribute__((packed));

struct acpi_madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __attribute__((packed));

#define ACPI_MADT_CONFORMING 0x0 /* to the bus */
#define ACPI_MADT_HIGH_LEVEL 0xD /* active high, level triggered */

struct acpi_madt_override {
	uint8_t type;
	uint8_t length;
	uint8_t bus;
	uint8_t irq;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

struct acpi_madt_lapic_nmi {
	uint8_t type;
	uint8_t length;
	uint8_t processor; /* 0xFF: all */
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

struct acpi_madt_x2apic_nmi {
	uint8_t type;
	uint8_t length;
	uint16_t flags;
	uint32_t processor; /* 0xFFFFFFFF: all */
	uint8_t lint;
	uint8_t reserved[3];
} __attribute__((packed));

/* PCI Firmware Specification 3.3, 4.1.2: one segment */
struct acpi_mcfg {
	struct acpi_header header;
	uint64_t reserved;
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint32_t reserved2;
} __attribute__((packed));

/* 5.2.16 System Resource Affinity Table; its structures follow */
struct acpi_srat {
	struct acpi_header header;
	uint32_t one;
	uint64_t reserved;
} __attribute__((packed));

#define ACPI_SRAT_LAPIC  0
#define ACPI_SRAT_MEMORY 1
#define ACPI_SRAT_X2APIC 2

#define ACPI_SRAT_ENABLED 1U

struct acpi_srat_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t proximity;
	uint8_t apic_id;
	uint32_t flags;
	uint8_t sapic_eid;
	uint8_t proximity_high[3];
	uint32_t clock;
} __attribute__((packed));

struct acpi_srat_memory {
	uint8_t type;
	uint8_t length;
	uint32_t proximity;
	uint16_t reserved;
	uint64_t base;
	uint64_t bytes;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
} __attribute__((packed));

struct acpi_srat_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved;
	uint32_t proximity;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t clock;
	uint32_t reserved2;
} __attribute__((packed));

/* 5.2.17 System Locality Information Table; its matrix follows */
struct acpi_slit {
	struct acpi_header header;
	uint64_t localities;
} __attribute__((packed));

#define ACPI_AML_NAME  0x08
#define ACPI_AML_QWORD 0x0E

/* 20.2.5.1 and 20.2.3: Name (NAME, 64-bit integer) in AML */
struct acpi_aml_name {
	uint8_t name_op;
	char name[4];
	uint8_t qword_prefix;
	uint64_t value;
} __attribute__((packed));

/* The two integers that the DSDT's PCI root refers to. */
struct acpi_ssdt {
	struct acpi_header header;
	struct acpi_aml_name pci64_first;
	struct acpi_aml_name pci64_last;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.4, table 5.3");
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.4, table 5.4");
_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 6.4, table 5.9");
_Static_assert(sizeof(struct acpi_madt) == 44, "ACPI 6.4, table 5.19");
_Static_assert(sizeof(struct acpi_madt_lapic) == 8, "ACPI 6.4, table 5.21");
_Static_assert(sizeof(struct acpi_madt_x2apic) == 16, "ACPI 6.4, table 5.33");
_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI 6.4, table 5.23");
_Static_assert(sizeof(struct acpi_madt_override) == 10, "table 5.25");
_Static_assert(sizeof(struct acpi_madt_lapic_nmi) == 6, "table 5.28");
_Static_assert(sizeof(struct acpi_madt_x2apic_nmi) == 12, "table 5.34");
_Static_assert(sizeof(struct acpi_srat) == 48, "ACPI 6.4, table 5.57");
_Static_assert(sizeof(struct acpi_srat_lapic) == 16, "table 5.58");
_Static_assert(sizeof(struct acpi_srat_memory) == 40, "table 5.59");
_Static_assert(sizeof(struct acpi_srat_x2apic) == 24, "table 5.61");
_Static_assert(sizeof(struct acpi_slit) == 44, "ACPI 6.4, table 5.65");
_Static_assert(sizeof(struct acpi_mcfg) == 60, "PCI Firmware 3.3, table 4-2");

#endif
