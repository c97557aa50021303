/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_DEVICE_H
#define MQVMM_VIRTIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Theory of operation
 *
 * A virtio device knows nothing of PCI: a transport (virtio_pci.c, later
 * vhost-user) negotiates features and queue addresses with the driver, then
 * starts the device with what was agreed. The device knows what its queues
 * carry and interrupts through the transport.
 *
 * The transport calls all of struct virtio_device_ops under its own lock, on a
 * vCPU thread. The device calls struct virtio_transport_ops from any thread,
 * without a lock.
 */

#define VIRTIO_QUEUES_MAX 2051 /* 1025 queue pairs and a control queue */

/**
 * struct virtio_queue_setup - What the driver asked for one queue
 * @enabled:	The driver enabled it; the rest is meaningful only then
 * @size:	Entries; a power of two, at most the device's maximum
 * @desc, @avail, @used: Guest physical addresses; not checked to be RAM
 */
struct virtio_queue_setup {
	bool enabled;
	uint16_t size;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
};

struct virtio_transport;

/**
 * struct virtio_transport_ops - What a device may ask of its transport
 * @queue_interrupt: Tell the driver that queue @queue has used buffers. Through
 *		the queue's MSI-X vector, or by ISR status and INTx. Any thread,
 *		lock-free, one system call at most.
 * @config_interrupt: Tell it that the configuration changed (also bumps the
 *		configuration generation)
 * @device_broken: Set DEVICE_NEEDS_RESET (virtio 1.2, 2.1.1) and tell the
 *		driver. Any thread.
 */
struct virtio_transport_ops {
	void (*queue_interrupt)(struct virtio_transport *transport,
				unsigned int queue);
	void (*config_interrupt)(struct virtio_transport *transport);
	void (*device_broken)(struct virtio_transport *transport);
};

/* Embedded as first member of an implementation. */
struct virtio_transport {
	const struct virtio_transport_ops *ops;
};

struct virtio_device;

/**
 * struct virtio_device_ops - What a transport asks of a device
 * @kick_fd:	The eventfd that a doorbell on queue @queue signals; -1 if the
 *		device wants @notify instead. Several queues may share one. The
 *		same for the device's life.
 * @notify:	A doorbell on a queue without an eventfd, on the vCPU thread
 * @config_read: Fill @data from the device's configuration space; reads beyond
 *		its end give zeros
 * @config_write: Take a write to it
 * @start:	DRIVER_OK was set: @features are agreed (a subset of what was
 *		offered), @queue has queue_count entries. Return: 0, or -errno
 *		when the rings are unusable (the transport then sets
 *		DEVICE_NEEDS_RESET)
 * @stop:	Reset by the driver, or the transport goes away: when it
 *		returns the device touches no guest memory. Also called when not
 *		started.
 */
struct virtio_device_ops {
	int (*kick_fd)(struct virtio_device *device, unsigned int queue);
	void (*notify)(struct virtio_device *device, unsigned int queue);
	void (*config_read)(struct virtio_device *device, uint32_t offset,
			    void *data, unsigned int size);
	void (*config_write)(struct virtio_device *device, uint32_t offset,
			     const void *data, unsigned int size);
	int (*start)(struct virtio_device *device,
		     struct virtio_transport *transport, uint64_t features,
		     const struct virtio_queue_setup *queue);
	void (*stop)(struct virtio_device *device);
};

/**
 * struct virtio_device - What a transport needs to know; embedded first
 * @ops:	The device's operations
 * @id:		Device type: 1 is network
 * @pci_class:	Class code for virtio-pci, 24 bits: 0x020000 is Ethernet
 * @features:	Offered; the transport adds nothing (VIRTIO_F_VERSION_1 is the
 *		device's to offer)
 * @queue_count: Virtqueues
 * @queue_size_max: Entries of each at most, a power of two
 */
struct virtio_device {
	const struct virtio_device_ops *ops;
	uint16_t id;
	uint32_t pci_class;
	uint64_t features;
	unsigned int queue_count;
	uint16_t queue_size_max;
};

#endif
