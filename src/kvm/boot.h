/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_BOOT_H
#define MQVMM_KVM_BOOT_H

#include <stdint.h>

#include "base/fail.h"
#include "kvm/guest_memory.h"
#include "kvm/machine.h"

/* How the first vCPU enters the kernel. */
enum boot_protocol {
	BOOT_LINUX64, /* long mode, RSI = boot parameters ("zero page") */
	BOOT_PVH,     /* 32-bit protected mode, EBX = hvm_start_info */
};

/**
 * struct boot_entry - The state in which the first vCPU begins
 * @protocol:	Which processor mode the kernel expects
 * @rip:	Entry point, guest physical
 * @info:	Boot parameters or start info, guest physical
 */
struct boot_entry {
	enum boot_protocol protocol;
	uint64_t rip;
	uint64_t info;
};

/**
 * boot_load() - Put all that the kernel needs to start into guest RAM
 * @memory:	The guest's RAM
 * @config:	Kernel, initrd, command line and topology are read from it
 * @entry:	Filled: how to start the first vCPU
 * @fail:	One sentence on what is wrong with which file
 *
 * Writes kernel, initrd, command line, memory map, ACPI tables, GDT and page
 * tables. May be called again for a guest that reboots. Follows
 * Documentation/arch/x86/boot.rst (protocol 2.12, 64-bit entry) for a bzImage
 * and Xen's PVH start-of-day interface for an ELF vmlinux. Needs no KVM.
 *
 * Return: 0; -ENOENT, -EACCES and the like for a file that cannot be read;
 * -ENOEXEC for one that is no kernel we can start; -ENOMEM where the guest has
 * too little memory; -E2BIG for a command line too long
 *
 * Context: no vCPU runs; sleeps on file I/O.
 */
int boot_load(const struct guest_memory *memory,
	      const struct machine_config *config, struct boot_entry *entry,
	      struct fail *fail);

/**
 * boot_set_vcpu() - Registers of the first vCPU; the others wait for a SIPI
 * @vcpu_fd:	KVM vCPU
 * @entry:	From boot_load()
 *
 * Return: 0 or negative errno of the ioctl
 *
 * Context: no other thread uses @vcpu_fd.
 */
int boot_set_vcpu(int vcpu_fd, const struct boot_entry *entry);

#endif
