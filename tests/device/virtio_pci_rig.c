/* SPDX-License-Identifier: BSD-3-Clause */
#include "device/virtio_pci_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int kick_fd(struct virtio_device *device, unsigned int queue)
{
	return ((struct fake_device *)device)->kick_fd[queue];
}

static void notify(struct virtio_device *device, unsigned int queue)
{
	struct fake_device *fake = (struct fake_device *)device;

	fake->notified++;
	fake->notified_queue = queue;
}

static void device_config_read(struct virtio_device *device, uint32_t offset,
			       void *data, unsigned int size)
{
	const struct fake_device *fake = (const struct fake_device *)device;
	uint8_t *out = data;

	for (unsigned int i = 0; i < size; i++)
		out[i] = offset + i < sizeof(fake->config)
				 ? fake->config[offset + i]
				 : 0;
}

static void device_config_write(struct virtio_device *device, uint32_t offset,
				const void *data, unsigned int size)
{
	struct fake_device *fake = (struct fake_device *)device;

	if (offset < sizeof(fake->config) &&
	    size <= sizeof(fake->config) - offset)
		memcpy(fake->config + offset, data, size);
}

static int start(struct virtio_device *device,
		 struct virtio_transport *transport, uint64_t features,
		 const struct virtio_queue_setup *queue)
{
	struct fake_device *fake = (struct fake_device *)device;

	fake->starts++;
	if (fake->start_error)
		return fake->start_error;
	assert_false(fake->running);
	fake->running = true;
	fake->transport = transport;
	fake->features = features;
	for (unsigned int i = 0; i < FAKE_QUEUES && i < fake->queues; i++)
		fake->setup[i] = queue[i];
	return 0;
}

static void stop(struct virtio_device *device)
{
	struct fake_device *fake = (struct fake_device *)device;

	fake->stops++;
	fake->running = false;
}

static const struct virtio_device_ops fake_ops = {
	.kick_fd = kick_fd,
	.notify = notify,
	.config_read = device_config_read,
	.config_write = device_config_write,
	.start = start,
	.stop = stop,
};

/* Many queues share one eventfd, so that the test needs few. */
static struct fake_device *fake_make(unsigned int queues)
{
	struct fake_device *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->device = (struct virtio_device) {
		.ops = &fake_ops,
		.id = FAKE_ID,
		.pci_class = 0x020000,
		.features = FAKE_FEATURES,
		.queue_count = queues,
		.queue_size_max = FAKE_SIZE,
	};
	fake->queues = queues;
	fake->kick_fd = calloc(queues, sizeof(int));
	assert_non_null(fake->kick_fd);
	for (unsigned int i = 0; i < queues - 1; i++) {
		fake->kick_fd[i] = i < FAKE_QUEUES
					   ? eventfd(0, EFD_NONBLOCK)
					   : fake->kick_fd[FAKE_QUEUES - 1];
		assert_true(fake->kick_fd[i] >= 0);
	}
	fake->kick_fd[queues - 1] = -1;
	for (unsigned int i = 0; i < sizeof(fake->config); i++)
		fake->config[i] = 0xc0 + i;
	return fake;
}

static void fake_free(struct fake_device *fake)
{
	for (unsigned int i = 0; i < FAKE_QUEUES && i < fake->queues - 1; i++)
		close(fake->kick_fd[i]);
	free(fake->kick_fd);
	free(fake);
}

/* The structure of that type; its capability is at *@capability. */
static uint64_t find_structure(struct driver *driver, uint8_t type,
			       unsigned int *capability)
{
	struct pci_rig *rig = driver->rig;
	unsigned int at = 0;

	do {
		at = config_find(rig, FAKE_SLOT, PCI_CAP_ID_VNDR, at);
		assert_int_not_equal(at, 0);
	} while (config_read(rig, FAKE_SLOT, at + VIRTIO_PCI_CAP_CFG_TYPE, 1) !=
		 type);
	if (capability)
		*capability = at;
	return config_bar(rig, FAKE_SLOT,
			  config_read(rig, FAKE_SLOT, at + VIRTIO_PCI_CAP_BAR,
				      1)) +
	       config_read(rig, FAKE_SLOT, at + VIRTIO_PCI_CAP_OFFSET, 4);
}

