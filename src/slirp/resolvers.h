/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_RESOLVERS_H
#define MQVMM_SLIRP_RESOLVERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "slirp/slirp.h"

/*
 * Theory of operation
 *
 * Whom the host asks for names, for all shards. A list does not change once it
 * is published; another one takes its place. Only what is known of the
 * resolvers' health is written to by the shards that use it: a hint, for which
 * nobody waits.
 */

#define RESOLVERS_SHUN_MS 30000 /* how long one that failed is asked last */

/**
 * struct resolvers - The host's resolvers and search domains
 * @endpoint:	In the order in which they are asked
 * @count:	Of @endpoint, may be 0
 * @version:	Tells this list from the one before
 * @shunned_ms:	Until then a resolver is asked last; atomic, pairs with nothing
 * @domain:	The guest's, may be empty
 * @search:	Domains, with a space between them, may be empty
 */
struct resolvers {
	struct slirp_endpoint endpoint[SLIRP_RESOLVERS_MAX];
	unsigned int count;
	uint64_t version;
	uint64_t shunned_ms[SLIRP_RESOLVERS_MAX];
	char domain[SLIRP_DOMAIN_SIZE];
	char search[SLIRP_SEARCH_SIZE];
};

/* What a configuration says by itself; the rest is left empty. */
void resolvers_init(struct resolvers *resolvers,
		    const struct slirp_config *config);

/**
 * resolvers_set_search() - Complete the domains
 * @search:	Search domains, where there are none yet; may be empty
 *
 * The first of them is the guest's domain, if it has no other; its domain is
 * the one to search, if there is no other.
 */
void resolvers_set_search(struct resolvers *resolvers, const char *search);

/* Do two lists say the same? Health and version are not looked at. */
bool resolvers_equal(const struct resolvers *a, const struct resolvers *b);

/* Return: AF_INET6 if one of them needs it, which then serves all; AF_INET */
sa_family_t resolvers_family(const struct resolvers *resolvers);

/* Return: which one an endpoint is, -1 if none */
int resolvers_find(const struct resolvers *resolvers,
		   const struct slirp_endpoint *from);

/**
 * resolvers_choose() - Whom to ask
 * @first:	Where to begin in the list; any number
 * @except:	A bit for each that is out of question
 * @now_ms:	CLOCK_MONOTONIC, milliseconds
 *
 * Those that failed lately come last.
 *
 * Return: an index, -1 if there is none
 *
 * Context: any thread in an RCU read-side critical section.
 */
int resolvers_choose(const struct resolvers *resolvers, unsigned int first,
		     unsigned int except, uint64_t now_ms);

/* Resolver @index did not answer, or cannot be reached. */
void resolvers_failed(struct resolvers *resolvers, unsigned int index,
		      uint64_t now_ms);

/* It did. */
void resolvers_answered(struct resolvers *resolvers, unsigned int index);

#endif
