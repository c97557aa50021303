/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table, filled by a thread for each shard (bench/table). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "slirp/flow.h"
#include "slirp/slirp.h"
#include "slirp/tsan.h"
#include "table.h"

#define SHARDS 4

#define FEW             64
#define SLOTS_MANY      (16U << 20) /* of each shard */
#define FILES           20000
#define EMPTY_BYTES_MAX (1U << 20) /* more than with few */

/* The memory would be the sanitizer's. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
	defined(MQVMM_TSAN)
#define SKIP_UNDER_SANITIZERS() skip()
#else
#define SKIP_UNDER_SANITIZERS() ((void)0)
#endif

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
	SKIP_UNDER_SANITIZERS();
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

/* Bytes of address space that this process may have from now on. */
static void set_space(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

/* Return: 0 with memory that a NAT takes before it has flows, bytes, or what
 * slirp_create() says */
static int create_empty(uint32_t flows, uint64_t *bytes, struct fail *fail)
{
	static struct port none;
	struct port *port[SHARDS] = { &none, &none, &none, &none };
	uint64_t before = table_memory();
	struct slirp_config config;
	struct slirp *slirp;
	int ret;

	slirp_config_init(&config);
	config.shard_count = SHARDS;
	config.flows_max = flows;
	config.files_max = FILES;
	ret = slirp_create(&config, port, &slirp, fail);
	if (ret)
		return ret;
	*bytes = table_memory() - before;
	slirp_destroy(slirp);
	return 0;
}

static void slots_cost_nothing_until_they_are_used(void **state)
{
	struct fail fail = { 0 };
	uint64_t few = 0, many = 0;

	(void)state;
	SKIP_UNDER_SANITIZERS();
	/* The first warms up the heap. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(create_empty(FEW, &few, &fail), 0);
	assert_int_equal(create_empty(SLOTS_MANY, &many, &fail), 0);
	assert_in_range(many, few, few + EMPTY_BYTES_MAX);
}

static void too_many_slots_name_cause_and_remedy(void **state)
{
	struct fail fail = { 0 };
	struct rlimit before;
	uint64_t bytes;
	int ret;

	(void)state;
	SKIP_UNDER_SANITIZERS();
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	set_space(1 << 30);
	ret = create_empty(SLOTS_MANY, &bytes, &fail);
	set_space(before.rlim_cur);
	assert_int_equal(ret, -ENOMEM);
	assert_non_null(strstr(fail.text, "memory for 16777216 flows"));
	assert_non_null(strstr(fail.text, "queue-flows="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_takes_512_bytes_at_most),
		cmocka_unit_test(every_flow_is_found_by_every_shard),
		cmocka_unit_test(slots_cost_nothing_until_they_are_used),
		cmocka_unit_test(too_many_slots_name_cause_and_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
