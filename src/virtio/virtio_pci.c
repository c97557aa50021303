/* SPDX-License-Identifier: BSD-3-Clause */
#include "virtio/virtio_pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/virtio_pci_internal.h"

/*
 * Theory of operation
 *
 * The modern virtio-pci transport (virtio 1.2, 4.1). This file makes the PCI
 * function and carries accesses to its BAR to the structure they hit:
 * virtio_pci_common.c negotiates, virtio_pci_doorbell.c takes notifications,
 * virtio_pci_signal.c interrupts. All but interrupts happens under the
 * function's lock, on vCPU threads.
 *
 * There are at most 2048 vectors, so a device with more queues than that has
 * some that must share one.
 */

#define VIRTIO_VENDOR      0x1af4
#define VIRTIO_DEVICE_BASE 0x1040
#define VIRTIO_REVISION    1
#define COMMON_SIZE        60 /* 4.1.4.3 */
#define ISR_SIZE           1
#define REGISTER_BAR_MIN   0x4000 /* bytes, a power of two */

static struct virtio_pci *to_virtio(struct pci_device *device)
{
	return (struct virtio_pci *)device;
}

static uint32_t notify_size(const struct virtio_pci *pci)
{
	return pci->device->queue_count * NOTIFY_BYTES;
}

static uint64_t register_bar_size(const struct virtio_pci *pci)
{
	uint64_t size = REGISTER_BAR_MIN;

	while (size < NOTIFY_OFFSET + (uint64_t)notify_size(pci))
		size *= 2;
	return size;
}

static void bar_read(struct pci_device *device, unsigned int bar,
		     uint64_t offset, void *data, unsigned int size)
{
	struct virtio_pci *pci = to_virtio(device);
	struct virtio_device *virtio = pci->device;

	(void)bar;
	memset(data, 0, size);
	if (offset < ISR_OFFSET)
		virtio_pci_common_read(pci, offset, data, size);
	else if (offset == ISR_OFFSET)
		*(uint8_t *)data = virtio_pci_read_isr(pci);
	else if (offset >= DEVICE_OFFSET && offset < NOTIFY_OFFSET)
		virtio->ops->config_read(
			virtio, (uint32_t)(offset - DEVICE_OFFSET), data, size);
}

static void bar_write(struct pci_device *device, unsigned int bar,
		      uint64_t offset, const void *data, unsigned int size)
{
	struct virtio_pci *pci = to_virtio(device);
	struct virtio_device *virtio = pci->device;

	(void)bar;
	if (offset < ISR_OFFSET)
		virtio_pci_common_write(pci, offset, data, size);
	else if (offset >= NOTIFY_OFFSET)
		virtio_pci_notify(pci, offset - NOTIFY_OFFSET);
	else if (offset >= DEVICE_OFFSET)
		virtio->ops->config_write(
			virtio, (uint32_t)(offset - DEVICE_OFFSET), data, size);
}

static void bar_mapped(struct pci_device *device, unsigned int bar,
		       uint64_t address)
{
	struct virtio_pci *pci = to_virtio(device);

	if (bar != REGISTER_BAR)
		return;
	pci->registers = address;
	virtio_pci_doorbells_update(pci);
}

static unsigned int window_data(const struct virtio_pci *pci)
{
	return pci->window + sizeof(struct virtio_pci_cap);
}

static bool touches_window(const struct virtio_pci *pci, unsigned int offset,
			   unsigned int size)
{
	return offset < window_data(pci) + sizeof(uint32_t) &&
	       window_data(pci) < offset + size;
}

/*
 * 4.1.4.9: where the driver's window points to. Return: bytes, 0 if it points
 * nowhere
 */
static unsigned int window_target(const struct virtio_pci *pci,
				  uint64_t *offset)
{
	const uint8_t *window = pci->pci.config + pci->window;
	uint32_t length = pci_get32(window + VIRTIO_PCI_CAP_LENGTH);

	*offset = pci_get32(window + VIRTIO_PCI_CAP_OFFSET);
	if (window[VIRTIO_PCI_CAP_BAR] != REGISTER_BAR ||
	    (length != 1 && length != 2 && length != 4) ||
	    *offset % length != 0 || *offset >= register_bar_size(pci))
		return 0;
	return length;
}

