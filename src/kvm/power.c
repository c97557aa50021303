/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/power.h"

#include <string.h>

#include "kvm/acpi.h"

#define SLEEP_TYPE_SHIFT 2
#define SLEEP_TYPE_BITS  7

#define PVPANIC_PANICKED 0x01

#define I8042_PORT_DATA    0x60
#define I8042_PORT_COMMAND 0x64
#define I8042_PULSE_RESET  0xfe
/*
 * Output buffer full for ever, input buffer empty: a guest that looks for a
 * keyboard drains it in vain and goes on after a millisecond, and one that
 * wants to reset through it need not wait.
 */
#define I8042_STATUS 0x01

#define RESET_CONTROL_CPU 0x04

static uint8_t first_byte(const void *data)
{
	return *(const uint8_t *)data;
}

static void read_value(void *data, unsigned int size, uint8_t value)
{
	memset(data, 0, size);
	*(uint8_t *)data = value;
}

/* Of the sleep registers, too: a status of 0 says no wake event. */
static void read_zero(void *device, uint64_t offset, void *data,
		      unsigned int size)
{
	(void)device;
	(void)offset;
	read_value(data, size, 0);
}

static void sleep_write(void *device, uint64_t offset, const void *data,
			unsigned int size)
{
	struct power *power = device;
	uint8_t value = first_byte(data);
	uint8_t type = (value >> SLEEP_TYPE_SHIFT) & SLEEP_TYPE_BITS;

	(void)size;
	if (offset == 0 && value & ACPI_SLEEP_ENABLE &&
	    type == ACPI_SLEEP_TYPE_S5)
		ending_request(power->ending, MACHINE_END_POWEROFF);
}

static void reset_write(void *device, uint64_t offset, const void *data,
			unsigned int size)
{
	struct power *power = device;

	(void)offset;
	(void)size;
	if (first_byte(data) == ACPI_RESET_VALUE)
		ending_request(power->ending, MACHINE_END_REBOOT);
}

static void pvpanic_read(void *device, uint64_t offset, void *data,
			 unsigned int size)
{
	(void)device;
	(void)offset;
	read_value(data, size, PVPANIC_PANICKED); /* the events we know */
}

static void pvpanic_write(void *device, uint64_t offset, const void *data,
			  unsigned int size)
{
	struct power *power = device;

	(void)offset;
	(void)size;
	if (first_byte(data) & PVPANIC_PANICKED)
		ending_request(power->ending, MACHINE_END_PANIC);
}

static void i8042_read(void *device, uint64_t offset, void *data,
		       unsigned int size)
{
	(void)device;
	(void)offset;
	read_value(data, size, I8042_STATUS);
}

static void i8042_write(void *device, uint64_t offset, const void *data,
			unsigned int size)
{
	struct power *power = device;

	(void)offset;
	(void)size;
	if (first_byte(data) == I8042_PULSE_RESET)
		ending_request(power->ending, MACHINE_END_REBOOT);
}

static void ignore_write(void *device, uint64_t offset, const void *data,
			 unsigned int size)
{
	(void)device;
	(void)offset;
	(void)data;
	(void)size;
}

static const struct bus_ops sleep_ops = { read_zero, sleep_write };
static const struct bus_ops reset_ops = { read_zero, reset_write };
static const struct bus_ops pvpanic_ops = { pvpanic_read, pvpanic_write };
static const struct bus_ops i8042_data_ops = { read_zero, ignore_write };
static const struct bus_ops i8042_ops = { i8042_read, i8042_write };

static const struct {
	uint16_t port;
	uint16_t size;
	const struct bus_ops *ops;
} registers[] = {
	{ ACPI_PORT_SLEEP_CONTROL, 2, &sleep_ops },
	{ ACPI_PORT_RESET, 1, &reset_ops },
	{ ACPI_PORT_PVPANIC, 1, &pvpanic_ops },
	{ I8042_PORT_DATA, 1, &i8042_data_ops },
	{ I8042_PORT_COMMAND, 1, &i8042_ops },
};

int power_init(struct power *power, struct bus *pio, struct ending *ending,
	       struct fail *fail)
{
	unsigned int i;

	power->ending = ending;
	for (i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		int rc = bus_add(pio, registers[i].port, registers[i].size,
				 registers[i].ops, power);

		if (rc < 0)
			return fail_set(fail, rc, "I/O port %#x: %s",
					registers[i].port, strerror(-rc));
	}
	return 0;
}

void power_write_reset_control(struct power *power, uint8_t value)
{
	if (value & RESET_CONTROL_CPU)
		ending_request(power->ending, MACHINE_END_REBOOT);
}
