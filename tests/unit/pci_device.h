/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_UNIT_PCI_DEVICE_H
#define MQVMM_TESTS_UNIT_PCI_DEVICE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "support/pci_rig.h"

#define TEST_SLOT     3
#define TEST_VENDOR   0x1234
#define TEST_DEVICE   0x5678
#define TEST_CLASS    0x020000
#define TEST_BAR      0 /* 64-bit */
#define TEST_BAR_SIZE 0x4000
#define TEST_BAR32    4
#define TEST_MSIX_BAR 2
#define TEST_VECTORS  70 /* more than one quadword of pending bits */
#define TEST_GSI      (MACHINE_INTX_GSI_BASE + TEST_SLOT)

/**
 * struct test_device - A function that notes what it is told
 * @memory:	Behind TEST_BAR
 * @mapped:	Last told, by BAR
 * @moves:	Times it was told
 * @level:	Wants the line asserted
 * @asked:	Posted whenever @level is asked for
 * @switches:	Times MSI-X was switched
 * @resets:	Times it was reset
 */
struct test_device {
	struct pci_device pci;
	uint8_t memory[TEST_BAR_SIZE];
	uint64_t mapped[PCI_BARS];
	unsigned int moves;
	atomic_bool level;
	sem_t asked;
	unsigned int switches;
	unsigned int resets;
};

/* Plugged in, with TEST_BAR, TEST_BAR32, and MSI-X if @vectors is not 0. */
struct test_device *test_device_make(struct pci_rig *rig, unsigned int slot,
				     unsigned int vectors);
void test_device_free(struct test_device *device);
/* Set its level and assert the line. */
void test_device_interrupt(struct test_device *device);

#endif
