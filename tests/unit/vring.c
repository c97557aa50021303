/* SPDX-License-Identifier: BSD-3-Clause */
/* The device side of a ring against a driver that keeps the rules. */
#include "virtio/vring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/driver.h"

#define RAM_SIZE   (1 << 20)
#define BUFFER     64
#define IOV_MAX_64 64

struct rig {
	struct driver_memory memory;
	struct driver_queue driver;
	struct vring vring;
	struct iovec iov[IOV_MAX_64];
	struct vring_chain chain;
};

static struct rig *rig_make(uint16_t size, uint64_t features)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	driver_memory_init(&rig->memory, RAM_SIZE);
	driver_queue_init(&rig->driver, &rig->memory, size,
			  features & VIRTIO_F_EVENT_IDX);
	rig->driver.indirect = features & VIRTIO_F_INDIRECT_DESC;
	assert_int_equal(vring_init(&rig->vring, &rig->memory.memory,
				    &rig->driver.setup, features),
			 0);
	return rig;
}

static void rig_free(struct rig *rig)
{
	driver_memory_destroy(&rig->memory);
	free(rig);
}

static int rig_pop(struct rig *rig)
{
	return vring_pop(&rig->vring, rig->iov, IOV_MAX_64, &rig->chain);
}

/* Add one chain of one readable segment at @gpa. */
static void rig_add(struct rig *rig, uint64_t gpa)
{
	struct driver_segment segment = { gpa, BUFFER, false };

	assert_int_not_equal(driver_add(&rig->driver, &segment, 1), -1);
}

static void pops_nothing_from_an_empty_ring(void **state)
{
	struct rig *rig = rig_make(4, 0);

	(void)state;
	assert_int_equal(rig_pop(rig), 0);
	rig_free(rig);
}

static void pop_sees_only_what_was_published(void **state)
{
	struct rig *rig = rig_make(4, 0);

	(void)state;
	rig_add(rig, 0x8000);
	assert_int_equal(rig_pop(rig), 0);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	assert_int_equal(rig_pop(rig), 0);
	rig_free(rig);
}

static void check_mixed_chain(uint64_t features)
{
	struct rig *rig = rig_make(8, features);
	const struct driver_segment segment[] = {
		{ 0x8000, 10, false },
		{ driver_high(&rig->memory) + 5, 20, false },
		{ 0x9000, 30, true },
	};
	int head = driver_add(&rig->driver, segment, 3);

	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	assert_int_equal(rig->chain.head, head);
	assert_int_equal(rig->chain.readable_count, 2);
	assert_int_equal(rig->chain.writable_count, 1);
	assert_int_equal(rig->chain.readable, 30);
	assert_int_equal(rig->chain.writable, 30);
	for (unsigned int i = 0; i < 3; i++) {
		assert_ptr_equal(rig->iov[i].iov_base,
				 driver_at(&rig->memory, segment[i].gpa, 1));
		assert_int_equal(rig->iov[i].iov_len, segment[i].length);
	}
	rig_free(rig);
}

static void pop_maps_a_chain_in_order(void **state)
{
	(void)state;
	check_mixed_chain(0);
}

static void pop_maps_an_indirect_chain(void **state)
{
	(void)state;
	check_mixed_chain(VIRTIO_F_INDIRECT_DESC);
}

static void pop_follows_a_chain_that_ends_in_a_table(void **state)
{
	struct rig *rig = rig_make(4, VIRTIO_F_INDIRECT_DESC);
	uint64_t table = 0x7001; /* tables need no alignment */

	(void)state;
	driver_desc(&rig->driver, 0, 0x8000, 1, 1, 2);
	driver_desc(&rig->driver, 2, table, 32, 4, 0);
	driver_table(&rig->driver, table, 0, 0x9000, 2, 1, 1);
	driver_table(&rig->driver, table, 1, 0xa000, 3, 2, 0);
	driver_add_head(&rig->driver, 0);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	assert_int_equal(rig->chain.readable, 3);
	assert_int_equal(rig->chain.writable, 3);
	rig_free(rig);
}

