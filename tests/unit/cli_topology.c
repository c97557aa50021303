/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "options.h"
#include "sched/id_set.h"
#include "sched/placement.h"
#include "support/fake_host.h"
#include "topology_view.h"

#define ARGUMENTS_MAX 16

/* Hosts and guests that between them have everything that is drawn */
static const struct {
	const char *host;
	const char *guest; /* the command's options */
} cases[] = {
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

#define CASES (sizeof(cases) / sizeof(*cases))

/* Return: what `mqvmm topology OPTIONS` prints for the host in @root */
static char *draw(const char *root, const char *options,
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

static struct topology *read_host(const char *root)
{
	struct topology *topology = NULL;

	assert_int_equal(topology_read(root, &topology, NULL), 0);
	return topology;
}

/* What a picture says of each CPU */
struct seen {
	unsigned int times[TOPOLOGY_CPUS_MAX];
	struct id_set vcpus[TOPOLOGY_CPUS_MAX];
	struct id_set shards[TOPOLOGY_CPUS_MAX];
};

/* Lines that go on begin with blanks, behind one that ends within a list. */
static void join_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\n' && to > text && to[-1] == ',') {
			from += strspn(from, "\n ") - 1;
			continue;
		}
		*to++ = *from;
	}
	*to = '\0';
}

/* A word of a cell: "12", "12*", "vcpu0,4-6", "shard3" */
static void see_word(struct seen *seen, const char *word, unsigned int *cpu)
{
	char list[8192];

	snprintf(list, sizeof(list), "%s", word + strcspn(word, "0123456789"));
	list[strcspn(list, "*)]")] = '\0';
	if (*word == 'v') {
		assert_int_equal(id_set_parse(list, &seen->vcpus[*cpu]), 0);
	} else if (*word == 's') {
		assert_int_equal(id_set_parse(list, &seen->shards[*cpu]), 0);
	} else if (*list) {
		*cpu = (unsigned int)strtoul(list, NULL, 10);
		assert_true(*cpu < TOPOLOGY_CPUS_MAX);
		seen->times[*cpu]++;
	}
}

static void see_list(struct seen *seen, const char *list)
{
	struct id_set set;

	assert_int_equal(id_set_parse(list, &set), 0);
	for (unsigned int cpu = 0; cpu < TOPOLOGY_CPUS_MAX; cpu++)
		seen->times[cpu] += id_set_has(&set, cpu);
}

static bool is_word(const char *word, const char *other)
{
	return strcmp(word, other) == 0;
}

static void see_line(struct seen *seen, char *line)
{
	bool list = false,
	     cells = strspn(line, " ") == 4 && strchr("[(", line[4]) != NULL;
	char *word;
	unsigned int cpu = 0;

	if (strncmp(line, "    ", 4) != 0 && !strstr(line, "idle"))
		return;
	while ((word = strsep(&line, " "))) {
		if (cells) {
			see_word(seen, word, &cpu);
		} else if (list && strspn(word, "0123456789")) {
			word[strspn(word, "0123456789,-")] = '\0';
			if (word[strlen(word) - 1] == ',')
				word[strlen(word) - 1] = '\0';
			see_list(seen, word);
		}
		list |= is_word(word, "idle") || is_word(word, "allowed") ||
			is_word(word, "offline");
	}
}

static struct seen *see(char *text)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	char *rest = text, *line;

	join_lines(text);
	while ((line = strsep(&rest, "\n")))
		see_line(seen, line);
	return seen;
}

static void each_cpu_is_in_the_picture_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host);
		struct topology *topology = read_host(root);
		struct topology_config config;
		char *text = draw(root, cases[i].guest, &config);
		struct seen *seen = see(text);
		unsigned int cpus = 0;

		for (unsigned int j = 0; j < topology->cpu_count; j++)
			assert_int_equal(seen->times[topology->cpu[j].id], 1);
		for (unsigned int id = 0; id < TOPOLOGY_CPUS_MAX; id++)
			cpus += seen->times[id];
		assert_int_equal(cpus, topology->cpu_count);
		free(seen);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

static void threads_are_beside_the_cpus_that_they_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host);
		struct topology *topology = read_host(root);
		struct placement *plan = calloc(1, sizeof(*plan));
		struct topology_config config;
		char *text = draw(root, cases[i].guest, &config);
		struct seen *seen = see(text);
		unsigned int vcpus = config.machine.topology.cpus;

		placement_plan(topology, &config.place, NULL, plan, NULL);
		for (unsigned int j = 0; j < vcpus; j++)
			assert_int_equal(
				id_set_has(&seen->vcpus[plan->vcpu[j]], j),
				config.guest && plan->pinned);
		for (unsigned int j = 0; j < config.queues; j++)
			assert_int_equal(
				id_set_has(&seen->shards[plan->shard[j]], j),
				config.guest && plan->pinned);
		free(plan);
		free(seen);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

