/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_PLACEMENT_HOST_H
#define MQVMM_SCHED_PLACEMENT_HOST_H

#include "sched/placement.h"

struct registry;
struct topology;

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

/**
 * placement_plan_again() - Plan anew for a host that has changed
 * @topology:	The host, as it is now
 * @registry:	From placement_plan_host(), or NULL
 *
 * Return: 0, or negative errno with @fail set
 *
 * Context: as placement_plan_host().
 */
int placement_plan_again(const struct topology *topology,
			 const struct placement_request *request,
			 struct placement *plan, struct registry *registry,
			 struct fail *fail);

#endif
