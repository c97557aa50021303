/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_PROBE_H
#define MQVMM_KVM_PROBE_H

#include "base/fail.h"

/* What this host's KVM runs at the processor's own speed. */
enum probe_verdict {
	PROBE_STOCK,     /* privilege level 0: any kernel */
	PROBE_CPL3_ONLY, /* level 3 only: level 0 goes through an emulator */
	PROBE_NONE,      /* nothing */
};

/**
 * struct probe_result - Speed of guest code in a scratch VM
 * @level0_mips:	Million instructions per second at privilege level 0,
 *			0 where it did not run at all
 * @level3_mips:	The same at level 3
 * @verdict:		What follows for the choice of a guest kernel
 */
struct probe_result {
	double level0_mips;
	double level3_mips;
	enum probe_verdict verdict;
};

/**
 * probe_judge() - The verdict on two speeds
 * @level0_mips:	At privilege level 0
 * @level3_mips:	At privilege level 3
 *
 * Return: the verdict
 */
enum probe_verdict probe_judge(double level0_mips, double level3_mips);

/**
 * probe_measure() - Run a short known loop at level 0 and at level 3
 * @result:	Filled
 * @fail:	Why no VM could be made
 *
 * Time is this thread's CPU time and the best of several runs counts, so that
 * a busy host does not look like an emulator. Takes less than a second.
 *
 * Return: 0 or negative errno (-ENOENT, -EACCES: no usable /dev/kvm)
 *
 * Context: any thread; opens and closes its own VM.
 */
int probe_measure(struct probe_result *result, struct fail *fail);

#endif
