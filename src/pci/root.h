/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_PCI_ROOT_H
#define MQVMM_PCI_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "kvm/bus.h"
#include "kvm/irq.h"
#include "pci/device.h"

#define PCI_SLOTS 32 /* device numbers of a bus; 0 is the host bridge */

/**
 * struct pci_root_config - What a root complex is built on
 * @mmio:	For configuration space (ECAM) and BARs
 * @pio:	For configuration space through ports
 * @irq:	Where interrupts go
 * @pci64_base:	Window of 64-bit BARs, MACHINE_PCI64_SIZE bytes
 *
 * All outlive the root.
 */
struct pci_root_config {
	struct bus *mmio;
	struct bus *pio;
	struct irq_controller *irq;
	uint64_t pci64_base;
};

/**
 * pci_root_create() - Make a root complex with bus 0 and its host bridge
 * @config:	Copied
 * @out:	The root
 * @fail:	The cause, as a sentence
 *
 * Return: 0 or negative errno
 */
int pci_root_create(const struct pci_root_config *config, struct pci_root **out,
		    struct fail *fail);

/**
 * pci_root_destroy() - Free it; its devices were destroyed before
 * @root:	May be NULL; no vCPU runs
 */
void pci_root_destroy(struct pci_root *root);

/**
 * pci_root_attach() - Plug a complete device in: assign its BARs' addresses
 * @device:	Its slot (1 to 31) must be free
 *
 * Return: 0 or negative errno with @fail set
 *
 * Context: no vCPU runs.
 */
int pci_root_attach(struct pci_root *root, struct pci_device *device,
		    struct fail *fail);

/**
 * pci_root_detach() - Unplug a device, if it is plugged in
 *
 * Its addresses are not given to another one.
 *
 * Context: no vCPU runs.
 */
void pci_root_detach(struct pci_root *root, struct pci_device *device);

/**
 * pci_root_reset() - Reset all devices, for a guest that boots again
 *
 * Context: no vCPU runs.
 */
void pci_root_reset(struct pci_root *root);

/** pci_root_mmio() - Where BARs go */
struct bus *pci_root_mmio(const struct pci_root *root);

/** pci_root_irq() - Where interrupts go */
struct irq_controller *pci_root_irq(const struct pci_root *root);

/** pci_root_decodes() - Does the range lie in one of the windows for BARs? */
bool pci_root_decodes(const struct pci_root *root, uint64_t address,
		      uint64_t size);

/**
 * pci_root_allocate() - Find an address for a BAR
 * @size:	Bytes, a power of two; the address is a multiple of it
 * @is_64bit:	The upper window will do if the lower one is full
 *
 * Return: 0 or -ENOSPC
 */
int pci_root_allocate(struct pci_root *root, uint64_t size, bool is_64bit,
		      uint64_t *address);

#endif
