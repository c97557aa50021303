/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_UDP_FILTER_H
#define MQVMM_SLIRP_UDP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "slirp/address.h"
#include "slirp/slirp.h"

struct flow;
struct udp_filter;

/**
 * udp_filter_create() - Memory of whom a shard's guest ports have written to
 * @behaviour:	Other than SLIRP_UDP_FILTER_OFF
 * @secret:	Keys the hash
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
		       const struct slirp_endpoint *peer, uint64_t until_ms);

/* May a host's peer write to a mapping? Without a filter, anybody may. */
bool udp_filter_allows(const struct udp_filter *filter,
		       const struct flow *mapping,
		       const struct slirp_endpoint *peer, uint64_t now_ms);

#endif
