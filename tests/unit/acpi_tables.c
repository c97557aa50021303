/* SPDX-License-Identifier: BSD-3-Clause */
/* The ACPI tables as bytes in guest RAM, read the way a guest reads them. */
#include "acpi_support.h"

#include <errno.h>
#include <string.h>

#include "kvm/cpuid.h"
#include "kvm/machine.h"

static void build(struct acpi_test *test, unsigned int sockets,
		  unsigned int cores, unsigned int threads)
{
	const struct machine_topology topology = {
		.cpus = sockets * cores * threads,
		.sockets = sockets,
		.cores = cores,
		.threads = threads,
	};
	struct fail fail = { "" };

	assert_int_equal(
		acpi_build(&test->memory, &topology, NULL, &test->rsdp, &fail),
		0);
}

static uint8_t sum(const uint8_t *bytes, unsigned int size)
{
	uint8_t total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

static const uint8_t *find_dsdt(const struct acpi_test *test)
{
	return acpi_table_at(test,
			     acpi_value_at(acpi_find(test, "FACP") + 140, 8));
}

static void assert_checksums(const struct acpi_test *test)
{
	const uint8_t *root = acpi_xsdt(test);

	assert_int_equal(sum(acpi_bytes_at(test, test->rsdp, 36), 20), 0);
	assert_int_equal(sum(acpi_bytes_at(test, test->rsdp, 36), 36), 0);
	assert_int_equal(sum(root, acpi_table_length(root)), 0);
	for (unsigned int at = 36; at < acpi_table_length(root); at += 8) {
		const uint8_t *table =
			acpi_table_at(test, acpi_value_at(root + at, 8));

		assert_int_equal(sum(table, acpi_table_length(table)), 0);
	}
	assert_int_equal(
		sum(find_dsdt(test), acpi_table_length(find_dsdt(test))), 0);
}

/*
 * The MADT names every vCPU once, in order, by the id that CPUID gives it, and
 * in the kind of entry that its id needs.
 */
static void assert_cpus(struct acpi_test *test, unsigned int sockets,
			unsigned int cores, unsigned int threads,
			unsigned int x2apic_wanted)
{
	const struct machine_topology topology = { sockets * cores * threads,
						   sockets, cores, threads };
	unsigned int vcpu = 0, x2apics = 0;
	const uint8_t *madt, *entry;

	build(test, sockets, cores, threads);
	assert_checksums(test);
	madt = acpi_find(test, "APIC");
	for (entry = madt + 44; entry < madt + acpi_table_length(madt);
	     entry += entry[1]) {
		uint32_t id = cpuid_apic_id(&topology, vcpu);

		assert_true(entry[1] >= 6);
		if (entry[0] == 0) {
			assert_int_equal(entry[1], 8);
			assert_true(id < 255);
			assert_int_equal(entry[2], vcpu);
			assert_int_equal(entry[3], id);
			assert_int_equal(acpi_value_at(entry + 4, 4), 1);
			vcpu++;
		} else if (entry[0] == 9) {
			assert_int_equal(entry[1], 16);
			assert_true(id >= 255);
			assert_int_equal(acpi_value_at(entry + 4, 4), id);
			assert_int_equal(acpi_value_at(entry + 8, 4), 1);
			assert_int_equal(acpi_value_at(entry + 12, 4), vcpu);
			vcpu++;
			x2apics++;
		}
	}
	assert_ptr_equal(entry, madt + acpi_table_length(madt));
	assert_int_equal(vcpu, topology.cpus);
	assert_int_equal(x2apics, x2apic_wanted);
}

static void madt_of_1_vcpu(void **state)
{
	assert_cpus(*state, 1, 1, 1, 0);
}

static void madt_of_8_vcpus(void **state)
{
	assert_cpus(*state, 2, 2, 2, 0);
}

static void madt_of_255_vcpus_has_no_x2apic_entry(void **state)
{
	assert_cpus(*state, 1, 255, 1, 0);
}

static void madt_of_300_vcpus_has_x2apic_entries(void **state)
{
	assert_cpus(*state, 1, 300, 1, 300 - 255);
}

static void madt_of_gapped_ids_counts_ids_not_vcpus(void **state)
{
	/* Socket k begins at id 128 * k: 2 sockets fit below 255. */
	assert_cpus(*state, 3, 100, 1, 100);
}

static void madt_of_1024_vcpus_fits(void **state)
{
	assert_cpus(*state, 2, 256, 2, 1024 - 255);
}

static void too_many_vcpus_are_refused(void **state)
{
	const struct machine_topology topology = { 1025, 1, 1025, 1 };
	struct acpi_test *test = *state;
	struct fail fail = { "" };

	assert_int_equal(
		acpi_build(&test->memory, &topology, NULL, &test->rsdp, &fail),
		-EINVAL);
	assert_non_null(strstr(fail.text, "--cpus"));
}

static void rsdp_is_where_guests_search_it(void **state)
{
	struct acpi_test *test = *state;

	build(test, 1, 1, 1);
	assert_int_equal(test->rsdp % 16, 0);
	assert_true(test->rsdp >= 0xE0000 && test->rsdp < 0x100000);
	assert_memory_equal(acpi_bytes_at(test, test->rsdp, 8), "RSD PTR ", 8);
	assert_int_equal(*(acpi_bytes_at(test, test->rsdp, 36) + 15), 2);
}

static const uint8_t *find_madt_entry(const struct acpi_test *test,
				      uint8_t type, unsigned int nth)
{
	const uint8_t *madt = acpi_find(test, "APIC"), *entry;

	for (entry = madt + 44; entry < madt + acpi_table_length(madt);
	     entry += entry[1])
		if (entry[0] == type && !nth--)
			return entry;
	return NULL;
}

static void madt_has_the_interrupt_wires(void **state)
{
	struct acpi_test *test = *state;

	build(test, 1, 2, 1);
	assert_int_equal(acpi_value_at(acpi_find(test, "APIC") + 36, 4),
			 MACHINE_LAPIC_BASE);
	assert_int_equal(acpi_value_at(find_madt_entry(test, 1, 0) + 4, 4),
			 MACHINE_IOAPIC_BASE);
	assert_int_equal(acpi_value_at(find_madt_entry(test, 1, 0) + 8, 4), 0);
	/* IRQ 0 is GSI 2; IRQ 9 is level triggered, active high. */
	assert_memory_equal(find_madt_entry(test, 2, 0),
			    "\x02\x0A\x00\x00\x02\x00\x00\x00\x00\x00", 10);
	assert_memory_equal(find_madt_entry(test, 2, 1),
			    "\x02\x0A\x00\x09\x09\x00\x00\x00\x0D\x00", 10);
}

static void fadt_is_hardware_reduced(void **state)
{
	struct acpi_test *test = *state;
	const uint8_t *fadt;

	build(test, 1, 1, 1);
	fadt = acpi_find(test, "FACP");
	assert_int_equal(acpi_table_length(fadt), 276);
	assert_int_equal(fadt[8], 6);
	assert_true(acpi_value_at(fadt + 112, 4) & 1U << 20);
}

static void assert_port(const uint8_t *gas, uint16_t port)
{
	assert_int_equal(gas[0], 1); /* system I/O */
	assert_int_equal(gas[1], 8);
	assert_int_equal(acpi_value_at(gas + 4, 8), port);
}

static void fadt_says_how_to_switch_off_and_reset(void **state)
{
	struct acpi_test *test = *state;
	const uint8_t *fadt;

	build(test, 1, 1, 1);
	fadt = acpi_find(test, "FACP");
	assert_true(acpi_value_at(fadt + 112, 4) & 1U << 10);
	assert_port(fadt + 116, ACPI_PORT_RESET);
	assert_int_equal(fadt[128], ACPI_RESET_VALUE);
	assert_port(fadt + 244, ACPI_PORT_SLEEP_CONTROL);
	assert_port(fadt + 256, ACPI_PORT_SLEEP_STATUS);
	assert_int_equal(ACPI_SLEEP_ENABLE, 1 << 5);
}

static void mcfg_names_the_ecam_window(void **state)
{
	struct acpi_test *test = *state;
	const uint8_t *mcfg;

	build(test, 1, 1, 1);
	mcfg = acpi_find(test, "MCFG");
	assert_int_equal(acpi_table_length(mcfg), 60);
	assert_int_equal(acpi_value_at(mcfg + 44, 8), MACHINE_ECAM_BASE);
	assert_int_equal(mcfg[54], 0);
	assert_int_equal(mcfg[55], ACPI_PCI_BUSES - 1);
}

static void ssdt_has_the_window_above_ram(void **state)
{
	struct acpi_test *test = *state;
	const uint8_t *ssdt;

	build(test, 1, 1, 1);
	ssdt = acpi_find(test, "SSDT");
	assert_memory_equal(ssdt + 36, "\x08P64B\x0E", 6);
	assert_int_equal(acpi_value_at(ssdt + 42, 8), 16 * GIB);
	assert_memory_equal(ssdt + 50, "\x08P64E\x0E", 6);
	assert_int_equal(acpi_value_at(ssdt + 56, 8), 32 * GIB - 1);
}

static void pci64_window_is_above_all_ram(void **state)
{
	struct guest_memory memory = {
		.region_count = 2,
		.region = { { .gpa = 0, .size = 3 * GIB },
			    { .gpa = 4 * GIB, .size = 28 * GIB + 2 * MIB } },
	};

	(void)state;
	assert_int_equal(acpi_pci64_base(&memory), 48 * GIB);
	memory.region[1].size -= 2 * MIB;
	assert_int_equal(acpi_pci64_base(&memory), 32 * GIB);
	memory.region_count = 1;
	assert_int_equal(acpi_pci64_base(&memory), 16 * GIB);
}

/* Does the DSDT have this run of bytes? */
static void assert_in_dsdt(struct acpi_test *test, const void *bytes,
			   size_t size)
{
	build(test, 1, 1, 1);
	assert_non_null(memmem(find_dsdt(test),
			       acpi_table_length(find_dsdt(test)), bytes,
			       size));
}

/* Resource descriptors end in minimum, maximum, translation, length. */
static void assert_window32(struct acpi_test *test, uint32_t base,
			    uint32_t size)
{
	const uint32_t fields[] = { base, base + size - 1, 0, size };

	assert_in_dsdt(test, fields, sizeof(fields));
}

static void assert_window16(struct acpi_test *test, uint16_t base,
			    uint16_t size)
{
	const uint16_t fields[] = { base, base + size - 1, 0, size };

	assert_in_dsdt(test, fields, sizeof(fields));
}

static void dsdt_windows_are_those_of_the_machine(void **state)
{
	assert_window32(*state, MACHINE_PCI32_BASE, MACHINE_PCI32_SIZE);
	assert_window32(*state, MACHINE_ECAM_BASE, MACHINE_ECAM_SIZE);
	assert_window16(*state, MACHINE_PCI_IO_BASE, MACHINE_PCI_IO_SIZE);
	assert_window16(*state, 0, ACPI_PCI_BUSES);
}

/* An I/O descriptor: minimum, maximum, alignment, length. */
static void assert_io(struct acpi_test *test, uint16_t port, uint8_t length)
{
	const uint8_t io[] = { 0x47, 0x01,      port, port >> 8,
			       port, port >> 8, 1,    length };

	assert_in_dsdt(test, io, sizeof(io));
}

static void dsdt_ports_are_those_of_the_machine(void **state)
{
	assert_io(*state, MACHINE_PCI_CONFIG_PORT, 8);
	assert_io(*state, 0x3F8, 8);
	assert_io(*state, ACPI_PORT_PVPANIC, 1);
}

static void dsdt_names_the_sleep_type(void **state)
{
	/* Name (\_S5, Package (1) { 5 }) */
	const uint8_t s5[] = { 0x08, '_',  'S',  '5',  '_',
			       0x12, 0x04, 0x01, 0x0A, ACPI_SLEEP_TYPE_S5 };

	assert_in_dsdt(*state, s5, sizeof(s5));
}

int main(void)
{
#define CASE(name)                                              \
	cmocka_unit_test_setup_teardown(name, acpi_test_set_up, \
					acpi_test_tear_down)
	const struct CMUnitTest tests[] = {
		CASE(madt_of_1_vcpu),
		CASE(madt_of_8_vcpus),
		CASE(madt_of_255_vcpus_has_no_x2apic_entry),
		CASE(madt_of_300_vcpus_has_x2apic_entries),
		CASE(madt_of_gapped_ids_counts_ids_not_vcpus),
		CASE(madt_of_1024_vcpus_fits),
		CASE(too_many_vcpus_are_refused),
		CASE(rsdp_is_where_guests_search_it),
		CASE(madt_has_the_interrupt_wires),
		CASE(fadt_is_hardware_reduced),
		CASE(fadt_says_how_to_switch_off_and_reset),
		CASE(mcfg_names_the_ecam_window),
		CASE(ssdt_has_the_window_above_ram),
		CASE(pci64_window_is_above_all_ram),
		CASE(dsdt_windows_are_those_of_the_machine),
		CASE(dsdt_ports_are_those_of_the_machine),
		CASE(dsdt_names_the_sleep_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