/* Linux makes these for frames of many fragments on a short ring. */
static void a_table_may_be_longer_than_the_ring(void **state)
{
	struct rig *rig = rig_make(4, VIRTIO_F_INDIRECT_DESC);
	struct driver_segment segment[19];

	(void)state;
	for (unsigned int i = 0; i < 19; i++)
		segment[i] = (struct driver_segment) { 0x8000, 1, false };
	driver_add(&rig->driver, segment, 19);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	assert_int_equal(rig->chain.readable_count, 19);
	rig_free(rig);
}

static void a_chain_beyond_the_callers_segments_is_taken(void **state)
{
	struct rig *rig = rig_make(128, 0);
	struct driver_segment segment[IOV_MAX_64 + 1];

	(void)state;
	for (unsigned int i = 0; i <= IOV_MAX_64; i++)
		segment[i] = (struct driver_segment) { 0x8000, 1, false };
	driver_add(&rig->driver, segment, IOV_MAX_64 + 1);
	rig_add(rig, 0x9000);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), -E2BIG);
	assert_int_equal(rig->chain.readable_count, IOV_MAX_64 + 1);
	assert_int_equal(rig_pop(rig), 1);
	rig_free(rig);
}

static void map_walks_a_popped_chain_again(void **state)
{
	struct rig *rig = rig_make(4, 0);
	uint16_t head;

	(void)state;
	rig_add(rig, 0x8000);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	head = rig->chain.head;
	driver_desc(&rig->driver, head, 0x9000, 7, 0, 0);
	assert_int_equal(vring_map(&rig->vring, head, rig->iov, 1, &rig->chain),
			 1);
	assert_ptr_equal(rig->iov[0].iov_base,
			 driver_at(&rig->memory, 0x9000, 7));
	assert_int_equal(rig->chain.readable, 7);
	rig_free(rig);
}

static void used_chains_appear_at_publish(void **state)
{
	struct rig *rig = rig_make(4, 0);
	uint32_t length;

	(void)state;
	rig_add(rig, 0x8000);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	vring_push(&rig->vring, rig->chain.head, 17);
	assert_int_equal(driver_take(&rig->driver, NULL), -1);
	assert_true(vring_publish(&rig->vring));
	assert_int_equal(driver_take(&rig->driver, &length), rig->chain.head);
	assert_int_equal(length, 17);
	assert_false(vring_publish(&rig->vring));
	rig_free(rig);
}

/* More chains than 16 bits count, in batches that do not divide 2^16. */
static void indices_wrap(void **state)
{
	struct rig *rig =
		rig_make(8, VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC);
	unsigned int popped = 0, batches = 0;

	(void)state;
	for (; popped < 140000; batches++) {
		unsigned int batch = batches % 7 + 1;
		bool kick;

		assert_false(vring_enable_kicks(&rig->vring));
		for (unsigned int i = 0; i < batch; i++)
			rig_add(rig, 0x10000 + i * BUFFER);
		kick = driver_publish(&rig->driver);
		assert_true(kick);
		for (unsigned int i = 0; i < batch; i++, popped++) {
			assert_int_equal(rig_pop(rig), 1);
			assert_ptr_equal(rig->iov[0].iov_base,
					 driver_at(&rig->memory,
						   0x10000 + i * BUFFER, 1));
			vring_push(&rig->vring, rig->chain.head, 0);
		}
		assert_int_equal(rig_pop(rig), 0);
		driver_enable_interrupts(&rig->driver, batch);
		assert_true(vring_publish(&rig->vring));
		assert_true(vring_needs_interrupt(&rig->vring));
		while (driver_take(&rig->driver, NULL) >= 0)
			;
	}
	rig_free(rig);
}

/* Use one chain and publish it. Return: whether an interrupt is due. */
static bool rig_use_one(struct rig *rig)
{
	rig_add(rig, 0x8000);
	driver_publish(&rig->driver);
	assert_int_equal(rig_pop(rig), 1);
	vring_push(&rig->vring, rig->chain.head, 0);
	assert_true(vring_publish(&rig->vring));
	return vring_needs_interrupt(&rig->vring);
}

