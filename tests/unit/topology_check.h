/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_TOPOLOGY_CHECK_H
#define MQVMM_TESTS_TOPOLOGY_CHECK_H

#include "sched/topology.h"

/* Assert all that struct topology promises of any host, damaged ones included.
 */
void topology_check(const struct topology *topology);

#endif
