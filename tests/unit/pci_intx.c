/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/pci_regs.h>
#include <time.h>

#include "unit/pci_device.h"

struct fixture {
	struct pci_rig *rig;
	struct test_device *device;
};

static int setup(void **state)
{
	struct fixture *f = test_malloc(sizeof(*f));

	f->rig = pci_rig_make();
	f->device = test_device_make(f->rig, TEST_SLOT, TEST_VECTORS);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_device_free(f->device);
	pci_rig_free(f->rig);
	test_free(f);
	return 0;
}

static void use(struct fixture *f, bool in_use)
{
	pthread_mutex_lock(&f->device->pci.lock);
	pci_intx_use(&f->device->pci, in_use);
	pthread_mutex_unlock(&f->device->pci.lock);
}

static bool line(struct fixture *f)
{
	return fake_irq_line(f->rig->irq, TEST_GSI);
}

static bool status_bit(struct fixture *f)
{
	return config_read(f->rig, TEST_SLOT, PCI_STATUS, 2) &
	       PCI_STATUS_INTERRUPT;
}

/* Return: false if nobody asks for the device's state within 10 s. */
static bool was_asked(struct fixture *f)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 10;
	return sem_timedwait(&f->device->asked, &limit) == 0;
}

static void line_is_not_driven_before_use(void **state)
{
	struct fixture *f = *state;

	test_device_interrupt(f->device);
	assert_int_equal(fake_irq_line_devices(f->rig->irq, TEST_GSI), 0);
	assert_true(status_bit(f));
}

static void interrupt_asserts_the_line(void **state)
{
	struct fixture *f = *state;

	use(f, true);
	assert_false(line(f));
	assert_false(status_bit(f));
	test_device_interrupt(f->device);
	assert_true(line(f));
	assert_true(status_bit(f));
}

static void what_was_wanted_before_use_asserts(void **state)
{
	struct fixture *f = *state;

	test_device_interrupt(f->device);
	use(f, true);
	assert_true(line(f));
}

static void what_was_served_before_use_does_not_assert(void **state)
{
	struct fixture *f = *state;

	test_device_interrupt(f->device);
	atomic_store(&f->device->level, false);
	use(f, true);
	assert_false(line(f));
}

static void eoi_asserts_again_while_wanted(void **state)
{
	struct fixture *f = *state;

	use(f, true);
	test_device_interrupt(f->device);
	assert_true(line(f));
	fake_irq_eoi(f->rig->irq, TEST_GSI);
	assert_true(fake_irq_line_wait(f->rig->irq, TEST_GSI));
}

static void eoi_leaves_the_line_low_once_served(void **state)
{
	struct fixture *f = *state;

	use(f, true);
	test_device_interrupt(f->device);
	assert_true(line(f));
	atomic_store(&f->device->level, false);
	while (sem_trywait(&f->device->asked) == 0)
		;
	fake_irq_eoi(f->rig->irq, TEST_GSI);
	/* The EOI makes it ask; then its thread ends, having done all. */
	assert_true(was_asked(f));
	use(f, false);
	assert_int_equal(fake_irq_line_signals(f->rig->irq, TEST_GSI), 1);
}

static void disable_bit_disconnects(void **state)
{
	struct fixture *f = *state;

	use(f, true);
	test_device_interrupt(f->device);
	config_command(f->rig, TEST_SLOT, PCI_COMMAND_INTX_DISABLE, 0);
	assert_false(line(f));
	assert_true(status_bit(f)); /* PCI 3.0, 6.2.3 */
	config_command(f->rig, TEST_SLOT, 0, PCI_COMMAND_INTX_DISABLE);
	assert_true(line(f));
}

static void msix_replaces_the_line(void **state)
{
	struct fixture *f = *state;
	unsigned int at = config_find(f->rig, TEST_SLOT, PCI_CAP_ID_MSIX, 0);

	use(f, true);
	test_device_interrupt(f->device);
	config_write(f->rig, TEST_SLOT, at + PCI_MSIX_FLAGS,
		     PCI_MSIX_FLAGS_ENABLE, 2);
	assert_int_equal(fake_irq_line_devices(f->rig->irq, TEST_GSI), 0);
	assert_false(line(f));
	assert_false(status_bit(f));
	config_write(f->rig, TEST_SLOT, at + PCI_MSIX_FLAGS, 0, 2);
	assert_true(line(f));
}

static void reset_disconnects(void **state)
{
	struct fixture *f = *state;

	use(f, true);
	test_device_interrupt(f->device);
	pci_root_reset(f->rig->root);
	assert_int_equal(fake_irq_line_devices(f->rig->irq, TEST_GSI), 0);
	assert_false(status_bit(f));
	use(f, true);
	assert_false(line(f));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(line_is_not_driven_before_use),
		TEST(interrupt_asserts_the_line),
		TEST(what_was_wanted_before_use_asserts),
		TEST(what_was_served_before_use_does_not_assert),
		TEST(eoi_asserts_again_while_wanted),
		TEST(eoi_leaves_the_line_low_once_served),
		TEST(disable_bit_disconnects),
		TEST(msix_replaces_the_line),
		TEST(reset_disconnects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
