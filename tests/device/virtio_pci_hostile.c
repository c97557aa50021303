/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "device/virtio_pci_rig.h"

static void select_queue(struct driver *driver, uint32_t queue)
{
	common_write(driver, COMMON(queue_select), queue);
}

static uint16_t size_after(struct driver *driver, uint32_t size)
{
	common_write(driver, COMMON(queue_size), size);
	return (uint16_t)common_read(driver, COMMON(queue_size));
}

static void bad_sizes_keep_the_good_one(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	select_queue(driver, 0);
	assert_int_equal(size_after(driver, 128), 128);
	assert_int_equal(size_after(driver, 0), 128);
	assert_int_equal(size_after(driver, 3), 128);
	assert_int_equal(size_after(driver, 2 * FAKE_SIZE), 128);
	assert_int_equal(size_after(driver, 0xffff), 128);
	assert_int_equal(size_after(driver, 1), 1);
}

static void queue_that_is_not_there_reads_zero(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	for (uint32_t i = 0; i < 3; i++) {
		static const uint16_t absent[] = { FAKE_QUEUES, 2051, 0xffff };

		select_queue(driver, absent[i]);
		assert_int_equal(size_after(driver, 64), 0);
		common_write(driver, COMMON(queue_msix_vector), 0);
		common_write(driver, COMMON(queue_enable), 1);
		common_write(driver, COMMON(queue_desc_lo), 4096);
		assert_int_equal(common_read(driver, COMMON(queue_enable)), 0);
		assert_int_equal(common_read(driver, COMMON(queue_desc_lo)), 0);
	}
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 0);
}

static void enabled_queue_cannot_be_changed(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	queue_set_up(driver, 0, 64);
	queue_enable(driver, 0);
	assert_int_equal(size_after(driver, 128), 64);
	common_write(driver, COMMON(queue_used_lo), 0xdead0000);
	common_write(driver, COMMON(queue_enable), 0);
	assert_int_equal(common_read(driver, COMMON(queue_enable)), 1);
	status_set(driver, RUNNING);
	assert_int_equal(driver->fake->setup[0].used, 0x300000300);
}

static void queue_cannot_be_enabled_before_features_ok(void **state)
{
	struct driver *driver = *state;

	queue_enable(driver, 0);
	assert_int_equal(common_read(driver, COMMON(queue_enable)), 0);
}

static void queue_cannot_be_enabled_while_running(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	status_set(driver, RUNNING);
	queue_enable(driver, 0);
	assert_int_equal(common_read(driver, COMMON(queue_enable)), 0);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 0);
}

static void enable_takes_only_one(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	select_queue(driver, 0);
	common_write(driver, COMMON(queue_enable), 2);
	common_write(driver, COMMON(queue_enable), 0xffff);
	assert_int_equal(common_read(driver, COMMON(queue_enable)), 0);
}

static void vectors_out_of_range_become_no_vector(void **state)
{
	struct driver *driver = *state;

	common_write(driver, COMMON(msix_config), FAKE_VECTORS);
	assert_int_equal(common_read(driver, COMMON(msix_config)), NO_VECTOR);
	common_write(driver, COMMON(msix_config), FAKE_VECTORS - 1);
	assert_int_equal(common_read(driver, COMMON(msix_config)),
			 FAKE_VECTORS - 1);
	select_queue(driver, 0);
	common_write(driver, COMMON(queue_msix_vector), 0xfffe);
	assert_int_equal(common_read(driver, COMMON(queue_msix_vector)),
			 NO_VECTOR);
}

static void third_feature_word_is_dropped(void **state)
{
	struct driver *driver = *state;

	status_set(driver, KNOWN);
	features_take(driver, FAKE_FEATURES);
	common_write(driver, COMMON(guest_feature_select), 2);
	common_write(driver, COMMON(guest_feature), 0xffffffff);
	common_write(driver, COMMON(guest_feature_select), 0xffffffff);
	common_write(driver, COMMON(guest_feature), 0xffffffff);
	assert_int_equal(common_read(driver, COMMON(guest_feature)), 0);
	status_set(driver, RUNNING);
	assert_true(driver->fake->features == FAKE_FEATURES);
}

static void odd_writes_change_nothing(void **state)
{
	struct driver *driver = *state;
	uint8_t before[64];

	driver_negotiate(driver);
	queue_set_up(driver, 1, 64);
	for (unsigned int i = 0; i < sizeof(before); i++)
		before[i] = (uint8_t)common_read(driver, i, 1);
	for (unsigned int i = 0; i < sizeof(before); i++) {
		if (i == offsetof(struct virtio_pci_common_cfg, device_status))
			continue;
		common_write(driver, i, 1, 0xff);
	}
	for (unsigned int i = 1; i < sizeof(before); i += 2) {
		common_write(driver, i, 2, 0xffff);
		mmio_write(driver->rig, driver->common + i, UINT64_MAX, 4);
		mmio_write(driver->rig, driver->common + i, UINT64_MAX, 8);
	}
	for (unsigned int i = 0; i < sizeof(before); i++)
		assert_int_equal(common_read(driver, i, 1), before[i]);
}

