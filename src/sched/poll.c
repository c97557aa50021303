/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/poll.h"

#include <string.h>

#define POLL_MEAN       8  /* pauses that a mean gain is made of, about */
#define POLL_SCORE_UNIT 16 /* a score is in 1/16 us */

#define POLL_CHECK_US   50000 /* between two looks at preemptions */
#define POLL_PREEMPTED  2     /* between them; kernel threads make fewer */
#define POLL_STALE_US   500000
#define POLL_OFF_MIN_US 100000
#define POLL_OFF_MAX_US 6400000

void poll_init(struct poll *poll, uint32_t budget_us)
{
	memset(poll, 0, sizeof(*poll));
	poll->budget_us =
		budget_us < POLL_BUDGET_MAX_US ? budget_us : POLL_BUDGET_MAX_US;
	poll->off_us = POLL_OFF_MIN_US;
}

static uint32_t poll_window(const struct poll *poll, unsigned int which)
{
	return poll->budget_us >> which;
}

/* The window that gains most; of equals the longest, which misses least. */
static uint32_t poll_choose(const struct poll *poll)
{
	uint32_t window_us = 0;
	int32_t best = 0;

	for (unsigned int i = 0; i < POLL_WINDOWS; i++) {
		if (poll->score[i] <= best)
			continue;
		best = poll->score[i];
		window_us = poll_window(poll, i);
	}
	return window_us;
}

bool poll_begin(struct poll *poll, uint64_t now_us)
{
	if (!poll->budget_us)
		return false;
	poll->idle = true;
	poll->began_us = now_us;
	poll->window_us = now_us < poll->off_until_us ? 0 : poll_choose(poll);
	return poll->window_us;
}

bool poll_again(const struct poll *poll, uint64_t now_us)
{
	return now_us - poll->began_us < poll->window_us;
}

/* What spinning for @window_us would have gained by a pause. */
static int32_t poll_gain(const struct poll *poll, uint32_t window_us,
			 uint64_t pause_us)
{
	if (pause_us > window_us)
		return -(int32_t)window_us;
	return (int32_t)poll->budget_us - (int32_t)pause_us;
}

void poll_end(struct poll *poll, uint64_t now_us)
{
	uint64_t pause_us = now_us - poll->began_us;

	if (!poll->idle)
		return;
	poll->idle = false;
	for (unsigned int i = 0; i < POLL_WINDOWS; i++) {
		int32_t gain = poll_gain(poll, poll_window(poll, i), pause_us);

		poll->score[i] +=
			(gain * POLL_SCORE_UNIT - poll->score[i]) / POLL_MEAN;
	}
}

bool poll_wants_preemptions(const struct poll *poll, uint64_t now_us)
{
	return poll->window_us && now_us - poll->checked_us >= POLL_CHECK_US;
}

void poll_note_preemptions(struct poll *poll, uint64_t now_us, uint64_t count)
{
	uint64_t since_us = now_us - poll->checked_us;
	uint64_t times = count - poll->preemptions;

	poll->checked_us = now_us;
	poll->preemptions = count;
	if (since_us > POLL_STALE_US)
		return;
	if (times <= POLL_PREEMPTED * (since_us / POLL_CHECK_US)) {
		poll->off_us = POLL_OFF_MIN_US;
		return;
	}
	poll->off_until_us = now_us + poll->off_us;
	if (poll->off_us < POLL_OFF_MAX_US)
		poll->off_us *= 2;
}
