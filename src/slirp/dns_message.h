/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_MESSAGE_H
#define MQVMM_SLIRP_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * As little of DNS messages (RFC 1035, 4.1) as forwarding and remembering
 * answers need. Context of all: any thread, pure.
 */

#define DNS_HEADER_SIZE   12 /* bytes */
#define DNS_QUESTION_MAX  (255 + 4)
#define DNS_ERROR_MAX     (DNS_HEADER_SIZE + DNS_QUESTION_MAX)
#define DNS_CACHEABLE_MAX (DNS_ERROR_MAX + 11) /* with an empty OPT record */
#define DNS_UDP_MIN       512 /* bytes that every asker takes */

/* Response codes */
#define DNS_NOERROR  0
#define DNS_SERVFAIL 2
#define DNS_NXDOMAIN 3
#define DNS_NOTIMP   4
#define DNS_REFUSED  5

/* Types */
#define DNS_TYPE_SOA 6
#define DNS_TYPE_OPT 41

/**
 * struct dns_header - The first 12 bytes, host byte order
 * @id:		Of the query, repeated in its response
 * @response:	QR
 * @truncated:	TC
 * @opcode:	0 is a query
 * @rcode:	Of a response
 * @questions:	QDCOUNT
 */
struct dns_header {
	uint16_t id;
	bool response;
	bool truncated;
	uint8_t opcode;
	uint8_t rcode;
	uint16_t questions;
};

/* What of a query changes its answer, besides the question. */
enum dns_trait {
	DNS_TRAIT_RECURSE = 1,     /* RD */
	DNS_TRAIT_UNCHECKED = 2,   /* CD (RFC 4035, 3.2.2) */
	DNS_TRAIT_AUTHENTIC = 4,   /* AD (RFC 6840, 5.7) */
	DNS_TRAIT_EDNS = 8,        /* an OPT record (RFC 6891) */
	DNS_TRAIT_SIGNATURES = 16, /* DO (RFC 3225) */
};

/**
 * struct dns_question - A query that a remembered answer may serve
 * @size:	Bytes of name, type and class, which follow the header
 * @type:	QTYPE
 * @traits:	Of enum dns_trait
 * @limit:	Bytes of answer that the asker takes
 */
struct dns_question {
	size_t size;
	uint16_t type;
	uint8_t traits;
	uint16_t limit;
};

enum dns_section {
	DNS_ANSWER,
	DNS_AUTHORITY,
	DNS_ADDITIONAL,
	DNS_SECTIONS,
};

/**
 * struct dns_record - One resource record (RFC 1035, 4.1.3)
 * @section:	Where it stands
 * @ttl:	Seconds
 * @ttl_at:	Its offset in the message
 * @end_at:	Offset of what follows the record
 * @data_size:	Bytes of data, which end at @end_at
 */
struct dns_record {
	enum dns_section section;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t ttl_at;
	size_t end_at;
	uint16_t data_size;
};

/**
 * struct dns_walk - A way through the records of a message
 * @at:		Offset of the next one
 * @left:	Not yet seen, by section
 */
struct dns_walk {
	const uint8_t *message;
	size_t size;
	size_t at;
	uint16_t left[DNS_SECTIONS];
};

/* Return: true, false if @size is too small for a header */
bool dns_header_parse(const uint8_t *message, size_t size,
		      struct dns_header *header);

/**
 * dns_question_parse() - Is this a plain query that an answer may be kept for?
 * @query:	At most DNS_CACHEABLE_MAX bytes can be one
 *
 * One question of class IN and of no meta type, at most an OPT record without
 * options behind it (cookies and the like are between asker and resolver).
 *
 * Return: true with @question filled in
 */
bool dns_question_parse(const uint8_t *query, size_t size,
			struct dns_question *question);

/**
 * dns_question_matches() - Does a response repeat a query's question?
 *
 * Names are compared without regard to case (RFC 4343).
 *
 * Return: true if both have one question and it is the same
 */
bool dns_question_matches(const uint8_t *query, size_t query_size,
			  const uint8_t *response, size_t response_size);

/**
 * dns_is_answer_to() - May a response be the answer to a query?
 *
 * It must bear its id and repeat the question, but errors may leave it out.
 * Anything answers what is no query with one question (RFC 2136, RFC 7873).
 */
bool dns_is_answer_to(const uint8_t *query, size_t query_size,
		      const uint8_t *response, size_t response_size);

/* Begin behind the question. Return: false if there is not just one */
bool dns_walk_begin(struct dns_walk *walk, const uint8_t *message, size_t size);

/**
 * dns_walk_next() - Take the next record
 *
 * Return: 1 with @record filled in; 0 when the message ends behind the last
 * one, as it must; -1 if it is malformed
 */
int dns_walk_next(struct dns_walk *walk, struct dns_record *record);

/* Numbers at a place of a message, network byte order there. */
uint16_t dns_get16(const uint8_t *at);
uint32_t dns_get32(const uint8_t *at);
void dns_put32(uint8_t *at, uint32_t value);

/**
 * dns_copy_folded() - Copy names with ASCII capitals made small (RFC 4343)
 *
 * Labels' lengths are no capitals, so that a whole name can be copied at once.
 */
void dns_copy_folded(uint8_t *to, const uint8_t *from, size_t size);

/**
 * dns_write_error() - Make the response to a query that cannot be answered
 * @query:	At least a header; its question is repeated if it has one that
 *		can be read
 * @rcode:	DNS_SERVFAIL or DNS_REFUSED
 * @to:		DNS_ERROR_MAX bytes, may not overlap @query
 *
 * Return: bytes written
 */
size_t dns_write_error(const uint8_t *query, size_t size, uint8_t rcode,
		       uint8_t *to);

#endif
