/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "sched/placement_internal.h"

#define CELL_BYTES_MIN (64ULL << 20) /* a kernel wants some on each node */

/* Cells that the user named */

static int check_cell_cpus(struct planner *planner)
{
	const struct placement_request *request = planner->request;

	for (unsigned int i = 0; i < request->vcpus; i++) {
		unsigned int found = 0;

		for (unsigned int c = 0; c < request->cell_count; c++) {
			if (!id_set_has(&request->cell[c].cpus, i))
				continue;
			planner->plan->vcpu_cell[i] = (uint8_t)c;
			found++;
		}
		if (found != 1)
			return fail_set(planner->fail, -EINVAL,
					"--numa is not possible: vCPU %u is in "
					"%s",
					i, found ? "several cells" : "no cell");
	}
	return 0;
}

static int check_cell(struct planner *planner, unsigned int cell)
{
	const struct placement_cell_request *asked =
		&planner->request->cell[cell];

	for (unsigned int i = planner->request->vcpus; i < ID_SET_MAX; i++)
		if (id_set_has(&asked->cpus, i))
			return fail_set(planner->fail, -EINVAL,
					"--numa cell=%u is not possible: there "
					"is no vCPU %u",
					cell, i);
	if (planner->request->granule_bytes &&
	    asked->bytes % planner->request->granule_bytes)
		return fail_set(
			planner->fail, -EINVAL,
			"--numa cell=%u is not possible: its memory "
			"must be a multiple of %llu MiB",
			cell,
			(unsigned long long)planner->request->granule_bytes >>
				20);
	return 0;
}

static int check_cell_memory(struct planner *planner)
{
	const struct placement_request *request = planner->request;
	uint64_t left = request->memory_bytes;

	for (unsigned int c = 0; c < request->cell_count; c++) {
		if (request->cell[c].bytes > left)
			return fail_set(
				planner->fail, -EINVAL,
				"--numa cell=%u is not possible: the "
				"cells have more than the guest's %llu "
				"MiB of memory",
				c,
				(unsigned long long)request->memory_bytes >>
					20);
		left -= request->cell[c].bytes;
	}
	if (left)
		return fail_set(planner->fail, -EINVAL,
				"--numa is not possible: %llu MiB of the "
				"guest's memory are in no cell",
				(unsigned long long)left >> 20);
	return 0;
}

/* Its threads are on those of the cell's nodes that have CPUs, if any has. */
static int use_named_nodes(struct planner *planner, unsigned int cell)
{
	const struct topology *topology = planner->topology;
	const struct id_set *asked = &planner->request->cell[cell].nodes;
	struct id_set known = { 0 };
	unsigned int cpus = 0;

	for (unsigned int i = 0; i < topology->node_count; i++) {
		bool named = id_set_has(asked, topology->node[i].id);

		planner->cell_node[cell][i] = named;
		if (named && (!topology->node[i].total_bytes ||
			      !topology->node[i].allowed))
			return fail_set(planner->fail, -EINVAL,
					"--numa cell=%u is not possible: node "
					"%u has no memory that may be used",
					cell, topology->node[i].id);
		if (named) {
			id_set_add(&known, topology->node[i].id);
			cpus += planner->node_cpus[i];
		}
	}
	for (unsigned int i = 0; i < ID_SET_MAX; i++)
		if (id_set_has(asked, i) && !id_set_has(&known, i))
			return fail_set(planner->fail, -EINVAL,
					"--numa cell=%u is not possible: this "
					"host has no node %u",
					cell, i);
	for (unsigned int i = 0; !cpus && i < topology->node_count; i++)
		planner->cell_node[cell][i] = true;
	return 0;
}

static unsigned int threads_of_cell(const struct planner *planner,
				    unsigned int cell)
{
	const struct placement *plan = planner->plan;
	unsigned int threads = 0;

	for (unsigned int i = 0; i < plan->vcpus; i++)
		threads += plan->vcpu_cell[i] == cell;
	for (unsigned int i = 0; plan->vcpus && i < plan->shards; i++)
		threads += plan->vcpu_cell[i % plan->vcpus] == cell;
	return threads;
}

