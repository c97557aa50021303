/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"
#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * Who gets a flow, and who gives way for it. Limits that somebody has set
 * refuse what is above them (limits.c). What merely is used up is taken from
 * whom it hurts least, the first of these that there is:
 *
 *	a connection that is over and only remembered,
 *	the oldest UDP or echo flow that nobody has answered,
 *	one that was answered, but has been idle for a while,
 *	the oldest TCP connection that is not established,
 *	an established one that has been silent for minutes.
 *
 * So a flood eats its own, and what is used stays.
 *
 * A shard lists its flows by class, the one idle for longest first. A flow
 * moves to its list's end when it does something, once a second at the most:
 * a packet costs a comparison, and the order is right to a second. Nothing here
 * looks at more than the lists' ends.
 *
 * Limits: a shard evicts its own flows only, but begins to before the last
 *place is taken: the rest is for shards that have nobody to evict.
 */

#define IDLE_TOUCH_MS    1000   /* flows are in order up to this */
#define EVICT_SLOTS_PART 16     /* of the slots, kept free for the next */
#define DATAGRAM_IDLE_MS 10000  /* a question has been answered by then */
#define STREAM_IDLE_MS   300000 /* silence that nobody minds the end of */

/* In which order classes give way, and after how long without traffic. */
static const struct {
	enum flow_class class;
	uint32_t idle_ms;
} flow_evictions[] = {
	{ FLOW_ENDED, 0 },
	{ FLOW_ASKING, 0 },
	{ FLOW_DATAGRAM, DATAGRAM_IDLE_MS },
	{ FLOW_HALF_OPEN, 0 },
	{ FLOW_STREAM, STREAM_IDLE_MS },
};

#define EVICTIONS (sizeof(flow_evictions) / sizeof(flow_evictions[0]))

/* Idle lists */

static uint32_t idle_now(const struct shard *shard)
{
	/* Differences stay right when it wraps, after 49 days. */
	return (uint32_t)shard_now_ms(shard);
}

static uint32_t *idle_next_of(struct shard *shard, struct flow_list *list,
			      uint32_t slot)
{
	return slot ? &flow_in_slot(shard, slot - 1)->idle_next : &list->first;
}

static uint32_t *idle_prev_of(struct shard *shard, struct flow_list *list,
			      uint32_t slot)
{
	return slot ? &flow_in_slot(shard, slot - 1)->idle_prev : &list->last;
}

static void idle_append(struct shard *shard, struct flow *flow)
{
	struct flow_list *list = &shard->idle[flow->class];

	flow->listed_ms = idle_now(shard);
	flow->idle_next = 0;
	flow->idle_prev = list->last;
	*idle_next_of(shard, list, list->last) = flow->slot + 1;
	list->last = flow->slot + 1;
	list->count++;
}

void flow_idle_remove(struct shard *shard, struct flow *flow)
{
	struct flow_list *list;

	if (flow->class == FLOW_PINNED)
		return;
	list = &shard->idle[flow->class];
	*idle_next_of(shard, list, flow->idle_prev) = flow->idle_next;
	*idle_prev_of(shard, list, flow->idle_next) = flow->idle_prev;
	list->count--;
}

void flow_idle_add(struct shard *shard, struct flow *flow)
{
	flow->class = flow->key.protocol == IPPROTO_TCP ? FLOW_HALF_OPEN
							: FLOW_ASKING;
	idle_append(shard, flow);
}

void flow_idle_adopt(struct shard *shard, struct flow *flow)
{
	if (flow->class != FLOW_PINNED)
		idle_append(shard, flow);
}

static void idle_move(struct shard *shard, struct flow *flow,
		      enum flow_class class)
{
	flow_idle_remove(shard, flow);
	flow->class = (uint8_t) class;
	if (class != FLOW_PINNED)
		idle_append(shard, flow);
}

void flow_touch(struct shard *shard, struct flow *flow)
{
	if (idle_now(shard) - flow->listed_ms >= IDLE_TOUCH_MS)
		idle_move(shard, flow, flow->class);
}

void flow_settle(struct shard *shard, struct flow *flow)
{
	if (flow->class == FLOW_HALF_OPEN)
		idle_move(shard, flow, FLOW_STREAM);
	else if (flow->class == FLOW_ASKING)
		idle_move(shard, flow, FLOW_DATAGRAM);
}

void flow_hear(struct shard *shard, struct flow *flow)
{
	if (flow->class == FLOW_ASKING)
		flow_settle(shard, flow);
	else
		flow_touch(shard, flow);
}

void flow_end(struct shard *shard, struct flow *flow)
{
	if (flow->class == FLOW_ENDED)
		return;
	flow_dismiss(shard, flow->key.protocol);
	idle_move(shard, flow, FLOW_ENDED);
}

void flow_pin(struct shard *shard, struct flow *flow)
{
	idle_move(shard, flow, FLOW_PINNED);
}

/* Evictions */

