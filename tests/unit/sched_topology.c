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

#include <cmocka.h>

#include "sched/topology.h"
#include "support/fake_host.h"
#include "unit/topology_check.h"

static struct topology *read_root(const char *root)
{
	struct topology *topology = NULL;
	struct fail fail = { 0 };

	assert_int_equal(topology_read(root, &topology, &fail), 0);
	topology_check(topology);
	return topology;
}

static struct topology *read_host(const char *text)
{
	char *root = fake_host_create(text);
	struct topology *topology = read_root(root);

	fake_host_destroy(root);
	return topology;
}

static const struct topology_cpu *find(const struct topology *topology,
				       unsigned int id)
{
	for (unsigned int i = 0; i < topology->cpu_count; i++)
		if (topology->cpu[i].id == id)
			return &topology->cpu[i];
	fail_msg("there is no CPU %u", id);
	return NULL;
}

static void check_counts(const struct topology *topology, unsigned int packages,
			 unsigned int dies, unsigned int l3, unsigned int cores)
{
	assert_int_equal(topology->package_count, packages);
	assert_int_equal(topology->die_count, dies);
	assert_int_equal(topology->l3_count, l3);
	assert_int_equal(topology->core_count, cores);
}

static void check_laptop(const char *text)
{
	struct topology *topology = read_host(text);

	assert_int_equal(topology->usable_count, 20);
	assert_int_equal(topology->smt_count, 2);
	assert_true(topology->hybrid);
	check_counts(topology, 1, 1, 1, 14);
	for (unsigned int id = 0; id < 20; id++) {
		const struct topology_cpu *cpu = find(topology, id);

		assert_int_equal(cpu->kind, id < 12 ? TOPOLOGY_PERFORMANCE
						    : TOPOLOGY_EFFICIENCY);
		assert_int_equal(cpu->core, id < 12 ? id / 2 : id - 6);
		assert_int_equal(cpu->sibling, id < 12 ? id % 2 : 0);
	}
	topology_free(topology);
}

static void a_laptop_has_big_and_small_cores(void **state)
{
	(void)state;
	check_laptop("cores=6 smt=2 siblings=adjacent small=8 kinds=pmu");
}

static void small_cores_are_told_by_capacity_too(void **state)
{
	(void)state;
	check_laptop("cores=6 smt=2 siblings=adjacent small=8 kinds=capacity");
}

/* Such cores have a third PMU, cpu_lowpower. */
static void cores_of_a_third_kind_are_small(void **state)
{
	char *root = fake_host_create("cores=2 small=4");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/sys/devices/cpu_atom/cpus", "2-3\n");
	topology = read_root(root);
	for (unsigned int id = 0; id < 6; id++)
		assert_int_equal(find(topology, id)->kind,
				 id < 2 ? TOPOLOGY_PERFORMANCE
					: TOPOLOGY_EFFICIENCY);
	topology_free(topology);
	fake_host_destroy(root);
}

static void two_sockets_keep_siblings_together(void **state)
{
	struct topology *topology = read_host("packages=2 cores=64 smt=2 "
					      "nodes=2 memory=256");

	(void)state;
	assert_int_equal(topology->usable_count, 256);
	assert_false(topology->hybrid);
	check_counts(topology, 2, 2, 2, 128);
	for (unsigned int i = 0; i < 256; i += 2) {
		assert_int_equal(topology->cpu[i].id, i / 2);
		assert_int_equal(topology->cpu[i + 1].id, i / 2 + 128);
		assert_int_equal(topology->cpu[i].core,
				 topology->cpu[i + 1].core);
		assert_int_equal(topology->cpu[i + 1].sibling, 1);
		assert_int_equal(topology->cpu[i].node, i / 128);
	}
	assert_int_equal(topology->node[1].cpu_first, 128);
	assert_int_equal(topology->node[1].cpu_count, 128);
	topology_free(topology);
}

static void sub_numa_nodes_are_nearer_in_their_package(void **state)
{
	struct topology *topology =
		read_host("packages=2 cores=32 smt=2 nodes=4");

	(void)state;
	assert_int_equal(topology->node_count, 4);
	assert_int_equal(topology->node[0].distance[0], 10);
	assert_int_equal(topology->node[0].distance[1], 12);
	assert_int_equal(topology->node[0].distance[2], 21);
	assert_int_equal(topology->node[3].distance[2], 12);
	for (unsigned int node = 0; node < 4; node++)
		assert_int_equal(topology->node[node].cpu_count, 32);
	check_counts(topology, 2, 2, 2, 64);
	topology_free(topology);
}

