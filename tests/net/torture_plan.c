/* SPDX-License-Identifier: BSD-3-Clause */
#include "torture_plan.h"

#include <string.h>

#define BURST_MAX  65536 /* bytes */
#define BURSTS_MAX 500
#define SLOW_MAX   20000 /* bytes */

/* splitmix64 */
uint64_t torture_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* All orders of magnitude alike, and the sizes where segments end. */
static uint64_t choose_size(uint64_t *state, uint64_t most)
{
	uint64_t choice = torture_random(state), limit = 1;

	if (!most || choice % 16 == 0)
		return 0;
	if (choice % 16 == 1)
		return (choice >> 8) % 4 * 1460 + (choice >> 16) % 3;
	while (limit < most && torture_random(state) % 8)
		limit *= 4;
	if (limit > most)
		limit = most;
	return 1 + torture_random(state) % limit;
}

static void choose_side(uint64_t *state, uint64_t most, bool exact,
			struct torture_side *side)
{
	static const int buffers[] = { 0, 0, 0, 0, 2048, 16384 };

	*side = (struct torture_side) { .burst = BURST_MAX };
	side->size = exact ? most : choose_size(state, most);
	if (exact)
		return;
	side->burst = 1 + torture_random(state) % BURST_MAX;
	if (side->burst < most / BURSTS_MAX)
		side->burst = most / BURSTS_MAX; /* not for ever */
	if (torture_random(state) % 2)
		side->pauses = (unsigned int)(torture_random(state) % 20);
	side->pause_ms = (unsigned int)(torture_random(state) % 30);
	side->buffer = buffers[torture_random(state) % 6];
}

void torture_plan_make(uint64_t seed, uint32_t number, uint64_t most,
		       bool exact, struct torture_plan *plan)
{
	uint64_t state = seed ^ (uint64_t)number << 40;
	unsigned int holds;

	plan->seed = torture_random(&state);
	choose_side(&state, most, exact, &plan->side[TORTURE_CLIENT]);
	choose_side(&state, most, exact, &plan->side[TORTURE_SERVER]);
	/* Half-closed connections: one goes on when the other has ended. */
	for (int i = 0; i < TORTURE_ROLES; i++)
		/* Windows below a segment: a probe's time for each. */
		if (plan->side[!i].buffer && plan->side[i].size > SLOW_MAX)
			plan->side[i].size = SLOW_MAX;
	holds = (unsigned int)(torture_random(&state) % 4);
	if (holds < TORTURE_ROLES && plan->side[holds].size)
		plan->side[holds].hold =
			1 + torture_random(&state) % plan->side[holds].size;
}

void torture_fill(const struct torture_plan *plan, enum torture_role role,
		  uint64_t at, uint8_t *to, size_t size)
{
	while (size) {
		uint64_t state = plan->seed + (uint64_t)role * 977 +
				 at / sizeof(uint64_t) * 0x632be59bd9b4e019ULL;
		uint64_t word = torture_random(&state);
		size_t skip = at % sizeof(word), part = sizeof(word) - skip;

		if (part > size)
			part = size;
		memcpy(to, (const uint8_t *)&word + skip, part);
		to += part;
		at += part;
		size -= part;
	}
}
