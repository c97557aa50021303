/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "unit/pci_device.h"

#define BAR0  PCI_BASE_ADDRESS_0
#define BAR4  PCI_BASE_ADDRESS_4
#define MOVED 0xd0000000U

struct fixture {
	struct pci_rig *rig;
	struct test_device *device;
	uint64_t address;
};

static int setup(void **state)
{
	struct fixture *f = test_malloc(sizeof(*f));

	f->rig = pci_rig_make();
	f->device = test_device_make(f->rig, TEST_SLOT, 0);
	f->address = config_bar(f->rig, TEST_SLOT, TEST_BAR);
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

static void enable(struct fixture *f)
{
	config_command(f->rig, TEST_SLOT, PCI_COMMAND_MEMORY, 0);
}

static void addresses_are_assigned_at_start(void **state)
{
	struct fixture *f = *state;

	assert_in_range(f->address, MACHINE_PCI32_BASE,
			MACHINE_PCI32_BASE + MACHINE_PCI32_SIZE -
				TEST_BAR_SIZE);
	assert_int_equal(f->address % TEST_BAR_SIZE, 0);
}

static void nothing_is_decoded_before_memory_enable(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mmio_read(f->rig, f->address, 4), 0xffffffff);
	assert_int_equal(f->device->moves, 0);
}

static void memory_enable_maps_and_unmaps(void **state)
{
	struct fixture *f = *state;

	enable(f);
	assert_int_equal(f->device->mapped[TEST_BAR], f->address);
	mmio_write(f->rig, f->address + 8, 0x1122334455667788, 8);
	assert_int_equal(mmio_read(f->rig, f->address + 8, 4), 0x55667788);
	assert_int_equal(mmio_read(f->rig, f->address + 15, 1), 0x11);
	config_command(f->rig, TEST_SLOT, 0, PCI_COMMAND_MEMORY);
	assert_int_equal(mmio_read(f->rig, f->address + 8, 4), 0xffffffff);
	assert_true(f->device->mapped[TEST_BAR] == PCI_BAR_UNMAPPED);
}

static void sizing_gives_the_size_of_a_64bit_bar(void **state)
{
	struct fixture *f = *state;

	config_write(f->rig, TEST_SLOT, BAR0, 0xffffffff, 4);
	config_write(f->rig, TEST_SLOT, BAR0 + 4, 0xffffffff, 4);
	assert_int_equal(config_read(f->rig, TEST_SLOT, BAR0, 4),
			 (uint32_t)-TEST_BAR_SIZE |
				 PCI_BASE_ADDRESS_MEM_TYPE_64);
	assert_int_equal(config_read(f->rig, TEST_SLOT, BAR0 + 4, 4),
			 0xffffffff);
}

static void sizing_gives_the_size_of_a_32bit_bar(void **state)
{
	struct fixture *f = *state;

	config_write(f->rig, TEST_SLOT, BAR4, 0xffffffff, 4);
	assert_int_equal(config_read(f->rig, TEST_SLOT, BAR4, 4), 0xfffff000);
	/* The register after it is not there. */
	config_write(f->rig, TEST_SLOT, BAR4 + 4, 0xffffffff, 4);
	assert_int_equal(config_read(f->rig, TEST_SLOT, BAR4 + 4, 4), 0);
}

static void sizing_while_enabled_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;

	enable(f);
	config_write(f->rig, TEST_SLOT, BAR0, 0xffffffff, 4);
	config_write(f->rig, TEST_SLOT, BAR0 + 4, 0xffffffff, 4);
	assert_int_equal(mmio_read(f->rig, f->address, 4), 0xffffffff);
	config_write(f->rig, TEST_SLOT, BAR0, (uint32_t)f->address, 4);
	config_write(f->rig, TEST_SLOT, BAR0 + 4, 0, 4);
	assert_int_equal(mmio_read(f->rig, f->address, 4), 0);
	assert_int_equal(f->device->mapped[TEST_BAR], f->address);
}

static void bar_moves_while_enabled(void **state)
{
	struct fixture *f = *state;

	enable(f);
	mmio_write(f->rig, f->address, 0xabcd, 2);
	config_write(f->rig, TEST_SLOT, BAR0, MOVED, 4);
	assert_int_equal(f->device->mapped[TEST_BAR], MOVED);
	assert_int_equal(mmio_read(f->rig, MOVED, 2), 0xabcd);
	assert_int_equal(mmio_read(f->rig, f->address, 2), 0xffff);
}

static void bar_moves_above_4gib(void **state)
{
	struct fixture *f = *state;
	uint64_t high = PCI_RIG_HIGH_BASE + 0x40000000;

	config_write(f->rig, TEST_SLOT, BAR0, (uint32_t)high, 4);
	config_write(f->rig, TEST_SLOT, BAR0 + 4, (uint32_t)(high >> 32), 4);
	enable(f);
	mmio_write(f->rig, high + TEST_BAR_SIZE - 4, 5, 4);
	assert_int_equal(mmio_read(f->rig, high + TEST_BAR_SIZE - 4, 4), 5);
}