static void config_read(struct pci_device *device, unsigned int offset,
			unsigned int size)
{
	struct virtio_pci *pci = to_virtio(device);
	uint64_t target;
	unsigned int length;

	if (!touches_window(pci, offset, size))
		return;
	length = window_target(pci, &target);
	if (length)
		bar_read(device, REGISTER_BAR, target,
			 device->config + window_data(pci), length);
}

static void config_written(struct pci_device *device, unsigned int offset,
			   unsigned int size)
{
	struct virtio_pci *pci = to_virtio(device);
	uint64_t target;
	unsigned int length;

	if (!touches_window(pci, offset, size))
		return;
	length = window_target(pci, &target);
	if (length)
		bar_write(device, REGISTER_BAR, target,
			  device->config + window_data(pci), length);
}

static void interrupts_changed(struct pci_device *device)
{
	virtio_pci_signals_update(to_virtio(device));
}

static void reset(struct pci_device *device)
{
	struct virtio_pci *pci = to_virtio(device);

	virtio_pci_stop(pci);
	atomic_store(&pci->generation, 0);
	pci->doorbell_failed = false;
}

static const struct pci_device_ops virtio_pci_ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.bar_mapped = bar_mapped,
	.config_read = config_read,
	.config_written = config_written,
	.interrupts_changed = interrupts_changed,
	.intx_asserted = virtio_pci_intx_asserted,
	.reset = reset,
};

/* 4.1.4. Return: the capability's offset or -ENOSPC */
static int add_capability(struct virtio_pci *pci, uint8_t type, uint32_t offset,
			  uint32_t length, unsigned int size)
{
	int at = pci_capability_add(&pci->pci, PCI_CAP_ID_VNDR, size);
	uint8_t *capability = pci->pci.config + at;

	if (at < 0)
		return at;
	capability[VIRTIO_PCI_CAP_LEN] = (uint8_t)size;
	capability[VIRTIO_PCI_CAP_CFG_TYPE] = type;
	capability[VIRTIO_PCI_CAP_BAR] = REGISTER_BAR;
	pci_set32(capability + VIRTIO_PCI_CAP_OFFSET, offset);
	pci_set32(capability + VIRTIO_PCI_CAP_LENGTH, length);
	return at;
}

static int add_notify(struct virtio_pci *pci)
{
	int at = add_capability(pci, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY_OFFSET,
				notify_size(pci),
				sizeof(struct virtio_pci_notify_cap));

	if (at >= 0)
		pci_set32(pci->pci.config + at + VIRTIO_PCI_NOTIFY_CAP_MULT,
			  NOTIFY_BYTES);
	return at;
}

static int add_window(struct virtio_pci *pci)
{
	int at = add_capability(pci, VIRTIO_PCI_CAP_PCI_CFG, 0, 0,
				sizeof(struct virtio_pci_cfg_cap));
	uint8_t *writable = pci->pci.writable + at;

	if (at < 0)
		return at;
	pci->window = (unsigned int)at;
	writable[VIRTIO_PCI_CAP_BAR] = 0xff;
	pci_set32(writable + VIRTIO_PCI_CAP_OFFSET, UINT32_MAX);
	pci_set32(writable + VIRTIO_PCI_CAP_LENGTH, UINT32_MAX);
	pci_set32(writable + sizeof(struct virtio_pci_cap), UINT32_MAX);
	return at;
}

static int add_capabilities(struct virtio_pci *pci)
{
	const unsigned int size = sizeof(struct virtio_pci_cap);
	int rc;

	rc = add_capability(pci, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_OFFSET,
			    COMMON_SIZE, size);
	if (rc >= 0)
		rc = add_capability(pci, VIRTIO_PCI_CAP_ISR_CFG, ISR_OFFSET,
				    ISR_SIZE, size);
	if (rc >= 0)
		rc = add_capability(pci, VIRTIO_PCI_CAP_DEVICE_CFG,
				    DEVICE_OFFSET, DEVICE_SIZE, size);
	if (rc >= 0)
		rc = add_notify(pci);
	if (rc >= 0)
		rc = add_window(pci);
	return rc < 0 ? rc : 0;
}

