/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/pci_regs.h>
#include <pthread.h>

#include "pci/event.h"
#include "unit/pci_device.h"

#define ADDRESS 0xfee01000ULL
#define LAST    (TEST_VECTORS - 1)

struct fixture {
	struct pci_rig *rig;
	struct test_device *device;
	uint64_t table;
	uint64_t pba;
	unsigned int control;
};

static void set_control(struct fixture *f, uint16_t flags)
{
	config_write(f->rig, TEST_SLOT, f->control, flags, 2);
}

static void enable(struct fixture *f)
{
	set_control(f, PCI_MSIX_FLAGS_ENABLE);
}

static int setup(void **state)
{
	struct fixture *f = test_malloc(sizeof(*f));
	unsigned int at;

	f->rig = pci_rig_make();
	f->device = test_device_make(f->rig, TEST_SLOT, TEST_VECTORS);
	config_command(f->rig, TEST_SLOT, PCI_COMMAND_MEMORY, 0);
	at = config_find(f->rig, TEST_SLOT, PCI_CAP_ID_MSIX, 0);
	f->control = at + PCI_MSIX_FLAGS;
	f->table = config_bar(f->rig, TEST_SLOT, TEST_MSIX_BAR);
	f->pba = f->table +
		 (config_read(f->rig, TEST_SLOT, at + PCI_MSIX_PBA, 4) & ~7U);
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

static uint64_t entry(const struct fixture *f, unsigned int vector)
{
	return f->table + 16ULL * vector;
}

static void set_message(struct fixture *f, unsigned int vector,
			uint64_t address, uint32_t data)
{
	mmio_write(f->rig, entry(f, vector), (uint32_t)address, 4);
	mmio_write(f->rig, entry(f, vector) + 4, address >> 32, 4);
	mmio_write(f->rig, entry(f, vector) + 8, data, 4);
}

static void mask(struct fixture *f, unsigned int vector, bool masked)
{
	mmio_write(f->rig, entry(f, vector) + 12, masked, 4);
}

static void signal_vector(struct fixture *f, unsigned int vector)
{
	event_signal(msix_vector_fd(f->device->pci.msix, vector));
}

static bool is_pending(struct fixture *f, unsigned int vector)
{
	uint64_t bits = mmio_read(f->rig, f->pba + vector / 64 * 8ULL, 8);

	return bits >> vector % 64 & 1;
}

static void vectors_are_masked_at_first(void **state)
{
	struct fixture *f = *state;

	enable(f);
	assert_int_equal(mmio_read(f->rig, entry(f, 0) + 12, 4), 1);
	assert_int_equal(mmio_read(f->rig, entry(f, LAST) + 12, 4), 1);
	signal_vector(f, 0);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
	assert_int_equal(fake_irq_routes(f->rig->irq), 0);
}

static void unmasked_vector_delivers_its_message(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, LAST, 0x100000000 | ADDRESS, 0x4041);
	mask(f, LAST, false);
	signal_vector(f, LAST);
	signal_vector(f, LAST);
	assert_int_equal(
		fake_irq_take(f->rig->irq, 0x100000000 | ADDRESS, 0x4041), 2);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
}

static void masked_signal_is_pending_then_delivered(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, 65, ADDRESS, 1);
	signal_vector(f, 65);
	assert_true(is_pending(f, 65));
	assert_false(is_pending(f, 64));
	assert_false(is_pending(f, 1));
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
	mask(f, 65, false);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, 1), 1);
	assert_false(is_pending(f, 65));
}

/* KVM may leave a count behind that it has injected. */
static void unmasked_vector_is_never_pending(void **state)
{
	struct fixture *f = *state;

	enable(f);
	mask(f, 6, false);
	signal_vector(f, 6);
	assert_false(is_pending(f, 6));
}

static void message_of_an_unmasked_vector_changes_at_once(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, 6, ADDRESS, 1);
	mask(f, 6, false);
	signal_vector(f, 6);
	mmio_write(f->rig, entry(f, 6) + 8, 2, 4);
	signal_vector(f, 6);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, 1), 1);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, 2), 1);
}

static void masking_again_holds_signals_back(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, 2, ADDRESS, 2);
	mask(f, 2, false);
	signal_vector(f, 2);
	mask(f, 2, true);
	signal_vector(f, 2);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 1);
	assert_true(is_pending(f, 2));
	mask(f, 2, false);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 1);
}

