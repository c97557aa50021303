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

#include <cmocka.h>

#include "options.h"
#include "sched/id_set.h"
#include "sched/placement.h"
#include "support/fake_host.h"
#include "topology_view.h"
#include "unit/topology_draw.h"

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
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host);
		struct topology *topology = topology_read_root(root);
		struct topology_config config;
		char *text =
			topology_draw(root, topology_cases[i].guest, &config);
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
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host);
		struct topology *topology = topology_read_root(root);
		struct placement *plan = calloc(1, sizeof(*plan));
		struct topology_config config;
		char *text =
			topology_draw(root, topology_cases[i].guest, &config);
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
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host);
		struct topology_config config;
		char *text =
			topology_draw(root, topology_cases[i].guest, &config);
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
	for (size_t i = 0; i < TOPOLOGY_CASES; i++) {
		char *root = fake_host_create(topology_cases[i].host),
		     *text = NULL;
		struct topology *topology = topology_read_root(root);
		struct placement *plan = calloc(1, sizeof(*plan));
		struct topology_view view = { topology, plan, NULL };
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
	char *text =
		topology_draw(root, "--cpus 2 --queues 3 --memory 1G", &config);

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
	char *text = topology_draw(root, "", &config);

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
	char *text = topology_draw(root, "--place none", &config);

	(void)state;
	assert_non_null(strstr(text, "8 CPUs, 3 of them usable, a quota of "
				     "1.5 CPUs\n"));
	assert_non_null(strstr(text, "not allowed 0-1,5-7\n"));
	assert_non_null(strstr(text, "placed by the scheduler\n"));
	free(text);
	fake_host_destroy(root);
}

static int draw_text_100(const struct topology_view *view, FILE *out)
{
	return topology_draw_text(view, 100, out);
}

static void cells_and_other_threads_are_told(void **state)
{
	char *text = topology_draw_cells(draw_text_100);

	(void)state;
	assert_non_null(strstr(text, "guest: 4 virtual CPUs, 2 shards, 6G of "
				     "memory, polling shard 1, other threads "
				     "on CPU 3,7\n"
				     "  cell 0: vcpu 0-1, 3G of memory on node "
				     "0\n"
				     "  cell 1: vcpu 2, 1G of memory, "
				     "preferably on node 1\n"
				     "  cell 2: vcpu 3, 2G of memory "
				     "interleaved on node 0-1\n"));
	free(text);
}

static void other_guests_are_told(void **state)
{
	char *root = fake_host_create("cores=4 smt=2"), *text;
	struct placement_taken *taken = calloc(1, sizeof(*taken));
	struct placement *plan = calloc(1, sizeof(*plan));
	struct topology *topology = topology_read_root(root);
	struct topology_view view = { topology, plan, taken };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	*plan = (struct placement) {
		.pinned = true, .vcpus = 1, .vcpu = { 1 }, .cell_count = 1
	};
	taken->threads[5] = 2;
	taken->threads[2] = 1;
	taken->bytes[0] = 3ULL << 30;
	assert_int_equal(topology_draw_text(&view, 100, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "    [1 vcpu0 | 5 +2]\n"
				     "    idle 0,3-4,6-7\n"
				     "    other guests 2\n"));
	assert_non_null(strstr(text, "14G of 16G available, 3G of other "
				     "guests, "));
	assert_non_null(strstr(text, ", + threads of other guests\n"));
	free(text);
	free(taken);
	free(plan);
	topology_free(topology);
	fake_host_destroy(root);
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
		cmocka_unit_test(cells_and_other_threads_are_told),
		cmocka_unit_test(other_guests_are_told),
		cmocka_unit_test(a_host_that_cannot_be_read_is_an_error),
		cmocka_unit_test(options_that_are_wrong_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