static void no_line_is_wider_than_100_columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host);
		struct topology_config config;
		char *text = draw(root, cases[i].guest, &config);
		char *rest = text, *line;

		while ((line = strsep(&rest, "\n"))) {
			assert_true(strlen(line) <= 100);
			assert_true(!*line || line[strlen(line) - 1] != ' ');
		}
		free(text);
		fake_host_destroy(root);
	}
}

static void a_narrow_terminal_gets_narrow_lines(void **state)
{
	static struct placement_request request;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host), *text = NULL;
		struct topology *topology = read_host(root);
		struct placement *plan = calloc(1, sizeof(*plan));
		struct topology_view view = { topology, plan };
		char *rest, *line;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		placement_request_init(&request);
		request.vcpus = request.shards = 64;
		assert_int_equal(
			placement_plan(topology, &request, NULL, plan, NULL),
			0);
		assert_int_equal(topology_draw_text(&view, 60, out), 0);
		fclose(out);
		rest = text;
		while ((line = strsep(&rest, "\n")))
			assert_true(strlen(line) <= 60);
		free(plan);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

static void a_laptop_looks_like_this(void **state)
{
	char *root = fake_host_create("cores=2 smt=2 siblings=adjacent "
				      "small=4 isolated=7");
	struct topology_config config;
	char *text = draw(root, "--cpus 2 --queues 3 --memory 1G", &config);

	(void)state;
	assert_string_equal(
		text,
		"host: 1 node, 1 package, 1 cache, 6 cores, 8 CPUs\n"
		"guest: 2 virtual CPUs, 3 shards, 1G of memory, polling shard "
		"0-2, other threads on CPU 1,3\n"
		"node 0: 14G of 16G available, 128 x 2M and 1 x 1G pages free\n"
		"    [0 vcpu0 | 1]  [2 vcpu1 | 3]  (4 shard0)     (5 shard1)   "
		"  (6 shard2)\n"
		"    idle isolated 7\n"
		"[ ] a core, | between its siblings, ( ) an efficiency core, "
		"* isolated\n");
	free(text);
	fake_host_destroy(root);
}

static void a_host_alone_shows_who_siblings_are(void **state)
{
	char *root = fake_host_create("packages=2 cores=2 smt=2 nodes=2 "
				      "memory=64");
	struct topology_config config;
	char *text = draw(root, "", &config);

	(void)state;
	assert_non_null(strstr(text, "[0 | 4]  [1 | 5]\n"));
	assert_non_null(strstr(text, "  cache 1, package 1\n"));
	assert_non_null(strstr(text, "node 1: 56G of 64G available, "));
	assert_non_null(strstr(text, "distance 21 to node 0\n"));
	assert_null(strstr(text, "guest"));
	free(text);
	fake_host_destroy(root);
}

static void limits_of_a_container_are_told(void **state)
{
	char *root = fake_host_create("cores=8 cpuset=2-4 quota=150000");
	struct topology_config config;
	char *text = draw(root, "--place none", &config);

	(void)state;
	assert_non_null(strstr(text, "8 CPUs, 3 of them usable, a quota of "
				     "1.5 CPUs\n"));
	assert_non_null(strstr(text, "not allowed 0-1,5-7\n"));
	assert_non_null(strstr(text, "placed by the scheduler\n"));
	free(text);
	fake_host_destroy(root);
}

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
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host);
		struct topology *topology = read_host(root);
		struct placement *placed = calloc(1, sizeof(*placed));
		struct topology_config config;
		char options[128];
		cJSON *json, *plan;
		char *text;

		snprintf(options, sizeof(options), "%s --json", cases[i].guest);
		text = draw(root, options, &config);
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
	for (size_t i = 0; i < CASES; i++) {
		char *root = fake_host_create(cases[i].host);
		struct topology *topology = read_host(root);
		struct topology_config config;
		char options[128], *text;
		unsigned int cores = 0;

		snprintf(options, sizeof(options), "%s --dot", cases[i].guest);
		text = draw(root, options, &config);
		for (unsigned int j = 0; j < topology->usable_count; j++)
			cores += !j || topology->cpu[j].core !=
					       topology->cpu[j - 1].core;
		assert_int_equal(dot_cores(root, text), cores);
		free(text);
		topology_free(topology);
		fake_host_destroy(root);
	}
}

