/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread's context switches, while it runs and afterwards. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/switches.h"

#define SLEEPS 50

struct sleeper {
	struct switches switches;
	sem_t slept, end;
};

static void *sleep_often(void *context)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	struct sleeper *sleeper = context;

	switches_begin(&sleeper->switches);
	for (int i = 0; i < SLEEPS; i++)
		nanosleep(&pause, NULL);
	sem_post(&sleeper->slept);
	sem_wait(&sleeper->end);
	switches_end(&sleeper->switches);
	return NULL;
}

/* Return: what is told of a kind, -1 if nothing is */
static long told(const struct switches *switches, const char *name)
{
	char text[256] = "", *found;
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	switches_print(switches, out);
	fclose(out);
	found = strstr(text, name);
	return found ? strtol(found + strlen(name), NULL, 10) : -1;
}

static void sleeps_are_voluntary_while_a_thread_runs_and_afterwards(
	void **state)
{
	struct sleeper sleeper = { 0 };
	pthread_t thread;
	long running;

	(void)state;
	sem_init(&sleeper.slept, 0, 0);
	sem_init(&sleeper.end, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, sleep_often, &sleeper),
			 0);
	sem_wait(&sleeper.slept);
	running = told(&sleeper.switches, "\"voluntary_switches\":");
	sem_post(&sleeper.end);
	pthread_join(thread, NULL);
	assert_in_range(running, SLEEPS, 3 * SLEEPS);
	assert_in_range(told(&sleeper.switches, "\"voluntary_switches\":"),
			running, 3 * SLEEPS);
	assert_true(told(&sleeper.switches, "\"involuntary_switches\":") >= 0);
}

static void a_thread_that_follows_adds_to_the_one_before(void **state)
{
	struct sleeper sleeper = { 0 };
	pthread_t thread;

	(void)state;
	sem_init(&sleeper.slept, 0, 0);
	sem_init(&sleeper.end, 0, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			pthread_create(&thread, NULL, sleep_often, &sleeper),
			0);
		pthread_join(thread, NULL);
	}
	assert_in_range(told(&sleeper.switches, "\"voluntary_switches\":"),
			2 * SLEEPS, 6 * SLEEPS);
}

static void a_thread_that_has_not_begun_has_none(void **state)
{
	const struct switches switches = { 0 };

	(void)state;
	assert_int_equal(told(&switches, "\"voluntary_switches\":"), 0);
}

static void a_thread_that_nobody_has_is_not_told(void **state)
{
	const struct switches switches = { .tid = 1 << 30 };

	(void)state;
	assert_int_equal(told(&switches, "\"voluntary_switches\":"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			sleeps_are_voluntary_while_a_thread_runs_and_afterwards),
		cmocka_unit_test(a_thread_that_follows_adds_to_the_one_before),
		cmocka_unit_test(a_thread_that_has_not_begun_has_none),
		cmocka_unit_test(a_thread_that_nobody_has_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
