/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/timer.h"

#define START 1000003 /* ms */

static int setup(void **state)
{
	struct timer_wheel *wheel = malloc(sizeof(*wheel));

	timer_wheel_init(wheel, START);
	*state = wheel;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void timer_expires_at_its_deadline_and_once(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	timer_set(wheel, &timer, START + 5);
	assert_null(timer_expire(wheel, START + 4));
	assert_ptr_equal(timer_expire(wheel, START + 5), &timer);
	assert_null(timer_expire(wheel, START + 5));
	assert_null(timer_expire(wheel, START + 100000));
}

static void deadline_in_the_past_expires_at_once(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	assert_null(timer_expire(wheel, START + 50));
	timer_set(wheel, &timer, 0);
	assert_int_equal(timer_next(wheel, START + 50), 0);
	assert_ptr_equal(timer_expire(wheel, START + 50), &timer);
}

/* What cannot be done yet is tried again, but not for ever in one turn. */
static void timer_set_again_as_it_expires_waits_for_the_next_turn(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 }, *expired;
	unsigned int count = 0;

	timer_set(wheel, &timer, START + 5);
	while ((expired = timer_expire(wheel, START + 10000)) && ++count < 10)
		timer_set(wheel, expired, START + 5);
	assert_int_equal(count, 1);
	assert_int_equal(timer_next(wheel, START + 10000), 1);
	assert_ptr_equal(timer_expire(wheel, START + 10001), &timer);
}

static void cancelled_timer_does_not_expire(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	timer_set(wheel, &timer, START + 5);
	timer_cancel(wheel, &timer);
	timer_cancel(wheel, &timer);
	assert_null(timer_expire(wheel, START + 10));
	assert_int_equal(timer_next(wheel, START + 10), -1);
}

static void later_deadline_holds_when_set_again(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	timer_set(wheel, &timer, START + 5);
	timer_set(wheel, &timer, START + 700);
	assert_null(timer_expire(wheel, START + 699));
	assert_ptr_equal(timer_expire(wheel, START + 700), &timer);
}

static void earlier_deadline_holds_when_set_again(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	timer_set(wheel, &timer, START + 700);
	timer_set(wheel, &timer, START + 5);
	assert_ptr_equal(timer_expire(wheel, START + 5), &timer);
	assert_null(timer_expire(wheel, START + 800));
}

static void deadline_beyond_a_revolution_is_not_early(void **state)
{
	static const uint64_t away[] = { TIMER_SLOTS - 1, TIMER_SLOTS,
					 TIMER_SLOTS + 1,
					 3ULL * TIMER_SLOTS + 7, 7440000 };
	struct timer_wheel *wheel = *state;

	for (unsigned int i = 0; i < sizeof(away) / sizeof(*away); i++) {
		uint64_t deadline = wheel->now_ms + away[i];
		struct timer timer = { 0 };

		timer_set(wheel, &timer, deadline);
		for (uint64_t now = wheel->now_ms; now < deadline; now += 997)
			assert_null(timer_expire(wheel, now));
		assert_null(timer_expire(wheel, deadline - 1));
		assert_ptr_equal(timer_expire(wheel, deadline), &timer);
	}
}

static void all_expire_after_a_jump_over_many_revolutions(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer[100] = { 0 };
	uint64_t late = START + 1000 * 86400ULL;
	unsigned int expired = 0;

	for (unsigned int i = 0; i < 100; i++)
		timer_set(wheel, &timer[i], START + i * 777);
	while (timer_expire(wheel, late))
		expired++;
	assert_int_equal(expired, 100);
	timer_set(wheel, &timer[0], late + 3);
	assert_null(timer_expire(wheel, late + 2));
	assert_ptr_equal(timer_expire(wheel, late + 3), &timer[0]);
}

static void next_is_never_later_than_a_deadline(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };

	assert_int_equal(timer_next(wheel, START), -1);
	for (uint64_t away = 0; away < 3ULL * TIMER_SLOTS; away += 61) {
		timer_set(wheel, &timer, wheel->now_ms + away);
		assert_in_range(timer_next(wheel, wheel->now_ms), 0, away);
		timer_cancel(wheel, &timer);
	}
}

static void waiting_as_next_says_meets_the_deadline(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer = { 0 };
	uint64_t now = START, deadline = START + 20000;
	unsigned int looks = 0;

	timer_set(wheel, &timer, deadline);
	while (!timer_expire(wheel, now)) {
		assert_true(timer_next(wheel, now) > 0);
		now += (uint64_t)timer_next(wheel, now);
		looks++;
	}
	assert_int_equal(now, deadline);
	assert_true(looks <= 20000 / 2048 + 2);
}

/* Against a list that is searched, over random operations. */
static void wheel_agrees_with_a_plain_list(void **state)
{
	struct timer_wheel *wheel = *state;
	struct timer timer[64] = { 0 }, *expired;
	uint64_t deadline[64] = { 0 }, now = START;
	uint64_t random = 88172645463325252ULL;

	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int i;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		i = random >> 58;
		switch (random % 4) {
		case 0:
		case 1:
			deadline[i] = now + (random >> 8) % 9000;
			timer_set(wheel, &timer[i], deadline[i]);
			break;
		case 2:
			deadline[i] = 0;
			timer_cancel(wheel, &timer[i]);
			break;
		default:
			now += (random >> 8) % (random & 64 ? 9000 : 9);
			while ((expired = timer_expire(wheel, now))) {
				i = (unsigned int)(expired - timer);
				assert_in_range(deadline[i], 1, now);
				deadline[i] = 0;
			}
			for (i = 0; i < 64; i++)
				assert_true(!deadline[i] || deadline[i] > now);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void far_timers_are_looked_at_together(void **state)
{
	struct timer_wheel *wheel = *state;
	static struct timer timer[1000];
	uint64_t now = START, end = START + 60000;
	unsigned int looks = 0;

	for (unsigned int i = 0; i < 1000; i++)
		timer_set(wheel, &timer[i], START + 7440000 + i);
	while (now < end) {
		assert_null(timer_expire(wheel, now));
		assert_true(timer_next(wheel, now) > 0);
		now += (uint64_t)timer_next(wheel, now);
		looks++;
	}
	assert_in_range(looks, 1, 60000 / 2048 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timer_expires_at_its_deadline_and_once),
		TEST(deadline_in_the_past_expires_at_once),
		TEST(timer_set_again_as_it_expires_waits_for_the_next_turn),
		TEST(cancelled_timer_does_not_expire),
		TEST(later_deadline_holds_when_set_again),
		TEST(earlier_deadline_holds_when_set_again),
		TEST(deadline_beyond_a_revolution_is_not_early),
		TEST(all_expire_after_a_jump_over_many_revolutions),
		TEST(next_is_never_later_than_a_deadline),
		TEST(waiting_as_next_says_meets_the_deadline),
		TEST(far_timers_are_looked_at_together),
		TEST(wheel_agrees_with_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
