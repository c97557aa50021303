/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_TOPOLOGY_H
#define MQVMM_SCHED_TOPOLOGY_H

#include <sched.h>

#define TOPOLOGY_CPUS_MAX CPU_SETSIZE

/**
 * struct topology_cpu - One CPU that this process may use
 * @id:		The kernel's number
 * @core:	Lowest number among its SMT siblings
 * @node:	NUMA node, 0 where the host does not tell
 */
struct topology_cpu {
	unsigned int id;
	unsigned int core;
	unsigned int node;
};

/**
 * struct topology - The CPUs that this process may use
 * @cpu_count:	Entries of @cpu in use
 * @node_count:	NUMA nodes of the host
 * @cpu:	In ascending order of node, core and id: neighbours are near
 */
struct topology {
	unsigned int cpu_count;
	unsigned int node_count;
	struct topology_cpu cpu[TOPOLOGY_CPUS_MAX];
};

/**
 * topology_read() - Read the host's topology
 * @root:	Directory that stands for /sys/devices/system
 * @allowed:	CPUs that the process may use (sched_getaffinity())
 * @topology:	To fill
 *
 * What sysfs does not tell is taken as one node of cores without siblings.
 *
 * Return: 0, or -ENOENT when no CPU is left
 *
 * Context: any thread; reads files.
 */
int topology_read(const char *root, const cpu_set_t *allowed,
		  struct topology *topology);

/* The same for this host and this process. */
int topology_read_host(struct topology *topology);

#endif
