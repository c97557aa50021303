/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/acpi_internal.h"

#include <string.h>

#include "kvm/acpi.h"

void *acpi_append(struct acpi_area *area, uint64_t size)
{
	void *at = area->host + area->used;

	memset(at, 0, size);
	area->used += size;
	return at;
}

uint8_t acpi_checksum(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (size--)
		sum += *bytes++;
	return -sum;
}

void *acpi_table_begin(struct acpi_area *area, const char *signature,
		       uint8_t revision, uint64_t size)
{
	struct acpi_header *header;

	area->used = (area->used + ACPI_TABLE_ALIGNMENT - 1) &
		     ~(uint64_t)(ACPI_TABLE_ALIGNMENT - 1);
	area->table = area->used;
	header = acpi_append(area, size);
	memcpy(header->signature, signature, sizeof(header->signature));
	header->revision = revision;
	memcpy(header->oem_id, "MQVMM ", sizeof(header->oem_id));
	memcpy(header->oem_table_id, "MQVM", 4);
	memcpy(header->oem_table_id + 4, signature, 4);
	header->oem_revision = 1;
	memcpy(header->creator_id, "MQVM", sizeof(header->creator_id));
	header->creator_revision = 1;
	return header;
}

uint64_t acpi_table_end(struct acpi_area *area)
{
	struct acpi_header *header = (void *)(area->host + area->table);

	header->length = area->used - area->table;
	header->checksum = 0;
	header->checksum = acpi_checksum(header, header->length);
	return ACPI_AREA_BASE + area->table;
}
