/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include "device/virtio_pci_rig.h"

#define CONFIG_VECTOR 0

static void queue_interrupt(struct driver *driver, unsigned int queue)
{
	struct virtio_transport *transport = driver->fake->transport;

	transport->ops->queue_interrupt(transport, queue);
}

static void config_interrupt(struct driver *driver)
{
	struct virtio_transport *transport = driver->fake->transport;

	transport->ops->config_interrupt(transport);
}

static uint16_t set_vector(struct driver *driver, unsigned int queue,
			   uint16_t vector)
{
	common_write(driver, COMMON(queue_select), queue);
	common_write(driver, COMMON(queue_msix_vector), vector);
	return (uint16_t)common_read(driver, COMMON(queue_msix_vector));
}

/* A vector per queue, as Linux does. */
static void start_with_msix(struct driver *driver)
{
	driver_enable_msix(driver);
	common_write(driver, COMMON(msix_config), CONFIG_VECTOR);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		assert_int_equal(set_vector(driver, i, i + 1), i + 1);
	driver_start(driver);
}

static void each_queue_has_its_own_doorbell(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), FAKE_QUEUES - 1);
	for (unsigned int i = 0; i < FAKE_QUEUES - 1; i++) {
		assert_false(driver_kick(driver, i));
		for (unsigned int j = 0; j < FAKE_QUEUES - 1; j++)
			assert_int_equal(fake_kicks(driver->fake, j), i == j);
	}
}

static void queue_without_eventfd_is_notified_on_the_vcpu(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	assert_true(driver_kick(driver, FAKE_QUEUES - 1));
	assert_int_equal(driver->fake->notified, 1);
	assert_int_equal(driver->fake->notified_queue, FAKE_QUEUES - 1);
}

static void write_that_exits_kicks_the_same_way(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	mmio_write(driver->rig, driver->notify + 4, 1, 2);
	assert_int_equal(fake_kicks(driver->fake, 1), 1);
	mmio_write(driver->rig, driver->notify + 4, 1, 4);
	assert_int_equal(fake_kicks(driver->fake, 1), 1);
}

static void doorbells_follow_the_bar(void **state)
{
	struct driver *driver = *state;
	uint64_t moved = 0xd0000000 + (driver->notify & 0x3fff);

	driver_start(driver);
	config_write(driver->rig, FAKE_SLOT, PCI_BASE_ADDRESS_0, 0xd0000000, 4);
	assert_false(fake_irq_doorbell(driver->rig->irq, driver->notify, 2));
	assert_true(fake_irq_doorbell(driver->rig->irq, moved, 2));
	assert_int_equal(fake_kicks(driver->fake, 0), 1);
	config_command(driver->rig, FAKE_SLOT, 0, PCI_COMMAND_MEMORY);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 0);
	config_command(driver->rig, FAKE_SLOT, PCI_COMMAND_MEMORY, 0);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), FAKE_QUEUES - 1);
}

static void only_enabled_queues_have_doorbells(void **state)
{
	struct driver *driver = *state;

	driver_negotiate(driver);
	queue_set_up(driver, 2, 16);
	queue_enable(driver, 2);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq), 1);
	status_set(driver, RUNNING);
	assert_true(driver_kick(driver, 0));
	assert_int_equal(fake_kicks(driver->fake, 0), 0);
	assert_false(driver_kick(driver, 2));
	assert_int_equal(fake_kicks(driver->fake, 2), 1);
}

static void interrupts_go_to_the_queues_vector(void **state)
{
	struct driver *driver = *state;

	start_with_msix(driver);
	queue_interrupt(driver, 3);
	assert_int_equal(driver_interrupts(driver, 4), 1);
	assert_int_equal(fake_irq_take_all(driver->rig->irq), 0);
	config_interrupt(driver);
	assert_int_equal(driver_interrupts(driver, CONFIG_VECTOR), 1);
	assert_int_equal(fake_irq_take_all(driver->rig->irq), 0);
}

