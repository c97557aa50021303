/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/timer.h"

#include <stddef.h>
#include <string.h>

#define TIMER_MASK  (TIMER_SLOTS - 1)
#define TIMER_WORDS (TIMER_SLOTS / 64)

/* Far timers are looked at when the clock is a multiple of this, ms. */
#define TIMER_FAR_MS   2048
#define TIMER_FAR_MASK ((uint64_t)TIMER_FAR_MS - 1)

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->now_ms = now_ms;
}

static void timer_queue(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t at = timer->deadline_ms;
	struct timer **slot;

	if (at < wheel->now_ms)
		at = wheel->now_ms;
	/* One that is further away waits most of a revolution and moves then;
	 * all such move together, so that idle flows seldom wake a shard. */
	if (at > wheel->now_ms + TIMER_MASK)
		at = (wheel->now_ms + TIMER_MASK) & ~TIMER_FAR_MASK;
	slot = &wheel->slot[at & TIMER_MASK];
	timer->queued_ms = at;
	timer->link = slot;
	timer->next = *slot;
	if (timer->next)
		timer->next->link = &timer->next;
	*slot = timer;
	wheel->used[(at & TIMER_MASK) / 64] |= 1ULL << (at % 64);
}

static void timer_unqueue(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t at = timer->queued_ms & TIMER_MASK;

	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	timer->link = NULL;
	if (!wheel->slot[at])
		wheel->used[at / 64] &= ~(1ULL << (at % 64));
}

void timer_set(struct timer_wheel *wheel, struct timer *timer,
	       uint64_t deadline_ms)
{
	/* A turn would not end with timers that are set again and again. */
	if (deadline_ms <= wheel->expiring_ms)
		deadline_ms = wheel->expiring_ms + 1;
	timer->deadline_ms = deadline_ms;
	if (timer->link && timer->queued_ms <= deadline_ms)
		return;
	timer_cancel(wheel, timer);
	timer_queue(wheel, timer);
}

void timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
	if (timer->link)
		timer_unqueue(wheel, timer);
}

/* First used slot from @from on, TIMER_SLOTS if none before the end. */
static unsigned int timer_scan(const struct timer_wheel *wheel,
			       unsigned int from)
{
	unsigned int word = from / 64;
	uint64_t bits;

	if (from >= TIMER_SLOTS)
		return TIMER_SLOTS;
	bits = wheel->used[word] & ~0ULL << (from % 64);
	while (!bits) {
		if (++word == TIMER_WORDS)
			return TIMER_SLOTS;
		bits = wheel->used[word];
	}
	return word * 64 + (unsigned int)__builtin_ctzll(bits);
}

/* Milliseconds from wheel->now_ms to the next used slot, -1 if none is used. */
static int64_t timer_distance(const struct timer_wheel *wheel)
{
	unsigned int start = wheel->now_ms & TIMER_MASK;
	unsigned int slot = timer_scan(wheel, start);

	if (slot < TIMER_SLOTS)
		return slot - start;
	slot = timer_scan(wheel, 0);
	return slot < TIMER_SLOTS ? (int64_t)slot + TIMER_SLOTS - start : -1;
}

struct timer *timer_expire(struct timer_wheel *wheel, uint64_t now_ms)
{
	wheel->expiring_ms = now_ms;
	for (;;) {
		int64_t distance = timer_distance(wheel);
		struct timer *timer;

		if (distance < 0 ||
		    wheel->now_ms + (uint64_t)distance > now_ms) {
			/* Slots up to now are empty: skip them. */
			if (now_ms > wheel->now_ms)
				wheel->now_ms = now_ms;
			wheel->expiring_ms = 0;
			return NULL;
		}
		wheel->now_ms += (uint64_t)distance;
		timer = wheel->slot[wheel->now_ms & TIMER_MASK];
		timer_unqueue(wheel, timer);
		if (timer->deadline_ms <= now_ms)
			return timer;
		timer_queue(wheel, timer);
	}
}

int64_t timer_next(const struct timer_wheel *wheel, uint64_t now_ms)
{
	int64_t distance = timer_distance(wheel);
	uint64_t at;

	if (distance < 0)
		return -1;
	at = wheel->now_ms + (uint64_t)distance;
	return at > now_ms ? (int64_t)(at - now_ms) : 0;
}
