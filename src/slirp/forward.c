/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/log.h"
#include "slirp/forward_internal.h"

/*
 * Theory of operation
 *
 * The table of forwards belongs to the front end's threads, under a lock that
 * no shard takes. Sockets are opened on the caller's thread and handed to the
 * shards one after the other, between two turns of theirs (slirp_call_shard());
 * each shard has its own array of what it serves, in the same places. What was
 * accepted is a flow like any other and does not look back at its forward.
 *
 * Limits: SLIRP_FORWARDS_MAX forwards of up to SLIRP_FORWARD_PORTS_MAX ports; a
 * port takes a descriptor for each shard, and all together at most half of the
 * process's limit.
 */

struct forward_table {
	pthread_mutex_t lock;
	struct forward *forward[SLIRP_FORWARDS_MAX];
	unsigned int last_id;
	size_t sockets;
};

struct forward_call {
	struct shard *shard;
	struct forward *forward;
	unsigned int place;
};

static void forward_attach(void *context)
{
	const struct forward_call *call = context;

	call->shard->forward[call->place] = call->forward;
	/* Before slirp_start() there is nobody to serve it yet. */
	if (call->shard->engine)
		forward_begin(call->shard, call->place);
}

static void forward_detach(void *context)
{
	const struct forward_call *call = context;

	if (call->shard->engine)
		forward_end(call->shard, call->place);
	call->shard->forward[call->place] = NULL;
}

/* The engine closes a socket at the wait behind the turn that asked for it. */
static void forward_wait_turn(void *context)
{
	(void)context;
}

static void forward_call_all(struct slirp *slirp, struct forward *forward,
			     unsigned int place, void (*call)(void *context))
{
	for (unsigned int i = 0; i < slirp->config.shard_count; i++) {
		struct forward_call context = { .shard = slirp->shard[i],
						.forward = forward,
						.place = place };

		slirp_call_shard(slirp, i, call, &context);
	}
}

static int forward_check_room(const struct forward_table *table, size_t sockets,
			      struct fail *fail)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) ||
	    table->sockets + sockets <= limit.rlim_cur / 2)
		return 0;
	return fail_set(fail, -EMFILE,
			"%zu descriptors for forwards, one for each port and "
			"queue, are more than half of the %llu that are "
			"allowed: raise the limit with ulimit -n",
			table->sockets + sockets,
			(unsigned long long)limit.rlim_cur);
}

/* @rule is complete, @place free. */
static int forward_add(struct slirp *slirp, unsigned int place,
		       const struct slirp_forward *rule, struct fail *fail)
{
	struct forward_table *table = slirp->forwards;
	unsigned int shards = slirp->config.shard_count;
	size_t sockets = (size_t)shards * rule->count;
	struct forward *forward;
	int ret = forward_check_room(table, sockets, fail);

	if (ret)
		return ret;
	forward = calloc(1,
			 sizeof(*forward) + sockets * sizeof(forward->port[0]));
	if (!forward)
		return fail_set(fail, -ENOMEM, "no memory for a forward");
	forward->rule = *rule;
	forward->shards = shards;
	forward->id = place + 1;
	ret = forward_listen(forward, fail);
	if (ret) {
		free(forward);
		return ret;
	}
	table->sockets += sockets;
	limits_reserve(&slirp->limits, (int64_t)sockets);
	table->forward[place] = forward;
	/* Pairs with the load in input.c; a flow that it does not see yet would
	 * be a client's whose first datagram has not come either. */
	if (rule->protocol == IPPROTO_UDP)
		__atomic_store_n(&slirp->udp_forwards, true, __ATOMIC_RELAXED);
	forward_call_all(slirp, forward, place, forward_attach);
	return 0;
}

/* A rule that has been completed may be given again. */
static int forward_open_pass(struct slirp *slirp, bool chosen,
			     struct fail *fail)
{
	struct slirp_config *config = &slirp->config;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < config->forward_count; i++) {
		struct slirp_forward *rule = &config->forward[i];

		if ((rule->host.port == 0) != chosen)
			continue;
		ret = slirp_forward_check(config, rule, fail);
		if (!ret)
			ret = forward_add(slirp, i, rule, fail);
	}
	return ret;
}

