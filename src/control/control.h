/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_CONTROL_CONTROL_H
#define MQVMM_CONTROL_CONTROL_H

#include <stdio.h>

#include "base/fail.h"
#include "slirp/slirp.h"

/*
 * The control socket: what a running mqvmm is asked, and told to change.
 * docs/control.md tells what goes over it.
 */

struct control;

/**
 * struct control_config - What there is to control
 * @path:	Where the socket is made
 * @slirp:	The network, NULL if there is none; outlives the control
 * @print_stats: Writes all counters as one JSON object
 * @context:	Passed to @print_stats
 */
struct control_config {
	const char *path;
	struct slirp *slirp;
	void (*print_stats)(void *context, FILE *out);
	void *context;
};

/**
 * control_start() - Listen on the socket, and start a thread that serves it
 * @config:	Copied; its strings and pointers outlive the control
 * @out:	The control
 * @fail:	The cause, as a sentence
 *
 * The socket is for this user alone (mode 0600). One that is there already is
 * replaced if nobody listens on it.
 *
 * Return: 0 or negative errno
 *
 * Context: any thread; sleeps.
 */
int control_start(const struct control_config *config, struct control **out,
		  struct fail *fail);

/**
 * control_stop() - End the thread and all connections, remove the socket
 * @control:	May be NULL
 *
 * Context: any thread; sleeps. Before the slirp is destroyed.
 */
void control_stop(struct control *control);

#endif
