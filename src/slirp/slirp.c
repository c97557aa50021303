/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/slirp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "slirp/move.h"
#include "slirp/pcap.h"
#include "slirp/shard_internal.h"

static void slirp_go_near(const struct slirp_config *config, unsigned int shard)
{
	if (config->near)
		config->near(config->near_context, shard);
}

static int slirp_create_shards(struct slirp *slirp, struct port *const *port,
			       struct fail *fail)
{
	unsigned int count = slirp->config.shard_count;
	int ret = 0;

	slirp->shard = calloc(count, sizeof(struct shard *));
	if (!slirp->shard)
		return fail_set(fail, -ENOMEM, "no memory for %u shards",
				count);
	for (unsigned int i = 0; !ret && i < count; i++) {
		slirp_go_near(&slirp->config, i);
		ret = shard_create(slirp, i, port[i], &slirp->shard[i], fail);
	}
	slirp_go_near(&slirp->config, count);
	return ret;
}

static int slirp_init(struct slirp *slirp, const struct slirp_config *config,
		      struct port *const *port, struct fail *fail)
{
	int ret;

	slirp->config = *config;
	slirp->queues = 1;
	pthread_mutex_init(&slirp->call_lock, NULL);
	if (getrandom(slirp->secret, sizeof(slirp->secret), 0) !=
	    (ssize_t)sizeof(slirp->secret))
		return fail_set(fail, -EIO, "the host has no random numbers");
	ret = settings_setup(slirp, fail);
	if (!ret)
		ret = flow_table_create(slirp, fail);
	if (!ret)
		ret = slirp_create_shards(slirp, port, fail);
	if (!ret)
		ret = forward_open(slirp, fail);
	return ret;
}

int slirp_create(const struct slirp_config *config, struct port *const *port,
		 struct slirp **out, struct fail *fail)
{
	struct slirp *slirp;
	int ret;

	if (config->shard_count < 1 || config->shard_count > UINT16_MAX)
		return fail_set(fail, -EINVAL,
				"%u queues are not possible: use 1 to 1024",
				config->shard_count);
	if (posix_memalign((void **)&slirp, CACHE_LINE, sizeof(*slirp)))
		return fail_set(fail, -ENOMEM, "no memory for the network");
	memset(slirp, 0, sizeof(*slirp));
	ret = slirp_init(slirp, config, port, fail);
	if (ret) {
		slirp_destroy(slirp);
		return ret;
	}
	*out = slirp;
	return 0;
}

static void slirp_stop_shards(struct slirp *slirp)
{
	for (unsigned int i = 0; i < slirp->config.shard_count; i++)
		if (slirp->shard[i])
			shard_stop(slirp->shard[i]);
}

int slirp_start(struct slirp *slirp,
		uint32_t (*place)(void *context, unsigned int shard),
		void *context, struct fail *fail)
{
	int ret = grace_start(slirp, fail);

	for (unsigned int i = 0; !ret && i < slirp->config.shard_count; i++) {
		slirp->shard[i]->place = place;
		slirp->shard[i]->place_context = context;
		ret = shard_start(slirp->shard[i], fail);
	}
	if (ret) {
		slirp_stop_shards(slirp);
		grace_stop(slirp);
		return ret;
	}
	slirp->engine_name = engine_name(slirp->shard[0]->engine);
	forward_report(slirp);
	return 0;
}

void slirp_destroy(struct slirp *slirp)
{
	struct pcap_result result;

	if (!slirp)
		return;
	if (slirp->pcap)
		slirp_pcap_stop(slirp, &result, NULL);
	if (slirp->shard) {
		slirp_stop_shards(slirp);
		grace_stop(slirp);
		for (unsigned int i = 0; i < slirp->config.shard_count; i++)
			if (slirp->shard[i])
				move_abandon(slirp->shard[i]);
		for (unsigned int i = 0; i < slirp->config.shard_count; i++)
			shard_destroy(slirp->shard[i]);
		free(slirp->shard);
	}
	forward_close(slirp);
	flow_table_destroy(slirp);
	settings_teardown(slirp);
	pthread_mutex_destroy(&slirp->call_lock);
	free(slirp);
}

void slirp_call_shard(struct slirp *slirp, unsigned int shard,
		      void (*call)(void *context), void *context)
{
	struct shard *to = slirp->shard[shard];
	struct shard_call work = { .call = call, .context = context };

	if (!to->started) {
		call(context);
		return;
	}
	sem_init(&work.done, 0, 0);
	pthread_mutex_lock(&slirp->call_lock);
	/* Pairs with the exchange in shard_run_call(). */
	__atomic_store_n(&to->call, &work, __ATOMIC_RELEASE);
	shard_wake(to);
	while (sem_wait(&work.done))
		;
	pthread_mutex_unlock(&slirp->call_lock);
	sem_destroy(&work.done);
}

void slirp_set_queues(struct slirp *slirp, unsigned int count)
{
	if (count < 1 || count > slirp->config.shard_count)
		return;
	__atomic_store_n(&slirp->queues, count, __ATOMIC_RELAXED);
	/* The first has the kernel spread what comes in over as many, the
	 * others give their flows away. */
	shard_wake(slirp->shard[0]);
	for (unsigned int i = count; i < slirp->config.shard_count; i++)
		shard_wake(slirp->shard[i]);
}

const char *slirp_engine_name(const struct slirp *slirp)
{
	return slirp->engine_name;
}