static void queue_without_vector_is_silent(void **state)
{
	struct driver *driver = *state;

	start_with_msix(driver);
	assert_int_equal(set_vector(driver, 3, NO_VECTOR), NO_VECTOR);
	queue_interrupt(driver, 3);
	assert_int_equal(fake_irq_take_all(driver->rig->irq), 0);
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 0);
}

static void queues_may_share_a_vector(void **state)
{
	struct driver *driver = *state;

	start_with_msix(driver);
	set_vector(driver, 0, 2);
	queue_interrupt(driver, 0);
	queue_interrupt(driver, 1);
	assert_int_equal(driver_interrupts(driver, 2), 2);
}

static void masked_vector_holds_until_unmasked(void **state)
{
	struct driver *driver = *state;
	uint64_t control = driver->msix_table + 16 + 12;

	start_with_msix(driver);
	mmio_write(driver->rig, control, 1, 4);
	queue_interrupt(driver, 0);
	assert_int_equal(fake_irq_take_all(driver->rig->irq), 0);
	mmio_write(driver->rig, control, 0, 4);
	assert_int_equal(driver_interrupts(driver, 1), 1);
}

static void reset_forgets_pending_interrupts(void **state)
{
	struct driver *driver = *state;
	uint64_t control = driver->msix_table + 16 + 12;

	start_with_msix(driver);
	mmio_write(driver->rig, control, 1, 4);
	queue_interrupt(driver, 0);
	status_set(driver, 0);
	mmio_write(driver->rig, control, 0, 4);
	assert_int_equal(fake_irq_take_all(driver->rig->irq), 0);
}

static void configuration_change_bumps_the_generation(void **state)
{
	struct driver *driver = *state;
	uint32_t before;

	start_with_msix(driver);
	before = common_read(driver, COMMON(config_generation));
	config_interrupt(driver);
	assert_int_not_equal(common_read(driver, COMMON(config_generation)),
			     before);
}

static void broken_device_tells_the_driver(void **state)
{
	struct driver *driver = *state;
	struct virtio_transport *transport;

	start_with_msix(driver);
	transport = driver->fake->transport;
	transport->ops->device_broken(transport);
	transport->ops->device_broken(transport);
	assert_int_equal(status_get(driver),
			 RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(driver_interrupts(driver, CONFIG_VECTOR), 1);
	status_set(driver, 0);
	assert_int_equal(status_get(driver), 0);
}

static void without_msix_the_line_and_isr_tell(void **state)
{
	struct driver *driver = *state;
	struct fake_irq *irq = driver->rig->irq;

	driver_start(driver);
	assert_false(fake_irq_line(irq, FAKE_GSI));
	queue_interrupt(driver, 2);
	assert_true(fake_irq_line(irq, FAKE_GSI));
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 1);
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 0);
	config_interrupt(driver);
	queue_interrupt(driver, 2);
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 3);
}

static void isr_set_before_eoi_asserts_again(void **state)
{
	struct driver *driver = *state;
	struct fake_irq *irq = driver->rig->irq;

	driver_start(driver);
	queue_interrupt(driver, 0);
	assert_true(fake_irq_line(irq, FAKE_GSI));
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 1);
	queue_interrupt(driver, 1);
	fake_irq_eoi(irq, FAKE_GSI);
	assert_true(fake_irq_line_wait(irq, FAKE_GSI));
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 1);
}

static void status_register_shows_isr(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	queue_interrupt(driver, 0);
	assert_true(config_read(driver->rig, FAKE_SLOT, PCI_STATUS, 2) &
		    PCI_STATUS_INTERRUPT);
	(void)mmio_read(driver->rig, driver->isr, 1);
	assert_false(config_read(driver->rig, FAKE_SLOT, PCI_STATUS, 2) &
		     PCI_STATUS_INTERRUPT);
}