static void an_epyc_has_a_cache_for_each_eight_cores(void **state)
{
	struct topology *topology = read_host("l3=16 cores=8 smt=2");

	(void)state;
	check_counts(topology, 1, 1, 16, 128);
	for (unsigned int id = 0; id < 256; id++)
		assert_int_equal(find(topology, id)->l3, id % 128 / 8);
	topology_free(topology);
}

static void a_flat_host_has_nothing_but_cores(void **state)
{
	struct topology *topology = read_host("cores=128");

	(void)state;
	assert_int_equal(topology->usable_count, 128);
	assert_int_equal(topology->smt_count, 1);
	check_counts(topology, 1, 1, 1, 128);
	topology_free(topology);
}

static void the_largest_hosts_are_read(void **state)
{
	struct topology *topology =
		read_host("packages=16 cores=64 nodes=128 memory=8");

	(void)state;
	assert_int_equal(topology->usable_count, 1024);
	assert_int_equal(topology->node_count, 128);
	assert_int_equal(topology->node[127].cpu_count, 8);
	assert_int_equal(topology->node[127].distance[126], 12);
	assert_int_equal(topology->node[127].distance[0], 21);
	topology_free(topology);
}

static void check_container(const char *text)
{
	struct topology *topology = read_host(text);

	assert_int_equal(topology->cpu_count, 8);
	assert_int_equal(topology->usable_count, 3);
	assert_int_equal(topology->quota_millicpus, 1500);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(topology->cpu[i].id, 2 + i);
	assert_false(find(topology, 5)->allowed);
	assert_true(find(topology, 5)->online);
	topology_free(topology);
}

static void a_container_has_a_cpuset_and_a_quota(void **state)
{
	(void)state;
	check_container("cores=8 allowed=2-4 quota=150000 cgroup=v2");
	check_container("cores=8 cpuset=2-4 quota=150000 cgroup=v2");
	check_container("cores=8 cpuset=2-4 quota=150000 cgroup=v2 path=/a/b");
	check_container("cores=8 cpuset=2-4 quota=150000 cgroup=v1");
	check_container("cores=8 cpuset=2-4 quota=150000 cgroup=v1 path=/a/b");
	check_container("cores=8 allowed=0-4 cpuset=2-7 quota=150000 "
			"cgroup=v1");
}

static void the_smallest_quota_above_holds(void **state)
{
	char *root = fake_host_create("cores=8 path=/a/b/c quota=400000");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/sys/fs/cgroup/a/cpu.max", "50000 20000\n");
	fake_host_write(root, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	fake_host_write(root, "/sys/fs/cgroup/cpu.max", "800000 100000\n");
	topology = read_root(root);
	assert_int_equal(topology->quota_millicpus, 2500);
	topology_free(topology);
	fake_host_destroy(root);
}

static void a_cgroup_that_is_not_mounted_is_looked_for_above(void **state)
{
	char *root = fake_host_create("cores=8 cpuset=2-4 quota=150000");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/proc/self/cgroup", "0::/docker/0123\n");
	topology = read_root(root);
	assert_int_equal(topology->usable_count, 3);
	assert_int_equal(topology->quota_millicpus, 1500);
	topology_free(topology);
	fake_host_write(root, "/proc/self/cgroup", "0::/../other\n");
	fake_host_write(root, "/sys/fs/other/cpu.max", "1 1\n");
	topology = read_root(root);
	assert_int_equal(topology->usable_count, 3);
	assert_int_equal(topology->quota_millicpus, 1500);
	topology_free(topology);
	fake_host_destroy(root);
}

/* What a cpuset partition has is no longer among its parents' CPUs. */
static void the_nearest_cpuset_counts(void **state)
{
	char *root = fake_host_create("cores=8 path=/a/b allowed=4-7");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/sys/fs/cgroup/a/b/cpuset.cpus.effective",
			"4-5\n");
	fake_host_write(root, "/sys/fs/cgroup/a/cpuset.cpus.effective",
			"0-3\n");
	fake_host_write(root, "/sys/fs/cgroup/cpuset.cpus.effective", "0-3\n");
	topology = read_root(root);
	assert_int_equal(topology->usable_count, 2);
	assert_int_equal(topology->cpu[0].id, 4);
	topology_free(topology);
	fake_host_destroy(root);
}

/* The kernel keeps affinity within the cpuset: this one is somebody else's. */
static void a_cpuset_without_a_cpu_of_ours_is_not_believed(void **state)
{
	struct topology *topology = read_host("cores=8 allowed=4-7 cpuset=0-3");

	(void)state;
	assert_int_equal(topology->usable_count, 4);
	assert_int_equal(topology->cpu[0].id, 4);
	topology_free(topology);
}

