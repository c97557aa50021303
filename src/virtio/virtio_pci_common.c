/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "virtio/virtio_pci_internal.h"
#include "virtio/vring.h"

/*
 * Theory of operation
 *
 * The common configuration structure: how driver and device get to know each
 * other (virtio 1.2, 3.1 and 4.1.4.3). All that the driver writes is judged and
 * kept here; the device sees it only at DRIVER_OK. What a driver must not do is
 * ignored, so that registers always hold something valid.
 */

/* 4.1.4.3, with the two fields that only unoffered features use. */
struct common {
	uint32_t device_feature_select;
	uint32_t device_feature;
	uint32_t driver_feature_select;
	uint32_t driver_feature;
	uint16_t config_msix_vector;
	uint16_t num_queues;
	uint8_t device_status;
	uint8_t config_generation;
	uint16_t queue_select;
	uint16_t queue_size;
	uint16_t queue_msix_vector;
	uint16_t queue_enable;
	uint16_t queue_notify_off;
	uint64_t queue_desc;
	uint64_t queue_driver;
	uint64_t queue_device;
	uint16_t queue_notify_data;
	uint16_t queue_reset;
	uint32_t unused;
};

_Static_assert(sizeof(struct common) == 64, "layout of the structure");
_Static_assert(offsetof(struct common, queue_desc) == 32, "and of its queue");

/* Bits that a driver may set (2.1); the rest is the device's. */
#define STATUS_DRIVER_BITS                                       \
	(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | \
	 STATUS_FEATURES_OK | STATUS_FAILED)

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static bool queue_is_valid(const struct virtio_pci *pci)
{
	return pci->queue_select < pci->device->queue_count;
}

/* 4.1.4.3.1: a queue that does not exist has size 0. */
static void fill_queue(const struct virtio_pci *pci, struct common *common)
{
	const struct virtio_queue_setup *setup;

	if (!queue_is_valid(pci))
		return;
	setup = &pci->setup[pci->queue_select];
	common->queue_size = setup->size;
	common->queue_msix_vector = pci->queue[pci->queue_select].vector;
	common->queue_enable = setup->enabled;
	common->queue_notify_off = pci->queue_select;
	common->queue_desc = setup->desc;
	common->queue_driver = setup->avail;
	common->queue_device = setup->used;
}

void virtio_pci_common_read(struct virtio_pci *pci, uint64_t offset, void *data,
			    unsigned int size)
{
	struct common common = {
		.device_feature_select = pci->device_feature_select,
		.device_feature = feature_word(pci->device->features,
					       pci->device_feature_select),
		.driver_feature_select = pci->driver_feature_select,
		.driver_feature = feature_word(pci->driver_features,
					       pci->driver_feature_select),
		.config_msix_vector = pci->config_vector,
		.num_queues = (uint16_t)pci->device->queue_count,
		.device_status = virtio_pci_status(pci),
		.config_generation = atomic_load(&pci->generation),
		.queue_select = pci->queue_select,
	};

	memset(data, 0, size);
	if (offset >= sizeof(common))
		return;
	if (size > sizeof(common) - offset)
		size = (unsigned int)(sizeof(common) - offset);
	fill_queue(pci, &common);
	memcpy(data, (const uint8_t *)&common + offset, size);
}

/* 2.2: agreed once FEATURES_OK is set. */
static void write_driver_feature(struct virtio_pci *pci, uint32_t value)
{
	unsigned int shift = 32 * (pci->driver_feature_select & 1);

	if (pci->driver_feature_select > 1 ||
	    (virtio_pci_status(pci) & STATUS_FEATURES_OK))
		return;
	pci->driver_features &= ~(0xffffffffULL << shift);
	pci->driver_features |= (uint64_t)value << shift;
}

static bool features_acceptable(const struct virtio_pci *pci)
{
	return (pci->driver_features & ~pci->device->features) == 0 &&
	       (pci->driver_features & VIRTIO_F_VERSION_1);
}

static void start(struct virtio_pci *pci)
{
	struct virtio_device *device = pci->device;

	/* First: the device may interrupt before its start returns. */
	atomic_fetch_or(&pci->status, STATUS_DRIVER_OK);
	pci_intx_use(&pci->pci, true);
	if (device->ops->start(device, &pci->transport, pci->driver_features,
			       pci->setup) < 0)
		pci->transport.ops->device_broken(&pci->transport);
}

/*
 * 3.1.1: each step needs the ones before it; 2.1.1: bits are cleared only by
 * reset. NEEDS_RESET can come from another thread at any time, thus the ORs.
 */
static void write_status(struct virtio_pci *pci, uint8_t value)
{
	const uint8_t known = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
	uint8_t status = virtio_pci_status(pci);
	uint8_t rising;

	if (value == 0) {
		virtio_pci_stop(pci);
		return;
	}
	rising = value & STATUS_DRIVER_BITS & (uint8_t)~status;
	status |= rising & (known | STATUS_FAILED);
	if ((rising & STATUS_FEATURES_OK) && (status & known) == known &&
	    features_acceptable(pci))
		status |= STATUS_FEATURES_OK;
	atomic_fetch_or(&pci->status, status);
	if ((rising & STATUS_DRIVER_OK) && (status & STATUS_FEATURES_OK) &&
	    !(status & (STATUS_FAILED | STATUS_NEEDS_RESET)))
		start(pci);
}

