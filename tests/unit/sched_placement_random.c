/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/placement.h"
#include "unit/random_host.h"

/* What holds for every plan, whatever the host and the guest are. */

#define ROUNDS 2000 /* of each policy */

struct round {
	struct topology host;
	struct placement_request request;
	struct placement plan;
	unsigned int load[TOPOLOGY_CPUS_MAX]; /* by index */
	unsigned int core_load[TOPOLOGY_CPUS_MAX];
	bool vcpu_at[TOPOLOGY_CPUS_MAX];
};

static unsigned int index_of(const struct topology *host, unsigned int id)
{
	for (unsigned int i = 0; i < host->usable_count; i++)
		if (host->cpu[i].id == id)
			return i;
	fail_msg("CPU %u may not be used", id);
	return 0;
}

static void put(struct round *round, unsigned int index)
{
	round->load[index]++;
	round->core_load[round->host.cpu[index].core]++;
}

static bool all_isolated(const struct topology *host)
{
	for (unsigned int i = 0; i < host->usable_count; i++)
		if (!host->cpu[i].isolated)
			return false;
	return true;
}

static bool is_candidate(const struct round *round, unsigned int index)
{
	return !round->host.cpu[index].isolated || all_isolated(&round->host);
}

/* Also: nothing is outside of what may be used, or on isolated CPUs. */
static void count_threads(struct round *round)
{
	const struct placement *plan = &round->plan;

	memset(round->load, 0, sizeof(round->load));
	memset(round->core_load, 0, sizeof(round->core_load));
	memset(round->vcpu_at, 0, sizeof(round->vcpu_at));
	for (unsigned int i = 0; i < plan->vcpus; i++) {
		unsigned int index = index_of(&round->host, plan->vcpu[i]);

		assert_true(is_candidate(round, index));
		put(round, index);
		round->vcpu_at[index] = true;
	}
	for (unsigned int i = 0; i < plan->shards; i++) {
		unsigned int index = index_of(&round->host, plan->shard[i]);

		assert_true(is_candidate(round, index));
		put(round, index);
	}
}

static void each(enum placement_policy policy,
		 void (*check)(struct round *round))
{
	struct round *round = calloc(1, sizeof(*round));

	srandom(1);
	for (int i = 0; i < ROUNDS; i++) {
		random_host(&round->host);
		random_guest(&round->request, policy);
		memset(&round->plan, 0xff, sizeof(round->plan));
		assert_int_equal(placement_plan(&round->host, &round->request,
						NULL, &round->plan, NULL),
				 0);
		if (round->plan.pinned)
			count_threads(round);
		check(round);
	}
	free(round);
}

static const enum placement_policy pinning[] = {
	PLACEMENT_AUTO,
	PLACEMENT_COMPACT,
	PLACEMENT_SPREAD,
	PLACEMENT_NUMA,
};

static void each_pinning(void (*check)(struct round *round))
{
	for (size_t i = 0; i < sizeof(pinning) / sizeof(*pinning); i++)
		each(pinning[i], check);
}

/* CPUs @a and @b are compared: on the whole host, or with cells on a node */
static bool are_peers(const struct round *round, unsigned int a, unsigned int b)
{
	return is_candidate(round, a) && is_candidate(round, b) &&
	       (round->request.policy != PLACEMENT_NUMA ||
		round->host.cpu[a].node == round->host.cpu[b].node);
}

static void check_same(struct round *round)
{
	struct placement *again = malloc(sizeof(*again));

	memset(again, 0x55, sizeof(*again));
	placement_plan(&round->host, &round->request, NULL, again, NULL);
	assert_memory_equal(again, &round->plan, sizeof(*again));
	free(again);
}

static void the_same_input_gives_the_same_plan(void **state)
{
	(void)state;
	each_pinning(check_same);
	each(PLACEMENT_NONE, check_same);
}

static void check_counts(struct round *round)
{
	assert_true(round->plan.pinned);
	assert_int_equal(round->plan.vcpus, round->request.vcpus);
	assert_int_equal(round->plan.shards, round->request.shards);
}

static void every_thread_is_on_a_cpu_that_may_be_used(void **state)
{
	(void)state;
	each_pinning(check_counts);
}