static void quotas_that_make_no_sense_are_none(void **state)
{
	static const char *const texts[] = {
		"max 100000\n",
		"100000 0\n",
		"100000\n",
		"99999999999999999999999 1\n",
		"18446744073709551 1\n",
		"18446744073709552 1\n",
		"-1 100000\n",
		"x\n",
		"",
	};
	char *root = fake_host_create("cores=2");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct topology *topology;

		fake_host_write(root, "/sys/fs/cgroup/cpu.max", texts[i]);
		topology = read_root(root);
		assert_int_equal(topology->quota_millicpus, 0);
		topology_free(topology);
	}
	fake_host_destroy(root);
}

static void a_tiny_quota_is_not_taken_for_none(void **state)
{
	struct topology *topology = read_host("cores=2 quota=10");

	(void)state;
	assert_int_equal(topology->quota_millicpus, 1);
	topology_free(topology);
}

static void nodes_lack_memory_or_cpus(void **state)
{
	struct topology *topology = read_host("packages=2 cores=4 nodes=2 "
					      "extra=1 bare=1 memory=64");

	(void)state;
	assert_int_equal(topology->node_count, 3);
	assert_int_equal(topology->node[0].total_bytes, 64ULL << 30);
	assert_int_equal(topology->node[1].total_bytes, 0);
	assert_int_equal(topology->node[1].hugepage_count, 0);
	assert_int_equal(topology->node[1].cpu_count, 4);
	assert_int_equal(topology->node[2].cpu_count, 0);
	assert_int_equal(topology->node[2].total_bytes, 64ULL << 30);
	topology_free(topology);
}

static void memory_and_hugepages_are_those_of_the_node(void **state)
{
	struct topology *topology = read_host("cores=2 memory=16");
	const struct topology_node *node = &topology->node[0];

	(void)state;
	assert_int_equal(node->free_bytes, 12ULL << 30);
	assert_int_equal(node->available_bytes, 14ULL << 30);
	assert_int_equal(node->hugepage_count, 2);
	assert_int_equal(node->hugepages[0].size_bytes, 2 << 20);
	assert_int_equal(node->hugepages[0].total, 512);
	assert_int_equal(node->hugepages[0].free, 128);
	assert_int_equal(node->hugepages[1].size_bytes, 1 << 30);
	assert_int_equal(node->hugepages[1].free, 1);
	topology_free(topology);
}

static void memory_of_forbidden_nodes_is_told(void **state)
{
	char *root = fake_host_create("cores=4 nodes=2");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/sys/fs/cgroup/cpuset.mems.effective", "1\n");
	topology = read_root(root);
	assert_false(topology->node[0].allowed);
	assert_true(topology->node[1].allowed);
	topology_free(topology);
	fake_host_destroy(root);
}

static void nodes_have_the_numbers_of_the_kernel(void **state)
{
	char *root = fake_host_create("cores=4 nodes=1");
	struct topology *topology;

	(void)state;
	fake_host_write(root, "/sys/devices/system/node/online", "0,8\n");
	fake_host_write(root, "/sys/devices/system/node/node0/cpulist",
			"0-1\n");
	fake_host_write(root, "/sys/devices/system/node/node8/cpulist",
			"2-3\n");
	fake_host_write(root, "/sys/devices/system/node/node8/distance",
			"40 10\n");
	topology = read_root(root);
	assert_int_equal(topology->node_count, 2);
	assert_int_equal(topology->node[1].id, 8);
	assert_int_equal(topology->node[1].distance[0], 40);
	assert_int_equal(find(topology, 2)->node, 1);
	topology_free(topology);
	fake_host_destroy(root);
}

static void offline_and_isolated_cpus_are_told(void **state)
{
	struct topology *topology = read_host("cores=8 smt=2 nodes=2 "
					      "offline=1,9,12-13 isolated=3");

	(void)state;
	assert_int_equal(topology->cpu_count, 16);
	assert_int_equal(topology->usable_count, 12);
	assert_false(find(topology, 9)->online);
	assert_true(find(topology, 10)->online);
	assert_int_equal(topology->core_count, 7);
	assert_int_equal(find(topology, 4)->core, find(topology, 3)->core + 1);
	assert_true(find(topology, 3)->isolated);
	assert_false(find(topology, 4)->isolated);
	topology_free(topology);
}

