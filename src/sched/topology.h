/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_TOPOLOGY_H
#define MQVMM_SCHED_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

#define TOPOLOGY_CPUS_MAX      4096 /* the kernel's numbers are below, too */
#define TOPOLOGY_NODES_MAX     128
#define TOPOLOGY_HUGEPAGES_MAX 4 /* sizes of one node */

#define TOPOLOGY_DISTANCE_LOCAL  10 /* ACPI 6.5, 5.2.17 */
#define TOPOLOGY_DISTANCE_REMOTE 20 /* where the host does not tell */

/* Which kind of core a hybrid host's CPU is; all others have the first. */
enum topology_kind {
	TOPOLOGY_PERFORMANCE,
	TOPOLOGY_EFFICIENCY,
};

/**
 * struct topology_cpu - One CPU of the host
 * @id:		The kernel's number
 * @node:	Index into topology.node
 * @package:	Index of the socket
 * @die:	Index of the die; unique on the host, as @l3 and @core are
 * @l3:		Index of the group that shares a last-level cache
 * @core:	Index of the core
 * @sibling:	Which of its core's SMT siblings: 0 for the lowest @id
 * @kind:	Of a hybrid host's kinds of core
 * @online:	False: nothing above is known but @id, and @node is 0
 * @allowed:	By affinity mask and cpuset
 * @isolated:	isolcpus=: the scheduler's balancing leaves it alone
 *
 * Indices count from 0 without holes, in the order of the lowest @id.
 */
struct topology_cpu {
	unsigned int id;
	unsigned int node;
	unsigned int package;
	unsigned int die;
	unsigned int l3;
	unsigned int core;
	unsigned int sibling;
	enum topology_kind kind;
	bool online;
	bool allowed;
	bool isolated;
};

/**
 * struct topology_hugepages - Huge pages of one size on one node
 * @size_bytes:	Of a page
 * @total:	Pages reserved
 * @free:	Pages that nobody has
 */
struct topology_hugepages {
	uint64_t size_bytes;
	uint64_t total;
	uint64_t free;
};

/**
 * struct topology_node - One NUMA node
 * @id:		The kernel's number
 * @cpu_first:	Index into topology.cpu of its first usable CPU
 * @cpu_count:	Usable CPUs from there on; 0 is possible
 * @total_bytes: Memory; 0 for a node without
 * @free_bytes:	Memory that nobody uses
 * @available_bytes: The same with caches of files, which make way for a guest
 * @allowed:	Memory of this node may be used (Mems_allowed)
 * @hugepage_count: Entries of @hugepages in use
 * @hugepages:	In ascending order of size
 * @distance:	To each node, by index (numa(7))
 */
struct topology_node {
	unsigned int id;
	unsigned int cpu_first;
	unsigned int cpu_count;
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t available_bytes;
	bool allowed;
	unsigned int hugepage_count;
	struct topology_hugepages hugepages[TOPOLOGY_HUGEPAGES_MAX];
	uint8_t distance[TOPOLOGY_NODES_MAX];
};

/**
 * struct topology - A host's CPUs and memory, as this process may use them
 * @usable_count: CPUs that are online and allowed, the first of @cpu
 * @cpu_count:	All CPUs that are present
 * @node_count, @package_count, @die_count, @l3_count, @core_count: How many
 *		there are among the CPUs that are online
 * @smt_count:	Most siblings that a core has
 * @hybrid:	There are cores of both kinds
 * @quota_millicpus: CPU time that the cgroup may use, in 1/1000 of a CPU; 0 is
 *		no limit
 * @node:	In ascending order of id
 * @cpu:	Usable ones first; within both parts in ascending order of
 *		node, package, die, l3, core and id: neighbours are near
 *
 * Some 200 KiB: not for stacks.
 */
struct topology {
	unsigned int usable_count;
	unsigned int cpu_count;
	unsigned int node_count;
	unsigned int package_count;
	unsigned int die_count;
	unsigned int l3_count;
	unsigned int core_count;
	unsigned int smt_count;
	bool hybrid;
	uint32_t quota_millicpus;
	struct topology_node node[TOPOLOGY_NODES_MAX];
	struct topology_cpu cpu[TOPOLOGY_CPUS_MAX];
};

/**
 * topology_read() - Read a host's topology and this process's share of it
 * @root:	Directory that stands for /: "" for this host, or a copy of /sys
 *		and /proc/self
 * @topology:	To set; for topology_free()
 * @fail:	What is wrong
 *
 * What the host does not tell, or tells wrongly, is taken as one node of cores
 * without siblings. Sources are sysfs (Documentation/ABI/stable of Linux,
 * sysfs-devices-system-cpu and sysfs-devices-node), cgroups (cgroups(7)) and
 * proc_pid_status(5).
 *
 * Return: 0; -ENOENT when no CPU is left to use; -ENOMEM
 *
 * Context: any thread; reads files.
 */
int topology_read(const char *root, struct topology **topology,
		  struct fail *fail);

/* NULL is ignored. */
void topology_free(struct topology *topology);

#endif
