/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/dns_cache.h"

#include <stdlib.h>
#include <string.h>

#include "slirp/siphash.h"

/*
 * Theory of operation
 *
 * Whole answers are kept, by question: name without regard to case, type,
 * class, and the traits of the query that change its answer. A question hashes
 * to a set of DNS_CACHE_WAYS places; a new answer takes the place of an old one
 * to the same question, else of the one that ends first. So memory is fixed,
 * and finding and storing look at few places, whatever a guest asks.
 *
 * An answer ends with the first of its records (RFC 2181, 8); negative ones by
 * the SOA record's own lifetime and its MINIMUM (RFC 2308, 5).
 *
 * Limits: answers that came over TCP are the guest's and the resolver's, and
 * are not seen here.
 */

#define DNS_CACHE_WAYS 4
#define DNS_CACHE_SETS (DNS_CACHE_ANSWERS / DNS_CACHE_WAYS)

#define DNS_AUTHORITATIVE    0x04 /* in the first byte of flags, at 2 */
#define DNS_SOA_NUMBERS_SIZE 20   /* bytes at the end of an SOA's data */
#define DNS_OPT_RCODE        0xff000000
#define DNS_TTL_INVALID      0x80000000 /* RFC 2181, 8: as if it were 0 */
#define DNS_TYPE_TSIG        250
#define DNS_TYPE_SIG         24

/**
 * struct dns_cached - One answer
 * @stored_ms, @ends_ms: @ends_ms is 0 where there is none
 * @hash:	Of the question and @traits
 */
struct dns_cached {
	uint64_t stored_ms;
	uint64_t ends_ms;
	uint64_t hash;
	uint16_t size;
	uint8_t traits;
	uint8_t message[DNS_CACHE_SIZE_MAX];
};

struct dns_cache {
	uint64_t secret[2];
	uint64_t version;
	struct dns_cached set[DNS_CACHE_SETS][DNS_CACHE_WAYS];
};

struct dns_cache *dns_cache_create(const uint64_t secret[2])
{
	/* Its pages come as they are used. */
	struct dns_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		memcpy(cache->secret, secret, sizeof(cache->secret));
	return cache;
}

void dns_cache_destroy(struct dns_cache *cache)
{
	free(cache);
}

void dns_cache_set_source(struct dns_cache *cache, uint64_t version)
{
	struct dns_cached *cached = &cache->set[0][0];

	if (cache->version == version)
		return;
	cache->version = version;
	for (unsigned int i = 0; i < DNS_CACHE_ANSWERS; i++)
		if (cached[i].ends_ms)
			cached[i].ends_ms = 0;
}

static uint64_t dns_cache_hash(const struct dns_cache *cache,
			       const uint8_t *query,
			       const struct dns_question *question)
{
	uint8_t key[DNS_QUESTION_MAX + 1];

	dns_copy_folded(key, query + DNS_HEADER_SIZE, question->size);
	key[question->size] = question->traits;
	return siphash13(cache->secret, key, question->size + 1);
}

/* Return: what is kept of this question, even if its time is over, or NULL */
static struct dns_cached *dns_cache_lookup(struct dns_cache *cache,
					   const uint8_t *query,
					   const struct dns_question *question,
					   uint64_t hash)
{
	struct dns_cached *way = cache->set[hash % DNS_CACHE_SETS];

	for (unsigned int i = 0; i < DNS_CACHE_WAYS; i++, way++)
		if (way->ends_ms && way->hash == hash &&
		    way->traits == question->traits &&
		    dns_question_matches(query,
					 DNS_HEADER_SIZE + question->size,
					 way->message, way->size))
			return way;
	return NULL;
}

/* Take the seconds that have passed off each record's time. */
static void dns_cache_age(uint8_t *answer, size_t size, uint32_t seconds)
{
	struct dns_record record;
	struct dns_walk walk;

	if (!seconds || !dns_walk_begin(&walk, answer, size))
		return;
	while (dns_walk_next(&walk, &record) > 0)
		if (record.type != DNS_TYPE_OPT)
			dns_put32(answer + record.ttl_at, record.ttl - seconds);
}

size_t dns_cache_find(struct dns_cache *cache, const uint8_t *query,
		      const struct dns_question *question, uint64_t now_ms,
		      uint8_t *answer)
{
	uint64_t hash = dns_cache_hash(cache, query, question);
	const struct dns_cached *cached =
		dns_cache_lookup(cache, query, question, hash);

	if (!cached || cached->ends_ms <= now_ms ||
	    cached->size > question->limit)
		return 0;
	memcpy(answer, cached->message, cached->size);
	memcpy(answer, query, 2);
	memcpy(answer + DNS_HEADER_SIZE, query + DNS_HEADER_SIZE,
	       question->size);
	dns_cache_age(answer, cached->size,
		      (uint32_t)((now_ms - cached->stored_ms) / 1000));
	return cached->size;
}

