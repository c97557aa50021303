/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_NAMESPACE_H
#define MQVMM_NETNS_NAMESPACE_H

#include <signal.h>
#include <sys/types.h>

#include "netns/netns.h"

/**
 * struct namespace - The namespace as seen from outside
 * @init:	Its first process, 0 when it has none
 * @sock:	To that process; closing it before namespace_start() ends it
 */
struct namespace
{
	pid_t init;
	int sock;
};

/**
 * struct namespace_plan - What is to be made
 * @config:	The user's; shard_count is the number of queues
 * @run:	A command is to run in it: it gets a process and a mount
 *		namespace too, and a process that stays
 * @mask:	Signal mask that the command gets
 */
struct namespace_plan {
	const struct netns_config *config;
	bool run;
	sigset_t mask;
};

/**
 * namespace_create() - Make or join the namespace and its interface
 * @fd:		One descriptor for each queue of the TAP
 *
 * Return: 0, or negative errno with @fail set and nothing left behind
 *
 * Context: no other thread may run yet.
 */
int namespace_create(const struct namespace_plan *plan,
		     struct namespace *namespace, int *fd, struct fail *fail);

/* Let the command run. Return: 0 or negative errno */
int namespace_start(struct namespace *namespace);

/* End every process in it, if any is left. */
void namespace_destroy(struct namespace *namespace);

#endif