static void device_reset_lowers_the_line(void **state)
{
	struct driver *driver = *state;

	driver_start(driver);
	queue_interrupt(driver, 0);
	status_set(driver, 0);
	assert_false(fake_irq_line(driver->rig->irq, FAKE_GSI));
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 0);
}

static void isr_holds_the_configuration_bit_with_msix_too(void **state)
{
	struct driver *driver = *state;

	start_with_msix(driver);
	queue_interrupt(driver, 0);
	config_interrupt(driver);
	assert_int_equal(mmio_read(driver->rig, driver->isr, 1), 2);
}

#define STORM 20000

static void *storm(void *context)
{
	for (unsigned int i = 0; i < STORM; i++)
		queue_interrupt(context, 0);
	return NULL;
}

/* A device's thread interrupts while the driver moves the queue's vector. */
static void no_interrupt_is_lost_while_vectors_change(void **state)
{
	struct driver *driver = *state;
	uint64_t arrived = 0;
	pthread_t thread;

	start_with_msix(driver);
	assert_int_equal(pthread_create(&thread, NULL, storm, driver), 0);
	for (unsigned int i = 0; i < 1000; i++)
		set_vector(driver, 0, i % FAKE_VECTORS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	arrived = fake_irq_take_all(driver->rig->irq);
	assert_int_equal(arrived, STORM);
}

/* 1025 queue pairs and a control queue: 2048 vectors are an eventfd each. */
static void largest_device_works(void **state)
{
	const struct rlimit files = { 4096, 4096 };
	struct driver *driver;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		skip();
	driver = driver_make(VIRTIO_QUEUES_MAX);
	assert_int_equal(common_read(driver, COMMON(num_queues)),
			 VIRTIO_QUEUES_MAX);
	driver_start(driver);
	assert_int_equal(fake_irq_doorbells(driver->rig->irq),
			 VIRTIO_QUEUES_MAX - 1);
	assert_true(driver_kick(driver, VIRTIO_QUEUES_MAX - 1));
	assert_int_equal(driver->fake->notified_queue, VIRTIO_QUEUES_MAX - 1);
	assert_int_equal(set_vector(driver, 2050, 2047), 2047);
	assert_int_equal(set_vector(driver, 2050, 2048), NO_VECTOR);
	driver_free(driver);
}

static void too_few_descriptors_is_a_sentence(void **state)
{
	struct driver *driver = *state;
	struct virtio_pci *pci = NULL;
	struct rlimit before;
	struct rlimit few;
	struct fail fail = { "" };

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	driver->fake->device.queue_count = 100;
	assert_true(virtio_pci_create(driver->rig->root, FAKE_SLOT + 1,
				      &driver->fake->device, &pci, &fail) < 0);
	driver->fake->device.queue_count = FAKE_QUEUES;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(fail.text, "ulimit"));
	assert_null(pci);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, driver_setup, driver_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_queue_has_its_own_doorbell),
		TEST(queue_without_eventfd_is_notified_on_the_vcpu),
		TEST(write_that_exits_kicks_the_same_way),
		TEST(doorbells_follow_the_bar),
		TEST(only_enabled_queues_have_doorbells),
		TEST(interrupts_go_to_the_queues_vector),
		TEST(queue_without_vector_is_silent),
		TEST(queues_may_share_a_vector),
		TEST(masked_vector_holds_until_unmasked),
		TEST(reset_forgets_pending_interrupts),
		TEST(configuration_change_bumps_the_generation),
		TEST(broken_device_tells_the_driver),
		TEST(without_msix_the_line_and_isr_tell),
		TEST(isr_set_before_eoi_asserts_again),
		TEST(status_register_shows_isr),
		TEST(device_reset_lowers_the_line),
		TEST(isr_holds_the_configuration_bit_with_msix_too),
		TEST(no_interrupt_is_lost_while_vectors_change),
		TEST(too_few_descriptors_is_a_sentence),
		cmocka_unit_test(largest_device_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
