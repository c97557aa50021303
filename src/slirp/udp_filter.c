/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/udp_filter.h"

#include <stdlib.h>

#include "slirp/flow.h"
#include "slirp/siphash.h"

/*
 * Theory of operation
 *
 * Who may write to a mapping is remembered as keyed hashes of the mapping and
 * its peer (RFC 4787, 5), in sets of FILTER_WAYS places. One that is not kept
 * up by the guest runs out with the mapping; in a full set the first to run out
 * gives way.
 *
 * Limits: a guest that writes to some ten thousand peers at a time may have to
 * write to one again before it hears of him. Two hashes of 64 bits that are the
 * same would let a stranger in; the key keeps him from looking for one.
 */

#define FILTER_SETS 4096 /* a power of two */
#define FILTER_WAYS 4

struct filter_place {
	uint64_t hash;
	uint64_t until_ms;
};

struct udp_filter {
	enum slirp_udp_filter behaviour;
	uint64_t secret[2];
	struct filter_place place[FILTER_SETS][FILTER_WAYS];
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

static uint64_t filter_hash(const struct udp_filter *filter,
			    const struct flow *mapping,
			    const struct slirp_endpoint *peer)
{
	struct {
		uint32_t slot, generation;
		struct in6_addr peer;
		uint32_t port;
	} key = {
		.slot = mapping->slot,
		.generation = mapping->generation,
		.peer = peer->address,
	};

	if (filter->behaviour == SLIRP_UDP_FILTER_PORT)
		key.port = peer->port;
	return siphash13(filter->secret, &key, sizeof(key));
}

void udp_filter_permit(struct udp_filter *filter, const struct flow *mapping,
		       const struct slirp_endpoint *peer, uint64_t until_ms)
{
	struct filter_place *set, *place;
	uint64_t hash;

	if (!filter)
		return;
	hash = filter_hash(filter, mapping, peer);
	set = filter->place[hash % FILTER_SETS];
	place = set;
	for (int i = 0; i < FILTER_WAYS && place->hash != hash; i++)
		if (set[i].hash == hash || set[i].until_ms < place->until_ms)
			place = &set[i];
	*place = (struct filter_place) { .hash = hash, .until_ms = until_ms };
}

bool udp_filter_allows(const struct udp_filter *filter,
		       const struct flow *mapping,
		       const struct slirp_endpoint *peer, uint64_t now_ms)
{
	const struct filter_place *set;
	uint64_t hash;

	if (!filter)
		return true;
	hash = filter_hash(filter, mapping, peer);
	set = filter->place[hash % FILTER_SETS];
	for (int i = 0; i < FILTER_WAYS; i++)
		if (set[i].hash == hash)
			return now_ms < set[i].until_ms;
	return false;
}
