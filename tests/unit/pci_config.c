/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "unit/pci_device.h"

struct fixture {
	struct pci_rig *rig;
	struct test_device *device;
};

static int setup(void **state)
{
	struct fixture *f = test_malloc(sizeof(*f));

	f->rig = pci_rig_make();
	f->device = test_device_make(f->rig, TEST_SLOT, TEST_VECTORS);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_device_free(f->device);
	pci_rig_free(f->rig);
	test_free(f);
	return 0;
}

static void host_bridge_is_device_0(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f->rig, 0, PCI_CLASS_DEVICE, 2), 0x0600);
	assert_int_not_equal(config_read(f->rig, 0, PCI_VENDOR_ID, 2), 0xffff);
}

static void identity_reads_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f->rig, TEST_SLOT, 0, 4),
			 TEST_DEVICE << 16 | TEST_VENDOR);
	assert_int_equal(config_read(f->rig, TEST_SLOT, 8, 4),
			 TEST_CLASS << 8 | 7);
	assert_int_equal(config_read(f->rig, TEST_SLOT, 0x2c, 4), 0xdef09abc);
}

static void absent_functions_read_ones(void **state)
{
	struct fixture *f = *state;
	uint64_t function_1 = MACHINE_ECAM_BASE + (TEST_SLOT << 15) + (1 << 12);
	uint64_t bus_1 = MACHINE_ECAM_BASE + (1 << 20) + (TEST_SLOT << 15);

	assert_int_equal(config_read(f->rig, TEST_SLOT + 1, 0, 4), 0xffffffff);
	assert_int_equal(port_read(f->rig, TEST_SLOT + 1, 0, 4), 0xffffffff);
	assert_int_equal(mmio_read(f->rig, function_1, 4), 0xffffffff);
	assert_int_equal(mmio_read(f->rig, bus_1, 4), 0xffffffff);
	config_write(f->rig, TEST_SLOT + 1, PCI_COMMAND, 2, 2);
}

static void ports_and_ecam_agree(void **state)
{
	struct fixture *f = *state;

	for (unsigned int at = 0; at < 256; at += 4)
		assert_int_equal(port_read(f->rig, TEST_SLOT, at, 4),
				 config_read(f->rig, TEST_SLOT, at, 4));
	for (unsigned int at = 0; at < 256; at += 2)
		assert_int_equal(port_read(f->rig, TEST_SLOT, at, 2),
				 config_read(f->rig, TEST_SLOT, at, 2));
	for (unsigned int at = 0; at < 256; at++)
		assert_int_equal(port_read(f->rig, TEST_SLOT, at, 1),
				 config_read(f->rig, TEST_SLOT, at, 1));
}

static void ports_write_what_ecam_reads(void **state)
{
	struct fixture *f = *state;

	port_write(f->rig, TEST_SLOT, PCI_INTERRUPT_LINE, 0x5a, 1);
	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_INTERRUPT_LINE, 1),
			 0x5a);
}

static void address_port_takes_only_doublewords(void **state)
{
	struct fixture *f = *state;
	uint32_t address = 0x80000000U;
	uint8_t byte = 1;
	uint32_t value = 0;

	(void)bus_write(f->rig->pio, 0xcf8, &address, 4);
	(void)bus_write(f->rig->pio, 0xcfb, &byte, 1);
	(void)bus_read(f->rig->pio, 0xcf8, &value, 4);
	assert_int_equal(value, address);
	(void)bus_read(f->rig->pio, 0xcf8, &byte, 1);
	assert_int_equal(byte, 0xff);
}

static void data_port_is_dead_without_the_enable_bit(void **state)
{
	struct fixture *f = *state;
	uint32_t address = TEST_SLOT << 11;
	uint32_t value = 0;

	(void)bus_write(f->rig->pio, 0xcf8, &address, 4);
	(void)bus_read(f->rig->pio, 0xcfc, &value, 4);
	assert_int_equal(value, 0xffffffff);
}

