/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base/log.h"
#include "pci/event.h"
#include "pci/root.h"
#include "virtio/virtio_pci_internal.h"

/*
 * Theory of operation
 *
 * The driver to device direction. Each queue has an address of its own in the
 * notification structure. While the BAR is mapped and the queue enabled, the
 * kernel turns a write there into a signal on the device's eventfd. Where it
 * cannot, the write comes here, with the same outcome.
 */

static void remove_doorbell(struct virtio_pci *pci, unsigned int index)
{
	struct irq_controller *irq = pci_root_irq(pci->pci.root);
	struct virtio_pci_queue *queue = &pci->queue[index];

	irq->ops->doorbell_remove(
		irq, queue->doorbell, 0,
		pci->device->ops->kick_fd(pci->device, index));
	queue->doorbell = PCI_BAR_UNMAPPED;
}

static void add_doorbell(struct virtio_pci *pci, unsigned int index,
			 uint64_t address)
{
	struct irq_controller *irq = pci_root_irq(pci->pci.root);
	int rc;

	rc = irq->ops->doorbell_add(
		irq, address, 0, pci->device->ops->kick_fd(pci->device, index));
	if (rc == 0) {
		pci->queue[index].doorbell = address;
	} else if (!pci->doorbell_failed) {
		pci->doorbell_failed = true;
		log_line("queue %u in PCI slot %u has no doorbell in the "
			 "kernel, its notifications are slow: %s",
			 index, pci->pci.slot, strerror(-rc));
	}
}

void virtio_pci_doorbell_update(struct virtio_pci *pci, unsigned int index)
{
	struct virtio_pci_queue *queue = &pci->queue[index];
	uint64_t wanted = PCI_BAR_UNMAPPED;

	if (pci->registers != PCI_BAR_UNMAPPED && pci->setup[index].enabled &&
	    pci->device->ops->kick_fd(pci->device, index) >= 0)
		wanted = pci->registers + NOTIFY_OFFSET +
			 (uint64_t)index * NOTIFY_BYTES;
	if (queue->doorbell == wanted)
		return;
	if (queue->doorbell != PCI_BAR_UNMAPPED)
		remove_doorbell(pci, index);
	if (wanted != PCI_BAR_UNMAPPED)
		add_doorbell(pci, index, wanted);
}

void virtio_pci_doorbells_update(struct virtio_pci *pci)
{
	for (unsigned int i = 0; i < pci->device->queue_count; i++)
		virtio_pci_doorbell_update(pci, i);
}

/* 3.1.1: no notifications before DRIVER_OK. */
void virtio_pci_notify(struct virtio_pci *pci, uint64_t offset)
{
	struct virtio_device *device = pci->device;
	uint64_t index = offset / NOTIFY_BYTES;
	int kick_fd;

	if (offset % NOTIFY_BYTES != 0 || index >= device->queue_count ||
	    !pci->setup[index].enabled ||
	    !(virtio_pci_status(pci) & STATUS_DRIVER_OK))
		return;
	kick_fd = device->ops->kick_fd(device, (unsigned int)index);
	if (kick_fd >= 0)
		event_signal(kick_fd);
	else
		device->ops->notify(device, (unsigned int)index);
}
