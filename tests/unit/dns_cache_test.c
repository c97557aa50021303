/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/dns_cache.h"
#include "unit/dns_make.h"

#define NOW_MS  5000
#define NAME    "host.example"
#define ADDRESS "\xc0\0\2\7"
#define DO      0x8000

/* An answer's first record's TTL, behind the question and a pointer. */
#define TTL_AT(made) (12 + sizeof(NAME) + 1 + 4 + 2 + 4)

static int setup(void **state)
{
	const uint64_t secret[2] = { 1, 2 };

	*state = dns_cache_create(secret);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	dns_cache_destroy(*state);
	return 0;
}

/* What the cache answers; size 0 for nothing. */
static struct dns_made find_at(struct dns_cache *cache,
			       const struct dns_made *query, uint64_t now_ms)
{
	struct dns_question question;
	struct dns_made made = { .size = 0 };

	if (dns_question_parse(query->data, query->size, &question))
		made.size = dns_cache_find(cache, query->data, &question,
					   now_ms, made.data);
	return made;
}

static bool finds(struct dns_cache *cache, const struct dns_made *query,
		  uint64_t now_ms)
{
	return find_at(cache, query, now_ms).size;
}

static void store(struct dns_cache *cache, const struct dns_made *query,
		  const struct dns_made *answer)
{
	dns_cache_store(cache, query->data, query->size, answer->data,
			answer->size, NOW_MS);
}

static struct dns_made make_answer_a(const struct dns_made *query, uint32_t ttl)
{
	struct dns_made answer = dns_make_answer(query, DNS_NOERROR);

	dns_make_record(&answer, DNS_ANSWER, TYPE_A, ttl, ADDRESS, 4);
	return answer;
}

static void store_a(struct dns_cache *cache, const struct dns_made *query,
		    uint32_t ttl)
{
	struct dns_made answer = make_answer_a(query, ttl);

	store(cache, query, &answer);
}

static void dns_cache_keys_by_question_not_xid(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made other = dns_make_query(0x1234, NAME, TYPE_A);
	struct dns_made answer = make_answer_a(&other, 60), got;

	store_a(*state, &query, 60);
	got = find_at(*state, &other, NOW_MS);
	assert_int_equal(got.size, answer.size);
	assert_memory_equal(got.data, answer.data, answer.size);
	other = dns_make_query(1, "ghost.example", TYPE_A);
	assert_false(finds(*state, &other, NOW_MS));
	other = dns_make_query(1, NAME, TYPE_AAAA);
	assert_false(finds(*state, &other, NOW_MS));
}

static void case_is_ignored_and_repeated(void **state)
{
	struct dns_made query = dns_make_query(1, "HoSt.eXample", TYPE_A);
	struct dns_made other = dns_make_query(2, "hOsT.ExamplE", TYPE_A), got;

	store_a(*state, &query, 60);
	got = find_at(*state, &other, NOW_MS);
	assert_true(got.size > other.size);
	assert_memory_equal(got.data + 12, other.data + 12, other.size - 12);
}

static void time_to_live_counts_down(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), got;

	store_a(*state, &query, 60);
	got = find_at(*state, &query, NOW_MS + 999);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 60);
	got = find_at(*state, &query, NOW_MS + 1000);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 59);
	got = find_at(*state, &query, NOW_MS + 59999);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 1);
	assert_false(finds(*state, &query, NOW_MS + 60000));
}

static void answer_ends_with_its_first_record(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), got;
	struct dns_made answer = make_answer_a(&query, 300);

	dns_make_record(&answer, DNS_ADDITIONAL, TYPE_AAAA, 20,
			"0123456789abcdef", 16);
	store(*state, &query, &answer);
	got = find_at(*state, &query, NOW_MS + 19000);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 281);
	assert_int_equal(dns_get32(got.data + got.size - 16 - 6), 1);
	assert_false(finds(*state, &query, NOW_MS + 20000));
}

static void time_to_live_is_limited(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);

	store_a(*state, &query, 0x7fffffff);
	assert_true(finds(*state, &query,
			  NOW_MS + DNS_CACHE_TTL_MAX_S * 1000ULL - 1));
	assert_false(
		finds(*state, &query, NOW_MS + DNS_CACHE_TTL_MAX_S * 1000ULL));
}

static void answer_without_time_is_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);

	store_a(*state, &query, 0);
	assert_false(finds(*state, &query, NOW_MS));
	store_a(*state, &query, 0x80000001);
	assert_false(finds(*state, &query, NOW_MS));
}