static void without_numa_all_is_in_one_node(void **state)
{
	struct topology *topology = read_host("cores=4 nodes=0");

	(void)state;
	assert_int_equal(topology->node_count, 1);
	assert_int_equal(topology->node[0].cpu_count, 4);
	assert_int_equal(topology->node[0].total_bytes, 8ULL << 30);
	topology_free(topology);
}

static void without_sysfs_cpus_are_one_node_of_cores(void **state)
{
	struct topology *topology = read_host("sysfs=none allowed=0,2-3");

	(void)state;
	assert_int_equal(topology->usable_count, 3);
	assert_int_equal(topology->cpu[1].id, 2);
	assert_int_equal(topology->node_count, 1);
	assert_int_equal(topology->smt_count, 1);
	check_counts(topology, 1, 1, 1, 3);
	topology_free(topology);
}

static void the_names_of_old_kernels_are_read(void **state)
{
	char *root = fake_host_create("cores=1 smt=2");
	struct topology *topology;

	(void)state;
	for (int cpu = 0; cpu < 2; cpu++) {
		char path[96];

		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/"
			 "core_cpus_list",
			 cpu);
		fake_host_write(root, path, NULL);
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/"
			 "thread_siblings_list",
			 cpu);
		fake_host_write(root, path, "0-1\n");
	}
	topology = read_root(root);
	assert_int_equal(topology->core_count, 1);
	topology_free(topology);
	fake_host_destroy(root);
}

/* Linux 5.2 to 5.16 where the processor has no such thing, as on Arm */
static void a_die_without_a_number_is_none(void **state)
{
	char *root = fake_host_create("cores=2 smt=2");
	struct topology *topology;

	(void)state;
	for (int cpu = 0; cpu < 4; cpu++) {
		char path[96], own[8];

		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/die_id", cpu);
		fake_host_write(root, path, "-1\n");
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/die_cpus_list",
			 cpu);
		snprintf(own, sizeof(own), "%d\n", cpu);
		fake_host_write(root, path, own);
	}
	topology = read_root(root);
	check_counts(topology, 1, 1, 1, 2);
	topology_free(topology);
	fake_host_destroy(root);
}

static void no_cpu_to_use_is_an_error_that_says_so(void **state)
{
	char *root = fake_host_create("cores=4 offline=2 allowed=2");
	struct topology *topology = NULL;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(topology_read(root, &topology, &fail), -ENOENT);
	assert_non_null(strstr(fail.text, "cpuset"));
	assert_null(topology);
	fake_host_destroy(root);
	fail.text[0] = '\0';
	assert_int_equal(topology_read("/nowhere", &topology, &fail), -ENOENT);
	assert_non_null(strstr(fail.text, "/nowhere/sys/devices/system/cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_laptop_has_big_and_small_cores),
		cmocka_unit_test(small_cores_are_told_by_capacity_too),
		cmocka_unit_test(cores_of_a_third_kind_are_small),
		cmocka_unit_test(two_sockets_keep_siblings_together),
		cmocka_unit_test(sub_numa_nodes_are_nearer_in_their_package),
		cmocka_unit_test(an_epyc_has_a_cache_for_each_eight_cores),
		cmocka_unit_test(a_flat_host_has_nothing_but_cores),
		cmocka_unit_test(the_largest_hosts_are_read),
		cmocka_unit_test(a_container_has_a_cpuset_and_a_quota),
		cmocka_unit_test(the_smallest_quota_above_holds),
		cmocka_unit_test(
			a_cgroup_that_is_not_mounted_is_looked_for_above),
		cmocka_unit_test(the_nearest_cpuset_counts),
		cmocka_unit_test(
			a_cpuset_without_a_cpu_of_ours_is_not_believed),
		cmocka_unit_test(quotas_that_make_no_sense_are_none),
		cmocka_unit_test(a_tiny_quota_is_not_taken_for_none),
		cmocka_unit_test(nodes_lack_memory_or_cpus),
		cmocka_unit_test(memory_and_hugepages_are_those_of_the_node),
		cmocka_unit_test(memory_of_forbidden_nodes_is_told),
		cmocka_unit_test(nodes_have_the_numbers_of_the_kernel),
		cmocka_unit_test(offline_and_isolated_cpus_are_told),
		cmocka_unit_test(without_numa_all_is_in_one_node),
		cmocka_unit_test(without_sysfs_cpus_are_one_node_of_cores),
		cmocka_unit_test(the_names_of_old_kernels_are_read),
		cmocka_unit_test(a_die_without_a_number_is_none),
		cmocka_unit_test(no_cpu_to_use_is_an_error_that_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
