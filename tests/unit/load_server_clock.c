/* SPDX-License-Identifier: BSD-3-Clause */
/* When the server sent, by our own clock, of exchanges whose truth is known. */
#include "server_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_NS 5000000000ULL

/* A server whose clock is ahead of ours, and runs this much faster. */
struct far {
	struct server_clock clock;
	int64_t ahead_ns;
	int64_t drift_ppm;
	uint64_t now_ns;
};

static uint64_t far_time_ns(const struct far *far, uint64_t now_ns)
{
	int64_t since_ns = (int64_t)(now_ns - START_NS);

	return now_ns +
	       (uint64_t)(far->ahead_ns + since_ns * far->drift_ppm / 1000000);
}

/* An exchange; returns by how much the answer's time is found too long. */
static int64_t exchange(struct far *far, uint64_t request_ns,
			uint64_t answer_ns)
{
	uint64_t sent_ns = far->now_ns + request_ns;
	uint64_t here_ns = sent_ns + answer_ns;
	uint64_t found_ns;

	far->clock.begun_ns = far->now_ns;
	found_ns = server_clock_sent_ns(&far->clock, far_time_ns(far, sent_ns),
					here_ns);
	assert_true(found_ns >= far->now_ns && found_ns <= here_ns);
	far->now_ns = here_ns + 1000;
	return (int64_t)(sent_ns - found_ns);
}

static void clock_that_is_ours_is_taken_as_it_is(void **state)
{
	struct far far = { .now_ns = START_NS };

	(void)state;
	assert_int_equal(exchange(&far, 10000, 90000), 0);
	assert_int_equal(exchange(&far, 90000, 10000), 0);
}

static void slow_answers_are_told_from_slow_requests(void **state)
{
	static const int64_t ahead_ns[] = { -4000000000, 77000000000000 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct far far = { .now_ns = START_NS,
				   .ahead_ns = ahead_ns[i] };

		exchange(&far, 20000, 20000);
		assert_int_equal(exchange(&far, 20000, 500000), 0);
		assert_int_equal(exchange(&far, 300000, 20000), 0);
		assert_int_equal(exchange(&far, 300000, 400000), 0);
	}
}

static void error_is_half_of_what_the_fastest_ways_differ(void **state)
{
	struct far far = { .now_ns = START_NS, .ahead_ns = 1000000000000 };

	(void)state;
	exchange(&far, 30000, 50000);
	assert_int_equal(exchange(&far, 200000, 50000), -10000);
}

static void drift_is_followed(void **state)
{
	struct far far = { .now_ns = START_NS,
			   .ahead_ns = -3000000000,
			   .drift_ppm = 50 };
	int64_t worst_ns = 0;

	(void)state;
	srand(1);
	/* Some ten seconds, in which the clocks part by half a millisecond. */
	for (int i = 0; i < 60000; i++) {
		uint64_t request_ns = 40000 + (uint64_t)rand() % 80000;
		uint64_t answer_ns = 40000 + (uint64_t)rand() % 80000;
		int64_t error_ns = llabs(exchange(&far, request_ns, answer_ns));

		if (i > 64 && error_ns > worst_ns)
			worst_ns = error_ns;
	}
	assert_in_range(worst_ns, 0, 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_that_is_ours_is_taken_as_it_is),
		cmocka_unit_test(slow_answers_are_told_from_slow_requests),
		cmocka_unit_test(error_is_half_of_what_the_fastest_ways_differ),
		cmocka_unit_test(drift_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
