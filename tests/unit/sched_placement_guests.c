/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/placement.h"
#include "support/fake_host.h"

/*
 * Eight guests start on a host one after the other, in every order. Guests of
 * one size are exchangeable, so an order of sizes stands for all of theirs.
 */

static const char *const hosts[] = {
	"cores=6 smt=2 siblings=adjacent small=8", /* a laptop */
	"packages=2 cores=64 smt=2 nodes=2",
	"packages=2 cores=16 smt=2 nodes=4", /* sub-NUMA */
	"l3=16 cores=8 smt=2",               /* EPYC */
	"cores=128",                         /* Arm-like */
	"cores=8 cgroup=v2 path=/ cpuset=1-3 quota=150000",
	"cores=16 nodes=4 bare=1,3",
	"cores=16 nodes=2 offline=1,5-6,15",
};

#define SIZES 3

static const unsigned int size[SIZES] = { 1, 2, 6 }; /* vCPUs, and shards */

struct run {
	struct topology *host;
	struct placement_request request;
	struct placement_taken taken;
	unsigned int left[SIZES]; /* guests that have not started */
	unsigned int orders;
};

static void assert_balance(const struct run *run)
{
	const struct topology *host = run->host;
	const uint16_t *threads = run->taken.threads;
	bool numa = run->request.policy == PLACEMENT_NUMA;

	for (unsigned int i = 0; i < host->usable_count; i++)
		for (unsigned int j = 0; j < host->usable_count; j++) {
			const struct topology_cpu *a = &host->cpu[i],
						  *b = &host->cpu[j];

			if (!numa || a->node == b->node)
				assert_true(threads[a->id] <=
					    threads[b->id] + 1);
		}
}

static void count(struct run *run, const struct placement *plan, int sign)
{
	for (unsigned int i = 0; i < plan->vcpus; i++)
		run->taken.threads[plan->vcpu[i]] += (uint16_t)sign;
	for (unsigned int i = 0; i < plan->shards; i++)
		run->taken.threads[plan->shard[i]] += (uint16_t)sign;
}

static void start_next(struct run *run);

static void start(struct run *run, unsigned int which)
{
	struct placement *plan = malloc(sizeof(*plan));

	run->request.vcpus = run->request.shards = size[which];
	run->request.memory_bytes = (uint64_t)size[which] << 28;
	assert_int_equal(placement_plan(run->host, &run->request, &run->taken,
					plan, NULL),
			 0);
	count(run, plan, 1);
	assert_balance(run);
	run->left[which]--;
	start_next(run);
	run->left[which]++;
	count(run, plan, -1);
	free(plan);
}

static void start_next(struct run *run)
{
	bool all = true;

	for (unsigned int i = 0; i < SIZES; i++) {
		if (!run->left[i])
			continue;
		all = false;
		start(run, i);
	}
	run->orders += all;
}

static void run_host(const char *text, enum placement_policy policy)
{
	struct run *run = calloc(1, sizeof(*run));
	char *root = fake_host_create(text);

	assert_int_equal(topology_read(root, &run->host, NULL), 0);
	placement_request_init(&run->request);
	run->request.policy = policy;
	run->left[0] = run->left[1] = 3;
	run->left[2] = 2;
	start_next(run);
	assert_int_equal(run->orders, 560); /* 8! / (3! 3! 2!) */
	topology_free(run->host);
	fake_host_destroy(root);
	free(run);
}

static void guests_do_not_pile_up(enum placement_policy policy)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		run_host(hosts[i], policy);
}

static void automatic_guests_do_not_pile_up(void **state)
{
	(void)state;
	guests_do_not_pile_up(PLACEMENT_AUTO);
}

static void compact_guests_do_not_pile_up(void **state)
{
	(void)state;
	guests_do_not_pile_up(PLACEMENT_COMPACT);
}

static void spread_guests_do_not_pile_up(void **state)
{
	(void)state;
	guests_do_not_pile_up(PLACEMENT_SPREAD);
}

static void numa_guests_do_not_pile_up_on_a_node(void **state)
{
	(void)state;
	guests_do_not_pile_up(PLACEMENT_NUMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(automatic_guests_do_not_pile_up),
		cmocka_unit_test(compact_guests_do_not_pile_up),
		cmocka_unit_test(spread_guests_do_not_pile_up),
		cmocka_unit_test(numa_guests_do_not_pile_up_on_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
