/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_VCPU_H
#define MQVMM_KVM_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"
#include "base/switches.h"
#include "kvm/bus.h"
#include "kvm/ending.h"
#include "kvm/machine.h"
#include "kvm/power.h"
#include "kvm/vcpu_state.h"
#include "kvm/vcpu_stats.h"
#include "kvm/vm.h"

struct kvm_run;

/**
 * struct vcpu_world - What all vCPUs of a machine share
 * @mmio:	Devices in memory space
 * @pio:	Devices at I/O ports
 * @power:	Takes what never reaches @pio: resets at port 0xCF9
 * @ending:	Where a vCPU says that the machine is to stop
 * @pin:	Called on each vCPU thread first, may be NULL
 * @context:	Passed to @pin
 */
struct vcpu_world {
	struct bus *mmio;
	struct bus *pio;
	struct power *power;
	struct ending *ending;
	void (*pin)(void *context, unsigned int vcpu);
	void *context;
};

/**
 * struct vcpu - One vCPU and its thread
 * @index:	0 to cpus - 1
 * @fd:		KVM vCPU, -1 if not made
 * @run:	The page it shares with KVM
 * @run_size:	Bytes
 * @reset:	Its state at power-on
 * @stats:	What KVM counts of it
 * @world:	The machine's
 * @thread:	While it runs
 */
struct vcpu {
	unsigned int index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct vcpu_state *reset;
	struct vcpu_stats stats;
	struct switches switches;
	const struct vcpu_world *world;
	pthread_t thread;
};

/**
 * vcpu_create() - Make the vCPU in KVM and give it its CPUID
 * @vcpu:	Filled; nothing to release when this fails
 * @vm:		The VM
 * @topology:	The guest's CPUs
 * @index:	Which of them
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int vcpu_create(struct vcpu *vcpu, const struct vm *vm,
		const struct machine_topology *topology, unsigned int index,
		struct fail *fail);

/**
 * vcpu_reset() - Back to its state at power-on; all but the first wait for SIPI
 * @vcpu:	Not running
 *
 * Return: 0 or negative errno
 */
int vcpu_reset(struct vcpu *vcpu);

/**
 * vcpu_start() - Run it on a thread of its own
 * @vcpu:	Not running
 * @world:	Outlives the thread
 *
 * The thread blocks all signals but the one that vcpu_kick() sends.
 *
 * Return: 0 or negative errno (-EAGAIN: no more threads)
 */
int vcpu_start(struct vcpu *vcpu, const struct vcpu_world *world);

/**
 * vcpu_kick() - Make its thread finish the access in progress and return
 * @vcpu:	Started
 *
 * Context: any thread, does not sleep.
 */
void vcpu_kick(struct vcpu *vcpu);

/**
 * vcpu_join() - Wait for its thread
 * @vcpu:	Kicked
 */
void vcpu_join(struct vcpu *vcpu);

/**
 * vcpu_destroy() - Release it
 * @vcpu:	From vcpu_create(), not running
 */
void vcpu_destroy(struct vcpu *vcpu);

/**
 * vcpu_prepare_kick() - Let the kick's signal interrupt instead of kill
 *
 * Sets a disposition for the whole process.
 *
 * Return: 0 or negative errno
 */
int vcpu_prepare_kick(void);

#endif
