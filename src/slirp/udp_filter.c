/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/udp_filter.h"

#include <stdlib.h>

#include "slirp/flow.h"
#include "slirp/siphash.h"

/*
 * Theory of operation
 *
 * Who may write to a mapping is remembered as keyed hashes of its peers (RFC
 * 4787, 5). One that is not kept up by the guest runs out with the mapping. A
 * few are in the mapping itself, and go along when it moves to another shard;
 * of more than that the first to run out is put into the shard's filter, hashed
 * with the mapping, in a set of FILTER_WAYS places. There, too, the first to
 * run out gives way.
 *
 * Limits: a guest that writes to some ten thousand peers at a time may have to
 * write to one again before it hears of him. Two hashes of 64 bits that are the
 * same would let a stranger in; the key keeps him from looking for one.
 */

#define FILTER_SETS 4096 /* a power of two */
#define FILTER_WAYS 4

struct udp_filter {
	enum slirp_udp_filter behaviour;
	uint64_t secret[2];
	struct udp_permit place[FILTER_SETS][FILTER_WAYS];
};

struct udp_filter *udp_filter_create(enum slirp_udp_filter behaviour,
				     const uint64_t secret[2])
{
	struct udp_filter *filter = calloc(1, sizeof(*filter));

	if (!filter)
		return NULL;
	filter->behaviour = behaviour;
	filter->secret[0] = secret[0];
	filter->secret[1] = secret[1];
	return filter;
}

void udp_filter_destroy(struct udp_filter *filter)
{
	free(filter);
}

static uint64_t filter_hash_peer(const struct udp_filter *filter,
				 const struct slirp_endpoint *peer)
{
	struct {
		struct in6_addr peer;
		uint32_t port;
	} key = { .peer = peer->address };

	if (filter->behaviour == SLIRP_UDP_FILTER_PORT)
		key.port = peer->port;
	return siphash13(filter->secret, &key, sizeof(key));
}

/* Of a peer of this mapping, in the shard's filter */
static uint64_t filter_hash(const struct udp_filter *filter,
			    const struct flow *mapping, uint64_t peer)
{
	struct {
		uint32_t slot, generation;
		uint64_t peer;
	} key = {
		.slot = mapping->slot,
		.generation = mapping->generation,
		.peer = peer,
	};

	return siphash13(filter->secret, &key, sizeof(key));
}

/* Put one into a set. Return: the one that had to give way */
static struct udp_permit filter_put(struct udp_permit *set, unsigned int ways,
				    uint64_t hash, uint64_t until_ms)
{
	struct udp_permit *place = set, last;

	for (unsigned int i = 0; i < ways && place->hash != hash; i++)
		if (set[i].hash == hash || set[i].until_ms < place->until_ms)
			place = &set[i];
	last = *place;
	*place = (struct udp_permit) { .hash = hash, .until_ms = until_ms };
	return last;
}

static bool filter_has(const struct udp_permit *set, unsigned int ways,
		       uint64_t hash, uint64_t now_ms)
{
	for (unsigned int i = 0; i < ways; i++)
		if (set[i].hash == hash)
			return now_ms < set[i].until_ms;
	return false;
}

void udp_filter_permit(struct udp_filter *filter, const struct flow *mapping,
		       struct udp_permits *own,
		       const struct slirp_endpoint *peer, uint64_t until_ms)
{
	struct udp_permit last;
	uint64_t hash;

	if (!filter)
		return;
	hash = filter_hash_peer(filter, peer);
	last = filter_put(own->permit, UDP_PERMITS_MAX, hash, until_ms);
	if (!last.until_ms || last.hash == hash)
		return;
	if (own->rest_ms < last.until_ms)
		own->rest_ms = last.until_ms;
	hash = filter_hash(filter, mapping, last.hash);
	filter_put(filter->place[hash % FILTER_SETS], FILTER_WAYS, hash,
		   last.until_ms);
}

bool udp_filter_allows(const struct udp_filter *filter,
		       const struct flow *mapping,
		       const struct udp_permits *own,
		       const struct slirp_endpoint *peer, uint64_t now_ms)
{
	uint64_t hash;

	if (!filter)
		return true;
	hash = filter_hash_peer(filter, peer);
	if (filter_has(own->permit, UDP_PERMITS_MAX, hash, now_ms))
		return true;
	if (udp_permits_are_all(own, now_ms))
		return false;
	hash = filter_hash(filter, mapping, hash);
	return filter_has(filter->place[hash % FILTER_SETS], FILTER_WAYS, hash,
			  now_ms);
}

bool udp_permits_are_all(const struct udp_permits *own, uint64_t now_ms)
{
	return own->rest_ms <= now_ms;
}
