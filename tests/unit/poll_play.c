/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/poll_play.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BUSY_US       30
#define HALT_START_US 10

void poll_play_init(struct poll_play *play, enum poll_policy policy,
		    uint32_t budget_us, uint32_t wake_us)
{
	memset(play, 0, sizeof(*play));
	play->policy = policy;
	play->budget_us = budget_us;
	play->wake_us = wake_us;
	play->now_us = 1000000;
	play->random = 1;
	poll_init(&play->poll, budget_us);
}

/* How long it spins, at most @pause_us. */
static uint32_t play_adaptive(struct poll_play *play, uint32_t pause_us)
{
	uint64_t began_us = play->now_us, now_us = began_us;

	if (poll_wants_preemptions(&play->poll, now_us))
		poll_note_preemptions(&play->poll, now_us, play->preemptions);
	if (!poll_begin(&play->poll, now_us))
		return 0;
	while (now_us - began_us < pause_us && poll_again(&play->poll, now_us))
		now_us++;
	return (uint32_t)(now_us - began_us);
}

static uint32_t play_spin(struct poll_play *play, uint32_t pause_us)
{
	uint32_t window_us = 0;

	if (play->policy == POLL_ADAPT)
		return play_adaptive(play, pause_us);
	if (play->policy == POLL_ALWAYS)
		window_us = play->budget_us;
	if (play->policy == POLL_HALT)
		window_us = play->halt_us;
	return pause_us < window_us ? pause_us : window_us;
}

static void play_halt(struct poll_play *play, uint32_t seen_us)
{
	if (seen_us <= play->halt_us)
		return;
	if (seen_us > play->budget_us)
		play->halt_us = 0;
	else if (play->halt_us)
		play->halt_us *= 2;
	else
		play->halt_us = HALT_START_US;
	if (play->halt_us > play->budget_us)
		play->halt_us = play->budget_us;
}

void poll_play_pause(struct poll_play *play, uint32_t busy_us,
		     uint32_t pause_us)
{
	uint32_t spun_us, seen_us = pause_us;

	play->now_us += busy_us;
	spun_us = play_spin(play, pause_us);
	if (spun_us && spun_us >= pause_us) {
		play->saved++;
	} else {
		play->wakes++;
		seen_us += play->wake_us;
	}
	play->pauses++;
	play->spun_us += spun_us;
	if (spun_us > play->longest_spin_us)
		play->longest_spin_us = spun_us;
	play->seen_short += seen_us <= play->budget_us;
	play->now_us += seen_us;
	play_halt(play, seen_us);
	poll_end(&play->poll, play->now_us);
}

uint32_t poll_play_window(struct poll_play *play)
{
	struct poll_play copy = *play;

	return play_spin(&copy, UINT32_MAX);
}

void poll_play_trace(struct poll_play *play, const struct poll_trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		poll_play_pause(play, trace->pause[i].busy_us,
				trace->pause[i].pause_us);
}

void poll_play_periodic(struct poll_play *play, uint32_t pause_us,
			unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		poll_play_pause(play, BUSY_US, pause_us);
}

/* xorshift64*: the same numbers in every run */
static uint32_t play_random(struct poll_play *play)
{
	play->random ^= play->random >> 12;
	play->random ^= play->random << 25;
	play->random ^= play->random >> 27;
	return (uint32_t)(play->random * 2685821657736338717ULL >> 32);
}

void poll_play_poisson(struct poll_play *play, uint32_t mean_us,
		       unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		double uniform = (play_random(play) + 1.0) / 4294967296.0;

		poll_play_pause(play, BUSY_US,
				(uint32_t)(-log(uniform) * mean_us));
	}
}

void poll_play_mixture(struct poll_play *play, unsigned int count)
{
	uint32_t mean_us = 1U << play_random(play) % 14;

	if (play_random(play) & 1)
		poll_play_poisson(play, mean_us, count);
	else
		poll_play_periodic(play, mean_us, count);
}

static void play_made(struct poll_play *play, unsigned int which)
{
	static const uint32_t mean_us[] = { 20, 100, 200, 1000 };

	if (which < 4) {
		poll_play_poisson(play, mean_us[which], 10000);
	} else if (which == 4) {
		for (int i = 0; i < 100; i++) {
			poll_play_periodic(play, 20, 64);
			poll_play_periodic(play, 20000, 1);
		}
	} else {
		poll_play_periodic(play, 1000000, 100);
	}
}

static void play_row(const char *name, uint32_t budget_us, uint32_t wake_us,
		     const struct poll_trace *trace, unsigned int which)
{
	struct poll_play play;

	printf("# | %s |", name);
	for (int policy = POLL_ALWAYS; policy < POLL_POLICIES; policy++) {
		poll_play_init(&play, policy, budget_us, wake_us);
		if (trace)
			poll_play_trace(&play, trace);
		else
			play_made(&play, which);
		printf(" %.1f %%, %.1f %% |",
		       100.0 * (double)play.saved / (double)play.pauses,
		       100.0 * (double)play.spun_us /
			       (double)(play.now_us - 1000000));
	}
	printf("\n");
}

void poll_play_print(uint32_t budget_us, uint32_t wake_us)
{
	static const char *const made[] = {
		"Poisson, mean 20 us",  "Poisson, mean 100 us",
		"Poisson, mean 200 us", "Poisson, mean 1 ms",
		"bursts of 64",         "a pause a second",
	};

	printf("# wake-ups saved, and CPU time spun: budget %" PRIu32
	       " us, a wake-up %" PRIu32 " us\n"
	       "# | pauses | always | doubling | adaptive |\n",
	       budget_us, wake_us);
	for (int i = 0; i < POLL_TRACES; i++)
		play_row(poll_traces[i].name, budget_us, wake_us,
			 &poll_traces[i], 0);
	for (unsigned int i = 0; i < sizeof(made) / sizeof(*made); i++)
		play_row(made[i], budget_us, wake_us, NULL, i);
}