static void pending_goes_to_the_new_message(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, 3, ADDRESS, 0x31);
	mask(f, 3, false);
	signal_vector(f, 3);
	mask(f, 3, true);
	signal_vector(f, 3);
	set_message(f, 3, ADDRESS | 0x5000, 0x32);
	mask(f, 3, false);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, 0x31), 1);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS | 0x5000, 0x32), 1);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
}

static void route_of_a_masked_vector_is_reused(void **state)
{
	struct fixture *f = *state;

	enable(f);
	for (unsigned int i = 0; i < 10; i++) {
		mask(f, 4, true);
		set_message(f, 4, ADDRESS, i);
		mask(f, 4, false);
	}
	assert_int_equal(fake_irq_routes(f->rig->irq), 1);
}

static void function_mask_holds_all_back(void **state)
{
	struct fixture *f = *state;

	enable(f);
	for (unsigned int i = 0; i < TEST_VECTORS; i++) {
		set_message(f, i, ADDRESS, i);
		mask(f, i, i % 2);
	}
	set_control(f, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	for (unsigned int i = 0; i < TEST_VECTORS; i++)
		signal_vector(f, i);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
	assert_true(mmio_read(f->rig, f->pba, 8) == UINT64_MAX);
	assert_int_equal(mmio_read(f->rig, f->pba + 8, 8), 0x3f);
	enable(f);
	for (unsigned int i = 0; i < TEST_VECTORS; i++)
		assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, i),
				 i % 2 ? 0 : 1);
	assert_true(mmio_read(f->rig, f->pba, 8) == 0xaaaaaaaaaaaaaaaa);
}

static void disabling_gives_the_routes_back(void **state)
{
	struct fixture *f = *state;

	enable(f);
	mask(f, 0, false);
	mask(f, 1, false);
	assert_int_equal(fake_irq_connected(f->rig->irq), 2);
	set_control(f, 0);
	assert_int_equal(fake_irq_routes(f->rig->irq), 0);
	assert_int_equal(f->device->switches, 2);
	assert_int_equal(mmio_read(f->rig, entry(f, 0) + 12, 4), 0);
	enable(f);
	assert_int_equal(fake_irq_connected(f->rig->irq), 2);
}

static void without_routes_it_stays_pending(void **state)
{
	struct fixture *f = *state;

	fake_irq_limit_routes(f->rig->irq, 1);
	enable(f);
	set_message(f, 1, ADDRESS, 1);
	mask(f, 0, false);
	mask(f, 1, false);
	signal_vector(f, 1);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
	assert_true(is_pending(f, 1));
	fake_irq_limit_routes(f->rig->irq, 2);
	mask(f, 1, false);
	assert_int_equal(fake_irq_take(f->rig->irq, ADDRESS, 1), 1);
}

static void table_takes_accesses_of_any_width(void **state)
{
	struct fixture *f = *state;

	mmio_write(f->rig, entry(f, 5), 0x1122334455667788, 8);
	assert_int_equal(mmio_read(f->rig, entry(f, 5), 4), 0x55667788);
	assert_int_equal(mmio_read(f->rig, entry(f, 5) + 4, 2), 0x3344);
	for (unsigned int i = 0; i < 4; i++)
		mmio_write(f->rig, entry(f, 5) + 8 + i, 0xa0 + i, 1);
	assert_int_equal(mmio_read(f->rig, entry(f, 5) + 8, 4), 0xa3a2a1a0);
	mmio_write(f->rig, entry(f, 5) + 12, 0, 1);
	assert_int_equal(mmio_read(f->rig, entry(f, 5) + 12, 4), 0);
	/* Across two entries: the control of one, the address of the next. */
	mmio_write(f->rig, entry(f, 5) + 12, 0xfee0300000000001, 8);
	assert_int_equal(mmio_read(f->rig, entry(f, 5) + 12, 4), 1);
	assert_int_equal(mmio_read(f->rig, entry(f, 6), 4), 0xfee03000);
}

static void reserved_bits_read_zero(void **state)
{
	struct fixture *f = *state;

	mmio_write(f->rig, entry(f, 0), 0xffffffff, 4);
	mmio_write(f->rig, entry(f, 0) + 12, 0xffffffff, 4);
	assert_int_equal(mmio_read(f->rig, entry(f, 0), 4), 0xfffffffc);
	assert_int_equal(mmio_read(f->rig, entry(f, 0) + 12, 4), 1);
}

