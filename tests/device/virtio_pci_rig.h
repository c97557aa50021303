/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DEVICE_VIRTIO_PCI_RIG_H
#define MQVMM_TESTS_DEVICE_VIRTIO_PCI_RIG_H

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "support/pci_rig.h"
#include "virtio/device.h"
#include "virtio/virtio_pci.h"

/*
 * A trivial virtio device behind the transport, and the registers as a driver
 * finds them: by walking the capability list.
 */

#define FAKE_SLOT     4
#define FAKE_ID       1
#define FAKE_QUEUES   5 /* the last one has no eventfd */
#define FAKE_VECTORS  (FAKE_QUEUES + 1)
#define FAKE_SIZE     256
#define FAKE_FEATURES (1ULL << VIRTIO_F_VERSION_1 | 1ULL << 5 | 1ULL << 29)
#define FAKE_GSI      (MACHINE_INTX_GSI_BASE + FAKE_SLOT)

#define KNOWN     (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define AGREED    (KNOWN | VIRTIO_CONFIG_S_FEATURES_OK)
#define RUNNING   (AGREED | VIRTIO_CONFIG_S_DRIVER_OK)
#define NO_VECTOR VIRTIO_MSI_NO_VECTOR

/**
 * struct fake_device - Notes what the transport asks of it
 * @start_error: What start is to return
 * @starts, @stops, @notified: Calls; @notified_queue the last one's
 * @running:	Between start and stop
 * @features, @setup: As start got them
 * @config:	Its configuration space
 */
struct fake_device {
	struct virtio_device device;
	struct virtio_transport *transport;
	unsigned int queues;
	int *kick_fd;
	int start_error;
	unsigned int starts;
	unsigned int stops;
	bool running;
	unsigned int notified;
	unsigned int notified_queue;
	uint64_t features;
	struct virtio_queue_setup setup[FAKE_QUEUES];
	uint8_t config[16];
};

/**
 * struct driver - A driver's view
 * @common, @isr, @config, @notify: Addresses of the structures
 */
struct driver {
	struct pci_rig *rig;
	struct fake_device *fake;
	struct virtio_pci *pci;
	uint64_t common;
	uint64_t isr;
	uint64_t config;
	uint64_t notify;
	uint32_t notify_multiplier;
	uint64_t msix_table;
	unsigned int msix_control;
};

/* Memory decoding is on, nothing else was done. Assert success. */
struct driver *driver_make(unsigned int queues);
void driver_free(struct driver *driver);
/* For cmocka: *state is a driver of FAKE_QUEUES queues. */
int driver_setup(void **state);
int driver_teardown(void **state);

/* Offset and size of a field of the kernel's structure. */
#define COMMON(field)                                  \
	offsetof(struct virtio_pci_common_cfg, field), \
		sizeof(((struct virtio_pci_common_cfg *)0)->field)
uint32_t common_read(struct driver *driver, unsigned int offset,
		     unsigned int size);
void common_write(struct driver *driver, unsigned int offset, unsigned int size,
		  uint32_t value);

uint8_t status_get(struct driver *driver);
void status_set(struct driver *driver, uint8_t status);
uint64_t features_offered(struct driver *driver);
void features_take(struct driver *driver, uint64_t features);
/* Acknowledge, take FAKE_FEATURES, FEATURES_OK. Asserts that it was taken. */
void driver_negotiate(struct driver *driver);
/* Select it, set it up at some address of its own. */
void queue_set_up(struct driver *driver, unsigned int queue, uint16_t size);
void queue_enable(struct driver *driver, unsigned int queue);
/* All queues, DRIVER_OK; asserts that it was taken. */
void driver_start(struct driver *driver);

/* The guest writes a queue's doorbell. Return: true if it would have exited. */
bool driver_kick(struct driver *driver, unsigned int queue);
/* How often the queue's eventfd was signalled; forgets it. */
uint64_t fake_kicks(struct fake_device *fake, unsigned int queue);

/* Enable MSI-X; all vectors unmasked, vector i has data i. */
void driver_enable_msix(struct driver *driver);
#define MSIX_ADDRESS 0xfee00000ULL
/* Interrupts that arrived on the vector. */
uint64_t driver_interrupts(struct driver *driver, unsigned int vector);

#endif
