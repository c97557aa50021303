/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 512
#define TEXT_SIZE 4096
#define NODES_MAX 1024

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
		 "%s/cpu/cpu%u/topology/thread_siblings_list", root, cpu);
	if (!read_text(path, text))
		return cpu;
	return (unsigned int)strtoul(text, NULL, 10);
}

static int read_is_online(const char *root, unsigned int cpu)
{
	char path[PATH_SIZE], text[TEXT_SIZE];

	snprintf(path, sizeof(path), "%s/cpu/online", root);
	return !read_text(path, text) || list_has(text, cpu);
}

static void read_nodes(const char *root, struct topology *topology)
{
	char path[PATH_SIZE], text[TEXT_SIZE], nodes[TEXT_SIZE];

	topology->node_count = 1;
	snprintf(path, sizeof(path), "%s/node/online", root);
	if (!read_text(path, nodes))
		return;
	topology->node_count = 0;
	for (unsigned int node = 0; node < NODES_MAX; node++) {
		if (!list_has(nodes, node))
			continue;
		topology->node_count++;
		snprintf(path, sizeof(path), "%s/node/node%u/cpulist", root,
			 node);
		if (!read_text(path, text))
			continue;
		for (unsigned int i = 0; i < topology->cpu_count; i++)
			if (list_has(text, topology->cpu[i].id))
				topology->cpu[i].node = node;
	}
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

int topology_read(const char *root, const cpu_set_t *allowed,
		  struct topology *topology)
{
	memset(topology, 0, sizeof(*topology));
	for (unsigned int cpu = 0; cpu < TOPOLOGY_CPUS_MAX; cpu++) {
		struct topology_cpu *to = &topology->cpu[topology->cpu_count];

		if (!CPU_ISSET(cpu, allowed) || !read_is_online(root, cpu))
			continue;
		to->id = cpu;
		to->core = read_core(root, cpu);
		topology->cpu_count++;
	}
	if (!topology->cpu_count)
		return -ENOENT;
	read_nodes(root, topology);
	qsort(topology->cpu, topology->cpu_count, sizeof(*topology->cpu),
	      compare_cpus);
	return 0;
}

int topology_read_host(struct topology *topology)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	return topology_read("/sys/devices/system", &allowed, topology);
}
