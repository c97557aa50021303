/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "device/virtio_pci_rig.h"

static void identity_is_modern_virtio(void **state)
{
	struct driver *driver = *state;

	assert_int_equal(config_read(driver->rig, FAKE_SLOT, 0, 4),
			 (0x1040 + FAKE_ID) << 16 | 0x1af4);
	assert_int_equal(config_read(driver->rig, FAKE_SLOT, 8, 4),
			 0x020000 << 8 | 1);
}

static void all_structures_lie_inside_their_bar(void **state)
{
	struct driver *driver = *state;
	unsigned int at = 0;
	unsigned int types = 0;

	while ((at = config_find(driver->rig, FAKE_SLOT, PCI_CAP_ID_VNDR,
				 at)) != 0) {
		unsigned int type =
			config_read(driver->rig, FAKE_SLOT,
				    at + VIRTIO_PCI_CAP_CFG_TYPE, 1);
		uint32_t offset = config_read(driver->rig, FAKE_SLOT,
					      at + VIRTIO_PCI_CAP_OFFSET, 4);
		uint32_t length = config_read(driver->rig, FAKE_SLOT,
					      at + VIRTIO_PCI_CAP_LENGTH, 4);

		types |= 1U << type;
		assert_int_equal(offset % 4, 0);
		assert_true(offset + length <= 0x4000);
		assert_true(config_read(driver->rig, FAKE_SLOT,
					at + VIRTIO_PCI_CAP_LEN, 1) >= 16);
	}
	assert_int_equal(types, 0x3e); /* types 1 to 5 */
}

static void offered_features_read_back_by_halves(void **state)
{
	struct driver *driver = *state;

	assert_true(features_offered(driver) == FAKE_FEATURES);
	common_write(driver, COMMON(device_feature_select), 2);
	assert_int_equal(common_read(driver, COMMON(device_feature)), 0);
}

static void agreed_features_and_queues_reach_the_device(void **state)
{
	struct driver *driver = *state;
	struct fake_device *fake = driver->fake;

	driver_negotiate(driver);
	queue_set_up(driver, 1, 64);
	queue_enable(driver, 1);
	assert_int_equal(fake->starts, 0);
	status_set(driver, RUNNING);
	assert_int_equal(fake->starts, 1);
	assert_true(fake->features == FAKE_FEATURES);
	assert_false(fake->setup[0].enabled);
	assert_true(fake->setup[1].enabled);
	assert_int_equal(fake->setup[1].size, 64);
	assert_int_equal(fake->setup[1].desc, 0x100001100);
	assert_int_equal(fake->setup[1].avail, 0x200001200);
	assert_int_equal(fake->setup[1].used, 0x300001300);
}

static void subset_of_features_is_taken(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN);
	features_take(driver, 1ULL << VIRTIO_F_VERSION_1);
	status_set(driver, AGREED);
	assert_int_equal(status_get(driver), AGREED);
}

static void unoffered_feature_is_refused(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN);
	features_take(driver, FAKE_FEATURES | 1);
	status_set(driver, AGREED);
	assert_int_equal(status_get(driver), KNOWN);
}

static void missing_version_1_is_refused(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN);
	features_take(driver, FAKE_FEATURES & 0xffffffff);
	status_set(driver, AGREED);
	assert_int_equal(status_get(driver), KNOWN);
}

static void features_are_fixed_after_features_ok(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	features_take(driver, 0);
	status_set(driver, RUNNING);
	assert_true(driver->fake->features == FAKE_FEATURES);
}

static void driver_ok_without_features_ok_starts_nothing(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN);
	status_set(driver, KNOWN | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(status_get(driver), KNOWN);
	assert_int_equal(driver->fake->starts, 0);
}

static void features_ok_without_driver_is_refused(void **state)
{
	struct driver *driver = *state;

	features_take(driver, FAKE_FEATURES);
	status_set(driver, VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(status_get(driver), 0);
}

static void status_bits_stay_until_reset(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	status_set(driver, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	assert_int_equal(status_get(driver), RUNNING);
	status_set(driver, RUNNING);
	assert_int_equal(driver->fake->starts, 1);
}

static void driver_cannot_set_needs_reset(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN | VIRTIO_CONFIG_S_NEEDS_RESET | 0x30);
	assert_int_equal(status_get(driver), KNOWN);
}

static void failed_device_is_not_started(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	status_set(driver, AGREED | VIRTIO_CONFIG_S_FAILED);
	status_set(driver, RUNNING | VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(driver->fake->starts, 0);
}

static void reset_stops_and_forgets(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	common_write(driver, COMMON(msix_config), 1);
	status_set(driver, 0);
	assert_int_equal(status_get(driver), 0);
	assert_false(driver->fake->running);
	assert_int_equal(common_read(driver, COMMON(msix_config)), NO_VECTOR);
	assert_int_equal(common_read(driver, COMMON(guest_feature)), 0);
	assert_int_equal(common_read(driver, COMMON(queue_select)), 0);
	common_write(driver, COMMON(queue_select), 2);
	assert_int_equal(common_read(driver, COMMON(queue_enable)), 0);
	assert_int_equal(common_read(driver, COMMON(queue_size)), FAKE_SIZE);
	assert_int_equal(common_read(driver, COMMON(queue_desc_lo)), 0);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 0);
}

static void device_starts_again_after_reset(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	status_set(driver, 0);
	driver_start(driver);
	assert_int_equal(driver->fake->starts, 2);
	assert_true(driver->fake->running);
}

static void machine_reset_stops_too(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	driver_enable_msix(driver);
	pci_root_reset(driver->rig->root);
	assert_false(driver->fake->running);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 0);
	assert_int_equal(fake_irq_routes(driver->rig->irq), 0);
	config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
	driver_start(driver);
}

