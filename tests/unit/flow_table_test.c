/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table, filled by a thread for each shard (bench/table). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "slirp/flow.h"
#include "slirp/tsan.h"
#include "table.h"

#define SHARDS 4

#define FEW 64

/* A power of two, and one more: the least favourable for index and table. */
static const uint32_t shard_flows[] = { 8192, 8193 };

/* Return: memory of a NAT with so many flows in each shard, bytes */
static uint64_t memory_of(uint32_t flows)
{
	struct table_load load = { .shards = SHARDS, .flows = flows };
	struct table_result result;
	struct fail fail;

	assert_int_equal(table_run(&load, &result, &fail), 0);
	return result.full_bytes;
}

static void every_flow_is_found_by_every_shard(void **state)
{
	struct table_load load = { .shards = SHARDS, .flows = 3000 };
	struct table_result result;
	struct fail fail;

	(void)state;
	assert_int_equal(table_run(&load, &result, &fail), 0);
	for (unsigned int phase = 0; phase < TABLE_PHASES; phase++)
		assert_int_equal(result.done[phase], SHARDS * load.flows);
}

static void flow_takes_512_bytes_at_most(void **state)
{
	uint64_t rest;

	(void)state;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
	defined(MQVMM_TSAN)
	skip(); /* the memory would be the sanitizer's */
#endif
	/* Buffers, stacks and the like; the first NAT warms up the heap. */
	memory_of(FEW);
	rest = memory_of(FEW);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t flows = SHARDS * (shard_flows[i] - FEW);
		uint64_t bytes = memory_of(shard_flows[i]) - rest;

		assert_in_range(bytes, flows * FLOW_SLOT_SIZE,
				flows * FLOW_MEMORY_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_takes_512_bytes_at_most),
		cmocka_unit_test(every_flow_is_found_by_every_shard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
