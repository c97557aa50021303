/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/dns_message.h"

#include <string.h>

#define DNS_NAME_MAX  255 /* bytes */
#define DNS_LABEL_MAX 63

#define DNS_CLASS_IN 1

/* Types of 128 to 255 ask for something else than records of a name. */
#define DNS_META_FIRST 128
#define DNS_META_LAST  255

/* Offsets and bits of the header */
#define DNS_FLAGS_AT        2
#define DNS_QUESTIONS_AT    4
#define DNS_COUNTS_AT       6    /* of the other sections */
#define DNS_RESPONSE        0x80 /* in the first byte of flags */
#define DNS_OPCODE          0x78
#define DNS_TRUNCATED       0x02
#define DNS_RECURSE         0x01
#define DNS_RECURSION_AVAIL 0x80 /* in the second */
#define DNS_AUTHENTIC       0x20
#define DNS_UNCHECKED       0x10
#define DNS_RCODE           0x0f

/* A record behind its name: type, class, TTL, data's size */
#define DNS_RECORD_SIZE 10

/* An OPT record's TTL: extended response code, version, flags */
#define DNS_OPT_PLAIN      0xffff0000 /* code and version are 0 */
#define DNS_OPT_SIGNATURES 0x00008000

uint16_t dns_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t dns_get32(const uint8_t *at)
{
	return (uint32_t)dns_get16(at) << 16 | dns_get16(at + 2);
}

