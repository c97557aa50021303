/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_SUPPORT_PCI_RIG_H
#define MQVMM_TESTS_SUPPORT_PCI_RIG_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "kvm/bus.h"
#include "kvm/machine.h"
#include "pci/root.h"
#include "support/fake_irq.h"

/*
 * A PCI root between buses that the test drives as a guest would, and an
 * interrupt controller that the test asks.
 */

#define PCI_RIG_HIGH_BASE 0x200000000ULL /* window of 64-bit BARs */

struct pci_rig {
	struct bus *mmio;
	struct bus *pio;
	struct fake_irq *irq;
	struct pci_root *root;
};

/* Assert success. */
struct pci_rig *pci_rig_make(void);
void pci_rig_free(struct pci_rig *rig);

/* What a guest's access to memory gives: all ones where nothing is. */
uint64_t mmio_read(struct pci_rig *rig, uint64_t address, unsigned int size);
void mmio_write(struct pci_rig *rig, uint64_t address, uint64_t value,
		unsigned int size);

/* Configuration space of a slot through ECAM. */
uint32_t config_read(struct pci_rig *rig, unsigned int slot,
		     unsigned int offset, unsigned int size);
void config_write(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		  uint32_t value, unsigned int size);

/* The same through the ports. */
uint32_t port_read(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		   unsigned int size);
void port_write(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		uint32_t value, unsigned int size);

/* Where a capability is, from @after on (0: the first). Return: 0 for none. */
unsigned int config_find(struct pci_rig *rig, unsigned int slot, uint8_t id,
			 unsigned int after);
/* The address in a 64-bit BAR. */
uint64_t config_bar(struct pci_rig *rig, unsigned int slot, unsigned int bar);
/* Set bits of the command register, or clear them. */
void config_command(struct pci_rig *rig, unsigned int slot, uint16_t set,
		    uint16_t clear);

#endif