int forward_open(struct slirp *slirp, struct fail *fail)
{
	int ret;

	slirp->forwards = calloc(1, sizeof(*slirp->forwards));
	if (!slirp->forwards)
		return fail_set(fail, -ENOMEM, "no memory for forwards");
	pthread_mutex_init(&slirp->forwards->lock, NULL);
	slirp->forwards->last_id = slirp->config.forward_count;
	/* A port that the host chooses must not be one that is wanted. */
	ret = forward_open_pass(slirp, false, fail);
	return ret ? ret : forward_open_pass(slirp, true, fail);
}

void forward_close(struct slirp *slirp)
{
	struct forward_table *table = slirp->forwards;

	if (!table)
		return;
	for (unsigned int i = 0; i < SLIRP_FORWARDS_MAX; i++) {
		if (!table->forward[i])
			continue;
		forward_unlisten(table->forward[i]);
		free(table->forward[i]);
	}
	pthread_mutex_destroy(&table->lock);
	free(table);
}

void forward_report(const struct slirp *slirp)
{
	const struct slirp_config *config = &slirp->config;
	char text[SLIRP_FORWARD_TEXT_MAX];

	/* Those of the configuration have their places in its order. */
	for (unsigned int i = 0; i < config->forward_count; i++)
		if (!config->forward[i].host.port)
			log_line("forward %s",
				 slirp_forward_format(
					 &slirp->forwards->forward[i]->rule,
					 text));
}

static unsigned int forward_free_place(const struct forward_table *table)
{
	unsigned int place = 0;

	while (place < SLIRP_FORWARDS_MAX && table->forward[place])
		place++;
	return place;
}

int slirp_forward_add(struct slirp *slirp, const struct slirp_forward *forward,
		      unsigned int *id, struct fail *fail)
{
	struct forward_table *table = slirp->forwards;
	struct slirp_forward rule = *forward;
	unsigned int place;
	int ret = slirp_forward_check(&slirp->config, &rule, fail);

	if (ret)
		return ret;
	pthread_mutex_lock(&table->lock);
	place = forward_free_place(table);
	if (place == SLIRP_FORWARDS_MAX)
		ret = fail_set(fail, -ENOSPC,
			       "there are %d forwards already: remove one",
			       SLIRP_FORWARDS_MAX);
	else
		ret = forward_add(slirp, place, &rule, fail);
	if (!ret)
		*id = table->forward[place]->id = ++table->last_id;
	pthread_mutex_unlock(&table->lock);
	return ret;
}

static void forward_remove(struct slirp *slirp, unsigned int place)
{
	struct forward_table *table = slirp->forwards;
	struct forward *forward = table->forward[place];
	size_t sockets = (size_t)forward->shards * forward->rule.count;

	forward_call_all(slirp, forward, place, forward_detach);
	forward_call_all(slirp, forward, place, forward_wait_turn);
	table->forward[place] = NULL;
	table->sockets -= sockets;
	limits_reserve(&slirp->limits, -(int64_t)sockets);
	forward_unlisten(forward);
	free(forward);
}

int slirp_forward_remove(struct slirp *slirp, unsigned int id,
			 struct fail *fail)
{
	struct forward_table *table = slirp->forwards;
	unsigned int place = 0;

	pthread_mutex_lock(&table->lock);
	while (place < SLIRP_FORWARDS_MAX &&
	       (!table->forward[place] || table->forward[place]->id != id))
		place++;
	if (place < SLIRP_FORWARDS_MAX)
		forward_remove(slirp, place);
	pthread_mutex_unlock(&table->lock);
	if (place == SLIRP_FORWARDS_MAX)
		return fail_set(fail, -ENOENT,
				"there is no forward %u: list those there are",
				id);
	return 0;
}

unsigned int slirp_forward_list(const struct slirp *slirp,
				struct slirp_forward_entry *entry)
{
	struct forward_table *table = slirp->forwards;
	unsigned int count = 0;

	pthread_mutex_lock(&table->lock);
	for (unsigned int i = 0; i < SLIRP_FORWARDS_MAX; i++) {
		if (!table->forward[i])
			continue;
		entry[count].id = table->forward[i]->id;
		entry[count++].forward = table->forward[i]->rule;
	}
	pthread_mutex_unlock(&table->lock);
	return count;
}
