/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rcu_bench: what liburcu's flavours cost a shard, as JSON: a lookup's read
 * lock and unlock, what a turn announces, and what a sleep announces.
 * Nanoseconds, the least of several passes, since whatever else the machine
 * does only adds.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#define ROUNDS 1000000
#define PASSES 9

/* One of liburcu's flavours: a turn and a sleep announce only with QSBR. */
struct flavour {
	const char *name;
	void (*enter)(void);
	void (*leave)(void);
	void (*lookups)(void);
	void (*turns)(void);
	void (*sleeps)(void);
};

/* Each loop is a function, so that lock and unlock are inlined into it. */
#define FLAVOUR(prefix)                                    \
	static void prefix##_lookups(void)                 \
	{                                                  \
		for (int i = 0; i < ROUNDS; i++) {         \
			urcu_##prefix##_read_lock();       \
			__asm__ volatile("" ::: "memory"); \
			urcu_##prefix##_read_unlock();     \
		}                                          \
	}                                                  \
	static void prefix##_turns(void)                   \
	{                                                  \
		for (int i = 0; i < ROUNDS; i++) {         \
			__asm__ volatile("" ::: "memory"); \
			urcu_##prefix##_quiescent_state(); \
		}                                          \
	}                                                  \
	static void prefix##_sleeps(void)                  \
	{                                                  \
		for (int i = 0; i < ROUNDS; i++) {         \
			urcu_##prefix##_thread_offline();  \
			__asm__ volatile("" ::: "memory"); \
			urcu_##prefix##_thread_online();   \
		}                                          \
	}                                                  \
	static const struct flavour prefix##_flavour = {   \
		#prefix,                                   \
		urcu_##prefix##_register_thread,           \
		urcu_##prefix##_unregister_thread,         \
		prefix##_lookups,                          \
		prefix##_turns,                            \
		prefix##_sleeps,                           \
	};

FLAVOUR(qsbr)
FLAVOUR(memb)
FLAVOUR(mb)

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double least_ns(void (*loop)(void))
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < PASSES; i++) {
		uint64_t began = clock_ns();

		loop();
		began = clock_ns() - began;
		if (began < least)
			least = began;
	}
	return (double)least / ROUNDS;
}

static void measure(const struct flavour *flavour, const char *separator)
{
	double lookup, turn, rest;

	flavour->enter();
	lookup = least_ns(flavour->lookups);
	turn = least_ns(flavour->turns);
	rest = least_ns(flavour->sleeps);
	flavour->leave();
	printf("  { \"flavour\": \"%s\", \"lookup_ns\": %.2f, "
	       "\"turn_ns\": %.2f, \"sleep_ns\": %.2f }%s\n",
	       flavour->name, lookup, turn, rest, separator);
}

int main(void)
{
	printf("[\n");
	measure(&qsbr_flavour, ",");
	measure(&memb_flavour, ",");
	measure(&mb_flavour, "");
	printf("]\n");
	return 0;
}