/* Two cells of two vCPUs each on a host with two nodes */
static void plan_two_cells(struct placement *plan)
{
	*plan = (struct placement) {
		.pinned = true,
		.vcpus = 4,
		.shards = 2,
		.vcpu = { 0, 1, 4, 5 },
		.shard = { 2, 6 },
		.poll_us = { 0, 50 },
		.numa = true,
		.cell_count = 2,
		.cell = { { .bytes = 3ULL << 30,
			    .strict = true,
			    .distance = { 10, 21 } },
			  { .start = 3ULL << 30,
			    .bytes = 1ULL << 30,
			    .distance = { 21, 10 } } },
		.vcpu_cell = { 0, 0, 1, 1 },
	};
	id_set_add(&plan->cell[0].nodes, 0);
	id_set_add(&plan->cell[1].nodes, 1);
	id_set_add(&plan->helpers, 3);
	id_set_add(&plan->helpers, 7);
}

/* Return: what @function draws of that plan */
static char *draw_two_cells(int (*function)(const struct topology_view *view,
					    FILE *out))
{
	char *root = fake_host_create("packages=2 cores=4 nodes=2"), *text;
	struct placement *plan = calloc(1, sizeof(*plan));
	struct topology *topology = read_host(root);
	struct topology_view view = { topology, plan };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	plan_two_cells(plan);
	assert_int_equal(function(&view, out), 0);
	fclose(out);
	free(plan);
	topology_free(topology);
	fake_host_destroy(root);
	return text;
}

static int draw_text_100(const struct topology_view *view, FILE *out)
{
	return topology_draw_text(view, 100, out);
}

static void cells_and_other_threads_are_told(void **state)
{
	char *text = draw_two_cells(draw_text_100);

	(void)state;
	assert_non_null(strstr(text, "guest: 4 virtual CPUs, 2 shards, 4G of "
				     "memory, polling shard 1, other threads "
				     "on CPU 3,7\n"
				     "  cell 0: vcpu 0-1, 3G of memory on node "
				     "0\n"
				     "  cell 1: vcpu 2-3, 1G of memory, "
				     "preferably on node 1\n"));
	free(text);
}

static void json_tells_of_cells(void **state)
{
	static const char expected[] =
		"{\"vcpus\":[0,1,4,5],\"shards\":[2,6],\"helpers\":[3,7],"
		"\"poll_us\":[0,50],\"numa\":true,\"cells\":["
		"{\"vcpus\":[0,1],\"bytes\":3221225472,\"nodes\":[0],"
		"\"strict\":true,\"distances\":[10,21]},"
		"{\"vcpus\":[2,3],\"bytes\":1073741824,\"nodes\":[1],"
		"\"strict\":false,\"distances\":[21,10]}]}";
	char *text = draw_two_cells(topology_draw_json), *plan;
	cJSON *json = cJSON_Parse(text);

	(void)state;
	plan = cJSON_PrintUnformatted(
		cJSON_GetObjectItemCaseSensitive(json, "plan"));
	assert_string_equal(plan, expected);
	cJSON_free(plan);
	cJSON_Delete(json);
	free(text);
}

static void a_host_that_cannot_be_read_is_an_error(void **state)
{
	char *argv[] = { "topology", "--from", "/nowhere" };
	struct topology_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(options_parse_topology(3, argv, &config, &fail), 0);
	assert_int_equal(topology_run(&config, stdout, &fail), -ENOENT);
	assert_non_null(strstr(fail.text, "/nowhere/"));
}

static void options_that_are_wrong_are_told(void **state)
{
	static const char *const bad[][2] = {
		{ "--cpus", "0" },    { "--cpus", "x" },
		{ "--queues", "0" },  { "--queues", "1025" },
		{ "--memory", "1" },  { "--place", "here" },
		{ "--nonsense", "" }, { "word", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *argv[] = { "topology", (char *)bad[i][0],
				 (char *)bad[i][1], NULL };
		struct topology_config config;
		struct fail fail = { 0 };

		assert_int_equal(
			options_parse_topology(3, argv, &config, &fail),
			-EINVAL);
		assert_non_null(strstr(fail.text, bad[i][0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cpu_is_in_the_picture_once),
		cmocka_unit_test(threads_are_beside_the_cpus_that_they_get),
		cmocka_unit_test(no_line_is_wider_than_100_columns),
		cmocka_unit_test(a_narrow_terminal_gets_narrow_lines),
		cmocka_unit_test(a_laptop_looks_like_this),
		cmocka_unit_test(a_host_alone_shows_who_siblings_are),
		cmocka_unit_test(limits_of_a_container_are_told),
		cmocka_unit_test(json_agrees_with_host_and_plan),
		cmocka_unit_test(graphviz_draws_each_core),
		cmocka_unit_test(cells_and_other_threads_are_told),
		cmocka_unit_test(json_tells_of_cells),
		cmocka_unit_test(a_host_that_cannot_be_read_is_an_error),
		cmocka_unit_test(options_that_are_wrong_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
