/* SPDX-License-Identifier: BSD-3-Clause */
#include <cjson/cJSON.h>
#include <errno.h>

#include "topology_view.h"

static cJSON *make_cpu(const struct topology_view *view,
		       const struct topology_cpu *cpu)
{
	const struct topology *topology = view->topology;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddNumberToObject(object, "id", cpu->id);
	cJSON_AddBoolToObject(object, "online", cpu->online);
	cJSON_AddBoolToObject(object, "allowed", cpu->allowed);
	cJSON_AddBoolToObject(object, "isolated", cpu->isolated);
	if (!cpu->online)
		return object;
	cJSON_AddNumberToObject(object, "others",
				topology_view_others(view, cpu->id));
	cJSON_AddNumberToObject(object, "node", topology->node[cpu->node].id);
	cJSON_AddNumberToObject(object, "package", cpu->package);
	cJSON_AddNumberToObject(object, "die", cpu->die);
	cJSON_AddNumberToObject(object, "l3", cpu->l3);
	cJSON_AddNumberToObject(object, "core", cpu->core);
	cJSON_AddNumberToObject(object, "sibling", cpu->sibling);
	cJSON_AddStringToObject(object, "kind",
				cpu->kind == TOPOLOGY_EFFICIENCY
					? "efficiency"
					: "performance");
	return object;
}

static void add_hugepages(cJSON *object, const struct topology_node *node)
{
	cJSON *array = cJSON_AddArrayToObject(object, "hugepages");

	for (unsigned int i = 0; i < node->hugepage_count; i++) {
		const struct topology_hugepages *pages = &node->hugepages[i];
		cJSON *size = cJSON_CreateObject();

		cJSON_AddNumberToObject(size, "size_bytes",
					(double)pages->size_bytes);
		cJSON_AddNumberToObject(size, "total", (double)pages->total);
		cJSON_AddNumberToObject(size, "free", (double)pages->free);
		cJSON_AddItemToArray(array, size);
	}
}

static cJSON *make_node(const struct topology *topology,
			const struct topology_node *node)
{
	cJSON *object = cJSON_CreateObject(), *distances;

	cJSON_AddNumberToObject(object, "id", node->id);
	cJSON_AddBoolToObject(object, "allowed", node->allowed);
	cJSON_AddNumberToObject(object, "total_bytes",
				(double)node->total_bytes);
	cJSON_AddNumberToObject(object, "free_bytes", (double)node->free_bytes);
	cJSON_AddNumberToObject(object, "available_bytes",
				(double)node->available_bytes);
	add_hugepages(object, node);
	distances = cJSON_AddArrayToObject(object, "distances");
	for (unsigned int to = 0; to < topology->node_count; to++)
		cJSON_AddItemToArray(distances,
				     cJSON_CreateNumber(node->distance[to]));
	return object;
}

static void add_host(cJSON *object, const struct topology_view *view)
{
	const struct topology *topology = view->topology;
	cJSON *host = cJSON_AddObjectToObject(object, "host");
	cJSON *nodes = cJSON_AddArrayToObject(host, "nodes");
	cJSON *cpus = cJSON_AddArrayToObject(host, "cpus");

	for (unsigned int i = 0; i < topology->node_count; i++)
		cJSON_AddItemToArray(nodes,
				     make_node(topology, &topology->node[i]));
	for (unsigned int i = 0; i < topology->cpu_count; i++)
		cJSON_AddItemToArray(cpus, make_cpu(view, &topology->cpu[i]));
	if (topology->quota_millicpus)
		cJSON_AddNumberToObject(host, "quota_cpus",
					topology->quota_millicpus / 1000.0);
	else
		cJSON_AddNullToObject(host, "quota_cpus");
}

/* By index, the CPU of each thread; null where the scheduler chooses */
static void add_threads(cJSON *object, const char *name, bool pinned,
			const unsigned int *cpu, unsigned int count)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);

	for (unsigned int i = 0; i < count; i++)
		cJSON_AddItemToArray(array, pinned ? cJSON_CreateNumber(cpu[i])
						   : cJSON_CreateNull());
}

static void add_set(cJSON *object, const char *name, const struct id_set *set)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);

	for (unsigned int id = 0; id < ID_SET_MAX; id++)
		if (id_set_has(set, id))
			cJSON_AddItemToArray(array, cJSON_CreateNumber(id));
}

static cJSON *make_cell(const struct placement *plan, unsigned int index)
{
	const struct placement_cell *cell = &plan->cell[index];
	cJSON *object = cJSON_CreateObject(), *distances;
	struct id_set vcpus;

	topology_view_cell(plan, index, &vcpus);
	add_set(object, "vcpus", &vcpus);
	cJSON_AddNumberToObject(object, "bytes", (double)cell->bytes);
	add_set(object, "nodes", &cell->nodes);
	cJSON_AddBoolToObject(object, "strict", cell->strict);
	distances = cJSON_AddArrayToObject(object, "distances");
	for (unsigned int to = 0; to < plan->cell_count; to++)
		cJSON_AddItemToArray(distances,
				     cJSON_CreateNumber(cell->distance[to]));
	return object;
}

static void add_plan(cJSON *object, const struct placement *plan)
{
	cJSON *to, *cells, *poll;

	if (!plan) {
		cJSON_AddNullToObject(object, "plan");
		return;
	}
	to = cJSON_AddObjectToObject(object, "plan");
	add_threads(to, "vcpus", plan->pinned, plan->vcpu, plan->vcpus);
	add_threads(to, "shards", plan->pinned, plan->shard, plan->shards);
	add_set(to, "helpers", &plan->helpers);
	poll = cJSON_AddArrayToObject(to, "poll_us");
	for (unsigned int i = 0; i < plan->shards; i++)
		cJSON_AddItemToArray(poll,
				     cJSON_CreateNumber(plan->poll_us[i]));
	cJSON_AddBoolToObject(to, "numa", plan->numa);
	cells = cJSON_AddArrayToObject(to, "cells");
	for (unsigned int i = 0; i < plan->cell_count; i++)
		cJSON_AddItemToArray(cells, make_cell(plan, i));
}

int topology_draw_json(const struct topology_view *view, FILE *out)
{
	cJSON *object = cJSON_CreateObject();
	char *text;

	add_host(object, view);
	add_plan(object, view->plan);
	text = cJSON_Print(object);
	cJSON_Delete(object);
	if (!text)
		return -ENOMEM;
	fprintf(out, "%s\n", text);
	cJSON_free(text);
	return 0;
}