static void missing_name_lives_as_long_as_the_soa_says(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), got;
	struct dns_made answer = dns_make_answer(&query, DNS_NXDOMAIN);

	dns_make_soa(&answer, 3000, 30);
	store(*state, &query, &answer);
	got = find_at(*state, &query, NOW_MS + 10000);
	assert_int_equal(got.data[3] & 15, DNS_NXDOMAIN);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 20);
	assert_false(finds(*state, &query, NOW_MS + 30000));
	/* The record's own life may be shorter. */
	answer = dns_make_answer(&query, DNS_NXDOMAIN);
	dns_make_soa(&answer, 7, 30);
	store(*state, &query, &answer);
	assert_true(finds(*state, &query, NOW_MS + 6999));
	assert_false(finds(*state, &query, NOW_MS + 7000));
}

static void missing_type_is_a_negative_answer(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made answer = dns_make_answer(&query, DNS_NOERROR);

	dns_make_record(&answer, DNS_ANSWER, TYPE_CNAME, 90, "\1x\0", 3);
	dns_make_soa(&answer, 3000, 30);
	store(*state, &query, &answer);
	assert_true(finds(*state, &query, NOW_MS + 29999));
	assert_false(finds(*state, &query, NOW_MS + 30000));
}

static void negative_answer_without_soa_is_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made answer = dns_make_answer(&query, DNS_NXDOMAIN);

	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
	answer = dns_make_answer(&query, DNS_NOERROR);
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
	/* A referral: records of another type, of another section */
	dns_make_record(&answer, DNS_AUTHORITY, 2, 90, "\1x\0", 3);
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
}

static void failures_are_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);

	for (uint8_t rcode = 1; rcode < 16; rcode++) {
		struct dns_made answer = dns_make_answer(&query, rcode);

		dns_make_record(&answer, DNS_ANSWER, TYPE_A, 60, ADDRESS, 4);
		if (rcode != DNS_NXDOMAIN)
			dns_make_soa(&answer, 60, 60);
		store(*state, &query, &answer);
		assert_false(finds(*state, &query, NOW_MS));
	}
}

static void extended_failures_are_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), answer;

	dns_make_edns(&query, 1232, 0);
	answer = make_answer_a(&query, 60);
	dns_make_edns(&answer, 1232, 0x01000000);
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
}

static void truncated_answer_is_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made answer = make_answer_a(&query, 60);

	answer.data[2] |= 2;
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
}

static void answer_to_another_question_is_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made other = dns_make_query(1, "h0st.example", TYPE_A);
	struct dns_made answer = make_answer_a(&other, 60);

	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
	assert_false(finds(*state, &other, NOW_MS));
	/* Nor what is no answer */
	answer = make_answer_a(&query, 60);
	answer.data[2] &= 0x7f;
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
}

static void malformed_answer_is_not_kept(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made whole = make_answer_a(&query, 60);

	dns_make_record(&whole, DNS_ADDITIONAL, TYPE_A, 60, ADDRESS, 4);
	/* Cut anywhere, in memory that ends there */
	for (size_t cut = 0; cut < whole.size; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, whole.data, cut);
		dns_cache_store(*state, query.data, query.size, exact, cut,
				NOW_MS);
		free(exact);
		assert_false(finds(*state, &query, NOW_MS));
	}
	whole.size++; /* something behind the last record */
	store(*state, &query, &whole);
	assert_false(finds(*state, &query, NOW_MS));
}

static void traits_of_a_query_are_told_apart(void **state)
{
	struct dns_made query[6];

	for (int i = 0; i < 6; i++)
		query[i] = dns_make_query(1, NAME, TYPE_A);
	query[1].data[2] ^= 0x01; /* RD */
	query[2].data[3] |= 0x10; /* CD */
	query[3].data[3] |= 0x20; /* AD */
	dns_make_edns(&query[4], 1232, 0);
	dns_make_edns(&query[5], 1232, DO);
	for (int i = 0; i < 6; i++) {
		assert_false(finds(*state, &query[i], NOW_MS));
		store_a(*state, &query[i], 60);
		assert_true(finds(*state, &query[i], NOW_MS));
	}
}

/* Opcode, options (cookies), another class, a meta type, two questions */
static void unusual_queries_are_passed_by(void **state)
{
	struct dns_made query[5];

	for (int i = 0; i < 5; i++)
		query[i] = dns_make_query(1, NAME, TYPE_A);
	query[0].data[2] |= 0x20;
	dns_make_edns(&query[1], 1232, 0);
	query[1].data[query[1].size - 1] = 4; /* RDLEN */
	query[1].size += 4;
	query[2].data[query[2].size - 1] = 3;
	query[3].data[query[3].size - 3] = 252;
	query[4].data[5] = 2;
	for (int i = 0; i < 5; i++) {
		store_a(*state, &query[i], 60);
		assert_false(finds(*state, &query[i], NOW_MS));
	}
}

