/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/shard_internal.h"

#define STRIDE       2654435761U /* prime: visits every flow once */
#define TURN         64          /* lookups between quiescent states */
#define FILES_ENOUGH (1U << 30)  /* flows of ours have none */

/* One shard's thread. */
struct table_thread {
	struct table *table;
	struct shard *shard;
	pthread_t thread;
	uint64_t done[TABLE_PHASES];
	uint64_t cpu_ns[TABLE_PHASES];
};

struct table {
	struct table_load load;
	struct slirp *slirp;
	pthread_barrier_t phase;
	struct table_thread thread[TABLE_SHARDS_MAX];
};

static void table_abort(struct shard *shard, struct flow *flow)
{
	flow_free(shard, flow);
}

static const struct flow_ops table_ops = { .abort = table_abort };

static uint64_t cpu_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Flow @number of a shard; no shard has those of number table_load.flows up. */
static struct flow_key table_key(const struct slirp *slirp, unsigned int shard,
				 uint32_t number)
{
	struct flow_key key = { .protocol = IPPROTO_TCP };

	key.guest = address_from4(slirp->config.guest);
	key.guest_port = (uint16_t)(1024 + shard);
	key.peer =
		address_from4((struct in_addr) { htonl(0x0b000000U + number) });
	key.peer_port = 443;
	return key;
}

static bool table_create(struct table_thread *thread,
			 const struct flow_key *key)
{
	unsigned int owner;
	struct flow *flow = flow_create(thread->shard, key, &table_ops, &owner);

	if (flow)
		flow_settle(thread->shard, flow);
	return flow;
}

static bool table_remove(struct table_thread *thread,
			 const struct flow_key *key)
{
	struct flow *flow = flow_find(thread->shard, key);

	if (flow)
		flow_free(thread->shard, flow);
	return flow;
}

/* As input.c does. */
static int table_owner(struct shard *shard, const struct flow_key *key)
{
	const struct flow *flow = flow_find(shard, key);

	if (!flow)
		flow = flow_look_up(shard, key);
	return flow ? flow->owner : -1;
}

/* Return: true if it went as it should */
static bool table_step(struct table_thread *thread, enum table_phase phase,
		       uint32_t number)
{
	const struct table *table = thread->table;
	unsigned int shard = thread->shard->index;
	struct flow_key key;

	if (phase == TABLE_SHARED)
		shard = (shard + 1) % table->load.shards;
	if (phase == TABLE_MISS)
		number += table->load.flows;
	key = table_key(table->slirp, shard, number);
	if (phase == TABLE_CREATE)
		return table_create(thread, &key);
	if (phase == TABLE_REMOVE)
		return table_remove(thread, &key);
	return table_owner(thread->shard, &key) ==
	       (phase == TABLE_MISS ? -1 : (int)shard);
}

static void table_run_phase(struct table_thread *thread, enum table_phase phase)
{
	uint32_t flows = thread->table->load.flows;
	uint64_t start = cpu_now_ns();

	urcu_qsbr_thread_online();
	for (uint32_t i = 0; i < flows; i++) {
		uint32_t number = (uint32_t)((uint64_t)i * STRIDE % flows);

		thread->done[phase] += table_step(thread, phase, number);
		if (i % TURN == 0)
			urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_thread_offline();
	thread->cpu_ns[phase] = cpu_now_ns() - start;
}

static void *table_thread_main(void *context)
{
	struct table_thread *thread = context;
	pthread_barrier_t *barrier = &thread->table->phase;

	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
	for (unsigned int phase = 0; phase < TABLE_PHASES; phase++) {
		pthread_barrier_wait(barrier);
		table_run_phase(thread, phase);
		pthread_barrier_wait(barrier);
	}
	urcu_qsbr_unregister_thread();
	return NULL;
}

static void table_run_threads(struct table *table, struct table_result *result)
{
	for (unsigned int phase = 0; phase < TABLE_PHASES; phase++) {
		pthread_barrier_wait(&table->phase);
		pthread_barrier_wait(&table->phase);
		if (phase == TABLE_CREATE)
			result->full_bytes = table_memory();
	}
}

static void table_sum(const struct table *table, struct table_result *result)
{
	double flows = (double)table->load.flows * table->load.shards;

	for (unsigned int i = 0; i < table->load.shards; i++)
		for (unsigned int phase = 0; phase < TABLE_PHASES; phase++) {
			const struct table_thread *thread = &table->thread[i];

			result->done[phase] += thread->done[phase];
			result->cost_ns[phase] +=
				(double)thread->cpu_ns[phase] / flows;
		}
}

static int table_start(struct table *table, struct fail *fail)
{
	int ret = 0;

	pthread_barrier_init(&table->phase, NULL, table->load.shards + 1);
	for (unsigned int i = 0; !ret && i < table->load.shards; i++) {
		struct table_thread *thread = &table->thread[i];

		thread->table = table;
		thread->shard = table->slirp->shard[i];
		ret = pthread_create(&thread->thread, NULL, table_thread_main,
				     thread);
	}
	/* Those that began wait for the rest: there is no way back. */
	return ret ? fail_set(fail, -ret, "cannot start a thread") : 0;
}

static void table_finish(struct table *table)
{
	for (unsigned int i = 0; i < table->load.shards; i++)
		pthread_join(table->thread[i].thread, NULL);
	pthread_barrier_destroy(&table->phase);
}

static int table_set_up(struct table *table, struct fail *fail)
{
	/* Nothing runs that would use a port. */
	static struct port none;
	struct port *port[TABLE_SHARDS_MAX];
	struct slirp_config config;

	slirp_config_init(&config);
	config.shard_count = table->load.shards;
	config.flows_max = table->load.flows;
	config.files_max = FILES_ENOUGH;
	config.dns_cache = false;
	for (unsigned int i = 0; i < table->load.shards; i++)
		port[i] = &none;
	return slirp_create(&config, port, &table->slirp, fail);
}

int table_run(const struct table_load *load, struct table_result *result,
	      struct fail *fail)
{
	struct table table = { .load = *load };
	uint64_t before = table_memory();
	int ret;

	memset(result, 0, sizeof(*result));
	if (load->shards < 1 || load->shards > TABLE_SHARDS_MAX || !load->flows)
		return fail_set(fail, -EINVAL, "1 to %d shards have flows",
				TABLE_SHARDS_MAX);
	ret = table_set_up(&table, fail);
	if (ret)
		return ret;
	result->empty_bytes = table_memory() - before;
	ret = table_start(&table, fail);
	if (!ret) {
		table_run_threads(&table, result);
		table_finish(&table);
		table_sum(&table, result);
		result->full_bytes -= before;
	}
	slirp_destroy(table.slirp);
	return ret;
}
