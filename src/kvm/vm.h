/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_VM_H
#define MQVMM_KVM_VM_H

#include <linux/kvm.h>
#include <stddef.h>

#include "base/fail.h"
#include "kvm/guest_memory.h"
#include "kvm/machine.h"

#define VM_CHIPS 3 /* PIC master, PIC slave, IOAPIC */

/**
 * struct vm - A KVM virtual machine without its CPUs
 * @kvm_fd:	/dev/kvm
 * @fd:		The VM
 * @run_size:	Bytes of a vCPU's shared page
 * @chip:	The interrupt chips as they were at power-on
 * @pit:	The timer as it was at power-on
 */
struct vm {
	int kvm_fd;
	int fd;
	size_t run_size;
	struct kvm_irqchip chip[VM_CHIPS];
	struct kvm_pit_state2 pit;
};

/**
 * vm_create() - Open KVM, make a VM with in-kernel LAPICs, PIC, IOAPIC, PIT
 * @vm:		Filled; nothing to release when this fails
 * @topology:	How many vCPUs it must be able to carry
 * @fail:	The cause: no KVM, no access, a KVM too old or too small
 *
 * Return: 0 or negative errno
 */
int vm_create(struct vm *vm, const struct machine_topology *topology,
	      struct fail *fail);

/**
 * vm_address_bits() - How wide guest physical addresses can be
 *
 * Return: this processor's physical address bits (CPUID leaf 0x80000008)
 */
unsigned int vm_address_bits(void);

/**
 * vm_map_memory() - Make RAM visible to the guest
 * @vm:		From vm_create()
 * @memory:	Outlives the VM
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int vm_map_memory(const struct vm *vm, const struct guest_memory *memory,
		  struct fail *fail);

/**
 * vm_reset() - Interrupt chips and timer as at power-on
 * @vm:		From vm_create(); no vCPU runs
 *
 * Return: 0 or negative errno
 */
int vm_reset(const struct vm *vm);

/**
 * vm_destroy() - Close it
 * @vm:		From vm_create(); its vCPUs are closed
 */
void vm_destroy(struct vm *vm);

#endif
