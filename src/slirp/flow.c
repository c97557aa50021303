/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/flow.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "slirp/move.h"
#include "slirp/shard_internal.h"

/*
 * The private index is open addressing with linear probing, at most half full;
 * removal shifts entries back, so there are no tombstones.
 */

#define GENERATION_MASK 0xffffffU
#define RESERVE_PART    16 /* of the slots, that no flow moves into */

_Static_assert(sizeof(struct flow) <= FLOW_SLOT_SIZE, "a flow fits its slot");
/* Of a number of slots that is just above a power of two the index has less
 * than four entries for each, and the table less than one bucket. */
_Static_assert(FLOW_SLOT_SIZE + 4 * sizeof(struct index_entry) +
			       sizeof(struct cds_lfht_node) <=
		       FLOW_MEMORY_MAX,
	       "memory of a flow");
_Static_assert(FLOW_SLOT_SIZE % CACHE_LINE == 0, "no slots share a line");
OWN_LINES(flow, node, hash);

struct flow *flow_in_slot(const struct shard *shard, uint32_t slot)
{
	return (struct flow *)(shard->slab + (size_t)slot * FLOW_SLOT_SIZE);
}

/* The private index */

static void index_insert(struct shard *shard, uint32_t hash, uint32_t slot)
{
	uint32_t i = hash & shard->index_mask;

	while (shard->index_table[i].slot)
		i = (i + 1) & shard->index_mask;
	shard->index_table[i] =
		(struct index_entry) { .hash = hash, .slot = slot + 1 };
}

static void index_remove(struct shard *shard, uint32_t hash, uint32_t slot)
{
	struct index_entry *table = shard->index_table;
	uint32_t mask = shard->index_mask, hole = hash & mask, i;

	while (table[hole].slot != slot + 1)
		hole = (hole + 1) & mask;
	for (i = (hole + 1) & mask; table[i].slot; i = (i + 1) & mask) {
		/* An entry moves back unless its home lies behind the hole. */
		if (((i - table[i].hash) & mask) < ((i - hole) & mask))
			continue;
		table[hole] = table[i];
		hole = i;
	}
	table[hole].slot = 0;
}

struct flow *flow_find(struct shard *shard, const struct flow_key *key)
{
	uint32_t hash = flow_hash(shard->slirp, key);
	uint32_t i = hash & shard->index_mask;
	const struct index_entry *entry;

	for (; (entry = &shard->index_table[i])->slot;
	     i = (i + 1) & shard->index_mask) {
		struct flow *flow = flow_in_slot(shard, entry->slot - 1);

		if (entry->hash == hash && flow_key_equal(&flow->key, key))
			return flow;
	}
	return NULL;
}

/* Slots */

static struct flow *slot_take(struct shard *shard)
{
	struct flow *flow = shard->free_first;

	if (flow) {
		shard->free_first = flow->free_next;
		return flow;
	}
	if (shard->slab_used == shard->slirp->config.flows_max)
		return NULL;
	flow = flow_in_slot(shard, shard->slab_used);
	flow->slot = shard->slab_used++;
	return flow;
}

static void slot_init(struct shard *shard, struct flow *flow,
		      const struct flow_key *key, const struct flow_ops *ops)
{
	uint32_t slot = flow->slot, generation = flow->generation;

	memset((void *)flow, 0, FLOW_SLOT_SIZE);
	cds_lfht_node_init(&flow->node);
	flow->slot = slot;
	flow->generation = generation;
	flow->key = *key;
	flow->hash = flow_hash(shard->slirp, key);
	flow->owner = (uint16_t)shard->index;
	flow->rx_queue = (uint16_t)shard->input_queue;
	flow->sock = -1;
	flow->ops = ops;
	flow->made_us = shard->now_us;
	flow->active_us = shard->now_us;
}

/* Put a slot back that no other shard has seen, and that is no flow. */
static void slot_put(struct shard *shard, struct flow *flow)
{
	flow->ops = NULL;
	flow->free_next = shard->free_first;
	shard->free_first = flow;
}

struct flow *flow_create(struct shard *shard, const struct flow_key *key,
			 const struct flow_ops *ops, unsigned int *owner)
{
	struct flow *flow, *there;

	*owner = shard->index;
	if (!flow_admit(shard, key->protocol))
		return NULL;
	flow = slot_take(shard);
	slot_init(shard, flow, key, ops);
	there = flow_table_add(shard, flow);
	if (there != flow) {
		*owner = move_owner(shard, there);
		slot_put(shard, flow);
		flow_dismiss(shard, key->protocol);
		return NULL;
	}
	flow_idle_add(shard, flow);
	index_insert(shard, flow->hash, flow->slot);
	shard->live++;
	SHARD_COUNT(shard, flows_made, 1);
	return flow;
}

void flow_close_socket(struct shard *shard, struct flow *flow)
{
	if (flow->sock >= 0)
		engine_close(shard->engine, flow->sock, flow_token(flow));
	flow->sock = -1;
	flow_end(shard, flow);
}

