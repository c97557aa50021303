/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "slirp/dns_cache.h"
#include "slirp/dns_internal.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * Queries to the DNS address go on to the host's resolvers, by a flow for each
 * of the guest's ports; nothing ever waits. A copy of a query is kept until it
 * is answered. Its next resolver is tried when one is unreachable or cannot
 * answer (at once), when the guest asks again, or after DNS_RETRY_MS. When
 * there is no resolver left, or after DNS_TRIES_MAX, the answer is SERVFAIL.
 * A resolver that failed is asked last for a while (resolvers.h).
 *
 * Answers are remembered (dns_cache.c): a query that one of them serves makes
 * no flow. Responses count only from a resolver, and to the question. What is
 * long comes in fragments, or truncated, and is asked for again by TCP, for
 * which tcp_dns.c chooses a resolver.
 *
 * Limits: beyond DNS_QUERIES_MAX open queries on one port, or SHARD_KEEP_SIZE
 * bytes, a query is passed on once, without a copy; its answer is passed on
 * unread.
 */

/* The payload of a query. Return: false if it is none */
static bool dns_take_query(struct packet *packet, struct dns_header *header)
{
	uint8_t start[DNS_HEADER_SIZE];
	struct udphdr udp;
	struct cursor at;

	if (!udp_take_header(packet, &udp))
		return false;
	at = packet->l4;
	return cursor_take(&at, start, sizeof(start)) &&
	       dns_header_parse(start, sizeof(start), header) &&
	       !header->response;
}

/* The shard's answers of the resolvers of the moment, NULL without a cache */
static struct dns_cache *dns_cache_of(struct shard *shard)
{
	struct dns_cache *cache = shard_dns_cache(shard);

	if (cache)
		dns_cache_set_source(cache, shard_resolvers(shard)->version);
	return cache;
}

/* Answer from memory. Return: true if it could be done */
static bool dns_answer_known(struct shard *shard, const struct flow_key *key,
			     const struct packet *payload)
{
	uint8_t frame[UDP_HEADROOM + DNS_CACHE_SIZE_MAX];
	struct dns_cache *cache = dns_cache_of(shard);
	struct slirp_endpoint from = dns_address(key), to = dns_guest(key);
	uint8_t query[DNS_CACHEABLE_MAX];
	struct cursor at = payload->l4;
	struct dns_question question;
	size_t size = at.left;

	if (!cache || size > sizeof(query) || !cursor_take(&at, query, size) ||
	    !dns_question_parse(query, size, &question))
		return false;
	size = dns_cache_find(cache, query, &question, shard_now_ms(shard),
			      frame + UDP_HEADROOM);
	if (!size) {
		SHARD_COUNT(shard, dns_cache_misses, 1);
		return false;
	}
	SHARD_COUNT(shard, dns_cache_hits, 1);
	udp_deliver(shard, shard_input_queue(shard), &from, &to,
		    frame + UDP_HEADROOM, size,
		    (uint16_t)shard_counters(shard)->dns_cache_hits);
	return true;
}

static void dns_refuse(struct shard *shard, const struct flow_key *key,
		       const struct packet *payload, uint8_t rcode)
{
	uint8_t query[DNS_ERROR_MAX];
	struct cursor at = payload->l4;
	size_t size;

	if (cursor_take_most(&at, query, sizeof(query), &size))
		dns_answer_error(shard, key, shard_input_queue(shard), query,
				 size, rcode);
}

/* Answer at once, without a resolver. Return: true if it could be done */
static bool dns_answer_here(struct shard *shard, const struct flow_key *key,
			    const struct packet *payload)
{
	const struct slirp_endpoint dns = dns_address(key);
	struct slirp_endpoint host;
	bool refused =
		nat_admit(shard, IPPROTO_UDP, &dns.address, dns.port, &host);

	SHARD_COUNT(shard, dns_queries, 1);
	if (!refused && shard_resolvers(shard)->count)
		return dns_answer_known(shard, key, payload);
	dns_refuse(shard, key, payload, refused ? DNS_REFUSED : DNS_SERVFAIL);
	return true;
}

