/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_H
#define MQVMM_SLIRP_DNS_H

#include <netinet/udp.h>

#include "slirp/shard.h"

#define DNS_PORT 53

/**
 * dns_send_failure() - Answer a query with SERVFAIL (RFC 1035, 4.1.1)
 * @packet:	The query's frame
 * @header:	Its UDP header
 * @payload:	Cursor at the query; one that is too short or no query is not
 *		answered
 *
 * For a host without a resolver: the guest learns at once, not by a time-out.
 *
 * Context: the shard's thread, inside a turn.
 */
void dns_send_failure(struct shard *shard, const struct packet *packet,
		      const struct udphdr *header, struct cursor payload);

#endif
