/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * Server and client often have the same CLOCK_MONOTONIC: a network namespace
 * has its host's. Then a stamp lies within its exchange, and is taken as it is.
 *
 * A guest's clock is another. Each exchange bounds how far apart the two are:
 * the server read its own after we began, and before the answer was here. The
 * exchanges of a block together give the tightest bounds, and their middle is
 * taken: that supposes that the fastest request and the fastest answer take
 * equally long, and is wrong by half of what they differ. Blocks are short,
 * because the clocks drift; the one before helps a block that has just begun.
 */
#include "server_clock.h"

#include <stdbool.h>

#define BLOCK_EXCHANGES 64
#define BLOCK_NS        100000000ULL

static void bounds_meet(struct clock_bounds *bounds, int64_t low_ns,
			int64_t high_ns)
{
	if (bounds->low_ns < low_ns)
		bounds->low_ns = low_ns;
	if (bounds->high_ns > high_ns)
		bounds->high_ns = high_ns;
}

static void clock_learn(struct server_clock *clock, int64_t low_ns,
			int64_t high_ns, uint64_t now_ns)
{
	bool first = clock->since_ns == 0;

	if (first || clock->count == BLOCK_EXCHANGES ||
	    now_ns - clock->since_ns > BLOCK_NS) {
		struct clock_bounds bounds = { low_ns, high_ns };

		clock->before = first ? bounds : clock->present;
		clock->present = bounds;
		clock->since_ns = now_ns;
		clock->count = 0;
	}
	bounds_meet(&clock->present, low_ns, high_ns);
	clock->count++;
}

uint64_t server_clock_sent_ns(struct server_clock *clock, uint64_t stamp_ns,
			      uint64_t now_ns)
{
	struct clock_bounds both;
	uint64_t sent_ns;

	if (clock->begun_ns <= stamp_ns && stamp_ns <= now_ns)
		return stamp_ns;
	clock_learn(clock, (int64_t)(stamp_ns - now_ns),
		    (int64_t)(stamp_ns - clock->begun_ns), now_ns);
	both = clock->present;
	bounds_meet(&both, clock->before.low_ns, clock->before.high_ns);
	sent_ns = stamp_ns -
		  (uint64_t)(both.low_ns + (both.high_ns - both.low_ns) / 2);
	/* Where the clocks drifted apart by more than the bounds' distance. */
	if (sent_ns < clock->begun_ns)
		return clock->begun_ns;
	return sent_ns < now_ns ? sent_ns : now_ns;
}