static bool evict_class(struct shard *shard, enum flow_class class,
			uint32_t idle_ms)
{
	uint32_t slot = shard->idle[class].first;
	struct flow *flow;

	if (!slot)
		return false;
	flow = flow_in_slot(shard, slot - 1);
	if (idle_now(shard) - flow->listed_ms < idle_ms)
		return false;
	flow->ops->abort(shard, flow);
	SHARD_COUNT(shard, flows_evicted, 1);
	return true;
}

bool flow_evict(struct shard *shard)
{
	for (unsigned int i = 0; i < EVICTIONS; i++)
		if (evict_class(shard, flow_evictions[i].class,
				flow_evictions[i].idle_ms))
			return true;
	return false;
}

/* Admission */

static enum limits_kind admit_kind(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return LIMITS_TCP;
	case IPPROTO_UDP:
		return LIMITS_UDP;
	default:
		return LIMITS_ICMP;
	}
}

static const char *const admit_limit_texts[] = {
	[LIMITS_TCP] = "more than tcp-flows= allows",
	[LIMITS_UDP] = "more than udp-flows= allows",
	[LIMITS_ICMP] = "more than icmp-flows= allows",
};

/* However many half-open ones there may be, half of the descriptors is left. */
static uint32_t admit_half_open(const struct limits *limits)
{
	int64_t half = __atomic_load_n(&limits->pool[LIMITS_FILES].most,
				       __ATOMIC_RELAXED) /
		       (2 * (int64_t)limits->shards);
	uint32_t set = __atomic_load_n(&limits->half_open, __ATOMIC_RELAXED);

	return set && set < half ? set : (uint32_t)half;
}

static void admit_cap_half_open(struct shard *shard)
{
	const struct flow_list *list = &shard->idle[FLOW_HALF_OPEN];
	uint32_t most = admit_half_open(&shard->slirp->limits);

	/* The second one makes up for a limit that was lowered. */
	for (int i = 0; i < 2 && list->count && list->count >= most; i++)
		evict_class(shard, FLOW_HALF_OPEN, 0);
}

/* Return: true if there is a slot, and a place for its descriptor */
static bool admit_room(struct shard *shard)
{
	struct limits *limits = &shard->slirp->limits;
	uint32_t most = shard->slirp->config.flows_max;
	uint32_t used = shard->live + shard->limbo;

	/* Begin early: a slot that is freed is free after a grace period only,
	 * and other shards, which may have nobody to evict, need places too. */
	if (most - used <= most / EVICT_SLOTS_PART ||
	    limits_are_low(limits, LIMITS_FILES))
		flow_evict(shard);
	if (used == most)
		return false;
	return limits_take(limits, &shard->share, LIMITS_FILES) ||
	       (flow_evict(shard) &&
		limits_take(limits, &shard->share, LIMITS_FILES));
}

/* Say it once: a limit that nobody knows of is a riddle. */
static void admit_notice(struct shard *shard, enum shard_notice notice,
			 const char *why)
{
	if (shard_first_notice(shard, notice))
		log_line("the guest was refused a flow: %s; further refusals "
			 "are only counted",
			 why);
}

static bool admit_limits(struct shard *shard, enum limits_kind kind)
{
	struct limits *limits = &shard->slirp->limits;

	if (!limits_take_token(limits, &shard->share, shard->now_us)) {
		SHARD_COUNT(shard, refused_rate, 1);
		admit_notice(shard, SHARD_NOTICE_RATE,
			     "more in a second than flow-rate= allows");
		return false;
	}
	if (!limits_take(limits, &shard->share, kind)) {
		SHARD_COUNT(shard, refused_limit, 1);
		admit_notice(shard, SHARD_NOTICE_LIMIT,
			     admit_limit_texts[kind]);
		return false;
	}
	return true;
}

bool flow_admit(struct shard *shard, uint8_t protocol)
{
	enum limits_kind kind = admit_kind(protocol);

	/* Not the guest's: it needs a slot, its descriptor was reserved. */
	if (protocol == FLOW_LISTENER)
		return shard->live + shard->limbo <
		       shard->slirp->config.flows_max;
	if (!admit_limits(shard, kind))
		return false;
	if (kind == LIMITS_TCP)
		admit_cap_half_open(shard);
	if (admit_room(shard))
		return true;
	limits_give(&shard->slirp->limits, &shard->share, kind);
	SHARD_COUNT(shard, refused_full, 1);
	admit_notice(shard, SHARD_NOTICE_FULL,
		     "all descriptors or slots are in use, see ulimit -Hn "
		     "and queue-flows=");
	return false;
}

void flow_dismiss(struct shard *shard, uint8_t protocol)
{
	struct limits *limits = &shard->slirp->limits;

	if (protocol == FLOW_LISTENER)
		return;
	limits_give(limits, &shard->share, admit_kind(protocol));
	limits_give(limits, &shard->share, LIMITS_FILES);
}