static unsigned int vectors_wanted(const struct virtio_pci *pci)
{
	unsigned int vectors = pci->device->queue_count + 1;

	return vectors < MSIX_VECTORS_MAX ? vectors : MSIX_VECTORS_MAX;
}

static int add_parts(struct virtio_pci *pci)
{
	int rc = pci_bar_add(&pci->pci, REGISTER_BAR, PCI_BAR_MEM64,
			     register_bar_size(pci));

	if (rc == 0)
		rc = pci_msix_add(&pci->pci, MSIX_BAR, vectors_wanted(pci));
	if (rc == 0)
		rc = add_capabilities(pci);
	return rc;
}

static int allocate(struct virtio_device *device, struct virtio_pci **out)
{
	struct virtio_pci *pci = calloc(1, sizeof(*pci));

	if (!pci)
		return -ENOMEM;
	pci->device = device;
	pci->transport.ops = &virtio_pci_transport_ops;
	pci->registers = PCI_BAR_UNMAPPED;
	pci->config_vector = NO_VECTOR;
	pci->signal = calloc(device->queue_count, sizeof(*pci->signal));
	pci->setup = calloc(device->queue_count, sizeof(*pci->setup));
	pci->queue = calloc(device->queue_count, sizeof(*pci->queue));
	*out = pci;
	if (!pci->signal || !pci->setup || !pci->queue)
		return -ENOMEM;
	for (unsigned int i = 0; i < device->queue_count; i++) {
		pci->setup[i].size = device->queue_size_max;
		pci->queue[i].vector = NO_VECTOR;
		pci->queue[i].doorbell = PCI_BAR_UNMAPPED;
		atomic_init(&pci->signal[i], SIGNAL_INTX);
	}
	atomic_init(&pci->config_signal, SIGNAL_INTX);
	return 0;
}

static void release(struct virtio_pci *pci)
{
	if (!pci)
		return;
	free(pci->signal);
	free(pci->setup);
	free(pci->queue);
	free(pci);
}

static int make_function(struct virtio_pci *pci, struct pci_root *root,
			 unsigned int slot, struct fail *fail)
{
	const struct pci_identity identity = {
		.vendor = VIRTIO_VENDOR,
		.device = VIRTIO_DEVICE_BASE + pci->device->id,
		.revision = VIRTIO_REVISION,
		.class_code = pci->device->pci_class,
		.subsystem_vendor = VIRTIO_VENDOR,
		.subsystem_device = VIRTIO_DEVICE_BASE + pci->device->id,
	};
	int rc;

	rc = pci_device_init(&pci->pci, root, slot, &identity, &virtio_pci_ops);
	if (rc < 0)
		return rc;
	rc = add_parts(pci);
	if (rc == 0)
		rc = pci_root_attach(root, &pci->pci, fail);
	if (rc < 0)
		pci_device_destroy(&pci->pci);
	return rc;
}

int virtio_pci_create(struct pci_root *root, unsigned int slot,
		      struct virtio_device *device, struct virtio_pci **out,
		      struct fail *fail)
{
	struct virtio_pci *pci = NULL;
	int rc;

	if (device->queue_count < 1 || device->queue_count > VIRTIO_QUEUES_MAX)
		return fail_set(fail, -EINVAL,
				"a virtio device cannot have %u queues: use 1 "
				"to %d",
				device->queue_count, VIRTIO_QUEUES_MAX);
	rc = allocate(device, &pci);
	if (rc == 0)
		rc = make_function(pci, root, slot, fail);
	if (rc < 0) {
		release(pci);
		return fail_set(fail, rc,
				"cannot make a PCI device with %u queues (%s): "
				"raise the limit with ulimit -n or use fewer",
				device->queue_count, strerror(-rc));
	}
	*out = pci;
	return 0;
}

void virtio_pci_reset(struct virtio_pci *pci)
{
	pci_device_reset(&pci->pci);
}

void virtio_pci_destroy(struct virtio_pci *pci)
{
	if (!pci)
		return;
	pci_device_destroy(&pci->pci);
	release(pci);
}
