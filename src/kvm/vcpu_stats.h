/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_VCPU_STATS_H
#define MQVMM_KVM_VCPU_STATS_H

#include <stdint.h>
#include <stdio.h>

#define VCPU_STATS 10 /* counters that are told */

/**
 * struct vcpu_stats - Where KVM counts what a vCPU does
 * @fd:		KVM's binary statistics, -1 where it has none (before
 * Linux 5.14)
 * @at:		Offset of each counter in them, 0 for one that this KVM lacks
 */
struct vcpu_stats {
	int fd;
	uint64_t at[VCPU_STATS];
};

/**
 * vcpu_stats_open() - Find the counters of a vCPU
 * @stats:	Filled in any case
 * @vcpu_fd:	It does not run: KVM would wait for its next exit
 *
 * Follows KVM_GET_STATS_FD in Documentation/virt/kvm/api.rst.
 *
 * Context: any thread.
 */
void vcpu_stats_open(struct vcpu_stats *stats, int vcpu_fd);

/**
 * vcpu_stats_print() - Write them as members of a JSON object
 * @stats:	From vcpu_stats_open()
 * @out:	Gets `,"NAME":NUMBER` for each counter that there is
 *
 * Context: any thread, also while the vCPU runs.
 */
void vcpu_stats_print(const struct vcpu_stats *stats, FILE *out);

void vcpu_stats_close(struct vcpu_stats *stats);

#endif
