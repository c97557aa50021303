/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/fake_host.h"

#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "sched/id_set.h"

#define CPU       "/sys/devices/system/cpu"
#define NODE      "/sys/devices/system/node"
#define LIST_SIZE 24576
#define FOLDER    "/dev/shm/fake_host.%d"

struct host {
	const char *root;
	unsigned int packages, dies, l3, cores, smt, small, nodes, extra;
	unsigned int memory_gib;
	unsigned int quota_us;
	bool adjacent, by_capacity, v1;
	struct id_set bare, offline, isolated, allowed, cpuset;
	char path[128]; /* of the cgroup */
};

static unsigned int big_cores(const struct host *host)
{
	return host->packages * host->dies * host->l3 * host->cores;
}

static unsigned int cpu_count(const struct host *host)
{
	return big_cores(host) * host->smt + host->small;
}

/* Small cores are numbered behind the others. */
static unsigned int core_of(const struct host *host, unsigned int cpu)
{
	unsigned int big = big_cores(host);

	if (cpu >= big * host->smt)
		return cpu - big * host->smt + big;
	return host->adjacent ? cpu / host->smt : cpu % big;
}

/* Which of @groups equal parts of the cores; small ones are of the last */
static unsigned int part_of(const struct host *host, unsigned int cpu,
			    unsigned int groups)
{
	unsigned int core = core_of(host, cpu), big = big_cores(host);

	return core < big ? core * groups / big : groups - 1;
}

