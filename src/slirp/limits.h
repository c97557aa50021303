/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_LIMITS_H
#define MQVMM_SLIRP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "slirp/slirp.h"

/*
 * Theory of operation
 *
 * A guest's limits are of the guest, however its flows are spread over shards.
 * What is left of each lies in a pool that all shards share. A shard takes
 * places out of it in handfuls, and gives them back in handfuls, so that flows
 * which come and go do not touch the pool: no cache line is written by two
 * shards for each flow. A handful is a sixteenth of a shard's even part, 64 at
 * the most; with small limits it is one, and the limit is exact. With large
 * ones it is never exceeded, but other shards may keep an eighth of it unused.
 *
 * New flows per second are a token bucket that holds a second's worth, as a
 * virtual clock (GCRA): the pool is the time at which it was empty, and tokens
 * are taken out of it in handfuls as well.
 *
 * Functions without a struct limits_share are for any thread; those with one
 * are for the shard that owns it. None sleeps.
 */

/* What is counted: flows of a protocol, and descriptors. */
enum limits_kind {
	LIMITS_TCP,
	LIMITS_UDP,
	LIMITS_ICMP,
	LIMITS_FILES,
	LIMITS_KINDS,
};

#define LIMITS_NONE (1LL << 40) /* more than there can be */

/**
 * struct limits_pool - What all shards share of one limit
 * @left:	Not with any shard; negative after the limit was lowered.
 * Atomic.
 * @most:	The limit, LIMITS_NONE for none; atomic
 */
struct limits_pool {
	int64_t left;
	int64_t most;
} __attribute__((aligned(64)));

/**
 * struct limits - Those of a guest
 * @rate:	New flows per second, 0 for no limit; atomic
 * @half_open:	Of each shard, 0 for no limit; atomic
 * @flow_memory: Of each flow, bytes, 0 for no limit; atomic
 * @rate_empty_ns: When the bucket of new flows was empty, CLOCK_MONOTONIC;
 *		atomic
 */
struct limits {
	struct limits_pool pool[LIMITS_KINDS];
	uint32_t rate;
	uint32_t half_open;
	uint32_t flow_memory;
	unsigned int shards;
	uint64_t rate_empty_ns __attribute__((aligned(64)));
};

/**
 * struct limits_share - What a shard has in hand
 * @spare:	Places it may fill without asking
 * @tokens:	The same for new flows
 */
struct limits_share {
	uint32_t spare[LIMITS_KINDS];
	uint32_t tokens;
};

/**
 * limits_init() - No limit but one
 * @files:	Descriptors that flows may use
 */
void limits_init(struct limits *limits, unsigned int shards, int64_t files);

/**
 * limits_set() - Change what can be changed
 *
 * Before shards run, or followed by limits_settle() of every share: what a
 * share has in hand was taken under the old limits.
 */
void limits_set(struct limits *limits, const struct slirp_limits *to);

/* Take descriptors away from flows, or give them back (negative). */
void limits_reserve(struct limits *limits, int64_t files);

/* Give back all that is in hand. */
void limits_settle(struct limits *limits, struct limits_share *share);

/* Take a place. Return: false if none is left */
bool limits_take(struct limits *limits, struct limits_share *share,
		 enum limits_kind kind);

/* Is less than a sixteenth left for all shards? */
bool limits_are_low(const struct limits *limits, enum limits_kind kind);

/* A place is free again. */
void limits_give(struct limits *limits, struct limits_share *share,
		 enum limits_kind kind);

/**
 * limits_take_token() - May a flow begin now?
 * @now_us:	CLOCK_MONOTONIC, microseconds
 */
bool limits_take_token(struct limits *limits, struct limits_share *share,
		       uint64_t now_us);

#endif
