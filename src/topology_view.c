/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_view.h"

#include <string.h>

bool topology_view_threads(const struct topology_view *view, unsigned int cpu,
			   struct topology_threads *threads)
{
	const struct placement *plan = view->plan;

	memset(threads, 0, sizeof(*threads));
	if (!plan || !plan->pinned)
		return false;
	for (unsigned int i = 0; i < plan->vcpus; i++)
		if (plan->vcpu[i] == cpu)
			id_set_add(&threads->vcpus, i);
	for (unsigned int i = 0; i < plan->shards; i++)
		if (plan->shard[i] == cpu)
			id_set_add(&threads->shards, i);
	return !id_set_is_empty(&threads->vcpus) ||
	       !id_set_is_empty(&threads->shards);
}

unsigned int topology_view_others(const struct topology_view *view,
				  unsigned int cpu)
{
	return view->taken ? view->taken->threads[cpu] : 0;
}

void topology_view_cell(const struct placement *plan, unsigned int cell,
			struct id_set *vcpus)
{
	memset(vcpus, 0, sizeof(*vcpus));
	for (unsigned int i = 0; i < plan->vcpus; i++)
		if (plan->vcpu_cell[i] == cell)
			id_set_add(vcpus, i);
}

void topology_view_size(uint64_t bytes, char text[TOPOLOGY_SIZE_TEXT])
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	unsigned int unit = 0;

	for (; value >= 1000 && units[unit + 1]; unit++)
		value /= 1024;
	snprintf(text, TOPOLOGY_SIZE_TEXT, value < 10 ? "%.2g%c" : "%.0f%c",
		 value, bytes ? units[unit] : '\0');
}
