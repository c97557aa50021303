/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "kvm/cpuid.h"
#include "kvm/machine.h"

/*
 * Intel's MultiProcessor Specification 1.4, for a guest without ACPI. One with
 * ACPI profits too: Linux always searches for the table, and maps every 16
 * bytes of 64 KiB anew in doing so. Where KVM emulates INVLPG that takes four
 * seconds; finding it in the EBDA, which comes first, takes 8 ms.
 *
 * Its APIC ids have 8 bits: CPUs with larger ones are left out.
 */

#define APIC_ID_MAX       254
#define APIC_VERSION      0x14
#define IOAPIC_VERSION    0x11
#define SPECIFICATION_1_4 4
#define ISA_IRQS          16

#define MP_PROCESSOR       0
#define MP_BUS             1
#define MP_IOAPIC          2
#define MP_IO_INTERRUPT    3
#define MP_LOCAL_INTERRUPT 4

#define PROCESSOR_ENABLED 1
#define PROCESSOR_BOOT    2

#define INTERRUPT_VECTORED 0
#define INTERRUPT_NMI      1
#define INTERRUPT_EXTINT   3

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length; /* in 16 bytes */
	uint8_t specification;
	uint8_t checksum;
	uint8_t features[5];
} __attribute__((packed));

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t specification;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	uint32_t oem_table;
	uint16_t oem_table_size;
	uint16_t entry_count;
	uint32_t lapic_address;
	uint16_t extended_length;
	uint8_t extended_checksum;
	uint8_t reserved;
} __attribute__((packed));

struct mp_processor {
	uint8_t type;
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
	uint32_t signature;
	uint32_t features;
	uint64_t reserved;
} __attribute__((packed));

struct mp_bus {
	uint8_t type;
	uint8_t id;
	char name[6];
} __attribute__((packed));

struct mp_ioapic {
	uint8_t type;
	uint8_t id;
	uint8_t version;
	uint8_t enabled;
	uint32_t address;
} __attribute__((packed));

struct mp_interrupt {
	uint8_t type;
	uint8_t kind;
	uint16_t flags; /* 0: as the bus has it */
	uint8_t bus;
	uint8_t irq;
	uint8_t apic_id;
	uint8_t pin;
} __attribute__((packed));

_Static_assert(sizeof(struct mp_pointer) == 16, "specification, 4.1");
_Static_assert(sizeof(struct mp_table) == 44, "specification, 4.2");
_Static_assert(sizeof(struct mp_processor) == 20, "specification, 4.3.1");
_Static_assert(sizeof(struct mp_table) +
			       (APIC_ID_MAX + 1) * sizeof(struct mp_processor) +
			       sizeof(struct mp_bus) +
			       sizeof(struct mp_ioapic) +
			       (ISA_IRQS + 2) * sizeof(struct mp_interrupt) <=
		       BOOT_MP_TABLE_SIZE,
	       "the largest table fits");

static uint8_t checksum(const void *data, unsigned int size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (size--)
		sum += *bytes++;
	return -sum;
}

static void append(struct mp_table *table, const void *entry, uint16_t size)
{
	memcpy((uint8_t *)table + table->length, entry, size);
	table->length += size;
	table->entry_count++;
}

static void append_processors(struct mp_table *table,
			      const struct machine_topology *topology)
{
	for (unsigned int vcpu = 0; vcpu < topology->cpus; vcpu++) {
		uint32_t apic_id = cpuid_apic_id(topology, vcpu);
		const struct mp_processor processor = {
			.type = MP_PROCESSOR,
			.apic_id = apic_id,
			.apic_version = APIC_VERSION,
			.flags =
				PROCESSOR_ENABLED | (vcpu ? 0 : PROCESSOR_BOOT),
		};

		if (apic_id > APIC_ID_MAX)
			return; /* ids ascend */
		append(table, &processor, sizeof(processor));
	}
}

/* IRQ n is pin n, but for the timer's: KVM wires it to pin 2. */
static void append_isa(struct mp_table *table)
{
	const struct mp_bus bus = { .type = MP_BUS, .name = "ISA   " };
	const struct mp_ioapic ioapic = {
		.type = MP_IOAPIC,
		.version = IOAPIC_VERSION,
		.enabled = 1,
		.address = MACHINE_IOAPIC_BASE,
	};

	append(table, &bus, sizeof(bus));
	append(table, &ioapic, sizeof(ioapic));
	for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
		const struct mp_interrupt interrupt = {
			.type = MP_IO_INTERRUPT,
			.kind = INTERRUPT_VECTORED,
			.irq = irq,
			.pin = irq ? irq : 2,
		};

		if (irq != 2)
			append(table, &interrupt, sizeof(interrupt));
	}
}

static void append_lint(struct mp_table *table, uint8_t kind, uint8_t pin)
{
	const struct mp_interrupt interrupt = {
		.type = MP_LOCAL_INTERRUPT,
		.kind = kind,
		.apic_id = pin ? 0xFF : 0, /* the NMI goes to all */
		.pin = pin,
	};

	append(table, &interrupt, sizeof(interrupt));
}

int boot_mp_write(const struct guest_memory *memory,
		  const struct machine_topology *topology)
{
	struct mp_pointer *pointer =
		guest_memory_at(memory, BOOT_EBDA_BASE, sizeof(*pointer));
	struct mp_table *table =
		guest_memory_at(memory, BOOT_MP_TABLE_BASE, BOOT_MP_TABLE_SIZE);

	if (!pointer || !table)
		return -EFAULT;
	*table = (struct mp_table) {
		.signature = "PCMP",
		.length = sizeof(*table),
		.specification = SPECIFICATION_1_4,
		.oem_id = "MQVMM   ",
		.product_id = "MQVMM       ",
		.lapic_address = MACHINE_LAPIC_BASE,
	};
	append_processors(table, topology);
	append_isa(table);
	append_lint(table, INTERRUPT_EXTINT, 0);
	append_lint(table, INTERRUPT_NMI, 1);
	table->checksum = checksum(table, table->length);
	*pointer = (struct mp_pointer) {
		.signature = "_MP_",
		.table = BOOT_MP_TABLE_BASE,
		.length = 1,
		.specification = SPECIFICATION_1_4,
	};
	pointer->checksum = checksum(pointer, sizeof(*pointer));
	return 0;
}
