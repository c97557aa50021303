/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_NETNS_H
#define MQVMM_NETNS_NETNS_H

#include <stdbool.h>

#include "base/fail.h"
#include "sched/placement.h"
#include "slirp/slirp.h"

#define NETNS_QUEUES_MAX  256   /* what a TAP can have */
#define NETNS_MTU_DEFAULT 65520 /* bytes */
#define NETNS_MTU_MAX     65521 /* bytes; what a TAP can have */

/**
 * struct netns_config - A network namespace and what runs in it
 * @slirp:	Its network; shard_count 0 for one shard for each CPU
 * @path:	Namespace to serve, NULL for a new one
 * @interface:	Name of the interface in it
 * @command:	Program and arguments, ends with NULL. NULL: with @path nothing
 *		is run, else the user's shell
 * @place:	Which CPUs shards are on; @shards follows @slirp
 * @stats:	File for the counters, NULL for none
 * @control:	Path of the control socket, NULL for none
 */
struct netns_config {
	struct slirp_config slirp;
	const char *path;
	const char *interface;
	char *const *command;
	struct placement_request place;
	const char *stats;
	const char *control;
};

/**
 * netns_run() - Make or join the namespace, run the NAT until the command ends
 * @status:	The command's exit status, 128 + N when signal N ended it; 0
 *		when there is no command and a signal ended the service
 * @fail:	Why it could not start
 *
 * SIGTERM, SIGINT, SIGHUP and SIGQUIT are the command's, or end the service;
 * SIGUSR1 has the counters written. Nothing stays behind, however it ends.
 *
 * Return: 0 or negative errno
 *
 * Context: the main thread, once per process; no other thread may run yet.
 */
int netns_run(const struct netns_config *config, int *status,
	      struct fail *fail);

/**
 * netns_try() - Would netns_run() work for this user on this host?
 * @fail:	Why not
 *
 * Makes a namespace with an interface, and drops it.
 *
 * Return: 0 or negative errno
 */
int netns_try(struct fail *fail);

#endif