static void answer_is_not_longer_than_the_asker_takes(void **state)
{
	static const uint8_t data[600];
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made answer = make_answer_a(&query, 60);
	struct dns_made edns = query;

	dns_make_record(&answer, DNS_ADDITIONAL, 16, 60, data, 600);
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
	dns_make_edns(&edns, 512, 0);
	store(*state, &edns, &answer);
	assert_false(finds(*state, &edns, NOW_MS));
	edns = query;
	dns_make_edns(&edns, (uint16_t)answer.size, 0);
	assert_true(finds(*state, &edns, NOW_MS));
}

static void only_so_much_of_an_answer_is_kept(void **state)
{
	static const uint8_t data[DNS_CACHE_SIZE_MAX];
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), answer, fits;
	uint16_t room;

	dns_make_edns(&query, 4096, 0);
	answer = make_answer_a(&query, 60);
	room = (uint16_t)(DNS_CACHE_SIZE_MAX - answer.size - 12);
	fits = answer;
	dns_make_record(&answer, DNS_ADDITIONAL, 16, 60, data, room + 1);
	store(*state, &query, &answer);
	assert_false(finds(*state, &query, NOW_MS));
	dns_make_record(&fits, DNS_ADDITIONAL, 16, 60, data, room);
	store(*state, &query, &fits);
	assert_int_equal(find_at(*state, &query, NOW_MS).size,
			 DNS_CACHE_SIZE_MAX);
}

static void later_answer_replaces_an_earlier_one(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A), got;

	store_a(*state, &query, 60);
	store_a(*state, &query, 20);
	got = find_at(*state, &query, NOW_MS);
	assert_int_equal(dns_get32(got.data + TTL_AT(got)), 20);
}

static void cached_answer_is_not_authoritative(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);
	struct dns_made answer = make_answer_a(&query, 60);

	answer.data[2] |= 4;
	store(*state, &query, &answer);
	assert_int_equal(find_at(*state, &query, NOW_MS).data[2] & 4, 0);
}

static void answers_of_other_resolvers_are_forgotten(void **state)
{
	struct dns_made query = dns_make_query(1, NAME, TYPE_A);

	store_a(*state, &query, 60);
	dns_cache_set_source(*state, 0);
	assert_true(finds(*state, &query, NOW_MS));
	dns_cache_set_source(*state, 1);
	assert_false(finds(*state, &query, NOW_MS));
}

static void cache_is_bounded(void **state)
{
	unsigned int found = 0, last = 0;
	char name[32];

	for (unsigned int i = 0; i < 100000; i++) {
		struct dns_made query;

		snprintf(name, sizeof(name), "n%u.example", i);
		query = dns_make_query(1, name, TYPE_A);
		store_a(*state, &query, 60);
		last += finds(*state, &query, NOW_MS);
	}
	for (unsigned int i = 0; i < 100000; i++) {
		struct dns_made query;

		snprintf(name, sizeof(name), "n%u.example", i);
		query = dns_make_query(1, name, TYPE_A);
		found += finds(*state, &query, NOW_MS);
	}
	assert_int_equal(last, 100000); /* what is new finds its place */
	assert_in_range(found, DNS_CACHE_ANSWERS / 2, DNS_CACHE_ANSWERS);
}

static void longest_name_is_kept(void **state)
{
	char name[254];
	struct dns_made query;

	memset(name, 'x', sizeof(name));
	for (size_t i = 63; i < sizeof(name); i += 64)
		name[i] = '.';
	name[253] = '\0';
	query = dns_make_query(1, name, TYPE_A);
	assert_int_equal(query.size, DNS_ERROR_MAX);
	store_a(*state, &query, 60);
	assert_true(finds(*state, &query, NOW_MS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dns_cache_keys_by_question_not_xid),
		TEST(case_is_ignored_and_repeated),
		TEST(time_to_live_counts_down),
		TEST(answer_ends_with_its_first_record),
		TEST(time_to_live_is_limited),
		TEST(answer_without_time_is_not_kept),
		TEST(missing_name_lives_as_long_as_the_soa_says),
		TEST(missing_type_is_a_negative_answer),
		TEST(negative_answer_without_soa_is_not_kept),
		TEST(failures_are_not_kept),
		TEST(extended_failures_are_not_kept),
		TEST(truncated_answer_is_not_kept),
		TEST(answer_to_another_question_is_not_kept),
		TEST(malformed_answer_is_not_kept),
		TEST(traits_of_a_query_are_told_apart),
		TEST(unusual_queries_are_passed_by),
		TEST(answer_is_not_longer_than_the_asker_takes),
		TEST(only_so_much_of_an_answer_is_kept),
		TEST(later_answer_replaces_an_earlier_one),
		TEST(cached_answer_is_not_authoritative),
		TEST(answers_of_other_resolvers_are_forgotten),
		TEST(cache_is_bounded),
		TEST(longest_name_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
