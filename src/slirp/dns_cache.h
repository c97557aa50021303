/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_CACHE_H
#define MQVMM_SLIRP_DNS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "slirp/dns_message.h"

/*
 * Answers of the host's resolvers for as long as their records live. Each
 * shard has one of its own. Context of all: the shard's thread.
 */

#define DNS_CACHE_ANSWERS   1024
#define DNS_CACHE_SIZE_MAX  1232 /* bytes of an answer that is kept */
#define DNS_CACHE_TTL_MAX_S 3600 /* RFC 2308, 5: one to three hours */

struct dns_cache;

/**
 * dns_cache_create() - Make an empty cache, of a size that never changes
 * @secret:	For its hash, 128 bits
 *
 * Return: the cache, NULL without memory
 */
struct dns_cache *dns_cache_create(const uint64_t secret[2]);

/* @cache may be NULL. */
void dns_cache_destroy(struct dns_cache *cache);

/**
 * dns_cache_set_source() - Whose answers these are
 * @version:	Of the list of resolvers; when it changes, everything is
 *		forgotten: others may know other answers
 */
void dns_cache_set_source(struct dns_cache *cache, uint64_t version);

/**
 * dns_cache_find() - Answer a query from memory
 * @query:	As the guest sent it
 * @question:	What dns_question_parse() says of it
 * @now_ms:	CLOCK_MONOTONIC, milliseconds
 * @answer:	DNS_CACHE_SIZE_MAX bytes
 *
 * The answer bears the query's id and its question as it is written there
 * (0x20), and what is left of each record's time.
 *
 * Return: bytes of @answer; 0 if there is none, or none that the asker takes
 */
size_t dns_cache_find(struct dns_cache *cache, const uint8_t *query,
		      const struct dns_question *question, uint64_t now_ms,
		      uint8_t *answer);

/**
 * dns_cache_store() - Remember a resolver's answer, if it may be
 * @query:	What was asked
 * @answer:	To this question
 *
 * Not kept: what is truncated, longer than DNS_CACHE_SIZE_MAX or no answer to
 * @query, errors but NXDOMAIN, and negative answers without an SOA record (RFC
 * 2308, 5).
 */
void dns_cache_store(struct dns_cache *cache, const uint8_t *query,
		     size_t query_size, const uint8_t *answer,
		     size_t answer_size, uint64_t now_ms);

#endif
