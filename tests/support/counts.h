/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_COUNTS_H
#define MQVMM_TESTS_COUNTS_H

#include <stdint.h>

#include "slirp/slirp.h"

/**
 * counts_stat() - A counter of the NAT's, by its name in the statistics
 * @shard:	Of this shard; -1: of all together
 *
 * Context: any thread but a shard's.
 */
uint64_t counts_stat(const struct slirp *slirp, int shard, const char *name);

/** counts_descriptors() - How many this process has open, its look included */
unsigned int counts_descriptors(void);

#endif
