/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/shard_internal.h"
#include "slirp/siphash.h"

/*
 * The one table that shards share: which of them owns a key. Whoever looks
 * something up is in a read-side section until its turn ends.
 */

#define TABLE_BUCKETS_MIN 1024
#define TABLE_FLOWS_FEW   65536 /* that may be over and not forgotten yet */

uint32_t flow_hash(const struct slirp *slirp, const struct flow_key *key)
{
	return (uint32_t)siphash13(slirp->secret, key, sizeof(*key));
}

bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int table_match(struct cds_lfht_node *node, const void *key)
{
	const struct flow *flow = caa_container_of(node, struct flow, node);

	/* Pairs with the releases in flow_table_add() and flow_reserve(). */
	return __atomic_load_n(&flow->published, __ATOMIC_ACQUIRE) &&
	       flow_key_equal(&flow->key, key);
}

/* Return: how many flows the table is made for: not those of all slots where
 * there are no descriptors for so many */
static uint64_t table_flows(const struct slirp *slirp)
{
	uint64_t slots =
		(uint64_t)slirp->config.flows_max * slirp->config.shard_count;
	uint64_t files = (uint64_t)slirp->limits.pool[LIMITS_FILES].most;

	if (files < TABLE_FLOWS_FEW)
		files = TABLE_FLOWS_FEW;
	return slots < files ? slots : files;
}

int flow_table_create(struct slirp *slirp, struct fail *fail)
{
	uint64_t flows = table_flows(slirp);
	unsigned long buckets = TABLE_BUCKETS_MIN;

	while (buckets < flows / 2)
		buckets *= 2;
	/* Presized, and written to by that: growing under load makes lookups a
	 * thousand times slower. */
	slirp->table = cds_lfht_new_flavor(buckets, buckets, buckets, 0,
					   &urcu_qsbr_flavor, NULL);
	if (!slirp->table)
		return fail_set(fail, -ENOMEM,
				"no memory for a table of %lu flows: give "
				"--net queue-flows= or queues= fewer",
				(unsigned long)flows);
	return 0;
}

void flow_table_destroy(struct slirp *slirp)
{
	if (slirp->table)
		cds_lfht_destroy(slirp->table, NULL);
}

const struct flow *flow_look_up(struct shard *shard, const struct flow_key *key)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(shard->slirp->table, flow_hash(shard->slirp, key),
			table_match, key, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct flow, node) : NULL;
}

struct flow *flow_table_add(struct shard *shard, struct flow *flow)
{
	struct cds_lfht_node *there;

	/* Pairs with the acquire in table_match(). */
	__atomic_store_n(&flow->published, 1, __ATOMIC_RELEASE);
	there = cds_lfht_add_unique(shard->slirp->table, flow->hash,
				    table_match, &flow->key, &flow->node);
	return caa_container_of(there, struct flow, node);
}

void flow_table_remove(struct shard *shard, struct flow *flow)
{
	cds_lfht_del(shard->slirp->table, &flow->node);
}

void flow_table_replace(struct shard *shard, struct flow *flow,
			struct flow *place)
{
	struct cds_lfht_iter iter;

	cds_lfht_lookup(shard->slirp->table, flow->hash, table_match,
			&flow->key, &iter);
	cds_lfht_replace(shard->slirp->table, &iter, flow->hash, table_match,
			 &flow->key, &place->node);
}