static void dns_abort(struct shard *shard, struct flow *flow)
{
	struct dns_flow *dns = dns_of(flow);

	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		dns_query_forget(shard, &dns->query[i]);
	flow_free(shard, flow);
}

/* Its socket cannot reach the new resolvers: begin anew. */
static void dns_reopen(struct shard *shard, struct flow *flow,
		       struct packet *packet)
{
	struct flow_key key = flow->key;

	dns_abort(shard, flow);
	dns_open(shard, &key, packet);
}

static void dns_input(struct shard *shard, struct flow *flow,
		      struct packet *packet)
{
	struct dns_flow *dns = dns_of(flow);
	struct dns_header header;
	struct dns_query *query;

	if (dns->family != resolvers_family(shard_resolvers(shard))) {
		dns_reopen(shard, flow, packet);
		return;
	}
	dns_query_renew(shard, dns);
	if (!dns_take_query(packet, &header)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	if (dns_answer_here(shard, &flow->key, packet))
		return;
	dns->idle_ms = shard_now_ms(shard) + UDP_DNS_IDLE_MS;
	query = dns_query_find_repeated(dns, packet);
	if (query)
		dns_query_ask_next(shard, dns, query);
	else
		dns_query_forward(shard, dns, packet);
	dns_query_arm(shard, dns);
}

/* Answers */

/* Another resolver may know better (RFC 2308, 7.1). */
static bool dns_is_failure(const struct dns_header *header)
{
	return header->rcode == DNS_SERVFAIL || header->rcode == DNS_NOTIMP ||
	       header->rcode == DNS_REFUSED;
}

/* Return: true if @query now waits for another resolver's answer */
static bool dns_try_another(struct shard *shard, struct dns_flow *dns,
			    struct dns_query *query, int resolver)
{
	query->failed |= (uint8_t)(1U << resolver);
	if (query->resolver >= 0 && query->resolver != resolver &&
	    !(query->failed >> query->resolver & 1))
		return true;
	if (dns_query_next(shard, query) < 0)
		return false;
	dns_query_ask_next(shard, dns, query);
	return true;
}

static void dns_query_answered(struct shard *shard, struct dns_query *query,
			       const uint8_t *data, size_t size)
{
	struct dns_cache *cache = dns_cache_of(shard);

	if (cache)
		dns_cache_store(cache, query->keep, query->size, data, size,
				shard_now_ms(shard));
	dns_query_forget(shard, query);
}

static void dns_received(struct shard *shard, struct dns_flow *dns,
			 struct shard_op *op)
{
	uint8_t *data = op->op.iov[0].iov_base;
	size_t size = (size_t)op->op.result;
	struct slirp_endpoint from = endpoint_from_sockaddr(&op->op.address);
	struct slirp_endpoint to = udp_guest(&dns->flow);
	struct dns_header header;
	struct dns_query *query;
	int resolver;

