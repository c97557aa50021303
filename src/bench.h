/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_BENCH_H
#define MQVMM_BENCH_H

#include "base/fail.h"

/**
 * bench_exec() - Become the program that measures (bench/mqvmm-bench)
 * @argv:	Its arguments after the first, which is the command's name; ends
 *		with NULL
 * @fail:	What went wrong
 *
 * It is looked for at $MQVMM_BENCH, beside an installed mqvmm, and in the
 *source tree; it finds this mqvmm in $MQVMM where that is not set.
 *
 * Context: Main thread, before any other.
 * Return: Not at all; -errno where it cannot be run
 */
int bench_exec(char **argv, struct fail *fail);

#endif
