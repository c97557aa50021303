/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_NUMA_H
#define MQVMM_KVM_NUMA_H

#include <stdbool.h>
#include <stdint.h>

#define NUMA_CELLS_MAX      64
#define NUMA_VCPUS_MAX      1024
#define NUMA_HOST_NODES_MAX 1024 /* the kernel's numbers are below */
#define NUMA_LONG_BITS      (8 * sizeof(unsigned long))
#define NUMA_NODES_LONGS    (NUMA_HOST_NODES_MAX / NUMA_LONG_BITS)

/**
 * struct numa_cell - One run of the guest's RAM
 * @bytes:	A multiple of the pages that back it; 0 for a cell of vCPUs
 *alone
 * @host_nodes:	Set of host nodes, as mbind(2) takes it; empty: any
 * @strict:	From @host_nodes or not at all; else one node is preferred and
 *		several are interleaved
 * @distance:	To each cell, by index; 10 to itself (ACPI 6.4, 5.2.17)
 */
struct numa_cell {
	uint64_t bytes;
	unsigned long host_nodes[NUMA_NODES_LONGS];
	bool strict;
	uint8_t distance[NUMA_CELLS_MAX];
};

/**
 * struct numa - The guest's memory in cells, and which vCPUs belong to each
 * @visible:	The guest is told (SRAT and SLIT)
 * @cell_count:	At least 1
 * @cell:	In the order of guest physical addresses; together all the RAM
 * @vcpu_cell:	By vCPU, the index of its cell
 */
struct numa {
	bool visible;
	unsigned int cell_count;
	struct numa_cell cell[NUMA_CELLS_MAX];
	uint8_t vcpu_cell[NUMA_VCPUS_MAX];
};

#endif
