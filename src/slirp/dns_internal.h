/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_INTERNAL_H
#define MQVMM_SLIRP_DNS_INTERNAL_H

#include "slirp/dns_message.h"
#include "slirp/resolvers.h"
#include "slirp/udp_internal.h"

/*
 * What dns.c (the guest's and the resolvers' messages) and dns_query.c (who is
 * asked, and when) share.
 */

#define DNS_QUERIES_MAX 8

/**
 * struct dns_query - A query that is not answered yet
 * @keep:	The copy, NULL if the entry is free
 * @size:	Of the copy, bytes
 * @resolver:	Asked last, of the list that the flow knows; -1: none of it
 * @tries:	How often it was sent
 * @failed:	A bit for each resolver that said no
 * @retry_ms:	When to ask the next one
 */
struct dns_query {
	uint8_t *keep;
	uint16_t size;
	int8_t resolver;
	uint8_t tries;
	uint8_t failed;
	uint64_t retry_ms;
};

/**
 * struct dns_flow - A port of the guest's that asks
 * @idle_ms:	When it ends
 * @query:	Open ones
 * @uncopied:	Some query was passed on without a copy: answers cannot be told
 * @pulling:	A receive is queued
 * @family:	Of the socket, resolvers_family()
 * @version:	Of the list of resolvers that is known
 * @fragment_id: Of the next long answer
 */
struct dns_flow {
	struct flow flow;
	uint64_t idle_ms;
	uint64_t version;
	struct dns_query query[DNS_QUERIES_MAX];
	bool uncopied;
	bool pulling;
	sa_family_t family;
	uint16_t fragment_id;
};

_Static_assert(sizeof(struct dns_flow) <= FLOW_SLOT_SIZE, "it fits its slot");

static inline struct dns_flow *dns_of(struct flow *flow)
{
	return (struct dns_flow *)flow;
}

/* dns_query.c */

/* The DNS address, as a flow's key has it. */
struct slirp_endpoint dns_address(const struct flow_key *key);

/* The guest's end. */
struct slirp_endpoint dns_guest(const struct flow_key *key);

/* Return: the open query that @packet->l4 says once more, NULL if none */
struct dns_query *dns_query_find_repeated(struct dns_flow *dns,
					  const struct packet *packet);

/* Return: the open query that a response answers, NULL if none */
struct dns_query *dns_query_find_answered(struct dns_flow *dns,
					  const uint8_t *response, size_t size);

/* A query is answered: give its copy back. */
void dns_query_forget(struct shard *shard, struct dns_query *query);

/**
 * dns_query_forward() - Ask a resolver, of which there is one, with the turn's
 *		batch
 * @packet:	@packet->l4 is the query, which is kept if it can be
 */
void dns_query_forward(struct shard *shard, struct dns_flow *dns,
		       struct packet *packet);

/* Return: the next resolver to ask, -1 if there is none */
int dns_query_next(const struct shard *shard, const struct dns_query *query);

/* The host has other resolvers: open queries begin anew with the first. */
void dns_query_renew(const struct shard *shard, struct dns_flow *dns);

/* Ask the next resolver now; without one the guest is told SERVFAIL. */
void dns_query_ask_next(struct shard *shard, struct dns_flow *dns,
			struct dns_query *query);

/* The resolver that was asked last does not answer: ask the next one too. */
void dns_query_hurry(struct shard *shard, struct dns_flow *dns,
		     struct dns_query *query);

/* The resolver that was asked last cannot be reached. */
void dns_query_fail(struct shard *shard, struct dns_flow *dns,
		    struct dns_query *query);

/* Set the flow's timer to the earliest of its deadlines. */
void dns_query_arm(struct shard *shard, struct dns_flow *dns);

/**
 * dns_answer_error() - Answer a query ourselves
 * @key:	Its flow's, whether there is one or not
 * @queue:	Receive queue
 * @rcode:	DNS_SERVFAIL or DNS_REFUSED
 */
void dns_answer_error(struct shard *shard, const struct flow_key *key,
		      unsigned int queue, const uint8_t *query, size_t size,
		      uint8_t rcode);

#endif
