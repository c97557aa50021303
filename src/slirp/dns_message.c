/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/dns_message.h"

#include <string.h>

#define DNS_NAME_MAX 255 /* bytes */

/* Offsets and bits of the header */
#define DNS_FLAGS_AT        2
#define DNS_QUESTIONS_AT    4
#define DNS_RESPONSE        0x80 /* in the first byte of flags */
#define DNS_OPCODE_AND_RD   0x79
#define DNS_RECURSION_AVAIL 0x80 /* in the second */
#define DNS_RCODE           0x0f

static uint16_t dns_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

bool dns_header_parse(const uint8_t *message, size_t size,
		      struct dns_header *header)
{
	if (size < DNS_HEADER_SIZE)
		return false;
	header->id = dns_get16(message);
	header->response = message[DNS_FLAGS_AT] & DNS_RESPONSE;
	header->rcode = message[DNS_FLAGS_AT + 1] & DNS_RCODE;
	header->questions = dns_get16(message + DNS_QUESTIONS_AT);
	return true;
}

/* Bytes of the first question, 0 if it cannot be read. */
static size_t dns_question_size(const uint8_t *query, size_t size)
{
	size_t at = DNS_HEADER_SIZE;

	while (at < size && query[at]) {
		if (query[at] > 63) /* compressed: not in a question */
			return 0;
		at += 1U + query[at];
	}
	at += 1 - DNS_HEADER_SIZE;
	if (at > DNS_NAME_MAX || DNS_HEADER_SIZE + at + 4 > size)
		return 0;
	return at + 4; /* type and class */
}

size_t dns_write_error(const uint8_t *query, size_t size, uint8_t rcode,
		       uint8_t *to)
{
	struct dns_header header;
	size_t question = 0;

	memset(to, 0, DNS_HEADER_SIZE);
	if (!dns_header_parse(query, size, &header))
		return 0;
	if (header.questions == 1)
		question = dns_question_size(query, size);
	memcpy(to, query, 2);
	to[DNS_FLAGS_AT] =
		DNS_RESPONSE | (query[DNS_FLAGS_AT] & DNS_OPCODE_AND_RD);
	to[DNS_FLAGS_AT + 1] = DNS_RECURSION_AVAIL | rcode;
	if (question)
		to[DNS_QUESTIONS_AT + 1] = 1;
	memcpy(to + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE, question);
	return DNS_HEADER_SIZE + question;
}