static void event_idx_interrupts_at_the_chosen_entry(void **state)
{
	struct rig *rig = rig_make(8, VIRTIO_F_EVENT_IDX);

	(void)state;
	assert_true(rig_use_one(rig));
	while (driver_take(&rig->driver, NULL) >= 0)
		;
	driver_enable_interrupts(&rig->driver, 3);
	assert_false(rig_use_one(rig));
	assert_false(rig_use_one(rig));
	assert_true(rig_use_one(rig));
	assert_false(rig_use_one(rig));
	rig_free(rig);
}

static void flags_suppress_interrupts_without_event_idx(void **state)
{
	struct rig *rig = rig_make(8, 0);

	(void)state;
	assert_true(rig_use_one(rig));
	driver_disable_interrupts(&rig->driver);
	assert_false(rig_use_one(rig));
	driver_enable_interrupts(&rig->driver, 1);
	assert_true(rig_use_one(rig));
	rig_free(rig);
}

static void check_kicks(uint64_t features)
{
	struct rig *rig = rig_make(8, features);

	vring_disable_kicks(&rig->vring);
	rig_add(rig, 0x8000);
	driver_publish(&rig->driver);
	rig_add(rig, 0x8000);
	assert_false(driver_publish(&rig->driver));
	assert_true(vring_enable_kicks(&rig->vring));
	assert_int_equal(rig_pop(rig), 1);
	assert_true(vring_enable_kicks(&rig->vring)); /* one is left */
	assert_int_equal(rig_pop(rig), 1);
	assert_false(vring_enable_kicks(&rig->vring));
	rig_add(rig, 0x8000);
	assert_true(driver_publish(&rig->driver));
	assert_int_equal(rig_pop(rig), 1);
	vring_disable_kicks(&rig->vring);
	rig_add(rig, 0x8000);
	assert_false(driver_publish(&rig->driver));
	rig_free(rig);
}

static void kicks_are_suppressed_by_flags(void **state)
{
	(void)state;
	check_kicks(0);
}

static void kicks_are_suppressed_by_event_idx(void **state)
{
	(void)state;
	check_kicks(VIRTIO_F_EVENT_IDX);
}

static void init_refuses_unusable_rings(void **state)
{
	struct rig *rig = rig_make(8, 0);
	const struct virtio_queue_setup good = rig->driver.setup;
	const struct {
		struct virtio_queue_setup setup;
		int result;
	} cases[] = {
		{ { true, 8, good.desc, good.avail, good.used }, 0 },
		{ { true, 0, good.desc, good.avail, good.used }, -EINVAL },
		{ { true, 6, good.desc, good.avail, good.used }, -EINVAL },
		{ { true, 65535, good.desc, good.avail, good.used }, -EINVAL },
		{ { true, 8, good.desc + 8, good.avail, good.used }, -EINVAL },
		{ { true, 8, good.desc, good.avail + 1, good.used }, -EINVAL },
		{ { true, 8, good.desc, good.avail, good.used + 2 }, -EINVAL },
		{ { true, 8, RAM_SIZE - 64, good.avail, good.used }, -EFAULT },
		{ { true, 8, good.desc, RAM_SIZE, good.used }, -EFAULT },
		{ { true, 8, good.desc, good.avail, ~3ULL }, -EFAULT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vring_init(&rig->vring, &rig->memory.memory,
					    &cases[i].setup, 0),
				 cases[i].result);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pops_nothing_from_an_empty_ring),
		cmocka_unit_test(pop_sees_only_what_was_published),
		cmocka_unit_test(pop_maps_a_chain_in_order),
		cmocka_unit_test(pop_maps_an_indirect_chain),
		cmocka_unit_test(pop_follows_a_chain_that_ends_in_a_table),
		cmocka_unit_test(a_table_may_be_longer_than_the_ring),
		cmocka_unit_test(a_chain_beyond_the_callers_segments_is_taken),
		cmocka_unit_test(map_walks_a_popped_chain_again),
		cmocka_unit_test(used_chains_appear_at_publish),
		cmocka_unit_test(indices_wrap),
		cmocka_unit_test(event_idx_interrupts_at_the_chosen_entry),
		cmocka_unit_test(flags_suppress_interrupts_without_event_idx),
		cmocka_unit_test(kicks_are_suppressed_by_flags),
		cmocka_unit_test(kicks_are_suppressed_by_event_idx),
		cmocka_unit_test(init_refuses_unusable_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
