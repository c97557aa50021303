/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "kvm/bus.h"
#include "kvm/rtc.h"

struct rig {
	struct bus *bus;
	struct rtc rtc;
};

static int setup(void **state)
{
	struct rig *rig = test_calloc(1, sizeof(*rig));

	*state = rig;
	rig->bus = bus_create();
	return rtc_init(&rig->rtc, rig->bus, NULL);
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	bus_destroy(rig->bus);
	test_free(rig);
	return 0;
}

static uint8_t cmos(struct rig *rig, uint8_t index)
{
	uint8_t value = 0;

	bus_write(rig->bus, 0x70, &index, 1);
	bus_read(rig->bus, 0x71, &value, 1);
	return value;
}

static int decimal(uint8_t bcd)
{
	assert_in_range(bcd & 0xf, 0, 9);
	return (bcd >> 4) * 10 + (bcd & 0xf);
}

static time_t read_clock(struct rig *rig)
{
	struct tm utc = {
		.tm_sec = decimal(cmos(rig, 0x00)),
		.tm_min = decimal(cmos(rig, 0x02)),
		.tm_hour = decimal(cmos(rig, 0x04)),
		.tm_mday = decimal(cmos(rig, 0x07)),
		.tm_mon = decimal(cmos(rig, 0x08)) - 1,
		.tm_year = decimal(cmos(rig, 0x09)) +
			   decimal(cmos(rig, 0x32)) * 100 - 1900,
	};

	return timegm(&utc);
}

static void clock_shows_the_hosts_utc(void **state)
{
	time_t before;
	time_t seen;
	time_t after;

	/* Again if a second went by while the registers were read. */
	do {
		before = time(NULL);
		seen = read_clock(*state);
		after = time(NULL);
	} while (before != after);
	assert_int_equal(seen, before);
}

static void clock_is_valid_and_not_updating(void **state)
{
	assert_int_equal(cmos(*state, 0x0a) & 0x80, 0);
	assert_int_equal(cmos(*state, 0x0b) & 0x06, 0x02);
	assert_int_equal(cmos(*state, 0x0d), 0x80);
}

static void bit_that_masks_nmis_is_no_index(void **state)
{
	assert_int_equal(cmos(*state, 0x8d), 0x80);
}

int main(void)
{
#define ON_RTC(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_RTC(clock_shows_the_hosts_utc),
		ON_RTC(clock_is_valid_and_not_updating),
		ON_RTC(bit_that_masks_nmis_is_no_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
