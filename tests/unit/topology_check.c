/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/topology_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Usable CPUs come first, and siblings are neighbours. */
static void check_order(const struct topology_cpu *a,
			const struct topology_cpu *b)
{
	bool usable_a = a->online && a->allowed,
	     usable_b = b->online && b->allowed;

	assert_int_not_equal(a->id, b->id);
	assert_true(usable_a >= usable_b);
	if (usable_a != usable_b)
		return;
	assert_true(a->node <= b->node);
	if (usable_a && a->node == b->node && a->core == b->core)
		assert_true(a->id < b->id);
}

/* A core is in one cache, that in one die, and that in one package. */
static void check_nesting(const struct topology_cpu *a,
			  const struct topology_cpu *b)
{
	if (!a->online || !b->online)
		return;
	if (a->core == b->core) {
		assert_int_equal(a->l3, b->l3);
		assert_int_not_equal(a->sibling, b->sibling);
	}
	if (a->l3 == b->l3)
		assert_int_equal(a->die, b->die);
	if (a->die == b->die)
		assert_int_equal(a->package, b->package);
}

static void check_cpus(const struct topology *topology)
{
	const struct topology_cpu *cpu = topology->cpu;

	for (unsigned int i = 0; i < topology->cpu_count; i++) {
		assert_true(cpu[i].id < TOPOLOGY_CPUS_MAX);
		assert_true(cpu[i].node < topology->node_count);
		assert_int_equal(cpu[i].online && cpu[i].allowed,
				 i < topology->usable_count);
		if (i)
			check_order(&cpu[i - 1], &cpu[i]);
		if (!cpu[i].online)
			continue;
		assert_true(cpu[i].package < topology->package_count);
		assert_true(cpu[i].die < topology->die_count);
		assert_true(cpu[i].l3 < topology->l3_count);
		assert_true(cpu[i].core < topology->core_count);
		assert_true(cpu[i].sibling < topology->smt_count);
		for (unsigned int j = 0; j < i; j++)
			check_nesting(&cpu[j], &cpu[i]);
	}
}

static void check_node(const struct topology *topology, unsigned int index)
{
	const struct topology_node *node = &topology->node[index];

	for (unsigned int i = 0; i < node->cpu_count; i++)
		assert_int_equal(topology->cpu[node->cpu_first + i].node,
				 index);
	assert_true(node->free_bytes <= node->available_bytes);
	assert_true(node->available_bytes <= node->total_bytes);
	for (unsigned int to = 0; to < topology->node_count; to++)
		assert_true(node->distance[to] >= TOPOLOGY_DISTANCE_LOCAL);
	for (unsigned int i = 0; i < node->hugepage_count; i++) {
		assert_true(node->hugepages[i].free <=
			    node->hugepages[i].total);
		assert_true(!i || node->hugepages[i - 1].size_bytes <
					  node->hugepages[i].size_bytes);
	}
}

void topology_check(const struct topology *topology)
{
	unsigned int cpus = 0;

	assert_true(topology->usable_count > 0);
	assert_true(topology->usable_count <= topology->cpu_count);
	assert_in_range(topology->node_count, 1, TOPOLOGY_NODES_MAX);
	check_cpus(topology);
	for (unsigned int i = 0; i < topology->node_count; i++) {
		check_node(topology, i);
		assert_true(!i ||
			    topology->node[i - 1].id < topology->node[i].id);
		cpus += topology->node[i].cpu_count;
	}
	assert_int_equal(cpus, topology->usable_count);
}
