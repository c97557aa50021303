/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_view.h"

/*
 * Nodes and caches are clusters, cores are records with a field for each
 * sibling. osage packs them into a page in the order of sortv; dot alone would
 * make one long row.
 */

static void print_threads(const char *name, const struct id_set *threads,
			  FILE *out)
{
	unsigned int first = 0, end;

	if (id_set_is_empty(threads))
		return;
	fprintf(out, "\\n%s", name);
	for (; id_set_next_range(threads, &first, &end); first = end)
		fprintf(out, end - first > 1 ? " %u-%u" : " %u", first,
			end - 1);
}

static const char *color(const struct topology_cpu *cpu, bool busy)
{
	if (busy)
		return "lightblue";
	return cpu->kind == TOPOLOGY_EFFICIENCY ? "gray90" : "white";
}

/* The core of the CPU at @first. Return: the index behind its last CPU */
static unsigned int print_core(const struct topology_view *view,
			       unsigned int first, unsigned int end, FILE *out)
{
	const struct topology_cpu *cpu = view->topology->cpu;
	struct topology_threads threads;
	unsigned int next = first;
	bool busy = false;

	fprintf(out, "      cpu%u [sortv=%u label=\"{", cpu[first].id,
		first + 1);
	for (; next < end && cpu[next].core == cpu[first].core; next++) {
		fprintf(out, "%s%u%s", next > first ? "|" : "", cpu[next].id,
			cpu[next].isolated ? "*" : "");
		busy |= topology_view_threads(view, cpu[next].id, &threads);
		print_threads("vcpu", &threads.vcpus, out);
		print_threads("shard", &threads.shards, out);
	}
	fprintf(out, "}\" fillcolor=%s];\n", color(&cpu[first], busy));
	return next;
}

static void print_node(const struct topology_view *view, unsigned int index,
		       FILE *out)
{
	const struct topology *topology = view->topology;
	const struct topology_node *node = &topology->node[index];
	unsigned int i = node->cpu_first, end = i + node->cpu_count;
	char total[TOPOLOGY_SIZE_TEXT], available[TOPOLOGY_SIZE_TEXT];

	topology_view_size(node->total_bytes, total);
	topology_view_size(node->available_bytes, available);
	fprintf(out,
		"  subgraph cluster_node%u {\n"
		"    label=\"node %u: %s of %s available\"; sortv=%u;\n",
		node->id, node->id, available, total, index + 1);
	if (i == end) /* an empty cluster is not drawn */
		fprintf(out, "    node%u [label=\"no CPU\"];\n", node->id);
	while (i < end) {
		unsigned int l3 = topology->cpu[i].l3;

		fprintf(out,
			"    subgraph cluster_node%u_cache%u {\n"
			"      label=\"cache %u\"; sortv=%u;\n",
			node->id, l3, l3, l3 + 1);
		while (i < end && topology->cpu[i].l3 == l3)
			i = print_core(view, i, end, out);
		fputs("    }\n", out);
	}
	fputs("  }\n", out);
}

int topology_draw_dot(const struct topology_view *view, FILE *out)
{
	fputs("graph topology {\n"
	      "  graph [layout=osage packmode=array_u fontname=\"sans\"];\n"
	      "  node [shape=record style=filled fontname=\"sans\"];\n",
	      out);
	for (unsigned int i = 0; i < view->topology->node_count; i++)
		print_node(view, i, out);
	fputs("}\n", out);
	return 0;
}
