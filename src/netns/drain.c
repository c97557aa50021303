/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/drain.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define DRAIN_STEP_MS  5
#define DRAIN_STALL_MS 2000

/* A FIN is sent, or behind what is sent, and not acknowledged: the states of
 * RFC 9293, 3.3.2, in the kernel's numbers (include/net/tcp_states.h). */
static bool drain_owes(unsigned int state)
{
	enum { FIN_WAIT_1 = 4, LAST_ACK = 9, CLOSING = 11 };

	return state == FIN_WAIT_1 || state == LAST_ACK || state == CLOSING;
}

/* Bytes and FINs that are not acknowledged yet, from proc(5)'s net/tcp */
static uint64_t drain_count(const char *path)
{
	FILE *in = fopen(path, "re");
	unsigned int state, queued;
	uint64_t owed = 0;
	char line[256];

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%*s %*s %*s %x %x:", &state, &queued) == 2 &&
		    drain_owes(state))
			owed += (uint64_t)queued + 1;
	fclose(in);
	return owed;
}

void drain_connections(const sigset_t *stop)
{
	const struct timespec step = { .tv_nsec = DRAIN_STEP_MS * 1000000L };
	uint64_t least = UINT64_MAX, owed;
	unsigned int stalled_ms = 0;

	while ((owed = drain_count("/proc/net/tcp") +
		       drain_count("/proc/net/tcp6"))) {
		stalled_ms = owed < least ? 0 : stalled_ms + DRAIN_STEP_MS;
		least = owed < least ? owed : least;
		if (stalled_ms >= DRAIN_STALL_MS ||
		    sigtimedwait(stop, NULL, &step) > 0)
			return;
	}
}
