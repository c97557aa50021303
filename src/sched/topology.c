/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512
#define TEXT_SIZE 4096
#define SYSTEM    "/sys/devices/system"
#define ANY       "0-4095"

/* Return: false if there is no such file */
static int read_text(const char *path, char *text)
{
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return 0;
	size = fread(text, 1, TEXT_SIZE - 1, file);
	text[size] = '\0';
	fclose(file);
	return size > 0;
}

/* Is @cpu in a list like "0-3,8"? */
static int list_has(const char *text, unsigned int cpu)
{
	while (*text) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return 0;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (cpu >= first && cpu <= last)
			return 1;
		text = *end == ',' ? end + 1 : "";
	}
	return 0;
}

/* A list's first entry is its lowest. */
static unsigned int read_core(const char *root, unsigned int cpu)
{
	char path[PATH_SIZE], text[TEXT_SIZE];

	snprintf(path, sizeof(path),
		 "%s" SYSTEM "/cpu/cpu%u/topology/thread_siblings_list", root,
		 cpu);
	if (!read_text(path, text))
		return cpu;
	return (unsigned int)strtoul(text, NULL, 10);
}

static int read_is_online(const char *root, unsigned int cpu)
{
	char path[PATH_SIZE], text[TEXT_SIZE];

	snprintf(path, sizeof(path), "%s" SYSTEM "/cpu/online", root);
	return !read_text(path, text) || list_has(text, cpu);
}

static void read_nodes(const char *root, struct topology *topology)
{
	char path[PATH_SIZE], text[TEXT_SIZE], nodes[TEXT_SIZE];

	topology->node_count = 1;
	topology->node[0].allowed = true;
	memset(topology->node[0].distance, TOPOLOGY_DISTANCE_REMOTE,
	       TOPOLOGY_NODES_MAX);
	snprintf(path, sizeof(path), "%s" SYSTEM "/node/online", root);
	if (!read_text(path, nodes))
		return;
	topology->node_count = 0;
	for (unsigned int id = 0; id < TOPOLOGY_NODES_MAX; id++) {
		unsigned int node = topology->node_count;

		if (!list_has(nodes, id))
			continue;
		topology->node_count++;
		topology->node[node].id = id;
		topology->node[node].allowed = true;
		memset(topology->node[node].distance, TOPOLOGY_DISTANCE_REMOTE,
		       TOPOLOGY_NODES_MAX);
		topology->node[node].distance[node] = TOPOLOGY_DISTANCE_LOCAL;
		snprintf(path, sizeof(path), "%s" SYSTEM "/node/node%u/cpulist",
			 root, id);
		if (!read_text(path, text))
			continue;
		for (unsigned int i = 0; i < topology->cpu_count; i++)
			if (list_has(text, topology->cpu[i].id))
				topology->cpu[i].node = node;
	}
}

/* Cpus_allowed_list of /proc/self/status (proc(5)) */
static void read_allowed(const char *root, char *allowed)
{
	char path[PATH_SIZE], text[TEXT_SIZE], *line;

	snprintf(path, sizeof(path), "%s/proc/self/status", root);
	line = read_text(path, text) ? strstr(text, "Cpus_allowed_list:")
				     : NULL;
	snprintf(allowed, TEXT_SIZE, "%s", line ? line + 19 : ANY);
}

static int compare_cpus(const void *left, const void *right)
{
	const struct topology_cpu *a = left, *b = right;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->core != b->core)
		return a->core < b->core ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static unsigned int count_cores(const struct topology *topology)
{
	unsigned int cores = 0;

	for (unsigned int i = 0; i < topology->cpu_count; i++)
		cores += topology->cpu[i].id == topology->cpu[i].core;
	return cores;
}

static void find_nodes_cpus(struct topology *topology)
{
	for (unsigned int i = topology->cpu_count; i-- > 0;) {
		struct topology_node *node =
			&topology->node[topology->cpu[i].node];

		node->cpu_first = i;
		node->cpu_count++;
	}
}

int topology_read(const char *root, struct topology **to, struct fail *fail)
{
	struct topology *topology = calloc(1, sizeof(*topology));
	char allowed[TEXT_SIZE];

	if (!topology)
		return -ENOMEM;
	read_allowed(root, allowed);
	for (unsigned int cpu = 0; cpu < TOPOLOGY_CPUS_MAX; cpu++) {
		struct topology_cpu *next = &topology->cpu[topology->cpu_count];

		if (!list_has(allowed, cpu) || !read_is_online(root, cpu))
			continue;
		next->id = cpu;
		next->core = next->l3 = read_core(root, cpu);
		next->online = next->allowed = true;
		topology->cpu_count++;
	}
	if (!topology->cpu_count) {
		free(topology);
		return fail_set(fail, -ENOENT, "no CPU is left to use");
	}
	topology->usable_count = topology->cpu_count;
	topology->core_count = count_cores(topology);
	topology->package_count = topology->die_count = 1;
	topology->l3_count = topology->smt_count = 1;
	read_nodes(root, topology);
	qsort(topology->cpu, topology->cpu_count, sizeof(*topology->cpu),
	      compare_cpus);
	find_nodes_cpus(topology);
	*to = topology;
	return 0;
}

void topology_free(struct topology *topology)
{
	free(topology);
}
