/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_VIRTIO_PCI_INTERNAL_H
#define MQVMM_VIRTIO_VIRTIO_PCI_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pci/device.h"
#include "virtio/device.h"

/* Private to the virtio-pci transport. */

/* virtio 1.2, 2.1: device status. */
#define STATUS_ACKNOWLEDGE 0x01
#define STATUS_DRIVER      0x02
#define STATUS_DRIVER_OK   0x04
#define STATUS_FEATURES_OK 0x08
#define STATUS_NEEDS_RESET 0x40
#define STATUS_FAILED      0x80

#define NO_VECTOR 0xffff /* 4.1.4.3 */

/* Instead of an eventfd, where there is no MSI-X vector to signal. */
#define SIGNAL_NOTHING (-1)
#define SIGNAL_INTX    (-2)

/* The BAR of registers; each structure has pages of its own. */
#define REGISTER_BAR  0
#define MSIX_BAR      2
#define COMMON_OFFSET 0x0000
#define ISR_OFFSET    0x1000
#define DEVICE_OFFSET 0x2000
#define DEVICE_SIZE   0x1000
#define NOTIFY_OFFSET 0x3000
#define NOTIFY_BYTES  4 /* notify_off_multiplier */

/**
 * struct virtio_pci_queue - What the transport keeps of a queue
 * @vector:	As the driver wrote it, NO_VECTOR if it was invalid
 * @doorbell:	Address of its ioeventfd, PCI_BAR_UNMAPPED if there is none
 */
struct virtio_pci_queue {
	uint16_t vector;
	uint64_t doorbell;
};

/**
 * struct virtio_pci - The transport
 * @pci:	The function. Its lock guards what follows, but for atomics.
 * @transport:	What the device sees
 * @device:	The device
 * @status:	Device status; any thread may set NEEDS_RESET
 * @generation:	Of the configuration (4.1.4.3); any thread counts
 * @isr:	Interrupt status (4.1.4.5); any thread sets, the driver clears
 * @config_signal: How the driver hears of changes: eventfd or SIGNAL_...
 * @signal:	The same for each queue: written under the lock, read by any
 *		thread. Eventfds stay open for the transport's life, so a stale
 *		one is harmless.
 * @device_feature_select, @driver_feature_select, @queue_select: Driver's, any
 *		value
 * @driver_features: As the driver wrote them; agreed once FEATURES_OK is set
 * @config_vector: As a queue's
 * @registers:	Where the BAR is mapped, PCI_BAR_UNMAPPED if it is not
 * @window:	Offset in configuration space of the PCI_CFG capability
 *(4.1.4.9)
 * @doorbell_failed: That KVM refused a doorbell was logged
 * @setup:	device->queue_count queues as the driver set them up
 * @queue:	The rest about them
 */
struct virtio_pci {
	struct pci_device pci;
	struct virtio_transport transport;
	struct virtio_device *device;
	_Atomic uint8_t status;
	_Atomic uint8_t generation;
	_Atomic uint8_t isr;
	_Atomic int config_signal;
	_Atomic int *signal;
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint16_t queue_select;
	uint64_t driver_features;
	uint16_t config_vector;
	uint64_t registers;
	unsigned int window;
	bool doorbell_failed;
	struct virtio_queue_setup *setup;
	struct virtio_pci_queue *queue;
};

static inline uint8_t virtio_pci_status(const struct virtio_pci *pci)
{
	return atomic_load_explicit(&pci->status, memory_order_relaxed);
}

/**
 * virtio_pci_common_read(), virtio_pci_common_write() - Access the common
 *		configuration structure (4.1.4.3)
 * @offset:	Bytes, any
 * @size:	1 to 8 bytes
 *
 * Reads may be of any kind. Writes must be of one whole field, or of half of a
 * 64-bit one, as 4.1.3.1 demands of drivers; others are dropped.
 *
 * Context: vCPU threads, under the lock; may sleep.
 */
void virtio_pci_common_read(struct virtio_pci *pci, uint64_t offset, void *data,
			    unsigned int size);
void virtio_pci_common_write(struct virtio_pci *pci, uint64_t offset,
			     const void *data, unsigned int size);

/**
 * virtio_pci_stop() - Stop the device, forget what the driver set up
 *
 * Context: under the lock; waits until the device touches no guest memory.
 */
void virtio_pci_stop(struct virtio_pci *pci);

/**
 * virtio_pci_doorbells_update() - Make all doorbells what the BAR's place and
 *		the queues' state say
 *
 * Context: under the lock.
 */
void virtio_pci_doorbells_update(struct virtio_pci *pci);

/** virtio_pci_doorbell_update() - The same for one queue */
void virtio_pci_doorbell_update(struct virtio_pci *pci, unsigned int index);

/**
 * virtio_pci_notify() - The driver wrote to the notification structure
 *		(4.1.4.4), and the kernel did not take it
 * @offset:	Bytes from its start, any
 *
 * Context: vCPU threads, under the lock.
 */
void virtio_pci_notify(struct virtio_pci *pci, uint64_t offset);

/* What a device may ask of the transport: any thread, lock-free. */
extern const struct virtio_transport_ops virtio_pci_transport_ops;

/**
 * virtio_pci_signals_update() - Choose again how each queue interrupts: after
 *		the guest switched MSI-X, or a reset
 *
 * Context: under the lock.
 */
void virtio_pci_signals_update(struct virtio_pci *pci);

/**
 * virtio_pci_set_vector() - Route a queue's interrupts to an MSI-X vector
 * @vector:	Any; one that does not exist becomes NO_VECTOR (4.1.5.1.2)
 *
 * Context: under the lock.
 */
void virtio_pci_set_vector(struct virtio_pci *pci, unsigned int index,
			   uint16_t vector);

/** virtio_pci_set_config_vector() - The same for configuration changes */
void virtio_pci_set_config_vector(struct virtio_pci *pci, uint16_t vector);

/**
 * virtio_pci_read_isr() - The driver reads, and so clears, interrupt status
 *
 * Context: vCPU threads.
 */
uint8_t virtio_pci_read_isr(struct virtio_pci *pci);

/** virtio_pci_intx_asserted() - Is there interrupt status? Any thread. */
bool virtio_pci_intx_asserted(const struct pci_device *device);

#endif
