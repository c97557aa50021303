/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/pci_device.h"

#include <stdlib.h>
#include <string.h>

static void bar_read(struct pci_device *pci, unsigned int bar, uint64_t offset,
		     void *data, unsigned int size)
{
	const struct test_device *device = (const struct test_device *)pci;

	assert_int_equal(bar, TEST_BAR);
	assert_true(offset + size <= TEST_BAR_SIZE);
	memcpy(data, device->memory + offset, size);
}

static void bar_write(struct pci_device *pci, unsigned int bar, uint64_t offset,
		      const void *data, unsigned int size)
{
	struct test_device *device = (struct test_device *)pci;

	assert_int_equal(bar, TEST_BAR);
	assert_true(offset + size <= TEST_BAR_SIZE);
	memcpy(device->memory + offset, data, size);
}

static void bar_mapped(struct pci_device *pci, unsigned int bar,
		       uint64_t address)
{
	struct test_device *device = (struct test_device *)pci;

	device->mapped[bar] = address;
	device->moves++;
}

static void interrupts_changed(struct pci_device *pci)
{
	((struct test_device *)pci)->switches++;
}

static bool intx_asserted(const struct pci_device *pci)
{
	struct test_device *device = (struct test_device *)pci;
	bool level = atomic_load(&device->level);

	sem_post(&device->asked);
	return level;
}

static void reset(struct pci_device *pci)
{
	struct test_device *device = (struct test_device *)pci;

	device->resets++;
	atomic_store(&device->level, false);
}

static const struct pci_device_ops test_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_mapped = bar_mapped,
	.interrupts_changed = interrupts_changed,
	.intx_asserted = intx_asserted,
	.reset = reset,
};

static const struct pci_identity test_identity = {
	.vendor = TEST_VENDOR,
	.device = TEST_DEVICE,
	.revision = 7,
	.class_code = TEST_CLASS,
	.subsystem_vendor = 0x9abc,
	.subsystem_device = 0xdef0,
};

struct test_device *test_device_make(struct pci_rig *rig, unsigned int slot,
				     unsigned int vectors)
{
	struct test_device *device = calloc(1, sizeof(*device));
	struct pci_device *pci = &device->pci;
	struct fail fail = { "" };

	assert_non_null(device);
	assert_int_equal(sem_init(&device->asked, 0, 0), 0);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		device->mapped[i] = PCI_BAR_UNMAPPED;
	assert_int_equal(pci_device_init(pci, rig->root, slot, &test_identity,
					 &test_ops),
			 0);
	assert_int_equal(
		pci_bar_add(pci, TEST_BAR, PCI_BAR_MEM64, TEST_BAR_SIZE), 0);
	assert_int_equal(pci_bar_add(pci, TEST_BAR32, PCI_BAR_MEM32, 4096), 0);
	if (vectors)
		assert_int_equal(pci_msix_add(pci, TEST_MSIX_BAR, vectors), 0);
	assert_int_equal(pci_root_attach(rig->root, pci, &fail), 0);
	return device;
}

void test_device_free(struct test_device *device)
{
	pci_device_destroy(&device->pci);
	sem_destroy(&device->asked);
	free(device);
}

void test_device_interrupt(struct test_device *device)
{
	atomic_store(&device->level, true);
	pci_intx_assert(&device->pci);
}