/* 4.1.4.3.2: a queue is set up after the features and before it is enabled. */
static struct virtio_queue_setup *queue_to_set_up(struct virtio_pci *pci)
{
	struct virtio_queue_setup *setup;

	if (!queue_is_valid(pci))
		return NULL;
	setup = &pci->setup[pci->queue_select];
	return setup->enabled ? NULL : setup;
}

static void write_queue_size(struct virtio_pci *pci, uint16_t size)
{
	struct virtio_queue_setup *setup = queue_to_set_up(pci);

	if (setup && size != 0 && (size & (size - 1)) == 0 &&
	    size <= pci->device->queue_size_max)
		setup->size = size;
}

static void write_queue_enable(struct virtio_pci *pci, uint16_t value)
{
	struct virtio_queue_setup *setup = queue_to_set_up(pci);
	uint8_t status = virtio_pci_status(pci);

	if (!setup || value != 1 || !(status & STATUS_FEATURES_OK) ||
	    (status & STATUS_DRIVER_OK))
		return;
	setup->enabled = true;
	virtio_pci_doorbell_update(pci, pci->queue_select);
}

/* @data is all of a 64-bit address or one half of it. */
static void write_address(uint64_t *address, uint64_t offset, const void *data,
			  unsigned int size)
{
	memcpy((uint8_t *)address + offset % sizeof(*address), data, size);
}

static void write_queue_address(struct virtio_pci *pci, uint64_t offset,
				const void *data, unsigned int size)
{
	struct virtio_queue_setup *setup = queue_to_set_up(pci);

	if (!setup)
		return;
	if (offset < offsetof(struct common, queue_driver))
		write_address(&setup->desc, offset, data, size);
	else if (offset < offsetof(struct common, queue_device))
		write_address(&setup->avail, offset, data, size);
	else
		write_address(&setup->used, offset, data, size);
}

static void write_dword(struct virtio_pci *pci, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case offsetof(struct common, device_feature_select):
		pci->device_feature_select = value;
		break;
	case offsetof(struct common, driver_feature_select):
		pci->driver_feature_select = value;
		break;
	case offsetof(struct common, driver_feature):
		write_driver_feature(pci, value);
		break;
	default:
		break;
	}
}

static void write_word(struct virtio_pci *pci, uint64_t offset, uint16_t value)
{
	switch (offset) {
	case offsetof(struct common, config_msix_vector):
		virtio_pci_set_config_vector(pci, value);
		break;
	case offsetof(struct common, queue_select):
		pci->queue_select = value;
		break;
	case offsetof(struct common, queue_size):
		write_queue_size(pci, value);
		break;
	case offsetof(struct common, queue_msix_vector):
		if (queue_is_valid(pci))
			virtio_pci_set_vector(pci, pci->queue_select, value);
		break;
	case offsetof(struct common, queue_enable):
		write_queue_enable(pci, value);
		break;
	default:
		break;
	}
}

static bool is_address(uint64_t offset, unsigned int size)
{
	return offset >= offsetof(struct common, queue_desc) &&
	       offset < offsetof(struct common, queue_notify_data) &&
	       (size == 4 || size == 8) && offset % size == 0;
}

void virtio_pci_common_write(struct virtio_pci *pci, uint64_t offset,
			     const void *data, unsigned int size)
{
	uint16_t word;
	uint32_t dword;

	if (is_address(offset, size)) {
		write_queue_address(pci, offset, data, size);
	} else if (size == sizeof(dword)) {
		memcpy(&dword, data, size);
		write_dword(pci, offset, dword);
	} else if (size == sizeof(word)) {
		memcpy(&word, data, size);
		write_word(pci, offset, word);
	} else if (size == 1 &&
		   offset == offsetof(struct common, device_status)) {
		write_status(pci, *(const uint8_t *)data);
	}
}

static void reset_queue(struct virtio_pci *pci, unsigned int index)
{
	uint16_t vector = pci->queue[index].vector;

	pci->setup[index] = (struct virtio_queue_setup) {
		.size = pci->device->queue_size_max
	};
	virtio_pci_doorbell_update(pci, index);
	virtio_pci_set_vector(pci, index, NO_VECTOR);
	if (vector != NO_VECTOR)
		msix_forget_pending(pci->pci.msix, vector);
}

void virtio_pci_stop(struct virtio_pci *pci)
{
	uint16_t config_vector = pci->config_vector;

	pci->device->ops->stop(pci->device);
	for (unsigned int i = 0; i < pci->device->queue_count; i++)
		reset_queue(pci, i);
	virtio_pci_set_config_vector(pci, NO_VECTOR);
	if (config_vector != NO_VECTOR)
		msix_forget_pending(pci->pci.msix, config_vector);
	pci_intx_use(&pci->pci, false);
	pci->device_feature_select = 0;
	pci->driver_feature_select = 0;
	pci->driver_features = 0;
	pci->queue_select = 0;
	atomic_store(&pci->isr, 0);
	atomic_store(&pci->status, 0);
}
