/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/topology.h"
#include "support/fake_host.h"
#include "unit/topology_check.h"

#define HOST                                                          \
	"packages=2 cores=2 smt=2 nodes=2 small=1 offline=3 path=/a " \
	"cpuset=0-6 quota=150000"

static const char *const files[] = {
	"/proc/self/status",
	"/proc/self/cgroup",
	"/sys/fs/cgroup/a/cpu.max",
	"/sys/fs/cgroup/a/cpuset.cpus.effective",
	"/sys/devices/cpu_core/cpus",
	"/sys/devices/cpu_atom/cpus",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/cpu/present",
	"/sys/devices/system/cpu/isolated",
	"/sys/devices/system/cpu/cpu0/topology/core_cpus_list",
	"/sys/devices/system/cpu/cpu0/topology/die_cpus_list",
	"/sys/devices/system/cpu/cpu0/topology/package_cpus_list",
	"/sys/devices/system/cpu/cpu0/cache/index0/level",
	"/sys/devices/system/cpu/cpu0/cache/index1/level",
	"/sys/devices/system/cpu/cpu0/cache/index1/shared_cpu_list",
	"/sys/devices/system/node/online",
	"/sys/devices/system/node/node0/cpulist",
	"/sys/devices/system/node/node1/cpulist",
	"/sys/devices/system/node/node1/distance",
	"/sys/devices/system/node/node1/meminfo",
	"/sys/devices/system/node/node1/hugepages/hugepages-2048kB/"
	"nr_hugepages",
	"/sys/devices/system/node/node1/hugepages/hugepages-2048kB/"
	"free_hugepages",
};

#define FILES (sizeof(files) / sizeof(*files))

/* Whatever was read, it keeps what the header promises, or is an error. */
static void check_sane(const char *root)
{
	struct topology *topology = NULL;
	struct fail fail = { 0 };
	int ret = topology_read(root, &topology, &fail);

	if (ret) {
		assert_int_equal(ret, -ENOENT);
		assert_true(strlen(fail.text) > 0);
		return;
	}
	topology_check(topology);
	topology_free(topology);
}

static void nonsense_in_any_file_is_survived(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"x",
		"-",
		"-1\n",
		"0-",
		"4294967296\n",
		"0-4294967295\n",
		"18446744073709551615\n",
		"99999999999999999999999999\n",
		"4095\n",
		"0-4095\n",
		"5,4,3,2,1,0\n",
		"0-1,0-1,x\n",
		"0 0 0 0\n",
		"10 256 -1\n",
		"Cpus_allowed_list:",
		"Cpus_allowed_list:\t999999\n",
		"Cpus_allowed_list:\t0-99999999999\nMems_allowed_list:\n",
		"0::",
		"0::nothing\n",
		"::/\n0::/../a\n",
		":\n\n:::::\n0::/a/a/a/a/a/a",
		"MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\n",
		"MemTotal: 1 kB\nMemFree: 18446744073709551615 kB\n",
		"MemTotal:",
	};

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		char *root = fake_host_create(HOST);

		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++) {
			fake_host_write(root, files[i], texts[j]);
			check_sane(root);
		}
		fake_host_destroy(root);
	}
}

static void any_file_may_be_missing(void **state)
{
	char *root = fake_host_create(HOST);

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		fake_host_write(root, files[i], NULL);
		check_sane(root);
	}
	fake_host_destroy(root);
}

static void any_file_may_be_huge(void **state)
{
	char *huge = malloc(1 << 20), *root;

	(void)state;
	memset(huge, '1', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	for (size_t i = 0; i < FILES; i++) {
		root = fake_host_create(HOST);
		fake_host_write(root, files[i], huge);
		check_sane(root);
		fake_host_destroy(root);
	}
	free(huge);
}

/* A read of a pipe would wait for its writer, one of a folder fail. */
static void what_is_no_file_is_not_read(void **state)
{
	char path[512], *root;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		root = fake_host_create(HOST);
		fake_host_write(root, files[i], NULL);
		snprintf(path, sizeof(path), "%s%s", root, files[i]);
		assert_int_equal(mkfifo(path, 0600), 0);
		check_sane(root);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		check_sane(root);
		fake_host_destroy(root);
	}
}

static void groups_that_contradict_each_other_are_cut(void **state)
{
	char *root = fake_host_create("packages=2 cores=2 nodes=2");
	struct topology *topology = NULL;

	(void)state;
	/* A core that reaches into the other package */
	fake_host_write(root,
			"/sys/devices/system/cpu/cpu0/topology/core_cpus_list",
			"0-3\n");
	assert_int_equal(topology_read(root, &topology, NULL), 0);
	topology_check(topology);
	assert_int_equal(topology->package_count, 2);
	assert_int_equal(topology->core_count, 3);
	topology_free(topology);
	fake_host_destroy(root);
}

static void nonsense_about_distances_is_not_believed(void **state)
{
	char *root = fake_host_create("cores=2 nodes=2");
	struct topology *topology = NULL;

	(void)state;
	fake_host_write(root, "/sys/devices/system/node/node0/distance",
			"0 999\n");
	assert_int_equal(topology_read(root, &topology, NULL), 0);
	assert_int_equal(topology->node[0].distance[0],
			 TOPOLOGY_DISTANCE_LOCAL);
	assert_int_equal(topology->node[0].distance[1],
			 TOPOLOGY_DISTANCE_REMOTE);
	topology_free(topology);
	fake_host_destroy(root);
}

static void of_two_nodes_with_a_cpu_the_first_has_it(void **state)
{
	char *root = fake_host_create("cores=4 nodes=2");
	struct topology *topology = NULL;

	(void)state;
	fake_host_write(root, "/sys/devices/system/node/node1/cpulist",
			"0-3\n");
	assert_int_equal(topology_read(root, &topology, NULL), 0);
	topology_check(topology);
	assert_int_equal(topology->node[0].cpu_count, 2);
	assert_int_equal(topology->node[1].cpu_count, 2);
	topology_free(topology);
	fake_host_destroy(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_in_any_file_is_survived),
		cmocka_unit_test(any_file_may_be_missing),
		cmocka_unit_test(any_file_may_be_huge),
		cmocka_unit_test(what_is_no_file_is_not_read),
		cmocka_unit_test(groups_that_contradict_each_other_are_cut),
		cmocka_unit_test(nonsense_about_distances_is_not_believed),
		cmocka_unit_test(of_two_nodes_with_a_cpu_the_first_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, fake_host_clean);
}
