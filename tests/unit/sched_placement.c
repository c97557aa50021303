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

/* A folder that stands for /sys/devices/system. */
static int make_root(void **state)
{
	char *root = strdup("/tmp/topology.XXXXXX");

	*state = root;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	if (system(command)) /* NOLINT(cert-env33-c): a path of ours */
		return -1;
	free(*state);
	return 0;
}

static void write_file(const char *root, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void allow(cpu_set_t *set, unsigned int count)
{
	CPU_ZERO(set);
	for (unsigned int i = 0; i < count; i++)
		CPU_SET(i, set);
}

static void without_sysfs_cpus_are_one_node_of_cores(void **state)
{
	struct topology topology;
	cpu_set_t set;

	allow(&set, 3);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	assert_int_equal(topology.cpu_count, 3);
	assert_int_equal(topology.node_count, 1);
	assert_int_equal(topology.cpu[2].core, 2);
}

static void siblings_are_neighbours(void **state)
{
	struct topology topology;
	cpu_set_t set;

	write_file(*state, "cpu/cpu0/topology/thread_siblings_list", "0,2\n");
	write_file(*state, "cpu/cpu2/topology/thread_siblings_list", "0,2\n");
	write_file(*state, "cpu/cpu1/topology/thread_siblings_list", "1,3\n");
	write_file(*state, "cpu/cpu3/topology/thread_siblings_list", "1,3\n");
	allow(&set, 4);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	assert_int_equal(topology.cpu[0].id, 0);
	assert_int_equal(topology.cpu[1].id, 2);
	assert_int_equal(topology.cpu[2].id, 1);
	assert_int_equal(topology.cpu[3].id, 3);
}

static void nodes_and_offline_cpus_are_seen(void **state)
{
	struct topology topology;
	cpu_set_t set;

	write_file(*state, "cpu/online", "0-2,4\n");
	write_file(*state, "node/online", "0-1\n");
	write_file(*state, "node/node0/cpulist", "2-3\n");
	write_file(*state, "node/node1/cpulist", "0-1,4\n");
	allow(&set, 8);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	assert_int_equal(topology.cpu_count, 4);
	assert_int_equal(topology.node_count, 2);
	assert_int_equal(topology.cpu[0].id, 2);
	assert_int_equal(topology.cpu[0].node, 0);
	assert_int_equal(topology.cpu[3].id, 4);
	assert_int_equal(topology.cpu[3].node, 1);
}

static void only_allowed_cpus_are_used(void **state)
{
	struct topology topology;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(5, &set);
	CPU_SET(7, &set);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	assert_int_equal(topology.cpu_count, 2);
	assert_int_equal(topology.cpu[0].id, 5);
	CPU_ZERO(&set);
	assert_int_equal(topology_read(*state, &set, &topology), -ENOENT);
}

static void fill(struct topology *topology, unsigned int count)
{
	memset(topology, 0, sizeof(*topology));
	topology->cpu_count = count;
	topology->node_count = 1;
	for (unsigned int i = 0; i < count; i++)
		topology->cpu[i].id = topology->cpu[i].core = 10 + i;
}

static void enough_cpus_give_each_thread_its_own(void **state)
{
	bool used[64] = { false };
	struct topology topology;
	struct placement plan;

	(void)state;
	fill(&topology, 8);
	placement_plan(&topology, 4, 4, &plan);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(plan.shard[i], plan.vcpu[i] + 1);
		assert_false(used[plan.vcpu[i]] || used[plan.shard[i]]);
		used[plan.vcpu[i]] = used[plan.shard[i]] = true;
	}
}

static void few_cpus_keep_a_shard_off_its_vcpu(void **state)
{
	struct topology topology;
	struct placement plan;

	(void)state;
	fill(&topology, 2);
	placement_plan(&topology, 2, 2, &plan);
	assert_int_equal(plan.vcpu[0], 10);
	assert_int_equal(plan.shard[0], 11);
	assert_int_equal(plan.vcpu[1], 11);
	assert_int_equal(plan.shard[1], 10);
}

static void a_vcpu_and_its_shard_are_siblings(void **state)
{
	struct topology topology;
	struct placement plan;
	cpu_set_t set;

	for (int cpu = 0; cpu < 8; cpu++) {
		char path[64], text[16];

		snprintf(path, sizeof(path),
			 "cpu/cpu%d/topology/thread_siblings_list", cpu);
		snprintf(text, sizeof(text), "%d,%d\n", cpu % 4, cpu % 4 + 4);
		write_file(*state, path, text);
	}
	allow(&set, 8);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	placement_plan(&topology, 4, 4, &plan);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(plan.vcpu[i], i);
		assert_int_equal(plan.shard[i], i + 4);
	}
}

static void damaged_sysfs_is_survived(void **state)
{
	struct topology topology;
	cpu_set_t set;

	write_file(*state, "cpu/online", "0-1,x\n");
	write_file(*state, "cpu/cpu0/topology/thread_siblings_list", "");
	write_file(*state, "node/online", "0,3\n");
	write_file(*state, "node/node3/cpulist", "\n");
	allow(&set, 4);
	assert_int_equal(topology_read(*state, &set, &topology), 0);
	assert_int_equal(topology.cpu_count, 2);
	assert_int_equal(topology.cpu[0].id, 0);
	assert_int_equal(topology.cpu[1].id, 1);
}

/* Every thread on an allowed CPU, balanced to one, the same plan again. */
static void plans_hold_for_any_host_and_guest(void **state)
{
	static struct placement plan, again;
	struct topology topology;

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
		placement_plan(&topology, vcpus, shards, &plan);
		placement_plan(&topology, vcpus, shards, &again);
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

#define WITH_ROOT(test) \
	cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(without_sysfs_cpus_are_one_node_of_cores),
		WITH_ROOT(siblings_are_neighbours),
		WITH_ROOT(nodes_and_offline_cpus_are_seen),
		WITH_ROOT(only_allowed_cpus_are_used),
		WITH_ROOT(a_vcpu_and_its_shard_are_siblings),
		WITH_ROOT(damaged_sysfs_is_survived),
		cmocka_unit_test(enough_cpus_give_each_thread_its_own),
		cmocka_unit_test(few_cpus_keep_a_shard_off_its_vcpu),
		cmocka_unit_test(plans_hold_for_any_host_and_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
