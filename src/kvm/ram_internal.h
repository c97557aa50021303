/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_RAM_INTERNAL_H
#define MQVMM_KVM_RAM_INTERNAL_H

/* Private to the files of src/kvm that map the guest's RAM. */

#include <stdint.h>

#include "base/fail.h"
#include "sched/placement.h"

#define RAM_MIB ((uint64_t)1 << 20)
#define RAM_GIB ((uint64_t)1 << 30)

/**
 * ram_check_pools() - Have the nodes the huge pages that strict cells need?
 * @page:	Bytes of a page
 * @fail:	Which node is short, of how many pages, and how it gets them
 *
 * mmap() only asks whether the host as a whole has enough; what a node lacks
 * would kill the process on first touch.
 *
 * Return: 0 or -ENOMEM
 */
int ram_check_pools(const struct placement *placement, uint64_t page,
		    struct fail *fail);

/**
 * ram_bind() - Set the memory policy of each cell (mbind(2))
 * @base:	Where the RAM is mapped; no page of it was touched yet
 *
 * A host without NUMA has nothing to bind to: that is no error.
 *
 * Return: 0, or negative errno for a strict cell; for others it is logged
 */
int ram_bind(uint8_t *base, const struct placement *placement,
	     struct fail *fail);

/* The nodes of @cell as "node 1" or "nodes 0-1". */
#define RAM_NODES_TEXT_SIZE 64
void ram_format_nodes(const struct placement_cell *cell, char *text);

#endif