static void check_balance(struct round *round)
{
	for (unsigned int i = 0; i < round->host.usable_count; i++)
		for (unsigned int j = 0; j < round->host.usable_count; j++)
			if (are_peers(round, i, j))
				assert_true(round->load[i] <=
					    round->load[j] + 1);
}

static void cpus_differ_by_one_thread_at_most(void **state)
{
	(void)state;
	each_pinning(check_balance);
}

/* A dense plan uses siblings before it enters another node. */
static void check_siblings(struct round *round)
{
	const struct topology_cpu *cpu = round->host.cpu;
	bool dense = round->request.policy == PLACEMENT_COMPACT;

	for (unsigned int i = 0; i < round->host.usable_count; i++)
		for (unsigned int j = 0; j < round->host.usable_count; j++)
			if (are_peers(round, i, j) &&
			    (!dense || cpu[i].node == cpu[j].node))
				assert_false(round->core_load[cpu[i].core] >
						     1 &&
					     !round->core_load[cpu[j].core]);
}

static void siblings_are_shared_only_when_cores_run_out(void **state)
{
	(void)state;
	each_pinning(check_siblings);
}

static void check_kinds(struct round *round)
{
	const struct topology_cpu *cpu = round->host.cpu;

	for (unsigned int i = 0; i < round->host.usable_count; i++)
		for (unsigned int j = 0; j < round->host.usable_count; j++)
			if (cpu[i].kind == TOPOLOGY_EFFICIENCY &&
			    cpu[j].kind == TOPOLOGY_PERFORMANCE &&
			    is_candidate(round, j))
				assert_false(round->load[i] &&
					     !round->core_load[cpu[j].core]);
}

static void efficiency_cores_come_last(void **state)
{
	(void)state;
	each_pinning(check_kinds);
}

static void check_helpers(struct round *round)
{
	const struct id_set *helpers = &round->plan.helpers;
	bool with_vcpu = false, without = false;
	struct id_set usable = *helpers;

	assert_false(id_set_is_empty(helpers));
	for (unsigned int i = 0; i < round->host.usable_count; i++) {
		bool in = id_set_has(helpers, round->host.cpu[i].id);

		assert_true(!in || is_candidate(round, i));
		with_vcpu |= in && round->vcpu_at[i];
		without |= is_candidate(round, i) && !round->vcpu_at[i];
	}
	assert_false(with_vcpu && without);
	for (unsigned int i = 0; i < ID_SET_MAX; i++)
		if (id_set_has(&usable, i))
			index_of(&round->host, i);
}

static void helpers_keep_off_vcpus_where_they_can(void **state)
{
	(void)state;
	each_pinning(check_helpers);
}

static void check_polling(struct round *round)
{
	const struct topology *host = &round->host;

	for (unsigned int i = 0; i < round->plan.shards; i++) {
		unsigned int at = index_of(host, round->plan.shard[i]);

		if (!round->plan.poll_us[i])
			continue;
		assert_true(host->usable_count > 2);
		assert_int_equal(round->core_load[host->cpu[at].core], 1);
		assert_true(!host->quota_millicpus ||
			    host->quota_millicpus >= host->usable_count * 1000);
	}
}

static void a_shard_polls_only_on_a_core_of_its_own(void **state)
{
	(void)state;
	each_pinning(check_polling);
}

/* In order, without gaps, in whole pages: all of the memory, all vCPUs. */
static void check_cells(struct round *round)
{
	const struct placement *plan = &round->plan;
	uint64_t end = 0;

	assert_in_range(plan->cell_count, 1, PLACEMENT_CELLS_MAX);
	for (unsigned int i = 0; i < plan->cell_count; i++) {
		assert_int_equal(plan->cell[i].start, end);
		assert_int_equal(
			plan->cell[i].bytes % round->request.granule_bytes, 0);
		end += plan->cell[i].bytes;
		assert_int_equal(plan->cell[i].distance[i], 10);
		for (unsigned int j = 0; j < plan->cell_count; j++)
			assert_true(i == j ||
				    (plan->cell[i].distance[j] > 10 &&
				     plan->cell[i].distance[j] < UINT8_MAX));
	}
	assert_int_equal(end, round->request.memory_bytes);
	for (unsigned int i = 0; i < plan->vcpus; i++) {
		assert_true(plan->vcpu_cell[i] < plan->cell_count);
		assert_int_equal(
			plan->vcpu_cell[i],
			plan->vcpu_cell[i - i % round->request.threads]);
	}
}

