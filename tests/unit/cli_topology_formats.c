/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "sched/placement.h"
#include "sched/registry.h"
#include "support/fake_host.h"
#include "topology_view.h"
#include "unit/topology_draw.h"

static double number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static void check_json_threads(const cJSON *plan, const char *key,
			       const unsigned int *cpu, unsigned int count,
			       bool pinned)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(plan, key);

	assert_int_equal(cJSON_GetArraySize(array), count);
	for (unsigned int i = 0; i < count; i++) {
		const cJSON *item = cJSON_GetArrayItem(array, (int)i);

		if (pinned)
			assert_int_equal((unsigned int)item->valuedouble,
					 cpu[i]);
		else
			assert_true(cJSON_IsNull(item));
	}
}

static void check_json_host(const cJSON *host, const struct topology *topology)
{
	const cJSON *cpus = cJSON_GetObjectItemCaseSensitive(host, "cpus");
	const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(host, "nodes");
	const cJSON *item;
	unsigned int i = 0;

	assert_int_equal(cJSON_GetArraySize(cpus), topology->cpu_count);
	cJSON_ArrayForEach(item, cpus)
	{
		const struct topology_cpu *cpu = &topology->cpu[i++];

		assert_int_equal((unsigned int)number(item, "id"), cpu->id);
		if (cpu->online)
			assert_int_equal((unsigned int)number(item, "core"),
					 cpu->core);
	}
	assert_int_equal(cJSON_GetArraySize(nodes), topology->node_count);
	i = 0;
	cJSON_ArrayForEach(item, nodes)
		assert_true((uint64_t)number(item, "total_bytes") ==
			    topology->node[i++].total_bytes);
}

static void json_agrees_with_host_and_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host);
		struct topology *topology = topology_read_root(root);
		struct placement *placed = calloc(1, sizeof(*placed));
		struct topology_config config;
		char options[128];
		cJSON *json, *plan;
		char *text;

		snprintf(options, sizeof(options), "%s --json",
			 topology_cases[i].guest);
		text = topology_draw(root, options, &config);
		json = cJSON_Parse(text);
		assert_non_null(json);
		check_json_host(cJSON_GetObjectItemCaseSensitive(json, "host"),
				topology);
		plan = cJSON_GetObjectItemCaseSensitive(json, "plan");
		assert_int_equal(cJSON_IsObject(plan), config.guest);
		placement_plan(topology, &config.place, NULL, placed, NULL);
		if (config.guest) {
			check_json_threads(plan, "vcpus", placed->vcpu,
					   config.machine.topology.cpus,
					   placed->pinned);
			check_json_threads(plan, "shards", placed->shard,
					   config.queues, placed->pinned);
		}
		cJSON_Delete(json);
		free(placed);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

/* Return: threads of other guests on CPU @id of this host */
static double others_on(unsigned int id)
{
	struct topology_config config;
	char *text = topology_draw("", "--json", &config);
	cJSON *json = cJSON_Parse(text);
	const cJSON *host = cJSON_GetObjectItemCaseSensitive(json, "host");
	const cJSON *cpus = cJSON_GetObjectItemCaseSensitive(host, "cpus");
	const cJSON *item;
	double others = -1;

	cJSON_ArrayForEach(item, cpus) if ((unsigned int)number(item, "id") ==
					   id) others = number(item, "others");
	cJSON_Delete(json);
	free(text);
	return others;
}

static void a_guest_that_runs_is_seen_by_the_next(void **state)
{
	char folder[] = "/tmp/cli_topology.XXXXXX", command[64];
	struct placement *plan = calloc(1, sizeof(*plan));
	struct topology *topology = topology_read_root("");
	unsigned int cpu = topology->cpu[0].id;
	struct registry *registry;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("XDG_RUNTIME_DIR", folder, 1);
	*plan = (struct placement) {
		.pinned = true, .vcpus = 1, .vcpu = { cpu }, .cell_count = 1
	};
	registry = registry_open(NULL);
	assert_non_null(registry);
	assert_int_equal(registry_lock(registry), 0);
	assert_int_equal(registry_write(registry, plan), 0);
	registry_unlock(registry);
	assert_true(others_on(cpu) == 1);
	registry_close(registry);
	assert_true(others_on(cpu) == 0);
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	topology_free(topology);
	free(plan);
}

/* Return: cores that Graphviz understood, -1 if it did not understand it all */
static int dot_cores(const char *root, const char *text)
{
	char command[256], line[16384];
	int cores = 0;
	FILE *dot;

	fake_host_write(root, "/topology.dot", text);
	snprintf(command, sizeof(command), "dot -Tplain %s/topology.dot", root);
	dot = popen(command, "re");
	assert_non_null(dot);
	while (fgets(line, sizeof(line), dot))
		cores += strncmp(line, "node cpu", 8) == 0;
	return pclose(dot) ? -1 : cores;
}

static void graphviz_draws_each_core(void **state)
{
	(void)state;
	if (system("dot -V 2>/dev/null")) /* NOLINT(cert-env33-c): constant */
		skip();
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host);
		struct topology *topology = topology_read_root(root);
		struct topology_config config;
		char options[128], *text;
		unsigned int cores = 0;

		snprintf(options, sizeof(options), "%s --dot",
			 topology_cases[i].guest);
		text = topology_draw(root, options, &config);
		for (unsigned int j = 0; j < topology->usable_count; j++)
			cores += !j || topology->cpu[j].core !=
					       topology->cpu[j - 1].core;
		assert_int_equal(dot_cores(root, text), cores);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

static void json_tells_of_cells(void **state)
{
	static const char expected[] =
		"{\"vcpus\":[0,1,4,5],\"shards\":[2,6],\"helpers\":[3,7],"
		"\"poll_us\":[0,50],\"numa\":true,\"cells\":["
		"{\"vcpus\":[0,1],\"bytes\":3221225472,\"nodes\":[0],"
		"\"strict\":true,\"distances\":[10,21,21]},"
		"{\"vcpus\":[2],\"bytes\":1073741824,\"nodes\":[1],"
		"\"strict\":false,\"distances\":[21,10,21]},"
		"{\"vcpus\":[3],\"bytes\":2147483648,\"nodes\":[0,1],"
		"\"strict\":false,\"distances\":[20,20,10]}]}";
	char *text = topology_draw_cells(topology_draw_json), *plan;
	cJSON *json = cJSON_Parse(text);

	(void)state;
	plan = cJSON_PrintUnformatted(
		cJSON_GetObjectItemCaseSensitive(json, "plan"));
	assert_string_equal(plan, expected);
	cJSON_free(plan);
	cJSON_Delete(json);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_agrees_with_host_and_plan),
		cmocka_unit_test(a_guest_that_runs_is_seen_by_the_next),
		cmocka_unit_test(graphviz_draws_each_core),
		cmocka_unit_test(json_tells_of_cells),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
