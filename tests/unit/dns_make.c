/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/dns_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void put(struct dns_made *made, const void *data, size_t size)
{
	assert_true(made->size + size <= sizeof(made->data));
	if (size)
		memcpy(made->data + made->size, data, size);
	made->size += size;
}

static void put16(struct dns_made *made, unsigned int value)
{
	const uint8_t bytes[] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(made, bytes, sizeof(bytes));
}

static void put32(struct dns_made *made, uint32_t value)
{
	put16(made, value >> 16);
	put16(made, value & 0xffff);
}

static void put_name(struct dns_made *made, const char *name)
{
	while (*name) {
		uint8_t length = (uint8_t)strcspn(name, ".");

		put(made, &length, 1);
		put(made, name, length);
		name += length;
		name += *name == '.';
	}
	put(made, "", 1);
}

struct dns_made dns_make_query(uint16_t id, const char *name, uint16_t type)
{
	struct dns_made made = { .size = 0 };

	put16(&made, id);
	put16(&made, 0x0100);
	put16(&made, 1);
	put16(&made, 0);
	put32(&made, 0);
	put_name(&made, name);
	put16(&made, type);
	put16(&made, 1);
	return made;
}

struct dns_made dns_make_answer(const struct dns_made *query, uint8_t rcode)
{
	struct dns_made made = *query;

	made.size = DNS_HEADER_SIZE;
	while (query->data[made.size])
		made.size += 1U + query->data[made.size];
	made.size += 5;
	memset(made.data + 6, 0, 6);
	made.data[2] |= 0x80;
	made.data[3] |= 0x80 | rcode;
	return made;
}

static void count_record(struct dns_made *made, enum dns_section section)
{
	uint8_t *count = made->data + 6 + 2 * section;
	unsigned int value = dns_get16(count) + 1U;

	count[0] = (uint8_t)(value >> 8);
	count[1] = (uint8_t)value;
}

void dns_make_record(struct dns_made *made, enum dns_section section,
		     uint16_t type, uint32_t ttl, const void *data,
		     uint16_t size)
{
	count_record(made, section);
	put16(made, 0xc000 | DNS_HEADER_SIZE);
	put16(made, type);
	put16(made, 1);
	put32(made, ttl);
	put16(made, size);
	put(made, data, size);
}

void dns_make_soa(struct dns_made *made, uint32_t ttl, uint32_t minimum)
{
	uint8_t data[2 + 20] = { 0 };

	dns_put32(data + sizeof(data) - 4, minimum);
	dns_make_record(made, DNS_AUTHORITY, DNS_TYPE_SOA, ttl, data,
			sizeof(data));
}

void dns_make_edns(struct dns_made *made, uint16_t limit, uint32_t flags)
{
	count_record(made, DNS_ADDITIONAL);
	put(made, "", 1);
	put16(made, DNS_TYPE_OPT);
	put16(made, limit);
	put32(made, flags);
	put16(made, 0);
}
