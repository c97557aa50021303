/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/dns_internal.h"

/* Open queries: their copies, and which resolver is asked when. */

#define DNS_RETRY_MS  2000
#define DNS_TRIES_MAX 4
#define DNS_SENDS_MAX 2 /* the first may report an earlier datagram's error */

struct slirp_endpoint dns_address(const struct flow_key *key)
{
	return (struct slirp_endpoint) { .address = key->peer,
					 .port = key->peer_port };
}

struct slirp_endpoint dns_guest(const struct flow_key *key)
{
	return (struct slirp_endpoint) { .address = key->guest,
					 .port = key->guest_port };
}

struct dns_query *dns_query_find_repeated(struct dns_flow *dns,
					  const struct packet *packet)
{
	uint8_t copy[SHARD_KEEP_SIZE];
	struct cursor at = packet->l4;
	size_t size = at.left;

	if (size > sizeof(copy) || !cursor_take(&at, copy, size))
		return NULL;
	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		if (dns->query[i].keep && dns->query[i].size == size &&
		    memcmp(dns->query[i].keep, copy, size) == 0)
			return &dns->query[i];
	return NULL;
}

struct dns_query *dns_query_find_answered(struct dns_flow *dns,
					  const uint8_t *response, size_t size)
{
	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		if (dns->query[i].keep &&
		    dns_is_answer_to(dns->query[i].keep, dns->query[i].size,
				     response, size))
			return &dns->query[i];
	return NULL;
}

void dns_query_forget(struct shard *shard, struct dns_query *query)
{
	if (query->keep)
		shard_put_keep(shard, query->keep);
	query->keep = NULL;
}

/* Keep a copy. Return: the entry, NULL if there is none or no buffer */
static struct dns_query *dns_query_keep(struct shard *shard,
					struct dns_flow *dns,
					const struct packet *packet)
{
	struct dns_query *query = dns->query;
	struct cursor at = packet->l4;
	size_t size = at.left;

	while (query < dns->query + DNS_QUERIES_MAX && query->keep)
		query++;
	if (query == dns->query + DNS_QUERIES_MAX || size > SHARD_KEEP_SIZE)
		return NULL;
	*query = (struct dns_query) { .keep = shard_take_keep(shard),
				      .size = (uint16_t)size };
	if (query->keep && !cursor_take(&at, query->keep, size))
		dns_query_forget(shard, query);
	return query->keep ? query : NULL;
}

void dns_query_arm(struct shard *shard, struct dns_flow *dns)
{
	uint64_t deadline_ms = dns->idle_ms;

	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		if (dns->query[i].keep && dns->query[i].retry_ms < deadline_ms)
			deadline_ms = dns->query[i].retry_ms;
	timer_set(shard_timers(shard), &dns->flow.timer, deadline_ms);
}

/* Send a copy now, by a system call: rare. Return: 0 or negative errno */
static int dns_query_send(struct shard *shard, struct dns_flow *dns,
			  const struct dns_query *query)
{
	const struct slirp_endpoint *to =
		&shard_resolvers(shard)->endpoint[query->resolver];
	struct engine_op op = { .kind = ENGINE_SEND, .fd = dns->flow.sock };
	struct engine_op *list[] = { &op };

	op.message.msg_name = &op.address;
	op.message.msg_namelen =
		endpoint_to_sockaddr(to, dns->family, &op.address);
	op.message.msg_iovlen = 1;
	op.iov[0].iov_base = query->keep;
	op.iov[0].iov_len = query->size;
	for (int i = 0; i < DNS_SENDS_MAX; i++) {
		engine_run(shard_engine(shard), list, 1);
		if (op.result >= 0)
			return 0;
	}
	return op.result;
}

int dns_query_next(const struct shard *shard, const struct dns_query *query)
{
	if (query->tries >= DNS_TRIES_MAX)
		return -1;
	return resolvers_choose(shard_resolvers(shard),
				(unsigned int)(query->resolver + 1),
				query->failed, shard_now_ms(shard));
}