/* Its slot is free after a grace period. */
static void flow_bury(struct shard *shard, struct flow *flow)
{
	flow->free_after = grace_tag(shard->slirp);
	flow->free_next = NULL;
	*shard->limbo_last = flow;
	shard->limbo_last = &flow->free_next;
}

void flow_depart(struct shard *shard, struct flow *flow)
{
	flow->dead = true;
	timer_cancel(&shard->timers, &flow->timer);
	index_remove(shard, flow->hash, flow->slot);
	flow_idle_remove(shard, flow);
	flow_bury(shard, flow);
	shard->live--;
	shard->limbo++;
}

void flow_free(struct shard *shard, struct flow *flow)
{
	if (flow->dead)
		return;
	if (!flow->unlisted)
		flow_table_remove(shard, flow);
	flow_close_socket(shard, flow);
	flow_depart(shard, flow);
	if (flow->move)
		move_end(shard, flow);
	SHARD_COUNT(shard, flows_ended, 1);
}

struct flow *flow_reserve(struct shard *shard, const struct flow_key *key,
			  const struct flow_ops *ops)
{
	uint32_t most = shard->slirp->config.flows_max;
	struct flow *place;

	if (most - (shard->live + shard->limbo) <= most / RESERVE_PART)
		return NULL;
	place = slot_take(shard);
	slot_init(shard, place, key, ops);
	place->dead = true;
	/* Pairs with the acquire in table_match(). */
	__atomic_store_n(&place->published, 1, __ATOMIC_RELEASE);
	shard->limbo++;
	return place;
}

void flow_unreserve(struct shard *shard, struct flow *place, bool listed)
{
	if (listed)
		flow_table_remove(shard, place);
	flow_bury(shard, place);
}

/* Of what others may read nothing is written. */
void flow_arrive(struct shard *shard, struct flow *place,
		 const struct flow *from)
{
	memcpy((void *)(place + 1), from + 1,
	       FLOW_SLOT_SIZE - sizeof(struct flow));
	place->rx_queue = from->rx_queue;
	place->class = from->class;
	place->sock = from->sock;
	place->tx_bytes = from->tx_bytes;
	place->rx_bytes = from->rx_bytes;
	place->made_us = from->made_us;
	place->active_us = from->active_us;
	place->moved_ms = (uint32_t)shard_now_ms(shard);
	place->dead = false;
	index_insert(shard, place->hash, place->slot);
	flow_idle_adopt(shard, place);
	if (from->timer.link)
		timer_set(&shard->timers, &place->timer,
			  from->timer.deadline_ms);
	shard->limbo--;
	shard->live++;
}

void flow_reclaim(struct shard *shard)
{
	struct flow *flow;

	while ((flow = shard->limbo_first) != NULL) {
		if (!grace_passed(shard->slirp, flow->free_after)) {
			grace_want(shard->slirp);
			return;
		}
		/* Still on a list that runs at its own time: look again then.
		 */
		if (flow->stalled || flow->ack_queued)
			return;
		shard->limbo_first = flow->free_next;
		if (!shard->limbo_first)
			shard->limbo_last = &shard->limbo_first;
		flow->generation = (flow->generation + 1) & GENERATION_MASK;
		flow->free_next = shard->free_first;
		shard->free_first = flow;
		shard->limbo--;
	}
}

uint64_t flow_token(const struct flow *flow)
{
	return TOKEN(TOKEN_FLOW, (uint64_t)flow->generation << 32 | flow->slot);
}

struct flow *flow_at(struct shard *shard, uint32_t slot, uint32_t generation)
{
	struct flow *flow;

	if (slot >= shard->slab_used)
		return NULL;
	flow = flow_in_slot(shard, slot);
	if (flow->dead || !flow->ops || flow->generation != generation)
		return NULL;
	return flow;
}

void flow_abort_all(struct shard *shard)
{
	for (uint32_t slot = 0; slot < shard->slab_used; slot++) {
		struct flow *flow = flow_in_slot(shard, slot);

		if (flow->ops && !flow->dead) {
			shard_make_room(shard);
			flow->ops->abort(shard, flow);
		}
	}
}

static void *flow_map(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

int flow_setup(struct shard *shard, struct fail *fail)
{
	size_t flows = shard->slirp->config.flows_max;
	uint32_t size = 64;

	while (size < 2 * flows)
		size *= 2;
	shard->index_mask = size - 1;
	shard->limbo_last = &shard->limbo_first;
	shard->slab = flow_map(flows * FLOW_SLOT_SIZE);
	shard->index_table = flow_map(size * sizeof(*shard->index_table));
	if (!shard->slab || !shard->index_table)
		return fail_set(fail, -ENOMEM,
				"no memory for %zu flows of a queue: give "
				"--net queue-flows= fewer, or see ulimit -v",
				flows);
	return 0;
}

void flow_teardown(struct shard *shard)
{
	size_t size = (size_t)shard->index_mask + 1;

	if (shard->slab)
		munmap(shard->slab,
		       shard->slirp->config.flows_max * (size_t)FLOW_SLOT_SIZE);
	if (shard->index_table)
		munmap(shard->index_table, size * sizeof(*shard->index_table));
}
