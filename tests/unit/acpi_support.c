/* SPDX-License-Identifier: BSD-3-Clause */
#include "acpi_support.h"

#include <string.h>

int acpi_test_set_up(void **state)
{
	struct acpi_test *test = test_malloc(sizeof(*test));

	guest_create(&test->memory, 6 * GIB);
	*state = test;
	return 0;
}

int acpi_test_tear_down(void **state)
{
	struct acpi_test *test = *state;

	guest_destroy(&test->memory);
	test_free(test);
	return 0;
}

const uint8_t *acpi_bytes_at(const struct acpi_test *test, uint64_t gpa,
			     uint64_t size)
{
	const uint8_t *bytes = guest_memory_at(&test->memory, gpa, size);

	assert_true(gpa >= ACPI_AREA_BASE);
	assert_true(gpa + size <= ACPI_AREA_BASE + ACPI_AREA_SIZE);
	assert_non_null(bytes);
	return bytes;
}

uint64_t acpi_value_at(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	return value;
}

unsigned int acpi_table_length(const uint8_t *table)
{
	return acpi_value_at(table + 4, 4);
}

const uint8_t *acpi_table_at(const struct acpi_test *test, uint64_t gpa)
{
	const uint8_t *header = acpi_bytes_at(test, gpa, 36);

	return acpi_bytes_at(test, gpa, acpi_table_length(header));
}

const uint8_t *acpi_xsdt(const struct acpi_test *test)
{
	return acpi_table_at(
		test,
		acpi_value_at(acpi_bytes_at(test, test->rsdp, 36) + 24, 8));
}

const uint8_t *acpi_find(const struct acpi_test *test, const char *signature)
{
	const uint8_t *root = acpi_xsdt(test);

	for (unsigned int at = 36; at < acpi_table_length(root); at += 8) {
		const uint8_t *table =
			acpi_table_at(test, acpi_value_at(root + at, 8));

		if (!memcmp(table, signature, 4))
			return table;
	}
	return NULL;
}
