/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_CPUID_H
#define MQVMM_KVM_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "kvm/machine.h"

/* Leaves that cpuid_set_vcpu() makes room for, KVM's and ours. */
#define CPUID_ENTRIES_MAX 256

/**
 * cpuid_apic_id() - APIC id of a vCPU, which is its KVM vCPU id as well
 * @topology:	The guest's CPUs
 * @vcpu:	Index, 0 to cpus - 1, threads of a core next to each other
 *
 * Thread, core and socket have a bit field each, as wide as their count needs:
 * ids have gaps where a count is no power of two.
 *
 * Return: the id
 */
uint32_t cpuid_apic_id(const struct machine_topology *topology,
		       unsigned int vcpu);

/**
 * cpuid_edit() - Turn the CPUID that KVM supports into one vCPU's
 * @cpuid:	KVM's, in an array of @capacity entries; edited in place
 * @capacity:	Entries that fit, CPUID_ENTRIES_MAX
 * @topology:	The guest's CPUs
 * @vcpu:	Index of the vCPU
 * @tsc_deadline: KVM has KVM_CAP_TSC_DEADLINE_TIMER
 *
 * Sets what depends on topology and vCPU: leaves 1, 4, 0xB, 0x1F, 0x80000001,
 * 0x80000008, 0x8000001D, 0x8000001E; and the paravirtual leaf 0x40000001 with
 * extended MSI destination ids (MSI addresses then carry destination bits 8-14
 * in bits 5-11, and the route set in KVM must carry them in bits 40-46).
 *
 * Return: 0, or -E2BIG when an entry does not fit
 */
int cpuid_edit(struct kvm_cpuid2 *cpuid, unsigned int capacity,
	       const struct machine_topology *topology, unsigned int vcpu,
	       bool tsc_deadline);

/**
 * cpuid_set_vcpu() - Give a vCPU its CPUID
 * @kvm_fd:	/dev/kvm
 * @vcpu_fd:	The vCPU, made with id cpuid_apic_id()
 * @topology:	The guest's CPUs
 * @vcpu:	Index of the vCPU
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 *
 * Context: before the vCPU runs.
 */
int cpuid_set_vcpu(int kvm_fd, int vcpu_fd,
		   const struct machine_topology *topology, unsigned int vcpu,
		   struct fail *fail);

#endif
