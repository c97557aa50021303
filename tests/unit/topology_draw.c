/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/topology_draw.h"

#include "options.h"
#include "support/fake_host.h"
#include "topology_view.h"

#define ARGUMENTS_MAX 16

const struct topology_case topology_cases[TOPOLOGY_CASES] = {
	{ "cores=1", "" },
	{ "cores=1", "--cpus 4" },
	{ "cores=2", "--cpus 64" },
	{ "cores=6 smt=2 siblings=adjacent small=8", "--cpus 8" },
	{ "cores=6 smt=2 small=8 isolated=4,16 offline=12", "" },
	{ "cores=6 smt=2 small=8 isolated=4,16 offline=12", "--cpus 2" },
	{ "packages=2 cores=64 smt=2 nodes=2 memory=256", "--cpus 64" },
	{ "packages=2 cores=64 smt=2 nodes=2", "--cpus 200 --queues 3" },
	{ "packages=2 cores=32 smt=2 nodes=4", "" },
	{ "l3=16 cores=8 smt=2 memory=512", "--cpus 24 --memory 8G" },
	{ "cores=128", "--cpus 128 --queues 8" },
	{ "cores=8 cpuset=2-4 quota=150000", "--cpus 4" },
	{ "packages=2 cores=4 nodes=2 extra=1 bare=1", "--cpus 4" },
	{ "packages=2 cores=4 nodes=2 allowed=0-3", "--cpus 1024" },
	{ "packages=2 cores=8 nodes=2 offline=3,5-6,9", "--place none" },
	{ "packages=16 cores=8 nodes=128 memory=8", "--cpus 16" },
	{ "sysfs=none allowed=0-2", "--cpus 1" },
};

char *topology_draw(const char *root, const char *options,
		    struct topology_config *config)
{
	char copy[128], *rest = copy, *word, *text = NULL;
	char *argv[ARGUMENTS_MAX] = { "topology", "--from", (char *)root };
	struct fail fail = { 0 };
	size_t size;
	FILE *out;
	int argc = 3;

	snprintf(copy, sizeof(copy), "%s", options);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	assert_int_equal(options_parse_topology(argc, argv, config, &fail), 0);
	out = open_memstream(&text, &size);
	assert_int_equal(topology_run(config, out, &fail), 0);
	fclose(out);
	return text;
}

struct topology *topology_read_root(const char *root)
{
	struct topology *topology = NULL;

	assert_int_equal(topology_read(root, &topology, NULL), 0);
	return topology;
}

/* Cells of all kinds on a host with two nodes */
static void plan_cells(struct placement *plan)
{
	*plan = (struct placement) {
		.pinned = true,
		.vcpus = 4,
		.shards = 2,
		.vcpu = { 0, 1, 4, 5 },
		.shard = { 2, 6 },
		.poll_us = { 0, 50 },
		.numa = true,
		.cell_count = 3,
		.cell = { { .bytes = 3ULL << 30,
			    .strict = true,
			    .distance = { 10, 21, 21 } },
			  { .start = 3ULL << 30,
			    .bytes = 1ULL << 30,
			    .distance = { 21, 10, 21 } },
			  { .start = 4ULL << 30,
			    .bytes = 2ULL << 30,
			    .distance = { 20, 20, 10 } } },
		.vcpu_cell = { 0, 0, 1, 2 },
	};
	id_set_add(&plan->cell[0].nodes, 0);
	id_set_add(&plan->cell[1].nodes, 1);
	id_set_add(&plan->cell[2].nodes, 0);
	id_set_add(&plan->cell[2].nodes, 1);
	id_set_add(&plan->helpers, 3);
	id_set_add(&plan->helpers, 7);
}

char *topology_draw_cells(int (*function)(const struct topology_view *view,
					  FILE *out))
{
	char *root = fake_host_create("packages=2 cores=4 nodes=2"), *text;
	struct placement *plan = calloc(1, sizeof(*plan));
	struct topology *topology = topology_read_root(root);
	struct topology_view view = { topology, plan, NULL };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	plan_cells(plan);
	assert_int_equal(function(&view, out), 0);
	fclose(out);
	free(plan);
	topology_free(topology);
	fake_host_destroy(root);
	return text;
}