static void pending_bits_are_read_only(void **state)
{
	struct fixture *f = *state;

	enable(f);
	signal_vector(f, 9);
	mmio_write(f->rig, f->pba, 0, 8);
	assert_true(is_pending(f, 9));
	assert_int_equal(mmio_read(f->rig, f->pba + 1, 1), 2);
	assert_int_equal(mmio_read(f->rig, f->pba, 4), 0x200);
}

static void space_behind_the_table_is_empty(void **state)
{
	struct fixture *f = *state;
	uint64_t behind = entry(f, TEST_VECTORS);

	mmio_write(f->rig, behind, UINT64_MAX, 8);
	assert_int_equal(mmio_read(f->rig, behind, 8), 0);
	assert_int_equal(mmio_read(f->rig, f->pba + 16, 8), 0);
	/* An access that begins in the last entry and ends behind it. */
	mmio_write(f->rig, behind - 2, UINT64_MAX, 8);
	assert_int_equal(mmio_read(f->rig, behind, 8), 0);
}

static void forgotten_vector_is_not_pending(void **state)
{
	struct fixture *f = *state;

	enable(f);
	signal_vector(f, 7);
	msix_forget_pending(f->device->pci.msix, 7);
	assert_false(is_pending(f, 7));
	mask(f, 7, false);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
}

static void reset_masks_and_clears(void **state)
{
	struct fixture *f = *state;

	enable(f);
	set_message(f, 0, ADDRESS, 1);
	mask(f, 0, false);
	signal_vector(f, 1);
	pci_root_reset(f->rig->root);
	assert_int_equal(fake_irq_routes(f->rig->irq), 0);
	config_command(f->rig, TEST_SLOT, PCI_COMMAND_MEMORY, 0);
	assert_int_equal(config_read(f->rig, TEST_SLOT, f->control, 2),
			 TEST_VECTORS - 1);
	assert_int_equal(mmio_read(f->rig, entry(f, 0), 8), 0);
	assert_int_equal(mmio_read(f->rig, entry(f, 0) + 12, 4), 1);
	enable(f);
	assert_false(is_pending(f, 1));
}

#define STORM 20000

static void *storm(void *context)
{
	for (unsigned int i = 0; i < STORM; i++)
		signal_vector(context, 8);
	return NULL;
}

/* Signals beside masking and moves: each arrives once, at either message. */
static void nothing_is_lost_while_the_vector_moves(void **state)
{
	struct fixture *f = *state;
	uint64_t arrived = 0;
	pthread_t thread;

	enable(f);
	assert_int_equal(pthread_create(&thread, NULL, storm, f), 0);
	for (unsigned int i = 0; i < 500; i++) {
		mask(f, 8, true);
		set_message(f, 8, ADDRESS | (i % 2) << 12, i % 2);
		mask(f, 8, false);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	arrived += fake_irq_take(f->rig->irq, ADDRESS, 0);
	arrived += fake_irq_take(f->rig->irq, ADDRESS | 1 << 12, 1);
	assert_int_equal(arrived, STORM);
	assert_int_equal(fake_irq_take_all(f->rig->irq), 0);
}

static void limits_on_vectors(void **state)
{
	struct fixture *f = *state;
	struct msix *msix = NULL;

	assert_int_not_equal(
		msix_create(0, fake_irq_controller(f->rig->irq), &msix), 0);
	assert_int_not_equal(msix_create(MSIX_VECTORS_MAX + 1,
					 fake_irq_controller(f->rig->irq),
					 &msix),
			     0);
	assert_null(msix);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(vectors_are_masked_at_first),
		TEST(unmasked_vector_delivers_its_message),
		TEST(masked_signal_is_pending_then_delivered),
		TEST(unmasked_vector_is_never_pending),
		TEST(message_of_an_unmasked_vector_changes_at_once),
		TEST(masking_again_holds_signals_back),
		TEST(pending_goes_to_the_new_message),
		TEST(route_of_a_masked_vector_is_reused),
		TEST(function_mask_holds_all_back),
		TEST(disabling_gives_the_routes_back),
		TEST(without_routes_it_stays_pending),
		TEST(table_takes_accesses_of_any_width),
		TEST(reserved_bits_read_zero),
		TEST(pending_bits_are_read_only),
		TEST(space_behind_the_table_is_empty),
		TEST(forgotten_vector_is_not_pending),
		TEST(reset_masks_and_clears),
		TEST(nothing_is_lost_while_the_vector_moves),
		TEST(limits_on_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
