/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/placement.h"

static void fill(struct topology *topology, unsigned int count)
{
	memset(topology, 0, sizeof(*topology));
	topology->usable_count = count;
	topology->node_count = 1;
	for (unsigned int i = 0; i < count; i++)
		topology->cpu[i].id = topology->cpu[i].core = 10 + i;
}

static void place(const struct topology *topology, unsigned int vcpus,
		  unsigned int shards, struct placement *plan)
{
	static struct placement_request request;

	placement_request_init(&request);
	request.vcpus = vcpus;
	request.shards = shards;
	assert_int_equal(placement_plan(topology, &request, NULL, plan, NULL),
			 0);
}

static void enough_cpus_give_each_thread_its_own(void **state)
{
	bool used[64] = { false };
	static struct topology topology;
	struct placement plan;

	(void)state;
	fill(&topology, 8);
	place(&topology, 4, 4, &plan);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(plan.shard[i], plan.vcpu[i] + 1);
		assert_false(used[plan.vcpu[i]] || used[plan.shard[i]]);
		used[plan.vcpu[i]] = used[plan.shard[i]] = true;
	}
}

static void few_cpus_keep_a_shard_off_its_vcpu(void **state)
{
	static struct topology topology;
	struct placement plan;

	(void)state;
	fill(&topology, 2);
	place(&topology, 2, 2, &plan);
	assert_int_equal(plan.vcpu[0], 10);
	assert_int_equal(plan.shard[0], 11);
	assert_int_equal(plan.vcpu[1], 11);
	assert_int_equal(plan.shard[1], 10);
}

/* Every thread on an allowed CPU, balanced to one, the same plan again. */
static void plans_hold_for_any_host_and_guest(void **state)
{
	static struct placement plan, again;
	static struct topology topology;

	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		unsigned int cpus = (unsigned int)random() % 200 + 1;
		unsigned int vcpus = (unsigned int)random() % 100 + 1;
		unsigned int shards = (unsigned int)random() % 100;
		unsigned int count[256] = { 0 }, most = 0, least = ~0U;

		fill(&topology, cpus);
		memset(&plan, 0xff, sizeof(plan));
		memset(&again, 0xff, sizeof(again));
		place(&topology, vcpus, shards, &plan);
		place(&topology, vcpus, shards, &again);
		assert_memory_equal(&plan, &again, sizeof(plan));
		for (unsigned int i = 0; i < vcpus; i++) {
			assert_in_range(plan.vcpu[i], 10, 10 + cpus - 1);
			count[plan.vcpu[i] - 10]++;
		}
		for (unsigned int i = 0; i < shards; i++)
			assert_in_range(plan.shard[i], 10, 10 + cpus - 1);
		for (unsigned int i = 0; i < vcpus && i < shards && cpus > 1;
		     i++)
			assert_int_not_equal(plan.vcpu[i], plan.shard[i]);
		for (unsigned int i = 0; i < cpus; i++) {
			most = count[i] > most ? count[i] : most;
			least = count[i] < least ? count[i] : least;
		}
		assert_true(most - least <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enough_cpus_give_each_thread_its_own),
		cmocka_unit_test(few_cpus_keep_a_shard_off_its_vcpu),
		cmocka_unit_test(plans_hold_for_any_host_and_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