static void cells_are_all_of_the_guest(void **state)
{
	(void)state;
	each_pinning(check_cells);
	each(PLACEMENT_NONE, check_cells);
}

static const struct topology_node *node_of(const struct round *round,
					   unsigned int cpu)
{
	const struct topology *host = &round->host;

	return &host->node[host->cpu[index_of(host, cpu)].node];
}

/* All memory of a cell is on its vCPUs' node, or as near as memory is. */
static void check_local(struct round *round)
{
	const struct placement *plan = &round->plan;

	for (unsigned int i = 0; i < plan->vcpus; i++) {
		const struct topology_node *node =
			node_of(round, plan->vcpu[i]);
		const struct placement_cell *cell =
			&plan->cell[plan->vcpu_cell[i]];

		if (i < plan->shards)
			assert_ptr_equal(node_of(round, plan->shard[i]), node);
		if (round->host.node_count > 1 && node->allowed &&
		    node->total_bytes)
			assert_true(id_set_has(&cell->nodes, node->id));
		for (unsigned int j = 0; j < i; j++)
			if (plan->vcpu_cell[i] == plan->vcpu_cell[j])
				assert_ptr_equal(node_of(round, plan->vcpu[j]),
						 node);
	}
}

static void a_numa_guest_is_local_to_its_nodes(void **state)
{
	(void)state;
	each(PLACEMENT_NUMA, check_local);
}

/* Idle cores of @node that are enough for the guest, and memory as well */
static bool node_is_enough(const struct round *round, unsigned int node)
{
	const struct topology *host = &round->host;
	unsigned int cores = 0, last = UINT32_MAX;

	for (unsigned int i = 0; i < host->usable_count; i++)
		if (host->cpu[i].node == node && is_candidate(round, i) &&
		    host->cpu[i].core != last) {
			last = host->cpu[i].core;
			cores++;
		}
	return host->node[node].allowed &&
	       host->node[node].available_bytes >=
		       round->request.memory_bytes &&
	       cores >= round->plan.vcpus + round->plan.shards;
}

static void check_one_node(struct round *round)
{
	const struct placement *plan = &round->plan;
	bool enough = false;

	for (unsigned int i = 0; i < round->host.node_count; i++)
		enough |= node_is_enough(round, i);
	for (unsigned int i = 0; enough && i < plan->vcpus; i++)
		assert_ptr_equal(node_of(round, plan->vcpu[i]),
				 node_of(round, plan->vcpu[0]));
	for (unsigned int i = 0; enough && i < plan->shards; i++)
		assert_ptr_equal(node_of(round, plan->shard[i]),
				 node_of(round, plan->vcpu[0]));
}

static void what_fits_a_node_stays_on_one(void **state)
{
	(void)state;
	each(PLACEMENT_AUTO, check_one_node);
	each(PLACEMENT_COMPACT, check_one_node);
}

static void check_unpinned(struct round *round)
{
	assert_false(round->plan.pinned);
	assert_true(id_set_is_empty(&round->plan.helpers));
	for (unsigned int i = 0; i < round->plan.shards; i++)
		assert_int_equal(round->plan.poll_us[i], 0);
}

static void none_pins_nothing(void **state)
{
	(void)state;
	each(PLACEMENT_NONE, check_unpinned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_input_gives_the_same_plan),
		cmocka_unit_test(every_thread_is_on_a_cpu_that_may_be_used),
		cmocka_unit_test(cpus_differ_by_one_thread_at_most),
		cmocka_unit_test(siblings_are_shared_only_when_cores_run_out),
		cmocka_unit_test(efficiency_cores_come_last),
		cmocka_unit_test(helpers_keep_off_vcpus_where_they_can),
		cmocka_unit_test(a_shard_polls_only_on_a_core_of_its_own),
		cmocka_unit_test(cells_are_all_of_the_guest),
		cmocka_unit_test(a_numa_guest_is_local_to_its_nodes),
		cmocka_unit_test(what_fits_a_node_stays_on_one),
		cmocka_unit_test(none_pins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
