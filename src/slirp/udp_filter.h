/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_UDP_FILTER_H
#define MQVMM_SLIRP_UDP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "slirp/address.h"
#include "slirp/slirp.h"

struct flow;
struct udp_filter;

#define UDP_PERMITS_MAX 8

/* Who is meant is in the hash; nobody once the time has come. */
struct udp_permit {
	uint64_t hash;
	uint64_t until_ms;
};

/**
 * struct udp_permits - The mapping's own memory, all zeroes to begin with
 * @permit:	Those that last longest
 * @rest_ms:	Until when the shard's filter knows others
 */
struct udp_permits {
	struct udp_permit permit[UDP_PERMITS_MAX];
	uint64_t rest_ms;
};

/**
 * udp_filter_create() - Memory of whom a shard's guest ports have written to,
 *		as far as their own does not hold it
 * @behaviour:	Other than SLIRP_UDP_FILTER_OFF
 * @secret:	Keys the hash; the same for all shards
 *
 * Return: NULL without memory
 */
struct udp_filter *udp_filter_create(enum slirp_udp_filter behaviour,
				     const uint64_t secret[2]);
void udp_filter_destroy(struct udp_filter *filter);

/**
 * udp_filter_permit() - A mapping's guest port has written to a host's peer,
 *		who may answer until @until_ms
 * @filter:	May be NULL, also below
 */
void udp_filter_permit(struct udp_filter *filter, const struct flow *mapping,
		       struct udp_permits *own,
		       const struct slirp_endpoint *peer, uint64_t until_ms);

/* May a host's peer write to a mapping? Without a filter, anybody may. */
bool udp_filter_allows(const struct udp_filter *filter,
		       const struct flow *mapping,
		       const struct udp_permits *own,
		       const struct slirp_endpoint *peer, uint64_t now_ms);

/* Does a mapping's own memory hold all whom it has permitted? */
bool udp_permits_are_all(const struct udp_permits *own, uint64_t now_ms);

#endif
