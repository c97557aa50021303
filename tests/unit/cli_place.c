/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options_place.h"
#include "support/fake_host.h"

/* --place and --numa, from their text to the plan or the sentence. */

struct line {
	struct placement_request request;
	struct placement plan;
	struct fail fail;
};

#define WORDS_MAX 4

/* On 2 nodes of 4 CPUs, of which 7 is offline: 4 vCPUs, 2 shards, 1 GiB. */
static int parse(struct line *line, const char *place, const char *const *numa)
{
	static struct topology *topology;
	char *root = fake_host_create("cores=8 nodes=2 memory=16 offline=7");
	int ret = 0;

	memset(line, 0, sizeof(*line));
	placement_request_init(&line->request);
	line->request.vcpus = 4;
	line->request.shards = 2;
	line->request.memory_bytes = 1ULL << 30;
	line->request.granule_bytes = 2ULL << 20;
	assert_int_equal(topology_read(root, &topology, NULL), 0);
	if (place)
		ret = options_place(place, &line->request, &line->fail);
	for (unsigned int i = 0; !ret && numa && i < WORDS_MAX && numa[i]; i++)
		ret = options_numa(numa[i], &line->request, &line->fail);
	if (!ret)
		ret = placement_plan(topology, &line->request, NULL,
				     &line->plan, &line->fail);
	topology_free(topology);
	fake_host_destroy(root);
	return ret;
}

static struct line line;

static void threads_are_where_the_map_says(void **state)
{
	(void)state;
	assert_int_equal(parse(&line,
			       "vcpu0-2=4-6,vcpu3=0,shard0-1=1,helpers=2+3",
			       NULL),
			 0);
	assert_int_equal(line.plan.vcpu[0], 4);
	assert_int_equal(line.plan.vcpu[1], 5);
	assert_int_equal(line.plan.vcpu[2], 6);
	assert_int_equal(line.plan.vcpu[3], 0);
	assert_int_equal(line.plan.shard[0], 1);
	assert_int_equal(line.plan.shard[1], 1);
	assert_int_equal(line.plan.helpers.word[0], 1 << 2 | 1 << 3);
}

static void threads_that_are_not_named_avoid_those_that_are(void **state)
{
	(void)state;
	assert_int_equal(parse(&line, "compact,vcpu1=0", NULL), 0);
	assert_int_equal(line.plan.vcpu[1], 0);
	assert_int_not_equal(line.plan.vcpu[0], 0);
	assert_int_not_equal(line.plan.vcpu[2], 0);
	assert_int_not_equal(line.plan.shard[0], 0);
}

static void cells_are_as_given(void **state)
{
	static const char *const numa[WORDS_MAX] = {
		"cell=0,cpus=0+3,memory=256M,host-nodes=1",
		"cell=1,cpus=1-2,memory=768M,host-nodes=0",
	};

	(void)state;
	assert_int_equal(parse(&line, NULL, numa), 0);
	assert_true(line.plan.numa);
	assert_int_equal(line.plan.cell_count, 2);
	assert_int_equal(line.plan.vcpu_cell[0], 0);
	assert_int_equal(line.plan.vcpu_cell[1], 1);
	assert_int_equal(line.plan.vcpu_cell[3], 0);
	assert_in_range(line.plan.vcpu[0], 4, 6);
	assert_in_range(line.plan.vcpu[1], 0, 3);
	assert_int_equal(line.plan.cell[1].start, 256 << 20);
	assert_int_equal(line.plan.cell[1].bytes, 768 << 20);
	assert_true(line.plan.cell[0].strict);
	assert_true(id_set_has(&line.plan.cell[0].nodes, 1));
}

struct wrong {
	const char *place;
	const char *numa[WORDS_MAX];
	const char *named; /* what the sentence has to name */
};

static const struct wrong wrongs[] = {
	{ .place = "", .named = "--place" },
	{ .place = "fast", .named = "fast" },
	{ .place = "vcpu0", .named = "vcpu0" },
	{ .place = "vcpu0=x", .named = "vcpu0=x" },
	{ .place = "vcpu0=1,vcpu1-2=3-5", .named = "vcpu1-2=3-5" },
	{ .place = "vcpu3-1=1", .named = "vcpu3-1" },
	{ .place = "shard0=1-", .named = "shard0=1-" },
	{ .place = "vcpu1024=1", .named = "vcpu1024" },
	{ .place = "shard2=1", .named = "there is no shard2" },
	{ .place = "vcpu0=4096", .named = "vcpu0=4096" },
	{ .place = "vcpu0=99", .named = "there is no CPU 99" },
	{ .place = "vcpu1=7", .named = "CPU 7 is offline" },
	{ .place = "helpers=7", .named = "helpers=" },
	{ .place = "registry=maybe", .named = "registry=maybe" },
	{ .place = "none,vcpu0=1", .named = "none" },
	{ .numa = { "cell=1,cpus=0-3,memory=1G" }, .named = "cell=1" },
	{ .numa = { "cpus=0-3,memory=much" }, .named = "memory=much" },
	{ .numa = { "cpus=0-,memory=1G" }, .named = "cpus=0-" },
	{ .numa = { "colour=red" }, .named = "colour=red" },
	{ .numa = { "host-nodes=0" }, .named = "host-nodes=0" },
	{ .numa = { "cpus=0-2,memory=1G" }, .named = "vCPU 3 is in no cell" },
	{ .numa = { "cpus=0-3,memory=512M", "cpus=3,memory=512M" },
	  .named = "vCPU 3 is in several" },
	{ .numa = { "cpus=0-4,memory=1G" }, .named = "no vCPU 4" },
	{ .numa = { "cpus=0-3,memory=512M" }, .named = "512 MiB" },
	{ .numa = { "cpus=0-3,memory=512M", "memory=1G" }, .named = "cell=1" },
	{ .numa = { "cpus=0-3,memory=1023M", "memory=1M" },
	  .named = "multiple of 2 MiB" },
	{ .numa = { "cpus=0-3,memory=1G,host-nodes=5" }, .named = "no node 5" },
};

static void what_is_not_possible_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		assert_int_equal(parse(&line, wrongs[i].place, wrongs[i].numa),
				 -EINVAL);
		if (!strstr(line.fail.text, wrongs[i].named))
			fail_msg("'%s' does not name '%s'", line.fail.text,
				 wrongs[i].named);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_where_the_map_says),
		cmocka_unit_test(
			threads_that_are_not_named_avoid_those_that_are),
		cmocka_unit_test(cells_are_as_given),
		cmocka_unit_test(what_is_not_possible_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
