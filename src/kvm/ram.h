/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_RAM_H
#define MQVMM_KVM_RAM_H

#include <stdint.h>

#include "base/fail.h"
#include "kvm/guest_memory.h"
#include "kvm/machine.h"
#include "sched/placement.h"

/**
 * ram_alloc() - Map the guest's RAM into this process
 * @memory:	Filled; nothing to free when this fails
 * @size:	Bytes, a multiple of 2 MiB, of 1 GiB for MACHINE_PAGES_1G
 * @pages:	What backs it
 * @placement:	Nodes of the host that its cells come from; NULL: any
 * @fail:	The cause
 *
 * RAM is one host mapping, split in guest physical space at the 32-bit hole.
 * The mapping is aligned so that KVM can use the largest pages. No page is
 * touched yet.
 *
 * Return: 0, -EINVAL for a size that does not fit, -ENOMEM; what mbind(2) says
 * of nodes that a strict cell cannot have
 */
int ram_alloc(struct guest_memory *memory, uint64_t size,
	      enum machine_pages pages, const struct placement *placement,
	      struct fail *fail);

/**
 * ram_prefault() - Touch every page for writing
 * @memory:	From ram_alloc(), as is @placement
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 *
 * Context: starts a thread on each vCPU's CPU, and waits for them; may take
 * seconds per 10 GiB and thread.
 */
int ram_prefault(const struct guest_memory *memory,
		 const struct placement *placement, struct fail *fail);

/**
 * ram_free() - Unmap it
 * @memory:	From ram_alloc(), or zeroed
 */
void ram_free(struct guest_memory *memory);

#endif
