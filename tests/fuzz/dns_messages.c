/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fuzz/fuzz.h"
#include "slirp/dns_cache.h"
#include "slirp/dns_name.h"

/*
 * Target: the parser of DNS messages, and the cache behind it. An input is the
 * length of a query, the query, and an answer.
 */

static void walk_records(const struct fuzz_input *message)
{
	struct dns_record record;
	struct dns_walk walk;
	int ret;

	if (!dns_walk_begin(&walk, message->at, message->left))
		return;
	while ((ret = dns_walk_next(&walk, &record)) == 1) {
		FUZZ_CHECK(record.end_at <= message->left);
		FUZZ_CHECK(record.ttl_at + 4 <= record.end_at);
	}
	FUZZ_CHECK(ret == 0 || ret == -1);
}

static void parse(const struct fuzz_input *message)
{
	uint8_t error[DNS_ERROR_MAX];
	struct dns_header header;
	size_t size;

	walk_records(message);
	if (!dns_header_parse(message->at, message->left, &header))
		return;
	size = dns_write_error(message->at, message->left, DNS_SERVFAIL, error);
	FUZZ_CHECK(size >= DNS_HEADER_SIZE && size <= sizeof(error));
	FUZZ_CHECK(dns_header_parse(error, size, &header) && header.response);
}

static void remember(const struct fuzz_input *query,
		     const struct fuzz_input *response)
{
	static const uint64_t secret[2] = { 1, 2 };
	struct dns_cache *cache = dns_cache_create(secret);
	uint8_t answer[DNS_CACHE_SIZE_MAX];
	struct dns_question question;
	size_t size;

	FUZZ_CHECK(cache);
	dns_cache_store(cache, query->at, query->left, response->at,
			response->left, 1000);
	if (dns_question_parse(query->at, query->left, &question)) {
		size = dns_cache_find(cache, query->at, &question, 3000,
				      answer);
		FUZZ_CHECK(size <= sizeof(answer));
		FUZZ_CHECK(!size || dns_is_answer_to(query->at, query->left,
						     answer, size));
	}
	dns_cache_destroy(cache);
}

static void write_names(const struct fuzz_input *input)
{
	char *text = fuzz_copy_text(input);
	uint8_t name[DNS_NAME_ROOM], list[300];

	FUZZ_CHECK(dns_write_name(text, name) <= sizeof(name));
	FUZZ_CHECK(dns_write_search(text, list, sizeof(list)) <= sizeof(list));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size }, query;

	query = fuzz_take(&input, fuzz_take16(&input));
	parse(&query);
	parse(&input);
	dns_question_matches(query.at, query.left, input.at, input.left);
	remember(&query, &input);
	write_names(&query);
	return 0;
}
