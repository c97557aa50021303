/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_ENDING_H
#define MQVMM_KVM_ENDING_H

#include <stdatomic.h>
#include <stdbool.h>

#include "kvm/machine.h"

/**
 * struct ending - Why the machine is to stop, and the eventfd that says so
 * @reason:	enum machine_end, ENDING_NONE while it runs
 * @eventfd:	Readable after a request
 */
struct ending {
	_Atomic int reason;
	int eventfd;
};

#define ENDING_NONE (-1)

/**
 * ending_init() - Make the eventfd
 * @ending:	Filled
 *
 * Return: 0 or negative errno
 */
int ending_init(struct ending *ending);

/**
 * ending_destroy() - Close it
 * @ending:	From ending_init()
 */
void ending_destroy(struct ending *ending);

/**
 * ending_request() - Ask that the machine stop
 * @ending:	The machine's
 * @reason:	The first one counts, but MACHINE_END_STOPPED beats all: who
 *		wants to leave does not want to reboot
 *
 * Context: any thread and signal handlers.
 */
void ending_request(struct ending *ending, enum machine_end reason);

/**
 * ending_requested() - Has anybody asked?
 * @ending:	The machine's
 *
 * Drains the eventfd.
 *
 * Return: true once a request was made and not taken
 *
 * Context: the thread in machine_run().
 */
bool ending_requested(struct ending *ending);

/**
 * ending_take() - The reason; the machine may run again
 * @ending:	One that was requested
 *
 * Return: the reason
 *
 * Context: the thread in machine_run().
 */
enum machine_end ending_take(struct ending *ending);

#endif
