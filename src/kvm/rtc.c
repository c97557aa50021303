/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/rtc.h"

#include <string.h>
#include <time.h>

#define PORT_INDEX 0x70
#define PORT_DATA  0x71

/* Registers (MC146818 data sheet; the century is where ACPI's FADT has it). */
#define REG_SECONDS 0x00
#define REG_MINUTES 0x02
#define REG_HOURS   0x04
#define REG_WEEKDAY 0x06
#define REG_DAY     0x07
#define REG_MONTH   0x08
#define REG_YEAR    0x09
#define REG_A       0x0a
#define REG_B       0x0b
#define REG_D       0x0d
#define REG_CENTURY 0x32

#define REG_A_DIVIDER 0x26 /* 32768 Hz, no update in progress */
#define REG_B_24_HOUR 0x02 /* and BCD */
#define REG_D_VALID   0x80 /* the battery is good */

#define INDEX_BITS 0x7f /* bit 7 masks NMIs */

static uint8_t to_bcd(int value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static uint8_t register_value(uint8_t index)
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	switch (index) {
	case REG_SECONDS:
		return to_bcd(utc.tm_sec);
	case REG_MINUTES:
		return to_bcd(utc.tm_min);
	case REG_HOURS:
		return to_bcd(utc.tm_hour);
	case REG_WEEKDAY:
		return to_bcd(utc.tm_wday + 1);
	case REG_DAY:
		return to_bcd(utc.tm_mday);
	case REG_MONTH:
		return to_bcd(utc.tm_mon + 1);
	case REG_YEAR:
		return to_bcd(utc.tm_year % 100);
	case REG_CENTURY:
		return to_bcd((utc.tm_year + 1900) / 100);
	case REG_A:
		return REG_A_DIVIDER;
	case REG_B:
		return REG_B_24_HOUR;
	case REG_D:
		return REG_D_VALID;
	default:
		return 0;
	}
}

static void rtc_read(void *device, uint64_t offset, void *data,
		     unsigned int size)
{
	struct rtc *rtc = device;
	uint8_t index = atomic_load(&rtc->index);

	memset(data, 0xff, size);
	if (offset == PORT_DATA - PORT_INDEX)
		*(uint8_t *)data = register_value(index);
}

static void rtc_write(void *device, uint64_t offset, const void *data,
		      unsigned int size)
{
	struct rtc *rtc = device;

	(void)size;
	if (offset == 0)
		atomic_store(&rtc->index, *(const uint8_t *)data & INDEX_BITS);
}

static const struct bus_ops rtc_ops = { rtc_read, rtc_write };

int rtc_init(struct rtc *rtc, struct bus *pio, struct fail *fail)
{
	int rc;

	atomic_init(&rtc->index, 0);
	rc = bus_add(pio, PORT_INDEX, 2, &rtc_ops, rtc);
	if (rc < 0)
		return fail_set(fail, rc, "I/O port %#x: %s", PORT_INDEX,
				strerror(-rc));
	return 0;
}