static void read_only_fields_stay(void **state)
{
	struct driver *driver = *state;

	common_write(driver, COMMON(num_queues), 1);
	common_write(driver, COMMON(device_feature), 0);
	common_write(driver, COMMON(config_generation), 9);
	common_write(driver, COMMON(queue_notify_off), 9);
	assert_int_equal(common_read(driver, COMMON(num_queues)), FAKE_QUEUES);
	assert_true(features_offered(driver) == FAKE_FEATURES);
	assert_int_equal(common_read(driver, COMMON(config_generation)), 0);
	assert_int_equal(common_read(driver, COMMON(queue_notify_off)), 0);
}

static void whole_address_may_be_written_at_once(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	mmio_write(driver->rig, driver->common + 40, 0x1122334455667000, 8);
	assert_true(mmio_read(driver->rig, driver->common + 40, 8) ==
		    0x1122334455667000);
	assert_int_equal(common_read(driver, COMMON(queue_desc_lo)), 0);
	assert_int_equal(common_read(driver, COMMON(queue_used_lo)), 0);
}

static void notifications_that_make_no_sense_are_dropped(void **state)
{
	struct driver *driver = *state;
	uint64_t end = driver->notify + 4ULL * FAKE_QUEUES;

	mmio_write(driver->rig, driver->notify + 4ULL * (FAKE_QUEUES - 1), 0,
		   2);
	assert_int_equal(driver->fake->notified, 0); /* before DRIVER_OK */
	driver_start(driver);
	mmio_write(driver->rig, end, 0, 2);
	mmio_write(driver->rig, end - 4 + 1, 0, 1);
	mmio_write(driver->rig, end - 4 + 2, 0, 2);
	mmio_write(driver->rig, driver->notify + 2, 0, 2);
	assert_int_equal(driver->fake->notified, 0);
	assert_int_equal(fake_kicks(driver->fake, 0), 0);
	assert_int_equal(mmio_read(driver->rig, driver->notify, 4), 0);
}

static void reset_in_a_row_is_harmless(void **state)
{
	struct driver *driver = *state;

	for (unsigned int i = 0; i < 3; i++) {
		status_set(driver, 0);
		status_set(driver, 0);
		driver_start(driver);
		status_set(driver, 0);
	}
	assert_int_equal(driver->fake->starts, 3);
}

/* Random accesses of all kinds, everywhere, with a fixed seed. */
static void random_accesses_break_nothing(void **state)
{
	struct driver *driver = *state;
	uint64_t bar = config_bar(driver->rig, FAKE_SLOT, 0);
	uint64_t table = driver->msix_table;
	unsigned short seed[3] = { 1, 2, 3 };

	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int size = 1U << (nrand48(seed) & 3);
		uint64_t value = (uint64_t)nrand48(seed) << 20 ^ nrand48(seed);
		unsigned int what = (unsigned int)nrand48(seed) % 8;
		unsigned int at = (unsigned int)nrand48(seed);

		value >>= nrand48(seed) & 31;
		if (what < 4)
			mmio_write(driver->rig, bar + at % 64, value, size);
		else if (what < 5)
			mmio_write(driver->rig, bar + at % 0x4000, value, size);
		else if (what < 6)
			mmio_write(driver->rig, table + at % 0x1000, value,
				   size);
		else if (what < 7)
			config_write(driver->rig, FAKE_SLOT, at % 256,
				     (uint32_t)value, size < 8 ? size : 4);
		else
			(void)mmio_read(driver->rig, bar + at % 0x4000, size);
		if (i % 64 == 0)
			config_command(driver->rig, FAKE_SLOT,
				       PCI_COMMAND_MEMORY, 0);
	}
	/* Whatever it did, a new driver finds a device that works. */
	pci_root_reset(driver->rig->root);
	config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
	driver_start(driver);
	assert_false(driver_kick(driver, 0));
}

static void *hammer(void *context)
{
	struct driver *driver = context;

	for (unsigned int i = 0; i < 2000; i++) {
		status_set(driver, KNOWN);
		features_take(driver, FAKE_FEATURES);
		status_set(driver, AGREED);
		queue_enable(driver, i % FAKE_QUEUES);
		status_set(driver, RUNNING);
		(void)driver_kick(driver, i % FAKE_QUEUES);
		config_command(driver->rig, FAKE_SLOT, 0, PCI_COMMAND_MEMORY);
		config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
		status_set(driver, 0);
	}
	return NULL;
}

static void vcpus_that_race_break_nothing(void **state)
{
	struct driver *driver = *state;
	pthread_t thread[3];

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, hammer, driver), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
	status_set(driver, 0);
	driver_start(driver);
	assert_true(driver->fake->running);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, driver_setup, driver_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bad_sizes_keep_the_good_one),
		TEST(queue_that_is_not_there_reads_zero),
		TEST(enabled_queue_cannot_be_changed),
		TEST(queue_cannot_be_enabled_before_features_ok),
		TEST(queue_cannot_be_enabled_while_running),
		TEST(enable_takes_only_one),
		TEST(vectors_out_of_range_become_no_vector),
		TEST(third_feature_word_is_dropped),
		TEST(odd_writes_change_nothing),
		TEST(read_only_fields_stay),
		TEST(whole_address_may_be_written_at_once),
		TEST(notifications_that_make_no_sense_are_dropped),
		TEST(reset_in_a_row_is_harmless),
		TEST(random_accesses_break_nothing),
		TEST(vcpus_that_race_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
