/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolvers.h"

#include <string.h>

void resolvers_init(struct resolvers *resolvers,
		    const struct slirp_config *config)
{
	memset(resolvers, 0, sizeof(*resolvers));
	resolvers->count = config->resolver_count;
	memcpy(resolvers->endpoint, config->resolver,
	       sizeof(resolvers->endpoint));
	memcpy(resolvers->domain, config->domain, sizeof(resolvers->domain));
	memcpy(resolvers->search, config->search, sizeof(resolvers->search));
}

void resolvers_set_search(struct resolvers *resolvers, const char *search)
{
	size_t first;

	if (!resolvers->search[0])
		memcpy(resolvers->search, search, strlen(search) + 1);
	if (!resolvers->search[0])
		memcpy(resolvers->search, resolvers->domain,
		       sizeof(resolvers->domain));
	first = strcspn(resolvers->search, " ");
	if (!resolvers->domain[0] && first < sizeof(resolvers->domain))
		memcpy(resolvers->domain, resolvers->search, first);
}

bool resolvers_equal(const struct resolvers *a, const struct resolvers *b)
{
	if (a->count != b->count || strcmp(a->domain, b->domain) != 0 ||
	    strcmp(a->search, b->search) != 0)
		return false;
	for (unsigned int i = 0; i < a->count; i++)
		if (!endpoint_equal(&a->endpoint[i], &b->endpoint[i]) ||
		    a->endpoint[i].scope != b->endpoint[i].scope)
			return false;
	return true;
}

sa_family_t resolvers_family(const struct resolvers *resolvers)
{
	for (unsigned int i = 0; i < resolvers->count; i++)
		if (!address_is4(&resolvers->endpoint[i].address))
			return AF_INET6;
	return AF_INET;
}

int resolvers_find(const struct resolvers *resolvers,
		   const struct slirp_endpoint *from)
{
	for (unsigned int i = 0; i < resolvers->count; i++)
		if (endpoint_equal(&resolvers->endpoint[i], from))
			return (int)i;
	return -1;
}

static bool resolvers_is_shunned(const struct resolvers *resolvers,
				 unsigned int index, uint64_t now_ms)
{
	return __atomic_load_n(&resolvers->shunned_ms[index],
			       __ATOMIC_RELAXED) > now_ms;
}

int resolvers_choose(const struct resolvers *resolvers, unsigned int first,
		     unsigned int except, uint64_t now_ms)
{
	int last = -1;

	for (unsigned int i = 0; i < resolvers->count; i++) {
		unsigned int next = (first + i) % resolvers->count;

		if (except >> next & 1)
			continue;
		if (!resolvers_is_shunned(resolvers, next, now_ms))
			return (int)next;
		if (last < 0)
			last = (int)next;
	}
	return last;
}

void resolvers_failed(struct resolvers *resolvers, unsigned int index,
		      uint64_t now_ms)
{
	__atomic_store_n(&resolvers->shunned_ms[index],
			 now_ms + RESOLVERS_SHUN_MS, __ATOMIC_RELAXED);
}

void resolvers_answered(struct resolvers *resolvers, unsigned int index)
{
	if (__atomic_load_n(&resolvers->shunned_ms[index], __ATOMIC_RELAXED))
		__atomic_store_n(&resolvers->shunned_ms[index], 0,
				 __ATOMIC_RELAXED);
}
