/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_VIRTIO_PCI_H
#define MQVMM_VIRTIO_VIRTIO_PCI_H

#include "base/fail.h"
#include "pci/root.h"
#include "virtio/device.h"

struct virtio_pci;

/**
 * virtio_pci_create() - Plug a virtio device into PCI (virtio 1.2, 4.1)
 * @root:	Where to
 * @slot:	Device number, 1 to 31, free
 * @device:	Outlives the transport; stopped
 * @out:	The transport
 * @fail:	The cause, as a sentence
 *
 * Return: 0 or negative errno
 *
 * Context: no vCPU runs.
 */
int virtio_pci_create(struct pci_root *root, unsigned int slot,
		      struct virtio_device *device, struct virtio_pci **out,
		      struct fail *fail);

/**
 * virtio_pci_reset() - Stop the device, everything back to power-on
 *
 * For one device; pci_root_reset() does it for all.
 *
 * Context: no vCPU runs.
 */
void virtio_pci_reset(struct virtio_pci *pci);

/**
 * virtio_pci_destroy() - Stop the device, unplug and free the transport
 * @pci:	May be NULL
 *
 * Context: no vCPU runs.
 */
void virtio_pci_destroy(struct virtio_pci *pci);

#endif
