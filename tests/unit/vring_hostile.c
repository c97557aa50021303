/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring whose driver breaks the rules: it breaks, and nothing else does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/driver.h"
#include "virtio/vring.h"

#define RAM_SIZE (1 << 18)
#define SIZE     8
#define BUFFER   0x8000ULL
#define TABLE    0x9000ULL
#define SEGMENTS 64

enum {
	NEXT = 1,
	WRITE = 2,
	INDIRECT = 4,
};

struct rig {
	struct driver_memory memory;
	struct driver_queue driver;
	struct vring vring;
};

static void rig_init(struct rig *rig, uint64_t features)
{
	memset(rig, 0, sizeof(*rig));
	driver_memory_init(&rig->memory, RAM_SIZE);
	driver_queue_init(&rig->driver, &rig->memory, SIZE,
			  features & VIRTIO_F_EVENT_IDX);
	assert_int_equal(vring_init(&rig->vring, &rig->memory.memory,
				    &rig->driver.setup, features),
			 0);
}

static int rig_pop(struct rig *rig)
{
	struct iovec iov[SEGMENTS];
	struct vring_chain chain;

	return vring_pop(&rig->vring, iov, SEGMENTS, &chain);
}

/* One descriptor of a hostile chain; the ring's table or the indirect one. */
struct entry {
	bool table;
	uint16_t index;
	uint64_t gpa;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct hostile {
	const char *name;
	uint16_t head;
	struct entry entry[4];
};

static const struct hostile chains[] = {
	{ "head out of range", SIZE, { { false, 0, BUFFER, 1, 0, 0 } } },
	{ "head far out of range", 65535, { { false, 0, BUFFER, 1, 0, 0 } } },
	{ "next out of range", 0, { { false, 0, BUFFER, 1, NEXT, SIZE } } },
	{ "loop of one", 0, { { false, 0, BUFFER, 1, NEXT, 0 } } },
	{ "loop of two",
	  0,
	  { { false, 0, BUFFER, 1, NEXT, 1 },
	    { false, 1, BUFFER, 1, NEXT, 0 } } },
	{ "address beyond RAM",
	  0,
	  { { false, 0, 0xffffffff00000000, 1, 0, 0 } } },
	{ "address in the hole", 0, { { false, 0, 0xd0000000, 1, 0, 0 } } },
	{ "buffer across RAM's end",
	  0,
	  { { false, 0, RAM_SIZE - 1, 2, 0, 0 } } },
	{ "address that wraps", 0, { { false, 0, UINT64_MAX, 2, 0, 0 } } },
	{ "huge length", 0, { { false, 0, BUFFER, UINT32_MAX, 0, 0 } } },
	{ "zero length", 0, { { false, 0, BUFFER, 0, 0, 0 } } },
	{ "zero length behind a good one",
	  0,
	  { { false, 0, BUFFER, 1, NEXT, 1 }, { false, 1, BUFFER, 0, 0, 0 } } },
	{ "readable behind writable",
	  0,
	  { { false, 0, BUFFER, 1, NEXT | WRITE, 1 },
	    { false, 1, BUFFER, 1, 0, 0 } } },
	{ "table of no multiple of 16",
	  0,
	  { { false, 0, TABLE, 24, INDIRECT, 0 },
	    { true, 0, BUFFER, 1, 0, 0 } } },
	{ "table of length 0", 0, { { false, 0, TABLE, 0, INDIRECT, 0 } } },
	{ "table outside RAM",
	  0,
	  { { false, 0, 0xd0000000, 16, INDIRECT, 0 } } },
	{ "huge table", 0, { { false, 0, TABLE, 0xfffffff0, INDIRECT, 0 } } },
	{ "table with a next",
	  0,
	  { { false, 0, TABLE, 16, INDIRECT | NEXT, 1 },
	    { true, 0, BUFFER, 1, 0, 0 },
	    { false, 1, BUFFER, 1, 0, 0 } } },
	{ "table in a table",
	  0,
	  { { false, 0, TABLE, 16, INDIRECT, 0 },
	    { true, 0, TABLE, 16, INDIRECT, 0 } } },
	{ "next beyond the table",
	  0,
	  { { false, 0, TABLE, 16, INDIRECT, 0 },
	    { true, 0, BUFFER, 1, NEXT, 1 } } },
	{ "loop in a table",
	  0,
	  { { false, 0, TABLE, 32, INDIRECT, 0 },
	    { true, 0, BUFFER, 1, NEXT, 1 },
	    { true, 1, BUFFER, 1, NEXT, 0 } } },
};

static void rig_write(struct rig *rig, const struct hostile *hostile)
{
	for (unsigned int i = 0; i < 4; i++) {
		const struct entry *entry = &hostile->entry[i];

		if (!entry->gpa)
			break;
		if (entry->table)
			driver_table(&rig->driver, TABLE, entry->index,
				     entry->gpa, entry->length, entry->flags,
				     entry->next);
		else
			driver_desc(&rig->driver, entry->index, entry->gpa,
				    entry->length, entry->flags, entry->next);
	}
	driver_add_head(&rig->driver, hostile->head);
	driver_publish(&rig->driver);
}

static void hostile_chains_break_the_ring(void **state)
{
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		rig_init(&rig, VIRTIO_F_INDIRECT_DESC);
		rig_write(&rig, &chains[i]);
		if (rig_pop(&rig) != -EBADMSG)
			fail_msg("%s: not noticed", chains[i].name);
		driver_memory_destroy(&rig.memory);
	}
}