void dns_put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint8_t dns_fold(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

void dns_copy_folded(uint8_t *to, const uint8_t *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = dns_fold(from[i]);
}

bool dns_header_parse(const uint8_t *message, size_t size,
		      struct dns_header *header)
{
	uint8_t flags;

	if (size < DNS_HEADER_SIZE)
		return false;
	flags = message[DNS_FLAGS_AT];
	header->id = dns_get16(message);
	header->response = flags & DNS_RESPONSE;
	header->truncated = flags & DNS_TRUNCATED;
	header->opcode = (flags & DNS_OPCODE) >> 3;
	header->rcode = message[DNS_FLAGS_AT + 1] & DNS_RCODE;
	header->questions = dns_get16(message + DNS_QUESTIONS_AT);
	return true;
}

/* Bytes of the first question, 0 if it cannot be read. */
static size_t dns_question_size(const uint8_t *query, size_t size)
{
	size_t at = DNS_HEADER_SIZE;

	while (at < size && query[at]) {
		if (query[at] > DNS_LABEL_MAX) /* compressed: not in a question
						*/
			return 0;
		at += 1U + query[at];
	}
	at += 1 - DNS_HEADER_SIZE;
	if (at > DNS_NAME_MAX || DNS_HEADER_SIZE + at + 4 > size)
		return 0;
	return at + 4; /* type and class */
}

/* Bytes of the only question, 0 if there is not just one. */
static size_t dns_only_question(const uint8_t *message, size_t size)
{
	struct dns_header header;

	if (!dns_header_parse(message, size, &header) || header.questions != 1)
		return 0;
	return dns_question_size(message, size);
}

bool dns_walk_begin(struct dns_walk *walk, const uint8_t *message, size_t size)
{
	size_t question = dns_only_question(message, size);

	if (!question)
		return false;
	*walk = (struct dns_walk) { .message = message,
				    .size = size,
				    .at = DNS_HEADER_SIZE + question };
	for (size_t i = 0; i < DNS_SECTIONS; i++)
		walk->left[i] = dns_get16(message + DNS_COUNTS_AT + 2 * i);
	return true;
}

/* Pass a name over. Return: false if it does not end in the message */
static bool dns_walk_name(struct dns_walk *walk)
{
	while (walk->at < walk->size) {
		uint8_t length = walk->message[walk->at];

		walk->at++;
		if (!length)
			return true;
		if (length >= 0xc0) { /* the rest stands elsewhere */
			walk->at++;
			return true;
		}
		if (length > DNS_LABEL_MAX)
			return false;
		walk->at += length;
	}
	return false;
}

int dns_walk_next(struct dns_walk *walk, struct dns_record *record)
{
	const uint8_t *fixed;

	record->section = DNS_ANSWER;
	while (record->section < DNS_SECTIONS && !walk->left[record->section])
		record->section++;
	if (record->section == DNS_SECTIONS)
		return walk->at == walk->size ? 0 : -1;
	walk->left[record->section]--;
	if (!dns_walk_name(walk) || walk->at + DNS_RECORD_SIZE > walk->size)
		return -1;
	fixed = walk->message + walk->at;
	record->type = dns_get16(fixed);
	record->class = dns_get16(fixed + 2);
	record->ttl = dns_get32(fixed + 4);
	record->ttl_at = walk->at + 4;
	record->data_size = dns_get16(fixed + 8);
	record->end_at = walk->at + DNS_RECORD_SIZE + record->data_size;
	walk->at = record->end_at;
	return walk->at <= walk->size ? 1 : -1;
}

static bool dns_take_opt(const struct dns_record *opt,
			 struct dns_question *question)
{
	if (opt->section != DNS_ADDITIONAL || opt->type != DNS_TYPE_OPT ||
	    opt->data_size || opt->ttl & DNS_OPT_PLAIN)
		return false;
	question->traits |= DNS_TRAIT_EDNS;
	if (opt->ttl & DNS_OPT_SIGNATURES)
		question->traits |= DNS_TRAIT_SIGNATURES;
	if (opt->class > question->limit)
		question->limit = opt->class;
	return true;
}

/* The traits that are bits of the header. */
static uint8_t dns_header_traits(const uint8_t *query)
{
	uint8_t traits = 0;

	if (query[DNS_FLAGS_AT] & DNS_RECURSE)
		traits |= DNS_TRAIT_RECURSE;
	if (query[DNS_FLAGS_AT + 1] & DNS_UNCHECKED)
		traits |= DNS_TRAIT_UNCHECKED;
	if (query[DNS_FLAGS_AT + 1] & DNS_AUTHENTIC)
		traits |= DNS_TRAIT_AUTHENTIC;
	return traits;
}

bool dns_question_parse(const uint8_t *query, size_t size,
			struct dns_question *question)
{
	struct dns_record record;
	struct dns_walk walk;
	const uint8_t *end;
	int more;

	if (!dns_walk_begin(&walk, query, size) ||
	    query[DNS_FLAGS_AT] & (uint8_t)~DNS_RECURSE ||
	    query[DNS_FLAGS_AT + 1] &
		    (uint8_t) ~(DNS_AUTHENTIC | DNS_UNCHECKED))
		return false;
	end = query + walk.at;
	*question = (struct dns_question) {
		.size = walk.at - DNS_HEADER_SIZE,
		.type = dns_get16(end - 4),
		.traits = dns_header_traits(query),
		.limit = DNS_UDP_MIN,
	};
	if (dns_get16(end - 2) != DNS_CLASS_IN ||
	    (question->type >= DNS_META_FIRST &&
	     question->type <= DNS_META_LAST))
		return false;
	while ((more = dns_walk_next(&walk, &record)) > 0)
		if (question->traits & DNS_TRAIT_EDNS ||
		    !dns_take_opt(&record, question))
			return false;
	/* An OPT record's name is the root: one byte. */
	return more == 0 && (!(question->traits & DNS_TRAIT_EDNS) ||
			     query + size == end + 1 + DNS_RECORD_SIZE);
}

bool dns_question_matches(const uint8_t *query, size_t query_size,
			  const uint8_t *response, size_t response_size)
{
	size_t size = dns_only_question(query, query_size);
	const uint8_t *a = query + DNS_HEADER_SIZE;
	const uint8_t *b = response + DNS_HEADER_SIZE;

	if (!size || size != dns_only_question(response, response_size))
		return false;
	for (size_t i = 0; i < size - 4; i++)
		if (dns_fold(a[i]) != dns_fold(b[i]))
			return false;
	return memcmp(a + size - 4, b + size - 4, 4) == 0;
}

bool dns_is_answer_to(const uint8_t *query, size_t query_size,
		      const uint8_t *response, size_t response_size)
{
	struct dns_header asked, answer;

	if (!dns_header_parse(query, query_size, &asked) ||
	    !dns_header_parse(response, response_size, &answer) ||
	    !answer.response || answer.id != asked.id ||
	    answer.opcode != asked.opcode)
		return false;
	if (asked.opcode || !dns_only_question(query, query_size))
		return true;
	if (!answer.questions && answer.rcode != DNS_NOERROR &&
	    answer.rcode != DNS_NXDOMAIN)
		return true;
	return dns_question_matches(query, query_size, response, response_size);
}

size_t dns_write_error(const uint8_t *query, size_t size, uint8_t rcode,
		       uint8_t *to)
{
	size_t question;

	memset(to, 0, DNS_HEADER_SIZE);
	if (size < DNS_HEADER_SIZE)
		return 0;
	question = dns_only_question(query, size);
	memcpy(to, query, 2);
	to[DNS_FLAGS_AT] = DNS_RESPONSE |
			   (query[DNS_FLAGS_AT] & (DNS_OPCODE | DNS_RECURSE));
	to[DNS_FLAGS_AT + 1] = DNS_RECURSION_AVAIL | rcode;
	if (question)
		to[DNS_QUESTIONS_AT + 1] = 1;
	memcpy(to + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE, question);
	return DNS_HEADER_SIZE + question;
}
