/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VMM_H
#define MQVMM_VMM_H

#include <stdbool.h>

#include "base/fail.h"
#include "kvm/machine.h"
#include "sched/placement.h"
#include "slirp/slirp.h"

/**
 * struct vmm_config - A whole guest
 * @machine:	CPUs, memory, what to boot
 * @net:	It has a network device
 * @slirp:	Its network; shard_count is the number of queue pairs
 * @place:	Which CPUs and nodes threads and memory are on
 * @reboot:	Start the guest again when it reboots
 * @stats:	File for the counters, NULL for none
 * @control:	Path of the control socket, NULL for none
 */
struct vmm_config {
	struct machine_config machine;
	bool net;
	struct slirp_config slirp;
	struct placement_request place;
	bool reboot;
	const char *stats;
	const char *control;
};

/**
 * vmm_run() - Build the guest, run it to its end, take it down
 * @end:	Why it ended
 * @fail:	Why it could not start
 *
 * SIGTERM and SIGINT stop it; SIGUSR1 has the counters written.
 *
 * Return: 0 or negative errno
 *
 * Context: the main thread, once per process.
 */
int vmm_run(const struct vmm_config *config, enum machine_end *end,
	    struct fail *fail);

#endif