static void a_broken_ring_stays_broken(void **state)
{
	struct driver_segment good = { BUFFER, 1, false };
	struct rig rig;

	(void)state;
	rig_init(&rig, 0);
	rig_write(&rig, &chains[0]);
	assert_int_equal(rig_pop(&rig), -EBADMSG);
	driver_add(&rig.driver, &good, 1);
	driver_publish(&rig.driver);
	assert_int_equal(rig_pop(&rig), -EBADMSG);
	assert_false(vring_enable_kicks(&rig.vring));
	driver_memory_destroy(&rig.memory);
}

/* A table that lies over the ring's own descriptors must not loop for ever. */
static void a_table_over_the_ring_itself_breaks_it(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, VIRTIO_F_INDIRECT_DESC);
	driver_desc(&rig.driver, 0, rig.driver.setup.desc, 16, INDIRECT, 0);
	driver_add_head(&rig.driver, 0);
	driver_publish(&rig.driver);
	assert_int_equal(rig_pop(&rig), -EBADMSG);
	driver_memory_destroy(&rig.memory);
}

static void a_table_that_was_not_agreed_breaks_the_ring(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 0);
	driver_desc(&rig.driver, 0, TABLE, 16, INDIRECT, 0);
	driver_table(&rig.driver, TABLE, 0, BUFFER, 1, 0, 0);
	driver_add_head(&rig.driver, 0);
	driver_publish(&rig.driver);
	assert_int_equal(rig_pop(&rig), -EBADMSG);
	driver_memory_destroy(&rig.memory);
}

/* avail->idx as it may be torn, rewound or overrun: @idx after one good pop. */
static void check_index(uint16_t idx, int expected)
{
	struct driver_segment good = { BUFFER, 1, false };
	struct rig rig;

	rig_init(&rig, 0);
	driver_add(&rig.driver, &good, 1);
	driver_publish(&rig.driver);
	assert_int_equal(rig_pop(&rig), 1);
	__atomic_store_n(&rig.driver.avail[1], idx, __ATOMIC_RELEASE);
	assert_int_equal(rig_pop(&rig), expected);
	driver_memory_destroy(&rig.memory);
}

static void an_index_outside_the_ring_breaks_it(void **state)
{
	(void)state;
	check_index(1, 0);
	check_index(SIZE, 1);            /* full, one of them held */
	check_index(SIZE + 1, -EBADMSG); /* more than the ring has room for */
	check_index(0, -EBADMSG);        /* backwards */
	check_index(0x8001, -EBADMSG);
	check_index(0xff01, -EBADMSG); /* torn: the high byte only */
}

static void more_chains_than_entries_break_the_ring(void **state)
{
	struct driver_segment good = { BUFFER, 1, false };
	struct rig rig;

	(void)state;
	rig_init(&rig, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		driver_add(&rig.driver, &good, 1);
	driver_publish(&rig.driver);
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(rig_pop(&rig), 1);
	driver_add_head(&rig.driver, 0); /* the device holds all of them */
	driver_publish(&rig.driver);
	assert_int_equal(rig_pop(&rig), -EBADMSG);
	driver_memory_destroy(&rig.memory);
}

static bool in_ram(const struct rig *rig, const struct iovec *iov)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct guest_memory_region *region =
			&rig->memory.memory.region[i];
		const uint8_t *at = iov->iov_base;

		if (at >= region->host &&
		    at + iov->iov_len <= region->host + region->size)
			return true;
	}
	return false;
}

/* Small numbers, so that good and bad chains are both frequent. */
static void scribble(struct rig *rig, unsigned int *seed)
{
	for (uint16_t i = 0; i < SIZE; i++) {
		uint64_t gpa = rand_r(seed) % 16 ? (uint64_t)rand_r(seed) % 4096
						 : (uint64_t)rand_r(seed) << 33;

		driver_desc(&rig->driver, i, gpa * 16, rand_r(seed) % 8 * 16,
			    rand_r(seed) % 8, rand_r(seed) % (SIZE + 1));
		driver_table(&rig->driver, TABLE, i, gpa * 16,
			     rand_r(seed) % 64, rand_r(seed) % 4,
			     rand_r(seed) % 4);
	}
}

static void random_rings_stay_within_ram(void **state)
{
	unsigned int seed = 1, popped = 0, broken = 0;
	struct iovec iov[SEGMENTS];
	struct vring_chain chain;
	struct rig rig;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		int ret;

		if (round % 100 == 0) {
			if (round)
				driver_memory_destroy(&rig.memory);
			rig_init(&rig, VIRTIO_F_INDIRECT_DESC);
		}
		vring_init(&rig.vring, &rig.memory.memory, &rig.driver.setup,
			   VIRTIO_F_INDIRECT_DESC);
		scribble(&rig, &seed);
		rig.driver.avail_next = 0;
		for (unsigned int i = 0; i < SIZE; i++)
			driver_add_head(&rig.driver, rand_r(&seed) % SIZE);
		driver_publish(&rig.driver);
		while ((ret = vring_pop(&rig.vring, iov, SEGMENTS, &chain)) ==
		       1) {
			popped++;
			for (unsigned int i = 0;
			     i < chain.readable_count + chain.writable_count;
			     i++)
				assert_true(in_ram(&rig, &iov[i]));
			if (rand_r(&seed) % 2)
				vring_push(&rig.vring, chain.head, 0);
		}
		broken += ret == -EBADMSG;
		vring_publish(&rig.vring);
	}
	driver_memory_destroy(&rig.memory);
	assert_true(popped > 1000);
	assert_true(broken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_chains_break_the_ring),
		cmocka_unit_test(a_broken_ring_stays_broken),
		cmocka_unit_test(a_table_over_the_ring_itself_breaks_it),
		cmocka_unit_test(a_table_that_was_not_agreed_breaks_the_ring),
		cmocka_unit_test(an_index_outside_the_ring_breaks_it),
		cmocka_unit_test(more_chains_than_entries_break_the_ring),
		cmocka_unit_test(random_rings_stay_within_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
