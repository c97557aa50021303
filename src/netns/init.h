/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_NETNS_INIT_H
#define MQVMM_NETNS_INIT_H

#include <signal.h>
#include <stdbool.h>

#include "netns/resolv_conf.h"

/* Exit statuses for what could not be run, as of shells and env(1) */
#define INIT_STATUS_CANNOT_RUN 126
#define INIT_STATUS_NOT_FOUND  127

/**
 * init_main() - Run a command as the first process of its process namespace
 * @command:	Program and arguments; NULL for the user's shell
 * @mask:	Signal mask that it gets
 * @conf:	Kept in place
 *
 * Hands the signals of init_signals() on to the command and waits for orphans.
 * When the command ends, ends whatever it left running, lets the connections
 * finish (drain.h), and ends with the command's status.
 *
 * Context: those signals and SIGCHLD are blocked.
 */
_Noreturn void init_main(char *const *command, const sigset_t *mask,
			 struct resolv_conf *conf);

/* The signals that are meant for the command, and SIGCHLD. */
void init_signals(sigset_t *set);

/* Exit status for a wait status: that of the process, or 128 + signal */
int init_status(int wait_status);

/**
 * init_is_ours() - Is a signal for us to hand on?
 *
 * The terminal's signals reach the whole foreground group, the command too.
 */
bool init_is_ours(const siginfo_t *info);

#endif