static void read_only_registers_stay(void **state)
{
	struct fixture *f = *state;
	uint32_t before[64];

	for (unsigned int at = 0; at < 64; at++)
		before[at] = config_read(f->rig, TEST_SLOT, at * 4, 4);
	config_write(f->rig, TEST_SLOT, PCI_VENDOR_ID, 0, 4);
	config_write(f->rig, TEST_SLOT, PCI_CLASS_REVISION, 0, 4);
	config_write(f->rig, TEST_SLOT, PCI_STATUS, 0, 2);
	config_write(f->rig, TEST_SLOT, PCI_CAPABILITY_LIST, 0, 1);
	config_write(f->rig, TEST_SLOT, PCI_INTERRUPT_PIN, 0, 1);
	for (unsigned int at = 0; at < 64; at++)
		assert_int_equal(config_read(f->rig, TEST_SLOT, at * 4, 4),
				 before[at]);
}

static void command_keeps_only_its_bits(void **state)
{
	struct fixture *f = *state;

	config_write(f->rig, TEST_SLOT, PCI_COMMAND, 0xffff, 2);
	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_COMMAND, 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
				 PCI_COMMAND_INTX_DISABLE);
}

static void extended_space_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f->rig, TEST_SLOT, 0x100, 4), 0);
	assert_int_equal(config_read(f->rig, TEST_SLOT, 0xffc, 4), 0);
}

static void access_past_a_function_hits_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f->rig, TEST_SLOT, 0xffe, 4), 0xffffffff);
	config_write(f->rig, TEST_SLOT, 0xffe, 0, 4);
}

static void capability_list_has_msix(void **state)
{
	struct fixture *f = *state;
	unsigned int at = config_find(f->rig, TEST_SLOT, PCI_CAP_ID_MSIX, 0);

	assert_true(config_read(f->rig, TEST_SLOT, PCI_STATUS, 2) &
		    PCI_STATUS_CAP_LIST);
	assert_int_not_equal(at, 0);
	assert_int_equal(config_read(f->rig, TEST_SLOT, at + PCI_MSIX_FLAGS, 2),
			 TEST_VECTORS - 1);
	assert_int_equal(config_read(f->rig, TEST_SLOT, at + PCI_MSIX_TABLE, 4),
			 TEST_MSIX_BAR);
	assert_int_equal(config_find(f->rig, TEST_SLOT, PCI_CAP_ID_MSIX, at),
			 0);
}

static void capabilities_end_before_256(void **state)
{
	struct fixture *f = *state;
	unsigned int added = 0;

	while (pci_capability_add(&f->device->pci, PCI_CAP_ID_VNDR, 16) > 0)
		added++;
	assert_in_range(added, 10, 12);
}

static void interrupt_pin_is_a_with_the_slots_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_INTERRUPT_PIN, 1),
			 1);
	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_INTERRUPT_LINE, 1),
			 TEST_GSI);
}

static void taken_slot_is_refused_with_a_sentence(void **state)
{
	struct fixture *f = *state;
	const struct pci_identity identity = { 0 };
	const struct pci_device_ops ops = { 0 };
	struct pci_device *other = test_calloc(1, sizeof(*other));
	struct fail fail = { "" };

	assert_int_equal(pci_device_init(other, f->rig->root, TEST_SLOT,
					 &identity, &ops),
			 0);
	assert_int_equal(pci_root_attach(f->rig->root, other, &fail), -EBUSY);
	assert_non_null(strstr(fail.text, "slot 3"));
	pci_device_destroy(other);
	test_free(other);
	assert_int_equal(config_read(f->rig, TEST_SLOT, 0, 2), TEST_VENDOR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(host_bridge_is_device_0),
		TEST(identity_reads_back),
		TEST(absent_functions_read_ones),
		TEST(ports_and_ecam_agree),
		TEST(ports_write_what_ecam_reads),
		TEST(address_port_takes_only_doublewords),
		TEST(data_port_is_dead_without_the_enable_bit),
		TEST(read_only_registers_stay),
		TEST(command_keeps_only_its_bits),
		TEST(extended_space_is_empty),
		TEST(access_past_a_function_hits_nothing),
		TEST(capability_list_has_msix),
		TEST(capabilities_end_before_256),
		TEST(interrupt_pin_is_a_with_the_slots_line),
		TEST(taken_slot_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