static void bar_outside_the_windows_is_not_decoded(void **state)
{
	static const uint64_t outside[] = {
		0,
		0x100000,
		MACHINE_PCI32_BASE - TEST_BAR_SIZE,
		MACHINE_PCI32_BASE + MACHINE_PCI32_SIZE,
		MACHINE_ECAM_BASE,
		MACHINE_LAPIC_BASE,
		PCI_RIG_HIGH_BASE + MACHINE_PCI64_SIZE,
		0xffffffffffffc000,
	};
	struct fixture *f = *state;

	enable(f);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		config_write(f->rig, TEST_SLOT, BAR0, (uint32_t)outside[i], 4);
		config_write(f->rig, TEST_SLOT, BAR0 + 4,
			     (uint32_t)(outside[i] >> 32), 4);
		assert_true(f->device->mapped[TEST_BAR] == PCI_BAR_UNMAPPED);
	}
	assert_int_equal(config_read(f->rig, TEST_SLOT, 0, 2), TEST_VENDOR);
}

static void overlapping_bars_keep_the_first(void **state)
{
	struct fixture *f = *state;
	struct test_device *other = test_device_make(f->rig, TEST_SLOT + 1, 0);

	enable(f);
	f->device->memory[0] = 1;
	other->memory[0] = 2;
	config_write(f->rig, TEST_SLOT + 1, BAR0, (uint32_t)f->address, 4);
	config_command(f->rig, TEST_SLOT + 1, PCI_COMMAND_MEMORY, 0);
	assert_int_equal(mmio_read(f->rig, f->address, 1), 1);
	config_command(f->rig, TEST_SLOT, 0, PCI_COMMAND_MEMORY);
	assert_int_equal(mmio_read(f->rig, f->address, 1), 0xff);
	config_write(f->rig, TEST_SLOT + 1, BAR0, (uint32_t)f->address, 4);
	assert_int_equal(mmio_read(f->rig, f->address, 1), 2);
	test_device_free(other);
}

static void bars_swap_in_one_write(void **state)
{
	struct fixture *f = *state;
	uint64_t bar32 = config_read(f->rig, TEST_SLOT, BAR4, 4);
	uint64_t wide = (uint64_t)bar32;

	/* BAR 4 moves onto the old place of BAR 0 only after that has left. */
	enable(f);
	config_write(f->rig, TEST_SLOT, BAR4, (uint32_t)f->address, 4);
	assert_true(f->device->mapped[TEST_BAR32] == PCI_BAR_UNMAPPED);
	config_write(f->rig, TEST_SLOT, BAR0, MOVED, 4);
	assert_int_equal(f->device->mapped[TEST_BAR32], f->address);
	assert_int_equal(mmio_read(f->rig, wide, 4), 0xffffffff);
}

static void reset_restores_addresses(void **state)
{
	struct fixture *f = *state;

	enable(f);
	config_write(f->rig, TEST_SLOT, BAR0, MOVED, 4);
	config_write(f->rig, TEST_SLOT, PCI_INTERRUPT_LINE, 9, 1);
	pci_root_reset(f->rig->root);
	assert_int_equal(f->device->resets, 1);
	assert_int_equal(config_bar(f->rig, TEST_SLOT, TEST_BAR), f->address);
	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_COMMAND, 2), 0);
	assert_int_equal(config_read(f->rig, TEST_SLOT, PCI_INTERRUPT_LINE, 1),
			 TEST_GSI);
	assert_int_equal(mmio_read(f->rig, MOVED, 4), 0xffffffff);
	assert_true(f->device->mapped[TEST_BAR] == PCI_BAR_UNMAPPED);
}

static void large_bars_go_above_4gib(void **state)
{
	struct fixture *f = *state;
	uint64_t address = 0;

	assert_int_equal(
		pci_root_allocate(f->rig->root, 1ULL << 30, true, &address), 0);
	assert_int_equal(address, PCI_RIG_HIGH_BASE);
	assert_int_equal(
		pci_root_allocate(f->rig->root, 1ULL << 30, false, &address),
		-ENOSPC);
	assert_int_equal(
		pci_root_allocate(f->rig->root, 1ULL << 40, true, &address),
		-ENOSPC);
}

static void impossible_bars_are_refused(void **state)
{
	struct fixture *f = *state;
	struct pci_device *pci = &f->device->pci;

	assert_int_equal(pci_bar_add(pci, 5, PCI_BAR_MEM64, 4096), -EINVAL);
	assert_int_equal(pci_bar_add(pci, 6, PCI_BAR_MEM32, 4096), -EINVAL);
	assert_int_equal(pci_bar_add(pci, 5, PCI_BAR_MEM32, 4095), -EINVAL);
	assert_int_equal(pci_bar_add(pci, 5, PCI_BAR_MEM32, 0), -EINVAL);
	assert_int_equal(pci_bar_add(pci, 5, PCI_BAR_MEM32, 1ULL << 32),
			 -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_assigned_at_start),
		TEST(nothing_is_decoded_before_memory_enable),
		TEST(memory_enable_maps_and_unmaps),
		TEST(sizing_gives_the_size_of_a_64bit_bar),
		TEST(sizing_gives_the_size_of_a_32bit_bar),
		TEST(sizing_while_enabled_leaves_nothing_behind),
		TEST(bar_moves_while_enabled),
		TEST(bar_moves_above_4gib),
		TEST(bar_outside_the_windows_is_not_decoded),
		TEST(overlapping_bars_keep_the_first),
		TEST(bars_swap_in_one_write),
		TEST(reset_restores_addresses),
		TEST(large_bars_go_above_4gib),
		TEST(impossible_bars_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