	dns_query_renew(shard, dns);
	resolver = resolvers_find(shard_resolvers(shard), &from);
	if (resolver < 0 || !dns_header_parse(data, size, &header) ||
	    !header.response)
		return;
	query = dns_query_find_answered(dns, data, size);
	if (!query && !dns->uncopied)
		return;
	resolvers_answered(shard_resolvers(shard), (unsigned int)resolver);
	if (query && dns_is_failure(&header) &&
	    dns_try_another(shard, dns, query, resolver))
		return;
	if (query)
		dns_query_answered(shard, query, data, size);
	from = dns_address(&dns->flow.key);
	shard_carried_rx(shard, &dns->flow, size);
	udp_deliver(shard, dns->flow.rx_queue, &from, &to, data, size,
		    dns->fragment_id++);
}

static void dns_pulled(struct shard *shard, struct shard_op *op)
{
	struct dns_flow *dns = dns_of(op->flow);

	dns->pulling = false;
	if (op->op.result < 0)
		return;
	dns_received(shard, dns, op);
	dns_query_arm(shard, dns);
	shard_queue_ack(shard, op->flow);
}

static void dns_resume(struct shard *shard, struct flow *flow)
{
	struct dns_flow *dns = dns_of(flow);
	struct shard_op *op;

	if (dns->pulling)
		return;
	dns->pulling = true;
	op = shard_queue_op(shard, flow, ENGINE_RECV, dns_pulled);
	op->op.iov[0].iov_base = shard_op_buffer(shard, op) + UDP_HEADROOM;
	op->op.iov[0].iov_len = UDP_DATA_MAX;
	op->op.message.msg_iovlen = 1;
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen = sizeof(op->op.address);
}

static bool dns_is_unreachable(const struct host_error *error)
{
	return error->type ==
	       (error->is4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH);
}

static void dns_told(struct shard *shard, struct shard_op *op)
{
	struct dns_flow *dns = dns_of(op->flow);
	struct host_error error;
	int resolver;

	if (!host_error_take(op, &error))
		return;
	dns_query_renew(shard, dns);
	resolver = resolvers_find(shard_resolvers(shard), &error.destination);
	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		if (resolver >= 0 && dns_is_unreachable(&error) &&
		    dns->query[i].keep && dns->query[i].resolver == resolver)
			dns_query_fail(shard, dns, &dns->query[i]);
	dns_query_arm(shard, dns);
	host_error_queue(shard, op->flow, dns_told);
}

/* The flow's life */

static void dns_event(struct shard *shard, struct flow *flow,
		      unsigned int ready)
{
	if (ready & ENGINE_ERROR)
		host_error_queue(shard, flow, dns_told);
	dns_resume(shard, flow);
}

static void dns_timer(struct shard *shard, struct flow *flow)
{
	struct dns_flow *dns = dns_of(flow);
	uint64_t now_ms = shard_now_ms(shard);

	dns_query_renew(shard, dns);
	for (unsigned int i = 0; i < DNS_QUERIES_MAX; i++)
		if (dns->query[i].keep && dns->query[i].retry_ms <= now_ms)
			dns_query_hurry(shard, dns, &dns->query[i]);
	if (dns->idle_ms <= now_ms)
		dns_abort(shard, flow);
	else
		dns_query_arm(shard, dns);
}

static void dns_inspect(struct flow *flow, struct slirp_flow *info)
{
	(void)flow;
	info->state = "DNS";
}

const struct flow_ops dns_flow_ops = {
	.input = dns_input,
	.event = dns_event,
	.timer = dns_timer,
	.resume = dns_resume,
	.abort = dns_abort,
	.inspect = dns_inspect,
};

/* Return: false, with the flow freed, if there is no socket */
static bool dns_open_socket(struct shard *shard, struct dns_flow *dns)
{
	const struct resolvers *resolvers = shard_resolvers(shard);
	int sock, off = 0;

	dns->version = resolvers->version;
	dns->family = resolvers_family(resolvers);
	sock = udp_make_socket(shard, dns->family);
	if (sock < 0) {
		flow_free(shard, &dns->flow);
		return false;
	}
	dns->flow.sock = sock;
	/* It sends to resolvers of IPv4 as well, whatever bindv6only says. */
	if (dns->family == AF_INET6)
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return true;
}

int dns_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet)
{
	struct packet payload = *packet;
	struct dns_header header;
	unsigned int owner;
	struct flow *flow;

	if (!dns_take_query(&payload, &header)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return -1;
	}
	if (dns_answer_here(shard, key, &payload))
		return -1;
	flow = flow_create(shard, key, &dns_flow_ops, &owner);
	if (!flow && owner != shard_index(shard))
		return (int)owner;
	if (!flow || !dns_open_socket(shard, dns_of(flow))) {
		SHARD_COUNT(shard, flows_refused, 1);
		dns_refuse(shard, key, &payload, DNS_SERVFAIL);
		return -1;
	}
	dns_of(flow)->fragment_id =
		(uint16_t)(shard_secret(shard, 3) + flow->hash);
	SHARD_COUNT(shard, udp_flows, 1);
	engine_watch(shard_engine(shard), flow->sock, ENGINE_READABLE,
		     flow_token(flow));
	dns_of(flow)->idle_ms = shard_now_ms(shard) + UDP_DNS_IDLE_MS;
	dns_query_forward(shard, dns_of(flow), &payload);
	dns_query_arm(shard, dns_of(flow));
	return -1;
}