/**
 * struct dns_lifetime - What the records of an answer say about its time
 * @seconds:	Until the first of them ends
 * @denied:	There is no such name
 * @positive:	A record of the type that was asked for
 * @soa_at:	Offset of an SOA record's TTL in the authority section, or 0
 * @soa_ttl:	What it is for a negative answer, seconds
 */
struct dns_lifetime {
	uint32_t seconds;
	bool denied;
	bool positive;
	size_t soa_at;
	uint32_t soa_ttl;
};

/* Return: how long a negative answer with this SOA record lives, seconds */
static uint32_t dns_lifetime_add_soa(struct dns_lifetime *life,
				     const uint8_t *answer,
				     const struct dns_record *soa)
{
	uint32_t minimum;

	if (soa->data_size <= DNS_SOA_NUMBERS_SIZE)
		return soa->ttl;
	minimum = dns_get32(answer + soa->end_at - 4);
	life->soa_at = soa->ttl_at;
	life->soa_ttl = soa->ttl < minimum ? soa->ttl : minimum;
	return life->soa_ttl;
}

/* Return: false if an answer with this record is not to be kept */
static bool dns_lifetime_add(struct dns_lifetime *life, const uint8_t *answer,
			     const struct dns_question *question,
			     const struct dns_record *record)
{
	uint32_t ttl = record->ttl;

	if (record->type == DNS_TYPE_OPT)
		return question->traits & DNS_TRAIT_EDNS &&
		       !(ttl & DNS_OPT_RCODE);
	if (record->type == DNS_TYPE_TSIG || record->type == DNS_TYPE_SIG ||
	    ttl & DNS_TTL_INVALID)
		return false;
	if (record->section == DNS_ANSWER && record->type == question->type)
		life->positive = !life->denied;
	if (record->section == DNS_AUTHORITY && record->type == DNS_TYPE_SOA &&
	    !life->positive)
		ttl = dns_lifetime_add_soa(life, answer, record);
	if (ttl < life->seconds)
		life->seconds = ttl;
	return true;
}

/* Return: whether an answer may be kept, @life->seconds is how long */
static bool dns_lifetime_of(struct dns_lifetime *life, const uint8_t *answer,
			    size_t size, const struct dns_question *question)
{
	struct dns_header header;
	struct dns_record record;
	struct dns_walk walk;
	int more;

	*life = (struct dns_lifetime) { .seconds = DNS_CACHE_TTL_MAX_S };
	if (!dns_header_parse(answer, size, &header) || !header.response ||
	    header.opcode || header.truncated ||
	    (header.rcode != DNS_NOERROR && header.rcode != DNS_NXDOMAIN) ||
	    !dns_walk_begin(&walk, answer, size))
		return false;
	life->denied = header.rcode == DNS_NXDOMAIN;
	while ((more = dns_walk_next(&walk, &record)) > 0)
		if (!dns_lifetime_add(life, answer, question, &record))
			return false;
	return more == 0 && life->seconds && (life->positive || life->soa_at);
}

static struct dns_cached *dns_cache_place(struct dns_cache *cache,
					  uint64_t hash)
{
	struct dns_cached *way = cache->set[hash % DNS_CACHE_SETS];
	struct dns_cached *first = way;

	for (unsigned int i = 1; i < DNS_CACHE_WAYS; i++)
		if (way[i].ends_ms < first->ends_ms)
			first = &way[i];
	return first;
}

void dns_cache_store(struct dns_cache *cache, const uint8_t *query,
		     size_t query_size, const uint8_t *answer,
		     size_t answer_size, uint64_t now_ms)
{
	struct dns_question question;
	struct dns_lifetime life;
	struct dns_cached *cached;
	uint64_t hash;

	if (answer_size > DNS_CACHE_SIZE_MAX ||
	    !dns_question_parse(query, query_size, &question) ||
	    !dns_question_matches(query, query_size, answer, answer_size) ||
	    !dns_lifetime_of(&life, answer, answer_size, &question))
		return;
	hash = dns_cache_hash(cache, query, &question);
	cached = dns_cache_lookup(cache, query, &question, hash);
	if (!cached)
		cached = dns_cache_place(cache, hash);
	cached->stored_ms = now_ms;
	cached->ends_ms = now_ms + life.seconds * 1000ULL;
	cached->hash = hash;
	cached->size = (uint16_t)answer_size;
	cached->traits = question.traits;
	memcpy(cached->message, answer, answer_size);
	cached->message[2] &= (uint8_t)~DNS_AUTHORITATIVE;
	if (life.soa_at)
		dns_put32(cached->message + life.soa_at, life.soa_ttl);
}
