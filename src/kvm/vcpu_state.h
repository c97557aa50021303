/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_VCPU_STATE_H
#define MQVMM_KVM_VCPU_STATE_H

struct vcpu_state;

/**
 * vcpu_state_save() - Copy a vCPU's whole state, to come back to it at a reset
 * @kvm_fd:	/dev/kvm
 * @vcpu_fd:	The vCPU, with its CPUID set
 * @out:	The copy, free() it
 *
 * KVM cannot remove a vCPU from a VM and make it anew, so a reset is going back
 * to the state that KVM made the vCPU in.
 *
 * Return: 0 or negative errno
 *
 * Context: the vCPU does not run.
 */
int vcpu_state_save(int kvm_fd, int vcpu_fd, struct vcpu_state **out);

/**
 * vcpu_state_load() - Go back to it
 * @vcpu_fd:	The vCPU, with no I/O left to complete
 * @state:	From vcpu_state_save()
 *
 * The time-stamp counter runs on: KVM keeps those of several vCPUs in step only
 * where nobody sets them one by one.
 *
 * Return: 0 or negative errno
 *
 * Context: the vCPU does not run.
 */
int vcpu_state_load(int vcpu_fd, const struct vcpu_state *state);

#endif
