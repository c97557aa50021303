/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/log.h"
#include "slirp/resolv.h"
#include "slirp/resolv_watch.h"
#include "slirp/shard_internal.h"
#include "slirp/tsan.h"

/*
 * Theory of operation
 *
 * What changes while shards run is an immutable object behind a pointer. A
 * shard reads the pointer anew for each packet, and keeps the object until its
 * turn ends at the most; a writer puts a new object in its place and frees the
 * old one after a grace period, when every shard has ended a turn.
 */

#define FILES_RESERVED  256 /* descriptors for all but the network */
#define FILES_PER_SHARD 192 /* ... for what is no flow of a shard's */
#define FILES_MAX       (1 << 30)

static struct slirp_policy *settings_copy(const struct slirp_policy *policy)
{
	struct slirp_policy *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *policy;
	return copy;
}

/* Return: the resolvers that the host has now, NULL without memory */
static struct resolvers *settings_read_resolvers(const struct slirp *slirp)
{
	struct resolvers *resolvers = malloc(sizeof(*resolvers));

	if (!resolvers)
		return NULL;
	resolvers_init(resolvers, &slirp->config);
	resolv_read(slirp->config.resolv_conf, resolvers);
	return resolvers;
}

/*
 * Of the descriptors that this process may open some are for the rest of it,
 * and some of each shard's are in the air: made in advance, or to be closed at
 * the turn's end.
 */
static int64_t settings_files(const struct slirp_config *config)
{
	int64_t most, rest, shards = config->shard_count;
	struct rlimit limit;

	if (config->files_max)
		return config->files_max;
	if (getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_cur > (rlim_t)FILES_MAX)
		return FILES_MAX;
	most = (int64_t)limit.rlim_cur;
	rest = FILES_RESERVED + FILES_PER_SHARD * shards;
	return most / 2 > most - rest ? most / 2 : most - rest;
}

int settings_setup(struct slirp *slirp, struct fail *fail)
{
	pthread_mutex_init(&slirp->settings_lock, NULL);
	slirp->limits_set = slirp->config.limits;
	limits_init(&slirp->limits, slirp->config.shard_count,
		    settings_files(&slirp->config));
	limits_set(&slirp->limits, &slirp->limits_set);
	slirp->policy = settings_copy(&slirp->config.policy);
	slirp->resolvers = settings_read_resolvers(slirp);
	if (!slirp->policy || !slirp->resolvers)
		return fail_set(fail, -ENOMEM,
				"no memory for the network's settings");
	return 0;
}

void settings_teardown(struct slirp *slirp)
{
	free(slirp->policy);
	free(slirp->resolvers);
	pthread_mutex_destroy(&slirp->settings_lock);
}

/* Only the grace thread writes here once the shards run. */
static void settings_set_resolvers(struct slirp *slirp, struct resolvers *next)
{
	struct resolvers *last = slirp->resolvers;

	if (resolvers_equal(last, next)) {
		free(next);
		return;
	}
	if (last->count && !next->count)
		log_line("%s names no resolver now: the guest's names are not "
			 "resolved until it does",
			 slirp->config.resolv_conf);
	next->version = last->version + 1;
	/* Pairs with the load in shard_look_around(). */
	__atomic_store_n(&slirp->resolvers, next, __ATOMIC_RELEASE);
	urcu_qsbr_synchronize_rcu();
	tsan_acquire(&slirp->grace);
	free(last);
}

int settings_follow(struct slirp *slirp, int watch)
{
	const char *path = slirp->config.resolv_conf;
	struct resolvers *next;

	if (slirp->config.resolver_count)
		return -1;
	if (watch >= 0)
		close(watch);
	watch = resolv_watch_open(path);
	if (watch < 0)
		log_line("cannot watch %s (%s): its changes are not followed",
			 path, strerror(-watch));
	next = settings_read_resolvers(slirp);
	if (next)
		settings_set_resolvers(slirp, next);
	return watch;
}

const struct slirp_policy *shard_policy(const struct shard *shard)
{
	/* Pairs with the exchange in slirp_set_policy(). */
	return __atomic_load_n(&shard->slirp->policy, __ATOMIC_ACQUIRE);
}

int slirp_set_policy(struct slirp *slirp, const struct slirp_policy *policy)
{
	struct slirp_policy *next = settings_copy(policy), *last;

	if (!next)
		return -ENOMEM;
	pthread_mutex_lock(&slirp->settings_lock);
	/* Pairs with the load in shard_policy(). */
	last = __atomic_exchange_n(&slirp->policy, next, __ATOMIC_ACQ_REL);
	urcu_qsbr_synchronize_rcu();
	tsan_acquire(&slirp->grace);
	pthread_mutex_unlock(&slirp->settings_lock);
	free(last);
	return 0;
}

void slirp_get_policy(struct slirp *slirp, struct slirp_policy *policy)
{
	/* Whoever holds the lock is the only one who could free it. */
	pthread_mutex_lock(&slirp->settings_lock);
	*policy = *slirp->policy;
	pthread_mutex_unlock(&slirp->settings_lock);
}

/* On the shard's thread, between two turns. */
static void settings_settle(void *context)
{
	struct shard *shard = context;

	limits_settle(&shard->slirp->limits, &shard->share);
}

void slirp_set_limits(struct slirp *slirp, const struct slirp_limits *limits)
{
	pthread_mutex_lock(&slirp->settings_lock);
	slirp->limits_set = *limits;
	limits_set(&slirp->limits, limits);
	for (unsigned int i = 0; i < slirp->config.shard_count; i++)
		slirp_call_shard(slirp, i, settings_settle, slirp->shard[i]);
	pthread_mutex_unlock(&slirp->settings_lock);
}

void slirp_get_limits(struct slirp *slirp, struct slirp_limits *limits)
{
	pthread_mutex_lock(&slirp->settings_lock);
	*limits = slirp->limits_set;
	pthread_mutex_unlock(&slirp->settings_lock);
}
