/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_HOST_H
#define MQVMM_SCHED_PLACEMENT_HOST_H

#include "sched/placement.h"

struct registry;

/**
 * placement_plan_host() - Plan for this host, beside this user's other guests
 * @registry:	Set to what holds this guest's note for them, or to NULL; for
 *		registry_close() when the guest has ended
 *
 * Without a registry (a folder that cannot be used, one that others lock) the
 * plan is made as for the only guest, and a line is logged.
 *
 * Return: 0, or negative errno with @fail set
 *
 * Context: one thread at start-up; reads and writes files.
 */
int placement_plan_host(const struct placement_request *request,
			struct placement *plan, struct registry **registry,
			struct fail *fail);

#endif
