/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_POLL_PLAY_H
#define MQVMM_TESTS_POLL_PLAY_H

#include <stdbool.h>

#include "sched/poll.h"
#include "unit/poll_traces.h"

/*
 * A thread that is played its pauses: it spins or sleeps through each, and what
 * that costs and saves is counted. A sleep ends a wake-up's time late.
 */

enum poll_policy {
	POLL_NEVER,
	POLL_ALWAYS, /* the whole budget, each time */
	POLL_HALT,   /* as KVM does in kvm_vcpu_halt(): doubles, falls to 0 */
	POLL_ADAPT,  /* sched/poll.h */
	POLL_POLICIES,
};

/**
 * struct poll_play - The thread, and its account
 * @seen_short:	Pauses that it saw to be no longer than the budget
 * @preemptions: Of the thread so far, as the kernel counts them
 * @random:	State of the generator; not 0
 */
struct poll_play {
	enum poll_policy policy;
	struct poll poll;
	uint32_t halt_us; /* POLL_HALT's window */
	uint32_t budget_us, wake_us;
	uint64_t now_us;
	uint64_t pauses, wakes, saved, spun_us, longest_spin_us, seen_short;
	uint64_t preemptions;
	uint64_t random;
};

void poll_play_init(struct poll_play *play, enum poll_policy policy,
		    uint32_t budget_us, uint32_t wake_us);

/* A turn of @busy_us, then nothing for @pause_us. */
void poll_play_pause(struct poll_play *play, uint32_t busy_us,
		     uint32_t pause_us);

/* Would it spin now? Return: for how long at the most, microseconds */
uint32_t poll_play_window(struct poll_play *play);

/* @count pauses: recorded, alike, random around a mean, of all kinds. */
void poll_play_trace(struct poll_play *play, const struct poll_trace *trace);
void poll_play_periodic(struct poll_play *play, uint32_t pause_us,
			unsigned int count);
void poll_play_poisson(struct poll_play *play, uint32_t mean_us,
		       unsigned int count);
void poll_play_mixture(struct poll_play *play, unsigned int count);

/* A table for docs/decisions/0030-adaptive-polling.md. */
void poll_play_print(uint32_t budget_us, uint32_t wake_us);

#endif
