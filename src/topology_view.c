/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_view.h"

#include <string.h>

bool topology_view_threads(const struct topology_view *view, unsigned int cpu,
			   struct topology_threads *threads)
{
	bool found = false;

	memset(threads, 0, sizeof(*threads));
	if (!view->plan || !view->plan->pinned)
		return false;
	for (unsigned int i = 0; i < view->vcpus; i++)
		if (view->plan->vcpu[i] == cpu) {
			id_set_add(&threads->vcpus, i);
			found = true;
		}
	for (unsigned int i = 0; i < view->shards; i++)
		if (view->plan->shard[i] == cpu) {
			id_set_add(&threads->shards, i);
			found = true;
		}
	return found;
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
