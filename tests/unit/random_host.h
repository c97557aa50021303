/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_RANDOM_HOST_H
#define MQVMM_TESTS_RANDOM_HOST_H

#include "sched/placement.h"

/* Numbers that are the same in every run. Return: 0 to @below - 1 */
unsigned int random_below(unsigned int below);

/**
 * random_host() - Make up a host
 *
 * One to eight nodes, some without CPUs or memory, of any number of caches,
 * cores and siblings; CPUs with any numbers, some isolated, some not to be
 * used; a quota, or none; of one node also with efficiency cores.
 */
void random_host(struct topology *topology);

/* Make up a guest of 1 to 40 vCPUs without wishes, @policy apart. */
void random_guest(struct placement_request *request,
		  enum placement_policy policy);

#endif
