/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BENCH_TABLE_H
#define MQVMM_BENCH_TABLE_H

#include <stdint.h>

#include "base/fail.h"

/*
 * Theory of operation
 *
 * The NAT's own flow table (each shard's slots and private index, and the table
 * that they share), filled with flows that carry nothing. One thread for each
 * shard does what a shard does with it: all create their flows, then look up
 * their own, those of the next shard, and some that nobody has, then remove
 * theirs; all at the same time, phase by phase. Keys are taken in an order that
 * no cache foresees. A cost is the CPU time of the threads.
 */

/* What is done to flows; a phase of its own each. */
enum table_phase {
	TABLE_CREATE,  /* flow_create() */
	TABLE_PRIVATE, /* a frame's flow is this shard's */
	TABLE_SHARED,  /* ... is another shard's: private miss, shared hit */
	TABLE_MISS,    /* ... is nobody's: private and shared miss */
	TABLE_REMOVE,  /* flow_free() */
	TABLE_PHASES,
};

/**
 * struct table_load - How much there is
 * @shards:	1 to TABLE_SHARDS_MAX
 * @flows:	Of each shard, its slots too
 */
struct table_load {
	unsigned int shards;
	uint32_t flows;
};

#define TABLE_SHARDS_MAX 64

/**
 * struct table_result - What became of it
 * @done:	Of each phase: flows made, found where they should be, not found
 *		where nothing should be, removed
 * @cost_ns:	CPU time for each flow of the phase, nanoseconds
 * @empty_bytes: Resident memory that the empty table takes
 * @full_bytes:	The same with all flows in it
 */
struct table_result {
	uint64_t done[TABLE_PHASES];
	double cost_ns[TABLE_PHASES];
	uint64_t empty_bytes;
	uint64_t full_bytes;
};

/**
 * table_run() - Fill the table, use it, empty it
 *
 * Return: 0 or negative errno
 *
 * Context: a thread that is not registered with RCU; sleeps. Memory is counted
 * for the whole process: nothing else may run in it.
 */
int table_run(const struct table_load *load, struct table_result *result,
	      struct fail *fail);

/* Return: memory of the process that is resident, bytes; 0 if not known */
uint64_t table_memory(void);

#endif
