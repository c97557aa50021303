/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/topology_internal.h"

/*
 * Memory and CPUs of the nodes, as sysfs-devices-node and numa(7) tell. A
 * kernel without NUMA has no nodes: all is in one then, whose memory the files
 * for the whole host tell.
 *
 * Limits: of more than TOPOLOGY_NODES_MAX nodes the rest is not seen, and their
 * CPUs count as those of the first. So does a CPU that no node names; of
 * several nodes that name one (numa=fake), the first has it.
 */

#define NODE      "/sys/devices/system/node"
#define KIB       1024
#define BYTES_MAX (UINT64_MAX / 4) /* so that sums cannot overflow */

/* Return: the bytes of a line like "Node 0 MemFree:  1234 kB", 0 if unknown */
static uint64_t field_bytes(const char *text, const char *key)
{
	const char *value = host_file_field(text, key);
	uint64_t kib = value ? strtoull(value, NULL, 10) : 0;

	return kib <= BYTES_MAX / 8 / KIB ? kib * KIB : 0;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* @text: the node's meminfo, or the host's; NULL if there is none */
static void set_memory(struct topology_node *node, const char *text)
{
	if (!text)
		return;
	node->total_bytes = field_bytes(text, "MemTotal:");
	node->free_bytes =
		at_most(field_bytes(text, "MemFree:"), node->total_bytes);
	node->available_bytes =
		at_most(node->free_bytes + field_bytes(text, "Active(file):") +
				field_bytes(text, "Inactive(file):") +
				field_bytes(text, "SReclaimable:"),
			node->total_bytes);
}

/* Insert by size; what there is no room for is left out. */
static void add_hugepages(struct topology_node *node,
			  const struct topology_hugepages *pages)
{
	unsigned int at = node->hugepage_count;

	if (at == TOPOLOGY_HUGEPAGES_MAX)
		return;
	for (; at && node->hugepages[at - 1].size_bytes > pages->size_bytes;
	     at--)
		node->hugepages[at] = node->hugepages[at - 1];
	node->hugepages[at] = *pages;
	node->hugepage_count++;
}

/* Return: the page size of a folder like hugepages-2048kB, 0 for all others */
static uint64_t page_bytes(const char *folder)
{
	char name[NAME_MAX + 1];
	uint64_t kib = 0;

	sscanf(folder, "hugepages-%" SCNu64, &kib);
	snprintf(name, sizeof(name), "hugepages-%" PRIu64 "kB", kib);
	return strcmp(name, folder) == 0 && kib <= BYTES_MAX / KIB ? kib * KIB
								   : 0;
}

/* @folder: has a folder for each size of page */
static void read_hugepages(struct host_file *file, struct topology_node *node,
			   const char *folder)
{
	struct topology_hugepages pages;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s%s", file->root, folder) >=
	    PATH_MAX)
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		pages.size_bytes = page_bytes(entry->d_name);
		if (!pages.size_bytes)
			continue;
		host_file_read_number(file, &pages.total, "%s/%s/nr_hugepages",
				      folder, entry->d_name);
		host_file_read_number(file, &pages.free, "%s/%s/free_hugepages",
				      folder, entry->d_name);
		pages.total =
			at_most(pages.total, BYTES_MAX / pages.size_bytes);
		pages.free = at_most(pages.free, pages.total);
		add_hugepages(node, &pages);
	}
	if (dir)
		closedir(dir);
}

/* "10 21 21": to each node that is online; nonsense is not believed. */
static void set_distances(struct topology *topology, unsigned int index,
			  const char *text)
{
	struct topology_node *node = &topology->node[index];

	for (unsigned int to = 0; to < topology->node_count; to++) {
		char *end = NULL;
		unsigned long distance = text ? strtoul(text, &end, 10) : 0;

		node->distance[to] =
			(uint8_t)(to == index ? TOPOLOGY_DISTANCE_LOCAL
					      : TOPOLOGY_DISTANCE_REMOTE);
		if (distance >= TOPOLOGY_DISTANCE_LOCAL &&
		    distance <= UINT8_MAX)
			node->distance[to] = (uint8_t)distance;
		text = end;
	}
}

static void take_cpus(struct topology *topology, unsigned int index,
		      const struct id_set *cpus, struct id_set *taken)
{
	for (unsigned int i = 0; i < topology->cpu_count; i++) {
		struct topology_cpu *cpu = &topology->cpu[i];

		if (!cpu->online || !id_set_has(cpus, cpu->id) ||
		    id_set_has(taken, cpu->id))
			continue;
		cpu->node = index;
		id_set_add(taken, cpu->id);
	}
}

static void read_only_node(struct host_file *file, struct topology *topology)
{
	struct topology_node *node = &topology->node[0];

	topology->node_count = 1;
	node->allowed = true;
	set_distances(topology, 0, NULL);
	set_memory(node, host_file_read(file, "/proc/meminfo"));
	read_hugepages(file, node, "/sys/kernel/mm/hugepages");
}

static void read_node(struct host_file *file, struct topology *topology,
		      unsigned int index, struct id_set *taken)
{
	struct topology_node *node = &topology->node[index];
	struct id_set cpus;
	char folder[64];

	set_distances(topology, index,
		      host_file_read(file, NODE "/node%u/distance", node->id));
	set_memory(node,
		   host_file_read(file, NODE "/node%u/meminfo", node->id));
	snprintf(folder, sizeof(folder), NODE "/node%u/hugepages", node->id);
	read_hugepages(file, node, folder);
	host_file_read_set(file, &cpus, NODE "/node%u/cpulist", node->id);
	take_cpus(topology, index, &cpus, taken);
}

void topology_read_nodes(struct host_file *file,
			 const struct topology_share *share,
			 struct topology *topology)
{
	struct id_set online, taken = { 0 };

	if (!host_file_read_set(file, &online, NODE "/online")) {
		read_only_node(file, topology);
		return;
	}
	for (unsigned int id = 0; id < ID_SET_MAX; id++) {
		struct topology_node *node =
			&topology->node[topology->node_count];

		if (!id_set_has(&online, id))
			continue;
		if (topology->node_count == TOPOLOGY_NODES_MAX)
			break;
		node->id = id;
		node->allowed =
			!share->nodes_told || id_set_has(&share->nodes, id);
		topology->node_count++;
	}
	for (unsigned int index = 0; index < topology->node_count; index++)
		read_node(file, topology, index, &taken);
}
