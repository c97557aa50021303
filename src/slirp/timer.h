/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_TIMER_H
#define MQVMM_SLIRP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Theory of operation
 *
 * A hashed wheel of 1 ms slots. A timer that is set to a later time than before
 * stays where it is and is moved when its old slot comes round, so that setting
 * an idle timer on every packet costs one store. Owned by one thread.
 */

#define TIMER_SLOTS 4096 /* 1 ms each, a power of two */

struct timer {
	struct timer *next;
	struct timer **link; /* what points here; NULL when not queued */
	uint64_t deadline_ms;
	uint64_t queued_ms; /* slot time that it is queued under */
};

/**
 * struct timer_wheel - All timers of a thread
 * @now_ms:	Timers of slots before it have expired
 * @expiring_ms: Time up to which they are being taken, 0 between turns
 * @slot:	Lists
 * @used:	A bit per non-empty slot
 */
struct timer_wheel {
	uint64_t now_ms;
	uint64_t expiring_ms;
	struct timer *slot[TIMER_SLOTS];
	uint64_t used[TIMER_SLOTS / 64];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Set or move a timer; one whose deadline is past expires at the next turn, and
 * not in this one if it is set while timers expire. */
void timer_set(struct timer_wheel *wheel, struct timer *timer,
	       uint64_t deadline_ms);
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);

/**
 * timer_expire() - Take one timer whose deadline has come
 * @now_ms:	CLOCK_MONOTONIC, milliseconds, does not go back
 *
 * Return: the timer, no longer queued; NULL when there is no further one
 */
struct timer *timer_expire(struct timer_wheel *wheel, uint64_t now_ms);

/**
 * timer_next() - When the wheel wants to be looked at next
 *
 * Return: milliseconds from @now_ms (0 if due), -1 if no timer is queued. May
 * be earlier than any deadline.
 */
int64_t timer_next(const struct timer_wheel *wheel, uint64_t now_ms);

#endif
