/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "torture.h"

#define SIZE_SMALL 600
#define SIZE_LARGE 150000

/* splitmix64 */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
	value = (value ^ value >> 27) * 0x94d049bb133111ebU;
	return value ^ value >> 31;
}

uint32_t random_below(struct random *random, uint32_t below)
{
	random->state += 0x9e3779b97f4a7c15U;
	return (uint32_t)(mix(random->state) >> 32) % below;
}

static uint32_t plan_size(struct random *random)
{
	uint32_t most = random_below(random, 3) ? SIZE_SMALL : SIZE_LARGE;

	return TORTURE_HEADER + random_below(random, most);
}

struct plan plan_make(const struct torture *torture, uint32_t id)
{
	struct random random = { mix(torture->options.seed) + id };
	uint32_t first = random_below(&random, 3);
	struct plan plan = {
		.up = plan_size(&random),
		.down = plan_size(&random),
		.guest_waits = first == 1,
		.host_waits = first == 2,
		.is6 = torture_is6(torture, random_below(&random, 2)),
		.window = 3000 + random_below(&random, 200000),
		.hops = random_below(&random, HOPS_KINDS),
	};

	if (random_below(&random, 8) == 0)
		plan.abort = ABORT_GUEST;
	else if (random_below(&random, 8) == 0)
		plan.abort = ABORT_HOST;
	/* When it is known at both ends which flow it is. */
	plan.abort_at =
		TORTURE_HEADER +
		random_below(&random,
			     (plan.abort == ABORT_HOST ? plan.up : plan.down) -
				     TORTURE_HEADER + 1);
	return plan;
}

static uint8_t stream_byte(uint64_t key, uint32_t id, uint32_t offset)
{
	if (offset < TORTURE_HEADER)
		return (uint8_t)(id >> 8 * (offset % 4));
	return (uint8_t)(mix(key + offset / 8) >> 8 * (offset % 8));
}

static uint64_t stream_key(const struct torture *torture, uint32_t id, bool up)
{
	return mix(torture->options.seed + 2 * (uint64_t)id + up);
}

void stream_fill(const struct torture *torture, uint32_t id, bool up,
		 uint32_t offset, uint8_t *data, size_t size)
{
	uint64_t key = stream_key(torture, id, up);

	for (size_t i = 0; i < size; i++)
		data[i] = stream_byte(key, id, offset + (uint32_t)i);
}

void stream_check(const struct torture *torture, uint32_t id, bool up,
		  uint32_t offset, const uint8_t *data, size_t size)
{
	uint64_t key = stream_key(torture, id, up);

	for (size_t i = 0; i < size; i++)
		if (data[i] != stream_byte(key, id, offset + (uint32_t)i))
			torture_fail(
				torture,
				"stream %u: byte %zu %s the guest is wrong", id,
				offset + i, up ? "from" : "to");
}

uint32_t stream_id(const uint8_t *header)
{
	uint32_t id;

	memcpy(&id, header, sizeof(id));
	return id;
}
