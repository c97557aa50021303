/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_H
#define MQVMM_SCHED_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "sched/id_set.h"
#include "sched/topology.h"

#define PLACEMENT_THREADS_MAX 1024       /* vCPUs, and shards */
#define PLACEMENT_CELLS_MAX   64         /* NUMA nodes of a guest */
#define PLACEMENT_CPU_ANY     UINT16_MAX /* in a request: the plan chooses */
#define PLACEMENT_POLL_US     100 /* how long a shard with a CPU may poll */
#define PLACEMENT_POLL_CPUS   3   /* fewer have none to spare */

/**
 * enum placement_policy - How threads are spread over the host
 * @PLACEMENT_AUTO: The guest sees no NUMA. A core of its own for each thread,
 *		vCPU i and shard i near each other, on as few nodes as have
 *		that many cores, the idlest first
 * @PLACEMENT_COMPACT: As few nodes as have the CPUs, the fullest first;
 *		siblings of a core are used before another node
 * @PLACEMENT_SPREAD: As many nodes and caches as there are
 * @PLACEMENT_NUMA: The guest's NUMA cells mirror the host's nodes: vCPU i,
 *shard i and their memory are on one node
 * @PLACEMENT_NONE: Threads are left to the scheduler
 */
enum placement_policy {
	PLACEMENT_AUTO,
	PLACEMENT_COMPACT,
	PLACEMENT_SPREAD,
	PLACEMENT_NUMA,
	PLACEMENT_NONE,
};

/**
 * struct placement_cell_request - A NUMA node of the guest that the user wants
 * @cpus:	Its vCPUs
 * @bytes:	Its memory
 * @nodes:	The kernel's numbers of the host's nodes it is on; empty: the
 *		plan chooses
 */
struct placement_cell_request {
	struct id_set cpus;
	uint64_t bytes;
	struct id_set nodes;
};

/**
 * struct placement_request - What is to be placed, and how
 * @vcpus, @shards: How many of each, at most PLACEMENT_THREADS_MAX
 * @threads:	vCPUs of a core of the guest; those of one core are in one cell.
 *		0 is 1
 * @memory_bytes: Of the guest
 * @granule_bytes: A cell's memory is a multiple of it; 0 is 1
 * @policy:	For what is not said below
 * @registry:	Take the user's other guests into account, and tell them
 * @vcpu, @shard: CPU that each has to be on, or PLACEMENT_CPU_ANY
 * @helpers:	CPUs for all other threads; empty: the plan chooses
 * @cell_count:	The guest's NUMA cells as the user wants them, 0 to leave them
 *to the policy
 * @cell:	In the order of their numbers; their CPUs and bytes must be all
 *		of the guest's
 *
 * Some 70 KiB.
 */
struct placement_request {
	unsigned int vcpus;
	unsigned int shards;
	unsigned int threads;
	uint64_t memory_bytes;
	uint64_t granule_bytes;
	enum placement_policy policy;
	bool registry;
	uint16_t vcpu[PLACEMENT_THREADS_MAX];
	uint16_t shard[PLACEMENT_THREADS_MAX];
	struct id_set helpers;
	unsigned int cell_count;
	struct placement_cell_request cell[PLACEMENT_CELLS_MAX];
};

/**
 * struct placement_taken - What other guests of this user have
 * @threads:	By the kernel's number of a CPU: vCPUs and shards pinned to it
 * @bytes:	By the kernel's number of a node: their memory
 */
struct placement_taken {
	uint16_t threads[TOPOLOGY_CPUS_MAX];
	uint64_t bytes[ID_SET_MAX];
};

/**
 * struct placement_cell - A part of the guest's memory, and of its vCPUs
 * @start:	First byte in the guest's memory, holes not counted
 * @bytes:	May be 0
 * @nodes:	The kernel's numbers of the nodes it comes from; empty: any
 * @strict:	From nowhere else; otherwise, with one node it is preferred,
 *with several the memory is interleaved
 * @distance:	To each cell, by index (ACPI 6.5, 5.2.17)
 */
struct placement_cell {
	uint64_t start;
	uint64_t bytes;
	struct id_set nodes;
	bool strict;
	uint8_t distance[PLACEMENT_CELLS_MAX];
};

/**
 * struct placement - Where everything is
 * @pinned:	Threads are pinned; otherwise only named
 * @vcpus, @shards: As in the request
 * @vcpu:	By vCPU, the kernel's CPU number
 * @shard:	By shard
 * @helpers:	CPUs for all other threads
 * @poll_us:	By shard, how long it may poll before it sleeps; 0 where others
 *		want its CPU
 * @numa:	The guest is told of its cells
 * @cell_count:	At least 1: a guest without NUMA is one cell
 * @cell:	In order, without gaps: all of the memory
 * @vcpu_cell:	By vCPU, the cell it is in
 */
struct placement {
	bool pinned;
	unsigned int vcpus;
	unsigned int shards;
	unsigned int vcpu[PLACEMENT_THREADS_MAX];
	unsigned int shard[PLACEMENT_THREADS_MAX];
	struct id_set helpers;
	unsigned int poll_us[PLACEMENT_THREADS_MAX];
	bool numa;
	unsigned int cell_count;
	struct placement_cell cell[PLACEMENT_CELLS_MAX];
	uint8_t vcpu_cell[PLACEMENT_THREADS_MAX];
};

/**
 * placement_request_init() - Ask for the default policy, and nothing else
 */
void placement_request_init(struct placement_request *request);

/**
 * placement_plan() - Choose a CPU for each thread, and nodes for memory
 * @topology:	The host
 * @request:	What for
 * @taken:	What others have; NULL for nothing
 * @plan:	To fill
 * @fail:	Which part of the request is not possible
 *
 * CPUs that are isolated (isolcpus=) are used only where @request names them,
 * or where there are no others.
 *
 * Return: 0; -EINVAL; -ENOMEM
 *
 * Context: pure; the same input gives the same plan.
 */
int placement_plan(const struct topology *topology,
		   const struct placement_request *request,
		   const struct placement_taken *taken, struct placement *plan,
		   struct fail *fail);

/**
 * placement_enter_shard() - Name the calling thread shardN, and pin it
 * @plan:	From placement_plan()
 * @shard:	Index; that of the vCPU for placement_enter_vcpu()
 *
 * What does not work is logged: the thread runs on anywhere.
 */
void placement_enter_shard(const struct placement *plan, unsigned int shard);
void placement_enter_vcpu(const struct placement *plan, unsigned int vcpu);

/**
 * placement_enter_helper() - Pin the calling thread to the helpers' CPUs
 *
 * Threads that it starts are there too, until they enter something else.
 */
void placement_enter_helper(const struct placement *plan);

#endif
