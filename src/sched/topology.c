/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/topology.h"

#include <errno.h>
#include <stdlib.h>

#include "sched/topology_internal.h"

static bool is_usable(const struct topology_cpu *cpu)
{
	return cpu->online && cpu->allowed;
}

static int compare(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

static int compare_cpus(const void *left, const void *right)
{
	const struct topology_cpu *a = left, *b = right;
	int order = compare(is_usable(b), is_usable(a));

	if (!order)
		order = compare(a->node, b->node);
	if (!order)
		order = compare(a->package, b->package);
	if (!order)
		order = compare(a->die, b->die);
	if (!order)
		order = compare(a->l3, b->l3);
	if (!order)
		order = compare(a->core, b->core);
	return order ? order : compare(a->id, b->id);
}

static void sort_cpus(struct topology *topology)
{
	qsort(topology->cpu, topology->cpu_count, sizeof(*topology->cpu),
	      compare_cpus);
	for (unsigned int i = topology->usable_count; i-- > 0;) {
		struct topology_node *node =
			&topology->node[topology->cpu[i].node];

		node->cpu_first = i;
		node->cpu_count++;
	}
}

static int check(const struct topology *topology, const char *root,
		 struct fail *fail)
{
	if (topology->usable_count)
		return 0;
	if (topology->cpu_count)
		return fail_set(fail, -ENOENT,
				"none of the %u CPUs may be used: look at the "
				"affinity mask and the cpuset",
				topology->cpu_count);
	return fail_set(fail, -ENOENT,
			"neither %s/sys/devices/system/cpu nor "
			"%s/proc/self/status tells which CPUs there are: are "
			"/sys and /proc mounted?",
			root, root);
}

static int read_all(struct host_file *file, struct topology *topology,
		    struct fail *fail)
{
	struct topology_share share;

	topology_read_share(file, &share);
	topology->quota_millicpus = share.quota_millicpus;
	topology_read_cpus(file, &share, topology);
	topology_read_nodes(file, &share, topology);
	sort_cpus(topology);
	return check(topology, file->root, fail);
}

int topology_read(const char *root, struct topology **topology,
		  struct fail *fail)
{
	struct topology *made = calloc(1, sizeof(*made));
	struct host_file *file = calloc(1, sizeof(*file));
	int ret;

	if (made && file) {
		file->root = root;
		ret = read_all(file, made, fail);
	} else {
		ret = fail_set(fail, -ENOMEM,
			       "no memory to read the CPUs into");
	}
	free(file);
	if (ret)
		topology_free(made);
	else
		*topology = made;
	return ret;
}

void topology_free(struct topology *topology)
{
	free(topology);
}