static void find_registers(struct driver *driver)
{
	struct pci_rig *rig = driver->rig;
	unsigned int at;

	driver->common = find_structure(driver, VIRTIO_PCI_CAP_COMMON_CFG, &at);
	driver->isr = find_structure(driver, VIRTIO_PCI_CAP_ISR_CFG, &at);
	driver->config = find_structure(driver, VIRTIO_PCI_CAP_DEVICE_CFG, &at);
	driver->notify = find_structure(driver, VIRTIO_PCI_CAP_NOTIFY_CFG, &at);
	driver->notify_multiplier =
		config_read(rig, FAKE_SLOT, at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
	at = config_find(rig, FAKE_SLOT, PCI_CAP_ID_MSIX, 0);
	driver->msix_control = at + PCI_MSIX_FLAGS;
	at = config_read(rig, FAKE_SLOT, at + PCI_MSIX_TABLE, 4);
	driver->msix_table = config_bar(rig, FAKE_SLOT, at & 7) + (at & ~7U);
}

struct driver *driver_make(unsigned int queues)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	struct fail fail = { "" };

	assert_non_null(driver);
	driver->rig = pci_rig_make();
	driver->fake = fake_make(queues);
	assert_int_equal(virtio_pci_create(driver->rig->root, FAKE_SLOT,
					   &driver->fake->device, &driver->pci,
					   &fail),
			 0);
	find_registers(driver);
	config_command(driver->rig, FAKE_SLOT,
		       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	return driver;
}

void driver_free(struct driver *driver)
{
	virtio_pci_destroy(driver->pci);
	assert_false(driver->fake->running);
	pci_rig_free(driver->rig);
	fake_free(driver->fake);
	free(driver);
}

int driver_setup(void **state)
{
	*state = driver_make(FAKE_QUEUES);
	return 0;
}

int driver_teardown(void **state)
{
	driver_free(*state);
	return 0;
}

uint32_t common_read(struct driver *driver, unsigned int offset,
		     unsigned int size)
{
	return (uint32_t)mmio_read(driver->rig, driver->common + offset, size);
}

void common_write(struct driver *driver, unsigned int offset, unsigned int size,
		  uint32_t value)
{
	mmio_write(driver->rig, driver->common + offset, value, size);
}

uint8_t status_get(struct driver *driver)
{
	return (uint8_t)common_read(driver, COMMON(device_status));
}

void status_set(struct driver *driver, uint8_t status)
{
	common_write(driver, COMMON(device_status), status);
}

uint64_t features_offered(struct driver *driver)
{
	uint64_t features;

	common_write(driver, COMMON(device_feature_select), 1);
	features = common_read(driver, COMMON(device_feature));
	common_write(driver, COMMON(device_feature_select), 0);
	return features << 32 | common_read(driver, COMMON(device_feature));
}

void features_take(struct driver *driver, uint64_t features)
{
	common_write(driver, COMMON(guest_feature_select), 0);
	common_write(driver, COMMON(guest_feature), (uint32_t)features);
	common_write(driver, COMMON(guest_feature_select), 1);
	common_write(driver, COMMON(guest_feature), (uint32_t)(features >> 32));
}

void driver_negotiate(struct driver *driver)
{
	status_set(driver, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	status_set(driver, KNOWN);
	features_take(driver, FAKE_FEATURES);
	status_set(driver, AGREED);
	assert_int_equal(status_get(driver), AGREED);
}

void queue_set_up(struct driver *driver, unsigned int queue, uint16_t size)
{
	common_write(driver, COMMON(queue_select), queue);
	common_write(driver, COMMON(queue_size), size);
	common_write(driver, COMMON(queue_desc_lo), 0x1000 * queue + 0x100);
	common_write(driver, COMMON(queue_desc_hi), 1);
	common_write(driver, COMMON(queue_avail_lo), 0x1000 * queue + 0x200);
	common_write(driver, COMMON(queue_avail_hi), 2);
	common_write(driver, COMMON(queue_used_lo), 0x1000 * queue + 0x300);
	common_write(driver, COMMON(queue_used_hi), 3);
}

void queue_enable(struct driver *driver, unsigned int queue)
{
	common_write(driver, COMMON(queue_select), queue);
	common_write(driver, COMMON(queue_enable), 1);
}

void driver_start(struct driver *driver)
{
	driver_negotiate(driver);
	for (unsigned int i = 0; i < driver->fake->queues; i++) {
		queue_set_up(driver, i, FAKE_SIZE);
		queue_enable(driver, i);
	}
	status_set(driver, RUNNING);
	assert_int_equal(status_get(driver), RUNNING);
}

bool driver_kick(struct driver *driver, unsigned int queue)
{
	uint64_t address;

	common_write(driver, COMMON(queue_select), queue);
	address = driver->notify +
		  (uint64_t)common_read(driver, COMMON(queue_notify_off)) *
			  driver->notify_multiplier;
	if (fake_irq_doorbell(driver->rig->irq, address, 2))
		return false;
	mmio_write(driver->rig, address, queue, 2);
	return true;
}

uint64_t fake_kicks(struct fake_device *fake, unsigned int queue)
{
	uint64_t count = 0;

	if (read(fake->kick_fd[queue], &count, sizeof(count)) < 0)
		return 0;
	return count;
}

void driver_enable_msix(struct driver *driver)
{
	for (unsigned int i = 0; i < driver->fake->queues + 1; i++) {
		uint64_t entry = driver->msix_table + 16ULL * i;

		mmio_write(driver->rig, entry, MSIX_ADDRESS, 8);
		mmio_write(driver->rig, entry + 8, i, 4);
		mmio_write(driver->rig, entry + 12, 0, 4);
	}
	config_write(driver->rig, FAKE_SLOT, driver->msix_control,
		     PCI_MSIX_FLAGS_ENABLE, 2);
}

uint64_t driver_interrupts(struct driver *driver, unsigned int vector)
{
	return fake_irq_take(driver->rig->irq, MSIX_ADDRESS, vector);
}
