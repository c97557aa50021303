/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "topology_text_internal.h"

/*
 * Theory of operation
 *
 * Nodes, in them groups of cores that share a cache, in them a cell for each
 * core (topology_cells.c): "[0 vcpu0 | 64 shard0]" for two siblings, "(16
 * vcpu9)" for an efficiency core. Cores on which the plan puts nothing are told
 * as ranges behind the cells; without a plan they have cells too, so that one
 * sees who siblings are. A cell that is wider than a line goes on in the next.
 */

void picture_draw_set(struct picture *picture, const char *label,
		      const struct id_set *set, bool begin)
{
	if (id_set_is_empty(set))
		return;
	if (begin)
		lines_begin(&picture->lines, PICTURE_INDENT);
	lines_put(&picture->lines, begin ? "%s" : ", %s", label);
	lines_put_set(&picture->lines, set);
}

static void draw_groups(struct picture *picture,
			const struct topology_node *node)
{
	const struct topology *topology = picture->view->topology;
	unsigned int first = node->cpu_first, end = first + node->cpu_count;
	struct lines *lines = &picture->lines;
	bool heading = topology->l3_count > 1;

	for (unsigned int next; first < end; first = next) {
		const struct topology_cpu *cpu = &topology->cpu[first];

		for (next = first + 1; next < end; next++)
			if (topology->cpu[next].l3 != cpu->l3)
				break;
		if (heading) {
			lines_begin(lines, PICTURE_INDENT / 2);
			lines_put(lines, "cache %u", cpu->l3);
			if (topology->package_count > 1)
				lines_put(lines, ", package %u", cpu->package);
		}
		picture_draw_cores(picture, first, next, heading);
	}
}

static void put_memory(struct picture *picture,
		       const struct topology_node *node)
{
	char total[TOPOLOGY_SIZE_TEXT], available[TOPOLOGY_SIZE_TEXT];

	if (!node->total_bytes) {
		lines_put(&picture->lines, "no memory");
		return;
	}
	topology_view_size(node->total_bytes, total);
	topology_view_size(node->available_bytes, available);
	lines_put(&picture->lines, "%s of %s available%s", available, total,
		  node->allowed ? "" : " but not allowed");
}

/* ", 4G of other guests" */
static void put_taken(struct picture *picture, const struct topology_node *node)
{
	const struct placement_taken *taken = picture->view->taken;
	char size[TOPOLOGY_SIZE_TEXT];

	if (!taken || !taken->bytes[node->id])
		return;
	topology_view_size(taken->bytes[node->id], size);
	lines_put(&picture->lines, ", %s of other guests", size);
}

/* "128 x 2M and 1 x 1G pages free" */
static void put_hugepages(struct picture *picture,
			  const struct topology_node *node)
{
	const char *before = ", ";
	char size[TOPOLOGY_SIZE_TEXT];

	for (unsigned int i = 0; i < node->hugepage_count; i++) {
		const struct topology_hugepages *pages = &node->hugepages[i];

		if (!pages->total)
			continue;
		topology_view_size(pages->size_bytes, size);
		lines_put(&picture->lines, "%s%llu x %s", before,
			  (unsigned long long)pages->free, size);
		before = " and ";
	}
	if (*before == ' ')
		lines_put(&picture->lines, " pages free");
}

/* "distance 12 to node 1, 21 to node 2-3" */
static void put_distances(struct picture *picture,
			  const struct topology_node *node)
{
	const struct topology *topology = picture->view->topology;
	const char *before = ", distance";

	for (unsigned int distance = 0; distance <= UINT8_MAX; distance++) {
		struct id_set nodes = { 0 };

		for (unsigned int to = 0; to < topology->node_count; to++)
			if (node->distance[to] == distance &&
			    &topology->node[to] != node)
				id_set_add(&nodes, topology->node[to].id);
		if (id_set_is_empty(&nodes))
			continue;
		lines_put(&picture->lines, "%s %u to node", before, distance);
		lines_put_set(&picture->lines, &nodes);
		before = ",";
	}
}

/* CPUs of the node that this process may not use */
static void draw_forbidden(struct picture *picture, unsigned int index)
{
	const struct topology *topology = picture->view->topology;
	struct id_set forbidden = { 0 };

	for (unsigned int i = topology->usable_count; i < topology->cpu_count;
	     i++)
		if (topology->cpu[i].online && topology->cpu[i].node == index)
			id_set_add(&forbidden, topology->cpu[i].id);
	picture_draw_set(picture, "not allowed", &forbidden, true);
}

static void draw_node(struct picture *picture, unsigned int index)
{
	const struct topology_node *node =
		&picture->view->topology->node[index];

	lines_begin(&picture->lines, 0);
	picture->lines.indent = PICTURE_INDENT;
	lines_put(&picture->lines, "node %u: ", node->id);
	put_memory(picture, node);
	put_taken(picture, node);
	put_hugepages(picture, node);
	put_distances(picture, node);
	draw_groups(picture, node);
	draw_forbidden(picture, index);
}

/* Heading and what belongs to no node */

static void put_count(struct picture *picture, const char *before,
		      unsigned int count, const char *name)
{
	lines_put(&picture->lines, "%s%u %s%s", before, count, name,
		  count == 1 ? "" : "s");
}

