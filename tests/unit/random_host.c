/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/random_host.h"

#include <stdlib.h>
#include <string.h>

#define GIB (1ULL << 30)

unsigned int random_below(unsigned int below)
{
	return (unsigned int)random() % below;
}

static void add_core(struct topology *topology, unsigned int node,
		     unsigned int siblings, enum topology_kind kind)
{
	for (unsigned int i = 0; i < siblings; i++)
		topology->cpu[topology->cpu_count++] = (struct topology_cpu) {
			.node = node,
			.package = node,
			.die = node,
			.l3 = topology->l3_count - 1,
			.core = topology->core_count,
			.sibling = i,
			.kind = kind,
			.online = true,
			.allowed = random_below(16) > 0,
			.isolated = random_below(16) == 0,
		};
	topology->core_count++;
}

static void add_node(struct topology *topology, unsigned int node,
		     unsigned int siblings)
{
	struct topology_node *at = &topology->node[node];
	unsigned int caches = node ? random_below(4) : 1 + random_below(3);
	unsigned int cores = 1 + random_below(6);

	at->id = node * 2;
	at->total_bytes = random_below(8) ? (1 + random_below(8)) * GIB : 0;
	at->available_bytes = at->total_bytes / 4 * random_below(5);
	at->allowed = random_below(8) > 0;
	for (unsigned int i = 0; i < caches; i++) {
		topology->l3_count++;
		for (unsigned int j = 0; j < cores; j++)
			add_core(topology, node, siblings,
				 TOPOLOGY_PERFORMANCE);
	}
	for (unsigned int i = 0; i <= node; i++)
		topology->node[i].distance[node] = at->distance[i] =
			(uint8_t)(i == node ? 10 : 11 + random_below(30));
}

/* Numbers in any order; usable CPUs first. */
static void number_cpus(struct topology *topology)
{
	unsigned int count = topology->cpu_count, next = 0;
	struct topology_cpu *sorted = calloc(count, sizeof(*sorted));

	topology->cpu[random_below(count)].allowed = true;
	for (int allowed = 1; allowed >= 0; allowed--)
		for (unsigned int i = 0; i < count; i++)
			if (topology->cpu[i].allowed == allowed)
				sorted[next++] = topology->cpu[i];
	for (unsigned int i = 0; i < count; i++) {
		sorted[i].id = i * 7 % 1021;
		topology->usable_count += sorted[i].allowed;
	}
	memcpy(topology->cpu, sorted, count * sizeof(*sorted));
	free(sorted);
	for (unsigned int i = topology->usable_count; i-- > 0;) {
		topology->node[topology->cpu[i].node].cpu_first = i;
		topology->node[topology->cpu[i].node].cpu_count++;
	}
}

void random_host(struct topology *topology)
{
	unsigned int siblings = 1 + random_below(2);

	memset(topology, 0, sizeof(*topology));
	topology->node_count = random_below(2) ? 1 : 1 + random_below(8);
	topology->smt_count = siblings;
	for (unsigned int i = 0; i < topology->node_count; i++)
		add_node(topology, i, siblings);
	topology->hybrid = topology->node_count == 1 && random_below(3) == 0;
	for (unsigned int i = random_below(8); topology->hybrid && i-- > 0;)
		add_core(topology, 0, 1, TOPOLOGY_EFFICIENCY);
	number_cpus(topology);
	if (random_below(4) == 0)
		topology->quota_millicpus =
			1 + random_below(topology->usable_count * 1500);
}

void random_guest(struct placement_request *request,
		  enum placement_policy policy)
{
	placement_request_init(request);
	request->policy = policy;
	request->threads = 1 + random_below(2);
	request->vcpus = request->threads * (1 + random_below(20));
	request->shards = random_below(40);
	request->granule_bytes = 2 << 20;
	request->memory_bytes =
		request->granule_bytes * (16 + random_below(2048));
}
