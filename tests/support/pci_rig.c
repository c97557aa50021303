/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/pci_rig.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

struct pci_rig *pci_rig_make(void)
{
	struct pci_rig *rig = calloc(1, sizeof(*rig));
	struct fail fail = { "" };
	struct pci_root_config config;

	assert_non_null(rig);
	rig->mmio = bus_create();
	rig->pio = bus_create();
	rig->irq = fake_irq_create();
	config = (struct pci_root_config) {
		.mmio = rig->mmio,
		.pio = rig->pio,
		.irq = fake_irq_controller(rig->irq),
		.pci64_base = PCI_RIG_HIGH_BASE,
	};
	assert_int_equal(pci_root_create(&config, &rig->root, &fail), 0);
	return rig;
}

void pci_rig_free(struct pci_rig *rig)
{
	pci_root_destroy(rig->root);
	fake_irq_destroy(rig->irq);
	bus_destroy(rig->mmio);
	bus_destroy(rig->pio);
	free(rig);
}

uint64_t mmio_read(struct pci_rig *rig, uint64_t address, unsigned int size)
{
	uint64_t value = 0;

	(void)bus_read(rig->mmio, address, &value, size);
	return value;
}

void mmio_write(struct pci_rig *rig, uint64_t address, uint64_t value,
		unsigned int size)
{
	(void)bus_write(rig->mmio, address, &value, size);
}

static uint64_t ecam(unsigned int slot, unsigned int offset)
{
	return MACHINE_ECAM_BASE + ((uint64_t)slot << 15) + offset;
}

uint32_t config_read(struct pci_rig *rig, unsigned int slot,
		     unsigned int offset, unsigned int size)
{
	return (uint32_t)mmio_read(rig, ecam(slot, offset), size);
}

void config_write(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		  uint32_t value, unsigned int size)
{
	mmio_write(rig, ecam(slot, offset), value, size);
}

static void set_port_address(struct pci_rig *rig, unsigned int slot,
			     unsigned int offset)
{
	uint32_t address = 0x80000000U | slot << 11 | (offset & 0xfc);

	assert_int_equal(bus_write(rig->pio, 0xcf8, &address, 4), 0);
}

uint32_t port_read(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		   unsigned int size)
{
	uint32_t value = 0;

	set_port_address(rig, slot, offset);
	(void)bus_read(rig->pio, 0xcfc + (offset & 3), &value, size);
	return value;
}

void port_write(struct pci_rig *rig, unsigned int slot, unsigned int offset,
		uint32_t value, unsigned int size)
{
	set_port_address(rig, slot, offset);
	(void)bus_write(rig->pio, 0xcfc + (offset & 3), &value, size);
}

unsigned int config_find(struct pci_rig *rig, unsigned int slot, uint8_t id,
			 unsigned int after)
{
	unsigned int pointer =
		after ? after + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST;

	for (;;) {
		unsigned int at = config_read(rig, slot, pointer, 1);

		if (at == 0 || config_read(rig, slot, at, 1) == id)
			return at;
		assert_true(at > pointer); /* ascending, so the list ends */
		pointer = at + PCI_CAP_LIST_NEXT;
	}
}

uint64_t config_bar(struct pci_rig *rig, unsigned int slot, unsigned int bar)
{
	unsigned int at = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t low = config_read(rig, slot, at, 4);
	uint64_t high = config_read(rig, slot, at + 4, 4);

	return high << 32 | (low & ~15ULL);
}

void config_command(struct pci_rig *rig, unsigned int slot, uint16_t set,
		    uint16_t clear)
{
	uint32_t command = config_read(rig, slot, PCI_COMMAND, 2);

	config_write(rig, slot, PCI_COMMAND, (command | set) & ~clear, 2);
}
