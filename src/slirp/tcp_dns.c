/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/nat.h"
#include "slirp/resolvers.h"
#include "slirp/tcp_internal.h"

/*
 * Connections to the DNS address lead to a resolver: the first that has not
 * failed lately, by TCP or by UDP. One that refuses, or does not answer within
 * TCP_DNS_PATIENCE_MS, is left for the next before the guest hears of it; the
 * last one gets the time that any peer gets.
 */

#define TCP_DNS_PORT        53
#define TCP_DNS_PATIENCE_MS 2000

bool tcp_dns_is(const struct shard *shard, const struct flow_key *key)
{
	return key->peer_port == TCP_DNS_PORT &&
	       nat_is_dns(shard_config(shard), &key->peer);
}

bool tcp_dns_choose(const struct shard *shard, unsigned int tried,
		    struct slirp_endpoint *host)
{
	const struct resolvers *resolvers = shard_resolvers(shard);
	int index = resolvers_choose(resolvers, 0, tried, shard_now_ms(shard));

	if (index >= 0)
		*host = resolvers->endpoint[index];
	return index >= 0;
}

void tcp_dns_begin(struct shard *shard, struct tcp_flow *tcp,
		   const struct slirp_endpoint *host)
{
	int index = resolvers_find(shard_resolvers(shard), host);

	if (index < 0 || !tcp_dns_is(shard, &tcp->flow.key))
		return;
	tcp->resolver = (uint8_t)index;
	tcp->resolvers_tried |= (uint8_t)(1U << index);
	tcp->resend_due = shard_now_ms(shard) + TCP_DNS_PATIENCE_MS;
}

bool tcp_dns_next(struct shard *shard, struct tcp_flow *tcp,
		  struct slirp_endpoint *host)
{
	if (!tcp->resolvers_tried)
		return false;
	resolvers_failed(shard_resolvers(shard), tcp->resolver,
			 shard_now_ms(shard));
	return tcp_dns_choose(shard, tcp->resolvers_tried, host);
}

void tcp_dns_answered(struct shard *shard, struct tcp_flow *tcp)
{
	if (!tcp->resolvers_tried)
		return;
	tcp->resend_due = 0;
	resolvers_answered(shard_resolvers(shard), tcp->resolver);
}
