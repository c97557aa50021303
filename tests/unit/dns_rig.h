/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DNS_RIG_H
#define MQVMM_TESTS_DNS_RIG_H

#include <netinet/in.h>

#include "support/fake_shard.h"

/*
 * A guest that asks for names, and two resolvers of the host's. All queries are
 * for "ab. A IN", from one port of the guest's.
 */

#define PORT      41000 /* the guest's */
#define QUERY_MAX 64

struct dns_rig {
	struct shard *shard;
	int resolver[2];
};

int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Return: the query's size, bytes */
size_t rig_make_query(uint8_t *query, uint16_t id);

/* The guest asks. */
void rig_ask(struct dns_rig *test, uint16_t id);

/* A resolver gets a query, or none. Return: from where */
struct sockaddr_in rig_expect_query(struct dns_rig *test, int resolver,
				    uint16_t id);
void rig_expect_no_query(struct dns_rig *test, int resolver);

/* A resolver answers, with a response code and some bytes behind the query. */
void rig_answer(struct dns_rig *test, int resolver,
		const struct sockaddr_in *to, uint16_t id, uint8_t rcode,
		size_t extra);

/* The guest gets an answer. */
void rig_expect_answer(struct dns_rig *test, uint16_t id, uint8_t rcode);

/* The first resolver answers with an address that lives for @ttl seconds, and
 * the guest gets that. */
void rig_answer_address(struct dns_rig *test, const struct sockaddr_in *to,
			uint16_t id, uint32_t ttl);

#endif
