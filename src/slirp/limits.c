/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/limits.h"

#include <string.h>

#define HANDFUL_MAX   64
#define HANDFUL_PARTS 16 /* of a shard's even part */
#define LOW_PART      16
#define SECOND_NS     1000000000ULL
#define RATE_MAX      SECOND_NS /* new flows per second; above is no limit */

static uint32_t limits_handful(const struct limits *limits, int64_t most)
{
	int64_t part = most / (HANDFUL_PARTS * (int64_t)limits->shards);

	if (part > HANDFUL_MAX)
		return HANDFUL_MAX;
	return part < 1 ? 1 : (uint32_t)part;
}

static uint32_t limits_pool_handful(const struct limits *limits,
				    enum limits_kind kind)
{
	/* Pairs with the store in pool_set(): late is early enough. */
	return limits_handful(limits, __atomic_load_n(&limits->pool[kind].most,
						      __ATOMIC_RELAXED));
}

static void pool_set(struct limits_pool *pool, int64_t most)
{
	int64_t last = __atomic_exchange_n(&pool->most, most, __ATOMIC_RELAXED);

	/* Places guard no data, here and below: their number is all. */
	__atomic_fetch_add(&pool->left, most - last, __ATOMIC_RELAXED);
}

void limits_init(struct limits *limits, unsigned int shards, int64_t files)
{
	memset(limits, 0, sizeof(*limits));
	limits->shards = shards;
	for (unsigned int i = 0; i < LIMITS_KINDS; i++)
		pool_set(&limits->pool[i],
			 i == LIMITS_FILES ? files : LIMITS_NONE);
}

void limits_set(struct limits *limits, const struct slirp_limits *to)
{
	const uint32_t most[] = {
		[LIMITS_TCP] = to->tcp_flows,
		[LIMITS_UDP] = to->udp_flows,
		[LIMITS_ICMP] = to->icmp_flows,
	};
	uint32_t half_open =
		(to->half_open + limits->shards - 1) / limits->shards;

	for (unsigned int i = 0; i < LIMITS_FILES; i++)
		pool_set(&limits->pool[i], most[i] ? most[i] : LIMITS_NONE);
	__atomic_store_n(&limits->half_open, half_open, __ATOMIC_RELAXED);
	__atomic_store_n(&limits->rate,
			 to->flow_rate < RATE_MAX ? to->flow_rate : 0,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&limits->flow_memory, to->flow_memory,
			 __ATOMIC_RELAXED);
}

void limits_reserve(struct limits *limits, int64_t files)
{
	__atomic_fetch_sub(&limits->pool[LIMITS_FILES].left, files,
			   __ATOMIC_RELAXED);
}

void limits_settle(struct limits *limits, struct limits_share *share)
{
	for (unsigned int i = 0; i < LIMITS_KINDS; i++)
		__atomic_fetch_add(&limits->pool[i].left, share->spare[i],
				   __ATOMIC_RELAXED);
	*share = (struct limits_share) { 0 };
}

bool limits_take(struct limits *limits, struct limits_share *share,
		 enum limits_kind kind)
{
	struct limits_pool *pool = &limits->pool[kind];
	int64_t left, take;

	if (share->spare[kind]) {
		share->spare[kind]--;
		return true;
	}
	left = __atomic_load_n(&pool->left, __ATOMIC_RELAXED);
	do {
		if (left <= 0)
			return false;
		take = limits_pool_handful(limits, kind);
		if (take > left)
			take = left;
	} while (!__atomic_compare_exchange_n(&pool->left, &left, left - take,
					      true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	share->spare[kind] = (uint32_t)take - 1;
	return true;
}

bool limits_are_low(const struct limits *limits, enum limits_kind kind)
{
	const struct limits_pool *pool = &limits->pool[kind];

	return __atomic_load_n(&pool->left, __ATOMIC_RELAXED) <
	       __atomic_load_n(&pool->most, __ATOMIC_RELAXED) / LOW_PART;
}

void limits_give(struct limits *limits, struct limits_share *share,
		 enum limits_kind kind)
{
	uint32_t keep = limits_pool_handful(limits, kind) - 1;

	/* Up to twice as many: who takes and gives by turns asks nobody. */
	if (++share->spare[kind] <= 2 * keep)
		return;
	__atomic_fetch_add(&limits->pool[kind].left, share->spare[kind] - keep,
			   __ATOMIC_RELAXED);
	share->spare[kind] = keep;
}

bool limits_take_token(struct limits *limits, struct limits_share *share,
		       uint64_t now_us)
{
	uint32_t rate = __atomic_load_n(&limits->rate, __ATOMIC_RELAXED);
	uint64_t now_ns = now_us * 1000, empty_ns, start_ns, take, step_ns;

	if (!rate || share->tokens) {
		share->tokens -= !!rate;
		return true;
	}
	step_ns = SECOND_NS / rate;
	empty_ns = __atomic_load_n(&limits->rate_empty_ns, __ATOMIC_RELAXED);
	do {
		start_ns = now_ns > SECOND_NS ? now_ns - SECOND_NS : 0;
		if (start_ns < empty_ns)
			start_ns = empty_ns;
		if (now_ns < start_ns + step_ns)
			return false;
		take = (now_ns - start_ns) / step_ns;
		if (take > limits_handful(limits, rate))
			take = limits_handful(limits, rate);
	} while (!__atomic_compare_exchange_n(
		&limits->rate_empty_ns, &empty_ns, start_ns + take * step_ns,
		true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	share->tokens = (uint32_t)take - 1;
	return true;
}
