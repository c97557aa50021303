/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/vcpu_state.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define MSR_IA32_TSC        0x10
#define MSR_IA32_TSC_ADJUST 0x3b

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	uint32_t xsave[sizeof(struct kvm_xsave) / sizeof(uint32_t)];
	unsigned int msr_count;
	struct kvm_msr_entry msr[];
};

/* A list with room for one entry, which struct kvm_msrs itself lacks. */
union one_msr {
	struct kvm_msrs list;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

/*
 * One at a time: a list stops at the first that fails, and some of those that
 * KVM lists are not there on every processor.
 */
static bool msr_get(int vcpu_fd, struct kvm_msr_entry *entry)
{
	union one_msr args = { .list.nmsrs = 1 };

	args.list.entries[0] = *entry;
	if (ioctl(vcpu_fd, KVM_GET_MSRS, &args) != 1)
		return false;
	entry->data = args.list.entries[0].data;
	return true;
}

static void msr_set(int vcpu_fd, const struct kvm_msr_entry *entry)
{
	union one_msr args = { .list.nmsrs = 1 };

	args.list.entries[0] = *entry;
	/* One that was changed and cannot be changed back is the guest's. */
	(void)ioctl(vcpu_fd, KVM_SET_MSRS, &args);
}

static bool msr_runs_on(uint32_t index)
{
	return index == MSR_IA32_TSC || index == MSR_IA32_TSC_ADJUST;
}

static void save_msrs(int vcpu_fd, const struct kvm_msr_list *list,
		      struct vcpu_state *state)
{
	unsigned int i;

	for (i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry entry = { .index = list->indices[i] };

		if (!msr_runs_on(entry.index) && msr_get(vcpu_fd, &entry))
			state->msr[state->msr_count++] = entry;
	}
}

static void load_msrs(int vcpu_fd, const struct vcpu_state *state)
{
	unsigned int i;

	for (i = 0; i < state->msr_count; i++) {
		struct kvm_msr_entry now = { .index = state->msr[i].index };

		if (msr_get(vcpu_fd, &now) && now.data != state->msr[i].data)
			msr_set(vcpu_fd, &state->msr[i]);
	}
}

static struct kvm_msr_list *msr_list(int kvm_fd)
{
	struct kvm_msr_list count = { .nmsrs = 0 };
	struct kvm_msr_list *list;

	/* Fails with E2BIG and says how many there are. */
	(void)ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, &count);
	list = calloc(1, sizeof(*list) + count.nmsrs * sizeof(uint32_t));
	if (!list)
		return NULL;
	list->nmsrs = count.nmsrs;
	if (ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list))
		list->nmsrs = 0;
	return list;
}

static bool save_registers(int fd, struct vcpu_state *state)
{
	return !ioctl(fd, KVM_GET_REGS, &state->regs) &&
	       !ioctl(fd, KVM_GET_SREGS, &state->sregs) &&
	       !ioctl(fd, KVM_GET_XSAVE, state->xsave) &&
	       !ioctl(fd, KVM_GET_XCRS, &state->xcrs) &&
	       !ioctl(fd, KVM_GET_DEBUGREGS, &state->debugregs) &&
	       !ioctl(fd, KVM_GET_LAPIC, &state->lapic) &&
	       !ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events) &&
	       !ioctl(fd, KVM_GET_MP_STATE, &state->mp_state);
}

int vcpu_state_save(int kvm_fd, int vcpu_fd, struct vcpu_state **out)
{
	struct kvm_msr_list *list = msr_list(kvm_fd);
	struct vcpu_state *state;
	int rc = -ENOMEM;

	if (!list)
		return -ENOMEM;
	state = calloc(1, sizeof(*state) + list->nmsrs * sizeof(state->msr[0]));
	if (!state)
		goto out;
	if (!save_registers(vcpu_fd, state)) {
		rc = -errno;
		free(state);
		goto out;
	}
	save_msrs(vcpu_fd, list, state);
	*out = state;
	rc = 0;
out:
	free(list);
	return rc;
}

int vcpu_state_load(int vcpu_fd, const struct vcpu_state *state)
{
	/* The mode of the LAPIC lies in sregs, so they go before it. */
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &state->sregs) ||
	    ioctl(vcpu_fd, KVM_SET_REGS, &state->regs) ||
	    ioctl(vcpu_fd, KVM_SET_XCRS, &state->xcrs) ||
	    ioctl(vcpu_fd, KVM_SET_XSAVE, state->xsave) ||
	    ioctl(vcpu_fd, KVM_SET_DEBUGREGS, &state->debugregs))
		return -errno;
	load_msrs(vcpu_fd, state);
	if (ioctl(vcpu_fd, KVM_SET_LAPIC, &state->lapic) ||
	    ioctl(vcpu_fd, KVM_SET_VCPU_EVENTS, &state->events) ||
	    ioctl(vcpu_fd, KVM_SET_MP_STATE, &state->mp_state))
		return -errno;
	return 0;
}
