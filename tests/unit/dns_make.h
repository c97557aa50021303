/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DNS_MAKE_H
#define MQVMM_TESTS_DNS_MAKE_H

#include "slirp/dns_message.h"

/* DNS messages for tests, made piece by piece. */

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_AAAA  28

struct dns_made {
	uint8_t data[4096];
	size_t size;
};

/* A query with RD for a name in dotted form, class IN. */
struct dns_made dns_make_query(uint16_t id, const char *name, uint16_t type);

/* The response to it, with no records yet. */
struct dns_made dns_make_answer(const struct dns_made *query, uint8_t rcode);

/* Add a record for the name of the question, with @size bytes of data. */
void dns_make_record(struct dns_made *made, enum dns_section section,
		     uint16_t type, uint32_t ttl, const void *data,
		     uint16_t size);

/* Add an SOA record to the authority section. */
void dns_make_soa(struct dns_made *made, uint32_t ttl, uint32_t minimum);

/* Add an OPT record (RFC 6891); @flags 0x8000 is DO. */
void dns_make_edns(struct dns_made *made, uint16_t limit, uint32_t flags);

#endif
