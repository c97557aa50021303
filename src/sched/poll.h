/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_POLL_H
#define MQVMM_SCHED_POLL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Theory of operation
 *
 * A thread that has nothing to do may sleep, and then be woken, or spin for a
 * while in the hope that work comes soon. This decides which, and for how long,
 * from the pauses that there were. It reads no clock and makes no system call:
 * time and counts are given in, so that recorded pauses can be played to it.
 *
 * The budget is the longest spin, and the price: to save one wake-up is worth
 * that much spinning. Each of a few window lengths has a score, what it would
 * have gained by the last pauses: budget less pause where the pause would have
 * ended in the window, minus the window where not. They are kept whether the
 * thread spins or sleeps, and the best window is used if it gains at all: so it
 * grows with dense work, and shrinks to nothing without.
 *
 * Hence, whatever the pauses: time is only spent where pauses shorter than the
 * budget have earned it, at most budget for each of them, and a thread whose
 * pauses are all longer never spins. A pause that ended a sleep is known with
 * the time of the wake-up in it: with a budget below that, nothing is learnt.
 *
 * A thread that is preempted often is not alone on its CPU: then it does not
 * spin for a while, longer each time.
 *
 * Context: one thread's; none of it sleeps.
 */

#define POLL_WINDOWS       4    /* the budget, and halves of it */
#define POLL_BUDGET_MAX_US 1000 /* longest spin that can be asked for */

/**
 * struct poll - One thread's
 * @budget_us:	Longest spin; 0: never spin
 * @window_us:	The spin of this pause, 0: none
 * @idle:	There is a pause, since @began_us
 * @score:	Mean gain by window, the longest first, 1/16 us
 * @checked_us, @preemptions: When the CPU was last asked for others, and how
 *		often the thread had been preempted
 * @off_us:	How long the next absence of spinning is
 * @off_until_us: Of the present one
 */
struct poll {
	uint32_t budget_us;
	uint32_t window_us;
	bool idle;
	uint64_t began_us;
	int32_t score[POLL_WINDOWS];
	uint64_t checked_us;
	uint64_t preemptions;
	uint64_t off_us;
	uint64_t off_until_us;
};

/**
 * poll_init() - Begin, without any pause
 * @budget_us:	At most POLL_BUDGET_MAX_US; 0: never spin, and learn nothing
 */
void poll_init(struct poll *poll, uint32_t budget_us);

/**
 * poll_begin() - There is nothing to do from now on
 * @now_us:	Of any clock that only goes forward, as all times here
 *
 * Return: true to spin while poll_again() says so; then, or else, sleep
 */
bool poll_begin(struct poll *poll, uint64_t now_us);

/* Nothing has come yet. Return: may the spin go on? */
bool poll_again(const struct poll *poll, uint64_t now_us);

/**
 * poll_end() - Work came, while it spun or slept
 *
 * Nothing happens where no pause had begun.
 */
void poll_end(struct poll *poll, uint64_t now_us);

/* Is it time for poll_note_preemptions()? Only ever while it would spin. */
bool poll_wants_preemptions(const struct poll *poll, uint64_t now_us);

/**
 * poll_note_preemptions() - How often others wanted the CPU
 * @count:	Involuntary context switches of the thread's so far
 *		(getrusage(2), ru_nivcsw)
 */
void poll_note_preemptions(struct poll *poll, uint64_t now_us, uint64_t count);

#endif