void dns_query_renew(const struct shard *shard, struct dns_flow *dns)
{
	const struct resolvers *resolvers = shard_resolvers(shard);

	if (dns->version == resolvers->version)
		return;
	dns->version = resolvers->version;
	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++) {
		dns->query[i].failed = 0;
		dns->query[i].resolver = -1;
	}
}

void dns_answer_error(struct shard *shard, const struct flow_key *key,
		      unsigned int queue, const uint8_t *query, size_t size,
		      uint8_t rcode)
{
	uint8_t frame[UDP_HEADROOM + DNS_ERROR_MAX];
	struct slirp_endpoint from = dns_address(key), to = dns_guest(key);

	size = dns_write_error(query, size, rcode, frame + UDP_HEADROOM);
	udp_deliver(shard, queue, &from, &to, frame + UDP_HEADROOM, size, 0);
}

static void dns_query_give_up(struct shard *shard, struct dns_flow *dns,
			      struct dns_query *query)
{
	dns_answer_error(shard, &dns->flow.key, dns->flow.rx_queue, query->keep,
			 query->size, DNS_SERVFAIL);
	dns_query_forget(shard, query);
}

void dns_query_ask_next(struct shard *shard, struct dns_flow *dns,
			struct dns_query *query)
{
	int next;

	while ((next = dns_query_next(shard, query)) >= 0) {
		query->resolver = (int8_t)next;
		query->tries++;
		query->retry_ms = shard_now_ms(shard) + DNS_RETRY_MS;
		if (!dns_query_send(shard, dns, query))
			return;
		resolvers_failed(shard_resolvers(shard), (unsigned int)next,
				 shard_now_ms(shard));
		query->failed |= (uint8_t)(1U << next);
	}
	dns_query_give_up(shard, dns, query);
}

void dns_query_hurry(struct shard *shard, struct dns_flow *dns,
		     struct dns_query *query)
{
	if (query->resolver >= 0)
		resolvers_failed(shard_resolvers(shard),
				 (unsigned int)query->resolver,
				 shard_now_ms(shard));
	dns_query_ask_next(shard, dns, query);
}

void dns_query_fail(struct shard *shard, struct dns_flow *dns,
		    struct dns_query *query)
{
	if (query->resolver >= 0)
		query->failed |= (uint8_t)(1U << query->resolver);
	dns_query_hurry(shard, dns, query);
}

/* @op->context: the query's index, DNS_QUERIES_MAX without a copy */
static void dns_query_sent(struct shard *shard, struct shard_op *op)
{
	struct dns_flow *dns = dns_of(op->flow);
	struct dns_query *query = &dns->query[op->context % DNS_QUERIES_MAX];

	if (op->op.result >= 0)
		return;
	if (op->context == DNS_QUERIES_MAX || !query->keep)
		SHARD_COUNT(shard, tx_dropped, 1);
	else if (dns_query_send(shard, dns, query))
		dns_query_fail(shard, dns, query);
	dns_query_arm(shard, dns);
}

/* Straight from the guest's frame: the copy is for later. */
void dns_query_forward(struct shard *shard, struct dns_flow *dns,
		       struct packet *packet)
{
	const struct resolvers *resolvers = shard_resolvers(shard);
	int first = resolvers_choose(resolvers, 0, 0, shard_now_ms(shard));
	struct dns_query *query = dns_query_keep(shard, dns, packet);
	struct shard_op *op =
		shard_queue_op(shard, &dns->flow, ENGINE_SEND, dns_query_sent);

	op->op.message.msg_iovlen = cursor_slice(&packet->l4, packet->l4.left,
						 op->op.iov, PORT_IOV_MAX);
	udp_set_name(op, dns->family, &resolvers->endpoint[first]);
	shard_carried_tx(shard, &dns->flow, packet->l4.left);
	op->context = DNS_QUERIES_MAX;
	if (!query) {
		dns->uncopied = true;
		return;
	}
	op->context = (uint64_t)(query - dns->query);
	query->resolver = (int8_t)first;
	query->tries = 1;
	query->retry_ms = shard_now_ms(shard) + DNS_RETRY_MS;
}