static void failed_start_needs_reset(void **state)
{
	struct driver *driver = *state;

	driver->fake->start_error = -EFAULT;
	driver_negotiate(driver);
	status_set(driver, RUNNING);
	assert_int_equal(status_get(driver),
			 RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	status_set(driver, 0);
	assert_int_equal(status_get(driver), 0);
}

static void device_configuration_reads_and_writes(void **state)
{
	struct driver *driver = *state;

	assert_int_equal(mmio_read(driver->rig, driver->config + 4, 4),
			 0xc7c6c5c4);
	assert_int_equal(mmio_read(driver->rig, driver->config + 3, 1), 0xc3);
	assert_int_equal(mmio_read(driver->rig, driver->config + 16, 8), 0);
	mmio_write(driver->rig, driver->config + 2, 0x1234, 2);
	assert_int_equal(mmio_read(driver->rig, driver->config + 2, 2), 0x1234);
}

static unsigned int find_window(struct driver *driver)
{
	unsigned int at = 0;

	do {
		at = config_find(driver->rig, FAKE_SLOT, PCI_CAP_ID_VNDR, at);
		assert_int_not_equal(at, 0);
	} while (config_read(driver->rig, FAKE_SLOT,
			     at + VIRTIO_PCI_CAP_CFG_TYPE,
			     1) != VIRTIO_PCI_CAP_PCI_CFG);
	return at;
}

static void window_set(struct driver *driver, unsigned int window, uint8_t bar,
		       uint64_t address, uint32_t length)
{
	uint64_t base = config_bar(driver->rig, FAKE_SLOT, 0);

	config_write(driver->rig, FAKE_SLOT, window + VIRTIO_PCI_CAP_BAR, bar,
		     1);
	config_write(driver->rig, FAKE_SLOT, window + VIRTIO_PCI_CAP_OFFSET,
		     (uint32_t)(address - base), 4);
	config_write(driver->rig, FAKE_SLOT, window + VIRTIO_PCI_CAP_LENGTH,
		     length, 4);
}

static void window_reaches_registers(void **state)
{
	struct driver *driver = *state;
	unsigned int window = find_window(driver);
	unsigned int data = window + 16;

	config_command(driver->rig, FAKE_SLOT, 0, PCI_COMMAND_MEMORY);
	window_set(driver, window, 0, driver->common + 20, 1);
	port_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	assert_int_equal(port_read(driver->rig, FAKE_SLOT, data, 1), KNOWN);
	window_set(driver, window, 0, driver->common + 18, 2);
	assert_int_equal(port_read(driver->rig, FAKE_SLOT, data, 2),
			 FAKE_QUEUES);
	config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
	assert_int_equal(status_get(driver), KNOWN);
}

static void window_to_nowhere_does_nothing(void **state)
{
	struct driver *driver = *state;
	unsigned int window = find_window(driver);
	unsigned int data = window + 16;
	uint64_t status = driver->common + 20;

	window_set(driver, window, 1, status, 1);
	config_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	window_set(driver, window, 0, status, 3);
	config_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	window_set(driver, window, 0, status, 0);
	config_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	window_set(driver, window, 0, status, 8);
	config_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	window_set(driver, window, 0, driver->common + 0x80000000, 4);
	config_write(driver->rig, FAKE_SLOT, data, KNOWN, 4);
	assert_int_equal(config_read(driver->rig, FAKE_SLOT, data, 4), KNOWN);
	assert_int_equal(status_get(driver), 0);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, driver_setup, driver_teardown)
	const struct CMUnitTest tests[] = {
		TEST(identity_is_modern_virtio),
		TEST(all_structures_lie_inside_their_bar),
		TEST(offered_features_read_back_by_halves),
		TEST(agreed_features_and_queues_reach_the_device),
		TEST(subset_of_features_is_taken),
		TEST(unoffered_feature_is_refused),
		TEST(missing_version_1_is_refused),
		TEST(features_are_fixed_after_features_ok),
		TEST(driver_ok_without_features_ok_starts_nothing),
		TEST(features_ok_without_driver_is_refused),
		TEST(status_bits_stay_until_reset),
		TEST(driver_cannot_set_needs_reset),
		TEST(failed_device_is_not_started),
		TEST(reset_stops_and_forgets),
		TEST(device_starts_again_after_reset),
		TEST(machine_reset_stops_too),
		TEST(failed_start_needs_reset),
		TEST(device_configuration_reads_and_writes),
		TEST(window_reaches_registers),
		TEST(window_to_nowhere_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