static void draw_host(struct picture *picture)
{
	const struct topology *topology = picture->view->topology;

	picture->lines.indent = PICTURE_INDENT;
	put_count(picture, "host: ", topology->node_count, "node");
	put_count(picture, ", ", topology->package_count, "package");
	if (topology->die_count != topology->package_count)
		put_count(picture, ", ", topology->die_count, "die");
	put_count(picture, ", ", topology->l3_count, "cache");
	put_count(picture, ", ", topology->core_count, "core");
	put_count(picture, ", ", topology->cpu_count, "CPU");
	if (topology->usable_count < topology->cpu_count)
		lines_put(&picture->lines, ", %u of them usable",
			  topology->usable_count);
	if (topology->quota_millicpus)
		lines_put(&picture->lines, ", a quota of %g CPUs",
			  topology->quota_millicpus / 1000.0);
}

static const char *memory_mode(const struct placement_cell *cell)
{
	unsigned int first = 0, end;

	if (cell->strict || !id_set_next_range(&cell->nodes, &first, &end))
		return "";
	if (end - first > 1 || id_set_next_range(&cell->nodes, &end, &first))
		return " interleaved";
	return ", preferably";
}

/* "cell 1: vcpu 4-7, 2G of memory on node 1" */
static void draw_cell(struct picture *picture, unsigned int index)
{
	const struct placement *plan = picture->view->plan;
	const struct placement_cell *cell = &plan->cell[index];
	struct lines *lines = &picture->lines;
	char memory[TOPOLOGY_SIZE_TEXT];
	struct id_set vcpus;

	topology_view_cell(plan, index, &vcpus);
	topology_view_size(cell->bytes, memory);
	lines_begin(lines, PICTURE_INDENT / 2);
	lines->indent = PICTURE_INDENT;
	lines_put(lines, "cell %u: vcpu", index);
	lines_put_set(lines, &vcpus);
	lines_put(lines, ", %s of memory", memory);
	if (id_set_is_empty(&cell->nodes))
		return;
	lines_put(lines, "%s on node", memory_mode(cell));
	lines_put_set(lines, &cell->nodes);
}

static uint64_t memory_bytes(const struct placement *plan)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < plan->cell_count; i++)
		bytes += plan->cell[i].bytes;
	return bytes;
}

/* ", polling shard 0-3, other threads on CPU 8" */
static void put_others(struct picture *picture)
{
	const struct placement *plan = picture->view->plan;
	struct id_set polling = { 0 };

	for (unsigned int i = 0; i < plan->shards; i++)
		if (plan->poll_us[i])
			id_set_add(&polling, i);
	if (!id_set_is_empty(&polling)) {
		lines_put(&picture->lines, ", polling shard");
		lines_put_set(&picture->lines, &polling);
	}
	if (!id_set_is_empty(&plan->helpers)) {
		lines_put(&picture->lines, ", other threads on CPU");
		lines_put_set(&picture->lines, &plan->helpers);
	}
}

static void draw_guest(struct picture *picture)
{
	const struct placement *plan = picture->view->plan;
	char memory[TOPOLOGY_SIZE_TEXT];

	if (!plan)
		return;
	topology_view_size(memory_bytes(plan), memory);
	lines_begin(&picture->lines, 0);
	picture->lines.indent = PICTURE_INDENT;
	put_count(picture, "guest: ", plan->vcpus, "virtual CPU");
	put_count(picture, ", ", plan->shards, "shard");
	lines_put(&picture->lines, ", %s of memory", memory);
	if (!plan->pinned)
		lines_put(&picture->lines, ", placed by the scheduler");
	put_others(picture);
	if (!plan->numa && id_set_is_empty(&plan->cell[0].nodes))
		return;
	for (unsigned int i = 0; i < plan->cell_count; i++)
		draw_cell(picture, i);
}

static void draw_offline(struct picture *picture)
{
	const struct topology *topology = picture->view->topology;
	struct id_set offline = { 0 };

	for (unsigned int i = topology->usable_count; i < topology->cpu_count;
	     i++)
		if (!topology->cpu[i].online)
			id_set_add(&offline, topology->cpu[i].id);
	picture_draw_set(picture, "offline", &offline, true);
}

static void draw_legend(struct picture *picture)
{
	const struct topology *topology = picture->view->topology;
	bool isolated = false, others = false;

	for (unsigned int i = 0; i < topology->usable_count; i++) {
		const struct topology_cpu *cpu = &topology->cpu[i];

		isolated |= cpu->isolated;
		others |= topology_view_others(picture->view, cpu->id) > 0;
	}
	lines_begin(&picture->lines, 0);
	lines_put(&picture->lines, "[ ] a core, | between its siblings");
	if (topology->hybrid)
		lines_put(&picture->lines, ", ( ) an efficiency core");
	if (isolated)
		lines_put(&picture->lines, ", * isolated");
	if (others)
		lines_put(&picture->lines, ", + threads of other guests");
}

int topology_draw_text(const struct topology_view *view, unsigned int columns,
		       FILE *out)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	if (!picture)
		return -ENOMEM;
	picture->view = view;
	picture->lines.out = out;
	picture->lines.columns = columns;
	picture_measure_cells(picture);
	draw_host(picture);
	draw_guest(picture);
	for (unsigned int i = 0; i < view->topology->node_count; i++)
		draw_node(picture, i);
	draw_offline(picture);
	draw_legend(picture);
	fputc('\n', out);
	free(picture);
	return 0;
}
