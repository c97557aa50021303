/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kvm/bus.h"

/* A device that remembers its accesses, and moves itself when told to. */
struct recorder {
	struct bus *bus;
	uint64_t move_from;
	uint64_t move_to; /* at the next write, 0 for staying */
	unsigned int reads;
	unsigned int writes;
	uint64_t offset;
	unsigned int size;
	uint64_t value;
};

static void recorder_read(void *device, uint64_t offset, void *data,
			  unsigned int size)
{
	struct recorder *recorder = device;

	recorder->reads++;
	recorder->offset = offset;
	recorder->size = size;
	memcpy(data, &recorder->value, size);
}

static void recorder_write(void *device, uint64_t offset, const void *data,
			   unsigned int size);

static const struct bus_ops recorder_ops = { recorder_read, recorder_write };

static void recorder_write(void *device, uint64_t offset, const void *data,
			   unsigned int size)
{
	struct recorder *recorder = device;

	recorder->writes++;
	recorder->offset = offset;
	recorder->size = size;
	recorder->value = 0;
	memcpy(&recorder->value, data, size);
	if (recorder->move_to) {
		assert_int_equal(bus_remove(recorder->bus, recorder->move_from),
				 0);
		assert_int_equal(bus_add(recorder->bus, recorder->move_to, 16,
					 &recorder_ops, recorder),
				 0);
	}
}

static int setup(void **state)
{
	*state = bus_create();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	bus_destroy(*state);
	return 0;
}

static int add(struct bus *bus, uint64_t base, uint64_t size)
{
	return bus_add(bus, base, size, &recorder_ops, NULL);
}

static void access_reaches_its_device_with_the_offset(void **state)
{
	struct recorder low = { .value = 0x11 };
	struct recorder high = { .value = 0x2222 };
	uint16_t value = 0;

	assert_int_equal(bus_add(*state, 0x2000, 0x100, &recorder_ops, &high),
			 0);
	assert_int_equal(bus_add(*state, 0x1000, 0x100, &recorder_ops, &low),
			 0);
	assert_int_equal(bus_read(*state, 0x20fe, &value, 2), 0);
	assert_int_equal(value, 0x2222);
	assert_int_equal(high.offset, 0xfe);
	assert_int_equal(low.reads, 0);
	value = 0xabcd;
	assert_int_equal(bus_write(*state, 0x1004, &value, 2), 0);
	assert_int_equal(low.value, 0xabcd);
	assert_int_equal(low.offset, 4);
}

static void reads_of_nothing_give_all_ones(void **state)
{
	uint64_t value = 0;

	assert_int_equal(bus_read(*state, 0x1234, &value, 4), -ENOENT);
	assert_int_equal(value, 0xffffffff);
	assert_int_equal(bus_write(*state, 0x1234, &value, 4), -ENOENT);
}

static void overlapping_regions_are_refused(void **state)
{
	assert_int_equal(add(*state, 0x1000, 0x100), 0);
	assert_int_equal(add(*state, 0x1000, 0x100), -EEXIST);
	assert_int_equal(add(*state, 0x0fff, 2), -EEXIST);
	assert_int_equal(add(*state, 0x10ff, 1), -EEXIST);
	assert_int_equal(add(*state, 0x0f00, 0x1000), -EEXIST);
	assert_int_equal(add(*state, 0x0f00, 0x100), 0);
	assert_int_equal(add(*state, 0x1100, 1), 0);
}

static void empty_and_wrapping_regions_are_refused(void **state)
{
	assert_int_equal(add(*state, 0x1000, 0), -EINVAL);
	assert_int_equal(add(*state, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(add(*state, 1, UINT64_MAX), 0);
}

static void last_address_can_be_used(void **state)
{
	struct recorder device = { .value = 7 };
	uint8_t value = 0;

	assert_int_equal(bus_add(*state, UINT64_MAX, 1, &recorder_ops, &device),
			 0);
	assert_int_equal(bus_read(*state, UINT64_MAX, &value, 1), 0);
	assert_int_equal(value, 7);
	assert_int_equal(bus_read(*state, UINT64_MAX - 1, &value, 1), -ENOENT);
}

static void access_across_the_end_reaches_nobody(void **state)
{
	struct recorder device = { .value = 0 };
	uint32_t value = 0;

	assert_int_equal(bus_add(*state, 0x1000, 0x10, &recorder_ops, &device),
			 0);
	assert_int_equal(bus_read(*state, 0x100e, &value, 4), -ENOENT);
	assert_int_equal(value, 0xffffffff);
	assert_int_equal(bus_write(*state, 0x100e, &value, 4), -ENOENT);
	assert_int_equal(device.reads + device.writes, 0);
}

static void odd_width_goes_byte_by_byte(void **state)
{
	struct recorder device = { .value = 0x5a };
	uint8_t value[3] = { 0 };

	assert_int_equal(bus_add(*state, 0x1000, 0x10, &recorder_ops, &device),
			 0);
	assert_int_equal(bus_read(*state, 0x1001, value, 3), 0);
	assert_int_equal(device.reads, 3);
	assert_int_equal(device.size, 1);
	assert_int_equal(device.offset, 3);
	assert_int_equal(value[2], 0x5a);
}

static void removed_region_is_gone(void **state)
{
	uint8_t value;

	assert_int_equal(add(*state, 0x1000, 0x10), 0);
	assert_int_equal(bus_remove(*state, 0x1001), -ENOENT);
	assert_int_equal(bus_remove(*state, 0x1000), 0);
	assert_int_equal(bus_remove(*state, 0x1000), -ENOENT);
	assert_int_equal(bus_read(*state, 0x1000, &value, 1), -ENOENT);
}

static void device_moves_itself_from_inside_a_write(void **state)
{
	struct recorder device = { .bus = *state,
				   .move_from = 0x1000,
				   .move_to = 0x8000 };
	uint8_t value = 1;

	assert_int_equal(bus_add(*state, 0x1000, 0x10, &recorder_ops, &device),
			 0);
	assert_int_equal(bus_write(*state, 0x1000, &value, 1), 0);
	device.move_to = 0;
	assert_int_equal(bus_write(*state, 0x1000, &value, 1), -ENOENT);
	assert_int_equal(bus_write(*state, 0x8000, &value, 1), 0);
	assert_int_equal(device.writes, 2);
}

static void many_regions_are_told_apart(void **state)
{
	struct recorder device[100];
	uint8_t value = 1;
	unsigned int i;

	memset(device, 0, sizeof(device));
	for (i = 0; i < 100; i++)
		assert_int_equal(bus_add(*state, (uint64_t)(i * 37 % 100) * 16,
					 16, &recorder_ops,
					 &device[i * 37 % 100]),
				 0);
	for (i = 0; i < 100; i++)
		bus_write(*state, (uint64_t)i * 16 + 15, &value, 1);
	for (i = 0; i < 100; i++)
		assert_int_equal(device[i].writes, 1);
}

int main(void)
{
#define ON_BUS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_BUS(access_reaches_its_device_with_the_offset),
		ON_BUS(reads_of_nothing_give_all_ones),
		ON_BUS(overlapping_regions_are_refused),
		ON_BUS(empty_and_wrapping_regions_are_refused),
		ON_BUS(last_address_can_be_used),
		ON_BUS(access_across_the_end_reaches_nobody),
		ON_BUS(odd_width_goes_byte_by_byte),
		ON_BUS(removed_region_is_gone),
		ON_BUS(device_moves_itself_from_inside_a_write),
		ON_BUS(many_regions_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
