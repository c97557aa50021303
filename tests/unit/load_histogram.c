/* SPDX-License-Identifier: BSD-3-Clause */
/* The load generator's latency histogram. */
#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = malloc(sizeof(struct histogram));
	assert_non_null(*state);
	histogram_init(*state);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void assert_within_a_step(uint64_t got, uint64_t exact)
{
	assert_in_range(got, exact, exact + exact / HISTOGRAM_STEPS);
}

static void empty_histogram_has_percentile_zero(void **state)
{
	assert_int_equal(histogram_percentile(*state, 50), 0);
}

static void small_values_are_exact(void **state)
{
	struct histogram *h = *state;

	for (uint64_t value = 1; value <= 50; value++)
		histogram_record(h, value);
	assert_int_equal(histogram_percentile(h, 50), 25);
	assert_int_equal(histogram_percentile(h, 90), 45);
	assert_int_equal(histogram_percentile(h, 100), 50);
}

static void large_values_are_within_a_step(void **state)
{
	struct histogram *h = *state;

	for (uint64_t value = 1; value <= 1000000; value++)
		histogram_record(h, value);
	assert_within_a_step(histogram_percentile(h, 50), 500000);
	assert_within_a_step(histogram_percentile(h, 90), 900000);
	assert_within_a_step(histogram_percentile(h, 99), 990000);
}

static void every_magnitude_reads_back_within_a_step(void **state)
{
	struct histogram *h = *state;

	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t value = (1ULL << bit) + (1ULL << bit) / 3;

		histogram_init(h);
		histogram_record(h, value);
		histogram_record(h, UINT64_MAX);
		assert_within_a_step(histogram_percentile(h, 50), value);
	}
}

/* 1 us to 60 s in nanoseconds: at most 2 % too much, never too little. */
static void latencies_are_within_two_percent(void **state)
{
	struct histogram *h = *state;

	for (uint64_t ns = 1000; ns <= 60000000000; ns += ns / 97 + 1) {
		uint64_t got;

		histogram_init(h);
		histogram_record(h, ns);
		histogram_record(h, UINT64_MAX);
		got = histogram_percentile(h, 50);
		assert_in_range(got, ns, ns + ns / 50);
	}
}

static void buckets_end_in_rising_order(void **state)
{
	struct histogram *h = *state;

	histogram_record(h, UINT64_MAX);
	for (unsigned int i = 1; i < HISTOGRAM_BUCKETS; i++)
		assert_true(histogram_bucket_end(h, i) >
			    histogram_bucket_end(h, i - 1));
}

static void percentile_never_exceeds_the_largest_value(void **state)
{
	struct histogram *h = *state;

	histogram_record(h, 1000001);
	assert_int_equal(histogram_percentile(h, 100), 1000001);
	assert_int_equal(histogram_percentile(h, 50), 1000001);
}

static void extremes_are_exact(void **state)
{
	struct histogram *h = *state;

	histogram_record(h, 123457);
	histogram_record(h, 9876543);
	histogram_record(h, 555555);
	assert_int_equal(h->min, 123457);
	assert_int_equal(h->max, 9876543);
}

static void zero_and_the_largest_number_are_recorded(void **state)
{
	struct histogram *h = *state;

	histogram_record(h, 0);
	histogram_record(h, UINT64_MAX);
	assert_int_equal(h->count, 2);
	assert_int_equal(histogram_percentile(h, 50), 0);
	assert_true(histogram_percentile(h, 100) == UINT64_MAX);
}

static void percentiles_out_of_range_are_clamped(void **state)
{
	struct histogram *h = *state;

	histogram_record(h, 7);
	histogram_record(h, 9);
	assert_int_equal(histogram_percentile(h, -5), 7);
	assert_int_equal(histogram_percentile(h, 200), 9);
}

static void merging_equals_recording_in_one(void **state)
{
	struct histogram *odd = *state;
	struct histogram *even = malloc(sizeof(*even));
	struct histogram *all = malloc(sizeof(*all));

	assert_true(even && all);
	histogram_init(even);
	histogram_init(all);
	for (uint64_t value = 3; value < 100000; value += 7) {
		histogram_record(value & 1 ? odd : even, value);
		histogram_record(all, value);
	}
	histogram_merge(odd, even);
	assert_memory_equal(odd, all, sizeof(*all));
	free(even);
	free(all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_histogram_has_percentile_zero),
		TEST(small_values_are_exact),
		TEST(large_values_are_within_a_step),
		TEST(every_magnitude_reads_back_within_a_step),
		TEST(latencies_are_within_two_percent),
		TEST(buckets_end_in_rising_order),
		TEST(percentile_never_exceeds_the_largest_value),
		TEST(extremes_are_exact),
		TEST(zero_and_the_largest_number_are_recorded),
		TEST(percentiles_out_of_range_are_clamped),
		TEST(merging_equals_recording_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
