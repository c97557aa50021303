/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_UNIT_ACPI_SUPPORT_H
#define MQVMM_TESTS_UNIT_ACPI_SUPPORT_H

#include "boot_support.h"

#include "kvm/acpi.h"

/* Tables in the RAM of a guest of 6 GiB, read the way a guest reads them. */
struct acpi_test {
	struct guest_memory memory;
	uint64_t rsdp;
};

int acpi_test_set_up(void **state);
int acpi_test_tear_down(void **state);

/* Fails the test for what is not in the area of the tables. */
const uint8_t *acpi_bytes_at(const struct acpi_test *test, uint64_t gpa,
			     uint64_t size);
uint64_t acpi_value_at(const uint8_t *bytes, unsigned int size);

unsigned int acpi_table_length(const uint8_t *table);
const uint8_t *acpi_table_at(const struct acpi_test *test, uint64_t gpa);
const uint8_t *acpi_xsdt(const struct acpi_test *test);

/* The table that the XSDT names with this signature; NULL if none. */
const uint8_t *acpi_find(const struct acpi_test *test, const char *signature);

#endif
