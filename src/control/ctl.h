/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_CONTROL_CTL_H
#define MQVMM_CONTROL_CTL_H

#include <stdbool.h>

#include "base/fail.h"

/* `mqvmm ctl`: the control socket's client for people. */

/**
 * ctl_run() - Ask a running mqvmm, and print its answer to standard output
 * @argc, @argv: argv[0] is "ctl"
 * @fail:	What is wrong
 *
 * Return: 0; -EINVAL for a command line that cannot be right; another negative
 * errno if nobody answers, or the answer is no
 *
 * Context: any thread; sleeps.
 */
int ctl_run(int argc, char **argv, struct fail *fail);

#endif