static int choose_named_cells(struct planner *planner)
{
	const struct placement_request *request = planner->request;
	unsigned int planned[TOPOLOGY_NODES_MAX] = { 0 }, node;
	const bool skip[TOPOLOGY_NODES_MAX] = { false };
	int ret = check_cell_cpus(planner);

	for (unsigned int c = 0; !ret && c < request->cell_count; c++)
		ret = check_cell(planner, c);
	if (!ret)
		ret = check_cell_memory(planner);
	planner->plan->numa = true;
	planner->plan->cell_count = request->cell_count;
	for (unsigned int c = 0; !ret && c < request->cell_count; c++) {
		planner->plan->cell[c].bytes = request->cell[c].bytes;
		if (!id_set_is_empty(&request->cell[c].nodes)) {
			ret = use_named_nodes(planner, c);
			continue;
		}
		node = placement_idlest_node(planner, planned, skip);
		planner->cell_node[c][node] = true;
		planned[node] += threads_of_cell(planner, c);
	}
	return ret;
}

/* Cells that mirror the host */

static unsigned int mirrored_cells(const struct planner *planner,
				   unsigned int cores)
{
	uint64_t memory = planner->request->memory_bytes / CELL_BYTES_MIN;
	unsigned int cells = 0;

	for (unsigned int i = 0; i < planner->topology->node_count; i++)
		cells += planner->node_cpus[i] > 0;
	cells = cells < cores ? cells : cores;
	cells = cells < PLACEMENT_CELLS_MAX ? cells : PLACEMENT_CELLS_MAX;
	cells = cells < memory ? cells : (unsigned int)memory;
	return cells ? cells : 1;
}

/* How many of the guest's cores each node gets: one each, then the idlest */
static void spread_cores(const struct planner *planner, unsigned int cells,
			 unsigned int cores, unsigned int *node_cores)
{
	const struct placement *plan = planner->plan;
	unsigned int unit = (plan->vcpus + plan->shards) / cores;
	unsigned int planned[TOPOLOGY_NODES_MAX] = { 0 }, node;
	bool skip[TOPOLOGY_NODES_MAX] = { false };

	for (unsigned int i = 0; i < cores; i++) {
		for (unsigned int n = 0; i == cells && n < TOPOLOGY_NODES_MAX;
		     n++)
			skip[n] = !node_cores[n];
		node = placement_idlest_node(planner, planned, skip);
		skip[node] = i < cells;
		node_cores[node]++;
		planned[node] += unit ? unit : 1;
	}
}

static void mirror_nodes(struct planner *planner)
{
	struct placement *plan = planner->plan;
	unsigned int threads =
		planner->request->threads ? planner->request->threads : 1;
	unsigned int cores = (plan->vcpus + threads - 1) / threads;
	unsigned int node_cores[TOPOLOGY_NODES_MAX] = { 0 }, vcpu = 0;
	uint64_t granule = planner->request->granule_bytes
				   ? planner->request->granule_bytes
				   : 1;
	uint64_t granules = planner->request->memory_bytes / granule, start = 0;

	spread_cores(planner, mirrored_cells(planner, cores), cores,
		     node_cores);
	for (unsigned int n = 0; n < planner->topology->node_count; n++) {
		struct placement_cell *cell = &plan->cell[plan->cell_count];
		unsigned int end = vcpu + node_cores[n] * threads;

		if (!node_cores[n])
			continue;
		for (; vcpu < end && vcpu < plan->vcpus; vcpu++)
			plan->vcpu_cell[vcpu] = (uint8_t)plan->cell_count;
		cell->bytes = granules * vcpu / plan->vcpus * granule - start;
		start += cell->bytes;
		planner->cell_node[plan->cell_count++][n] = true;
	}
	plan->cell[plan->cell_count - 1].bytes +=
		planner->request->memory_bytes - start;
	plan->numa = plan->cell_count > 1;
}

int placement_choose_cells(struct planner *planner)
{
	struct placement *plan = planner->plan;

	if (planner->request->cell_count)
		return choose_named_cells(planner);
	if (planner->request->policy == PLACEMENT_NUMA && plan->vcpus) {
		mirror_nodes(planner);
		return 0;
	}
	plan->cell_count = 1;
	plan->cell[0].bytes = planner->request->memory_bytes;
	placement_choose_nodes(planner);
	return 0;
}