static bool is_online(const struct host *host, unsigned int cpu)
{
	return !id_set_has(&host->offline, cpu);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

void fake_host_write(const char *root, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (!text) {
		assert_int_equal(remove(full), 0);
		return;
	}
	file = fopen(full, "we");
	if (!file) {
		make_folders(full);
		file = fopen(full, "we");
	}
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void write_text(const struct host *host, const char *text,
		       const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void write_text(const struct host *host, const char *text,
		       const char *format, ...)
{
	char path[256];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	fake_host_write(host->root, path, text);
}

/* As the kernel, with a newline, also for the empty list */
static const char *format_list(const struct id_set *set, char *list)
{
	assert_int_equal(id_set_format(set, list, LIST_SIZE - 1), 0);
	return strcat(list, "\n");
}

/* The online CPUs that are in the same one of @groups parts as @cpu */
static void write_group(const struct host *host, unsigned int cpu,
			unsigned int groups, const char *name)
{
	struct id_set set = { 0 };
	char list[LIST_SIZE];

	for (unsigned int other = 0; other < cpu_count(host); other++)
		if (is_online(host, other) &&
		    part_of(host, other, groups) == part_of(host, cpu, groups))
			id_set_add(&set, other);
	write_text(host, format_list(&set, list), CPU "/cpu%u/%s", cpu, name);
}

static void write_core(const struct host *host, unsigned int cpu)
{
	struct id_set set = { 0 };
	char list[LIST_SIZE];

	for (unsigned int other = 0; other < cpu_count(host); other++)
		if (is_online(host, other) &&
		    core_of(host, other) == core_of(host, cpu))
			id_set_add(&set, other);
	write_text(host, format_list(&set, list),
		   CPU "/cpu%u/topology/core_cpus_list", cpu);
}

static void write_cpu(const struct host *host, unsigned int cpu)
{
	bool small = core_of(host, cpu) >= big_cores(host);

	write_core(host, cpu);
	write_group(host, cpu, host->packages, "topology/package_cpus_list");
	write_group(host, cpu, host->packages * host->dies,
		    "topology/die_cpus_list");
	write_text(host, "0\n", CPU "/cpu%u/topology/die_id", cpu);
	write_text(host, "1\n", CPU "/cpu%u/cache/index0/level", cpu);
	write_text(host, "3\n", CPU "/cpu%u/cache/index1/level", cpu);
	write_group(host, cpu, host->packages * host->dies * host->l3,
		    "cache/index1/shared_cpu_list");
	if (host->by_capacity)
		write_text(host, small ? "420\n" : "1024\n",
			   CPU "/cpu%u/cpu_capacity", cpu);
}

static void write_cpus(const struct host *host)
{
	struct id_set online = { 0 }, present = { 0 }, big = { 0 },
		      small = { 0 };
	char list[LIST_SIZE];

	for (unsigned int cpu = 0; cpu < cpu_count(host); cpu++) {
		bool is_small = core_of(host, cpu) >= big_cores(host);

		id_set_add(&present, cpu);
		if (!is_online(host, cpu))
			continue;
		id_set_add(&online, cpu);
		id_set_add(is_small ? &small : &big, cpu);
		write_cpu(host, cpu);
	}
	write_text(host, format_list(&online, list), CPU "/online");
	write_text(host, format_list(&present, list), CPU "/present");
	write_text(host, format_list(&host->isolated, list), CPU "/isolated");
	if (!host->small || host->by_capacity)
		return;
	write_text(host, format_list(&big, list), "/sys/devices/cpu_core/cpus");
	write_text(host, format_list(&small, list),
		   "/sys/devices/cpu_atom/cpus");
}

/* 10 to itself, 12 in its package, 21 to all others */
static void write_distances(const struct host *host, unsigned int node)
{
	unsigned int each = host->nodes / host->packages;
	char text[LIST_SIZE] = "";

	for (unsigned int to = 0; to < host->nodes + host->extra; to++) {
		bool near = each && to < host->nodes && node < host->nodes &&
			    to / each == node / each;

		snprintf(text + strlen(text), 8, "%s%u", to ? " " : "",
			 to == node ? 10
			 : near     ? 12
				    : 21);
	}
	write_text(host, strcat(text, "\n"), NODE "/node%u/distance", node);
}

static void write_memory(const struct host *host, unsigned int node)
{
	unsigned long long kib = id_set_has(&host->bare, node)
					 ? 0
					 : (unsigned long long)host->memory_gib
						   << 20;
	char text[256];

	snprintf(text, sizeof(text),
		 "\nNode %u MemTotal:       %llu kB\n"
		 "Node %u MemFree:        %llu kB\n"
		 "Node %u Inactive(file): %llu kB\n",
		 node, kib, node, kib / 4 * 3, node, kib / 8);
	write_text(host, text, NODE "/node%u/meminfo", node);
	if (!kib)
		return;
	write_text(host, "512\n",
		   NODE "/node%u/hugepages/hugepages-2048kB/nr_hugepages",
		   node);
	write_text(host, "128\n",
		   NODE "/node%u/hugepages/hugepages-2048kB/free_hugepages",
		   node);
	write_text(host, "2\n",
		   NODE "/node%u/hugepages/hugepages-1048576kB/nr_hugepages",
		   node);
	write_text(host, "1\n",
		   NODE "/node%u/hugepages/hugepages-1048576kB/free_hugepages",
		   node);
}

static void write_node(const struct host *host, unsigned int node)
{
	struct id_set cpus = { 0 };
	char list[LIST_SIZE];

	for (unsigned int cpu = 0; cpu < cpu_count(host); cpu++)
		if (node < host->nodes && is_online(host, cpu) &&
		    part_of(host, cpu, host->nodes) == node)
			id_set_add(&cpus, cpu);
	write_text(host, format_list(&cpus, list), NODE "/node%u/cpulist",
		   node);
	write_distances(host, node);
	write_memory(host, node);
}

static void write_nodes(const struct host *host)
{
	struct id_set online = { 0 };
	char list[LIST_SIZE];

	for (unsigned int node = 0; node < host->nodes + host->extra; node++) {
		id_set_add(&online, node);
		write_node(host, node);
	}
	if (host->nodes)
		write_text(host, format_list(&online, list), NODE "/online");
	else
		write_text(host, "MemTotal: 8388608 kB\nMemFree: 4194304 kB\n",
			   "/proc/meminfo");
}

static void write_cgroup(const struct host *host)
{
	const char *folder = strcmp(host->path, "/") == 0 ? "" : host->path;
	char text[512], list[LIST_SIZE];

	snprintf(text, sizeof(text),
		 host->v1 ? "3:cpuset:%s\n2:cpu,cpuacct:%s\n0::/\n" : "0::%s\n",
		 host->path, host->path);
	write_text(host, text, "/proc/self/cgroup");
	if (!id_set_is_empty(&host->cpuset))
		write_text(host, format_list(&host->cpuset, list),
			   host->v1 ? "/sys/fs/cgroup/cpuset%s/cpuset.cpus"
				    : "/sys/fs/cgroup%s/cpuset.cpus.effective",
			   folder);
	if (!host->quota_us)
		return;
	snprintf(text, sizeof(text), host->v1 ? "%u\n" : "%u 100000\n",
		 host->quota_us);
	write_text(host, text,
		   host->v1 ? "/sys/fs/cgroup/cpu%s/cpu.cfs_quota_us"
			    : "/sys/fs/cgroup%s/cpu.max",
		   folder);
	if (host->v1)
		write_text(host, "100000\n",
			   "/sys/fs/cgroup/cpu%s/cpu.cfs_period_us", folder);
}

static void write_status(const struct host *host)
{
	char text[LIST_SIZE + 64], list[LIST_SIZE];

	snprintf(text, sizeof(text),
		 "Name:\ttest\nCpus_allowed_list:\t%s"
		 "Mems_allowed_list:\t0-127\n",
		 format_list(&host->allowed, list));
	write_text(host, text, "/proc/self/status");
}

static void take_word(struct host *host, const char *key, const char *value)
{
	const struct {
		const char *key;
		unsigned int *number;
	} numbers[] = {
		{ "packages", &host->packages },
		{ "dies", &host->dies },
		{ "l3", &host->l3 },
		{ "cores", &host->cores },
		{ "smt", &host->smt },
		{ "small", &host->small },
		{ "nodes", &host->nodes },
		{ "extra", &host->extra },
		{ "memory", &host->memory_gib },
		{ "quota", &host->quota_us },
	};
	const struct {
		const char *key;
		struct id_set *set;
	} sets[] = {
		{ "bare", &host->bare },         { "offline", &host->offline },
		{ "isolated", &host->isolated }, { "allowed", &host->allowed },
		{ "cpuset", &host->cpuset },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(key, numbers[i].key) == 0)
			*numbers[i].number =
				(unsigned int)strtoul(value, NULL, 10);
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (strcmp(key, sets[i].key) == 0)
			assert_int_equal(id_set_parse(value, sets[i].set), 0);
	if (strcmp(key, "siblings") == 0)
		host->adjacent = strcmp(value, "adjacent") == 0;
	if (strcmp(key, "kinds") == 0)
		host->by_capacity = strcmp(value, "capacity") == 0;
	if (strcmp(key, "cgroup") == 0)
		host->v1 = strcmp(value, "v1") == 0;
	if (strcmp(key, "path") == 0)
		snprintf(host->path, sizeof(host->path), "%s", value);
}

static void take_words(struct host *host, const char *text)
{
	char copy[512], *rest = copy, *word;

	assert_true(snprintf(copy, sizeof(copy), "%s", text) <
		    (int)sizeof(copy));
	while ((word = strsep(&rest, " "))) {
		const char *key = strsep(&word, "=");

		if (word)
			take_word(host, key, word);
	}
}

char *fake_host_create(const char *text)
{
	struct host host = {
		.packages = 1,
		.dies = 1,
		.l3 = 1,
		.cores = 1,
		.smt = 1,
		.nodes = 1,
		.memory_gib = 16,
		.path = "/",
	};
	char *root;

	assert_true(asprintf(&root, FOLDER ".XXXXXX", getpid()) > 0);
	assert_non_null(mkdtemp(root)); /* in memory: thousands of files */
	host.root = root;
	take_words(&host, text);
	for (unsigned int cpu = 0;
	     !strstr(text, "allowed=") && cpu < cpu_count(&host); cpu++)
		id_set_add(&host.allowed, cpu);
	if (!strstr(text, "sysfs=none")) {
		write_cpus(&host);
		write_nodes(&host);
	}
	write_cgroup(&host);
	write_status(&host);
	return root;
}

static int remove_entry(const char *path, const struct stat *stat, int type,
			struct FTW *at)
{
	(void)stat;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_tree(const char *root)
{
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_host_destroy(char *root)
{
	remove_tree(root);
	free(root);
}

int fake_host_clean(void **state)
{
	char pattern[64];
	glob_t left;

	(void)state;
	snprintf(pattern, sizeof(pattern), FOLDER ".*", getpid());
	if (glob(pattern, 0, NULL, &left))
		return 0;
	for (size_t i = 0; i < left.gl_pathc; i++)
		remove_tree(left.gl_pathv[i]);
	globfree(&left);
	return 0;
}
