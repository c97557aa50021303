/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/topology.h"
#include "unit/topology_check.h"

/* The host that the tests run on, against what others say of it. */

static int read_host(void **state)
{
	struct topology *topology = NULL;

	if (topology_read("", &topology, NULL))
		return -1;
	*state = topology;
	return 0;
}

static int free_host(void **state)
{
	topology_free(*state);
	return 0;
}

static const struct topology_cpu *find(const struct topology *topology,
				       unsigned int id)
{
	for (unsigned int i = 0; i < topology->cpu_count; i++)
		if (topology->cpu[i].id == id)
			return &topology->cpu[i];
	return NULL;
}

static void this_host_keeps_all_promises(void **state)
{
	topology_check(*state);
}

static void usable_cpus_are_those_of_the_affinity_mask(void **state)
{
	const struct topology *topology = *state;
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(CPU_COUNT(&set), topology->usable_count);
	for (unsigned int i = 0; i < topology->usable_count; i++)
		assert_true(CPU_ISSET(topology->cpu[i].id, &set));
}

/* One line of lscpu -p=CPU,CORE,SOCKET,NODE, of which it may leave parts out */
static void check_line(const struct topology *topology, char *line,
		       unsigned int *cpus)
{
	const char *id = strsep(&line, ","), *core = strsep(&line, ","),
		   *socket = strsep(&line, ","), *node = strsep(&line, ",\n");
	const struct topology_cpu *cpu =
		find(topology, (unsigned int)strtoul(id, NULL, 10));

	assert_non_null(cpu);
	assert_true(cpu->online);
	++*cpus;
	if (core && *core)
		assert_int_equal(cpu->core, strtoul(core, NULL, 10));
	if (socket && *socket)
		assert_int_equal(cpu->package, strtoul(socket, NULL, 10));
	if (node && *node)
		assert_int_equal(topology->node[cpu->node].id,
				 strtoul(node, NULL, 10));
}

static void lscpu_tells_the_same_of_cpus(void **state)
{
	FILE *lscpu = popen("lscpu -p=CPU,CORE,SOCKET,NODE 2>/dev/null", "re");
	unsigned int cpus = 0, online = 0;
	const struct topology *topology = *state;
	char line[128];

	assert_non_null(lscpu);
	while (fgets(line, sizeof(line), lscpu))
		if (*line != '#')
			check_line(topology, line, &cpus);
	if (pclose(lscpu))
		skip();
	for (unsigned int i = 0; i < topology->cpu_count; i++)
		online += topology->cpu[i].online;
	assert_int_equal(cpus, online);
}

/* "node 0 cpus: 0 1", "node 0 size: 15998 MB", "  0:  10  21" */
static void check_numactl_line(const struct topology *topology,
			       const char *line, unsigned int *nodes)
{
	unsigned int id, at = 0;
	unsigned long long mib;

	if (sscanf(line, "available: %u nodes", nodes) == 1)
		assert_int_equal(*nodes, topology->node_count);
	if (sscanf(line, "node %u size: %llu MB", &id, &mib) != 2)
		return;
	while (at < topology->node_count && topology->node[at].id != id)
		at++;
	assert_true(at < topology->node_count);
	assert_int_equal(topology->node[at].total_bytes >> 20, mib);
}

static void numactl_tells_the_same_of_nodes(void **state)
{
	FILE *numactl = popen("numactl -H 2>/dev/null", "re");
	unsigned int nodes = 0;
	char line[8192];

	assert_non_null(numactl);
	while (fgets(line, sizeof(line), numactl))
		check_numactl_line(*state, line, &nodes);
	if (pclose(numactl))
		skip();
	assert_true(nodes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_host_keeps_all_promises),
		cmocka_unit_test(usable_cpus_are_those_of_the_affinity_mask),
		cmocka_unit_test(lscpu_tells_the_same_of_cpus),
		cmocka_unit_test(numactl_tells_the_same_of_nodes),
	};

	return cmocka_run_group_tests(tests, read_host, free_host);
}
