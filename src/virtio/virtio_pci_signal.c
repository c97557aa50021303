/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "pci/event.h"
#include "virtio/virtio_pci_internal.h"

/*
 * Theory of operation
 *
 * The device to driver direction. Each queue has one atomic integer that says
 * how to interrupt for it: the eventfd of its MSI-X vector, INTx, or nothing.
 * It is worked out under the lock whenever the driver changes a vector or
 * switches MSI-X; interrupting is one load and one write(), without a lock.
 */

#define ISR_QUEUE  0x1 /* virtio 1.2, 4.1.4.5 */
#define ISR_CONFIG 0x2

static struct virtio_pci *to_pci(struct virtio_transport *transport)
{
	return (struct virtio_pci *)((char *)transport -
				     offsetof(struct virtio_pci, transport));
}

static int choose_signal(const struct virtio_pci *pci, uint16_t vector)
{
	if (!pci_msix_enabled(&pci->pci))
		return SIGNAL_INTX;
	if (vector == NO_VECTOR)
		return SIGNAL_NOTHING;
	return msix_vector_fd(pci->pci.msix, vector);
}

static uint16_t valid_vector(const struct virtio_pci *pci, uint16_t vector)
{
	const struct msix *msix = pci->pci.msix;

	return msix && vector < msix_vectors(msix) ? vector : NO_VECTOR;
}

void virtio_pci_set_vector(struct virtio_pci *pci, unsigned int index,
			   uint16_t vector)
{
	struct virtio_pci_queue *queue = &pci->queue[index];

	queue->vector = valid_vector(pci, vector);
	atomic_store_explicit(&pci->signal[index],
			      choose_signal(pci, queue->vector),
			      memory_order_relaxed);
}

void virtio_pci_set_config_vector(struct virtio_pci *pci, uint16_t vector)
{
	pci->config_vector = valid_vector(pci, vector);
	atomic_store_explicit(&pci->config_signal,
			      choose_signal(pci, pci->config_vector),
			      memory_order_relaxed);
}

void virtio_pci_signals_update(struct virtio_pci *pci)
{
	for (unsigned int i = 0; i < pci->device->queue_count; i++)
		virtio_pci_set_vector(pci, i, pci->queue[i].vector);
	virtio_pci_set_config_vector(pci, pci->config_vector);
}

/* Who finds the line asserted leaves it: the EOI asks for the state again. */
static void set_isr(struct virtio_pci *pci, uint8_t bit)
{
	/* Pairs with the exchange in virtio_pci_read_isr(). */
	uint8_t before = atomic_fetch_or(&pci->isr, bit);

	if (!before)
		pci_intx_assert(&pci->pci);
}

static void queue_interrupt(struct virtio_transport *transport,
			    unsigned int queue)
{
	struct virtio_pci *pci = to_pci(transport);
	int signal =
		atomic_load_explicit(&pci->signal[queue], memory_order_relaxed);

	if (signal >= 0)
		event_signal(signal);
	else if (signal == SIGNAL_INTX)
		set_isr(pci, ISR_QUEUE);
}

static void config_interrupt(struct virtio_transport *transport)
{
	struct virtio_pci *pci = to_pci(transport);
	int signal;

	/* Pairs with the load in virtio_pci_common_read(). */
	atomic_fetch_add(&pci->generation, 1);
	signal =
		atomic_load_explicit(&pci->config_signal, memory_order_relaxed);
	if (signal == SIGNAL_INTX) {
		set_isr(pci, ISR_CONFIG);
		return;
	}
	/* 4.1.4.5.1: before the notification, with MSI-X too. */
	atomic_fetch_or(&pci->isr, ISR_CONFIG);
	if (signal >= 0)
		event_signal(signal);
}

/* 2.1.2: the driver is told only once it has set DRIVER_OK. */
static void device_broken(struct virtio_transport *transport)
{
	struct virtio_pci *pci = to_pci(transport);
	/* Pairs with the ORs of write_status() and start(). */
	uint8_t before = atomic_fetch_or(&pci->status, STATUS_NEEDS_RESET);

	if ((before & STATUS_DRIVER_OK) && !(before & STATUS_NEEDS_RESET))
		config_interrupt(transport);
}

const struct virtio_transport_ops virtio_pci_transport_ops = {
	.queue_interrupt = queue_interrupt,
	.config_interrupt = config_interrupt,
	.device_broken = device_broken,
};

uint8_t virtio_pci_read_isr(struct virtio_pci *pci)
{
	/* Pairs with set_isr(): what comes after this asserts again. */
	return atomic_exchange(&pci->isr, 0);
}

bool virtio_pci_intx_asserted(const struct pci_device *device)
{
	const struct virtio_pci *pci = (const struct virtio_pci *)device;

	/* Pairs with set_isr(), which signals after it has set a bit. */
	return atomic_load(&pci->isr) != 0;
}
