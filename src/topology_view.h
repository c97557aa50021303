/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TOPOLOGY_VIEW_H
#define MQVMM_TOPOLOGY_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include "sched/id_set.h"
#include "sched/placement.h"
#include "sched/topology.h"

/**
 * struct topology_view - What `mqvmm topology` draws
 * @topology:	The host
 * @plan:	Where the guest is, NULL without one
 * @taken:	What other guests of this user have, NULL for nothing
 */
struct topology_view {
	const struct topology *topology;
	const struct placement *plan;
	const struct placement_taken *taken;
};

/**
 * struct topology_threads - What the plan puts on one CPU
 * @vcpus, @shards: Indices
 */
struct topology_threads {
	struct id_set vcpus;
	struct id_set shards;
};

/* Find them; Return: false if there are none */
bool topology_view_threads(const struct topology_view *view, unsigned int cpu,
			   struct topology_threads *threads);

/* Return: threads of other guests that are pinned to @cpu */
unsigned int topology_view_others(const struct topology_view *view,
				  unsigned int cpu);

/* The vCPUs of the plan's @cell */
void topology_view_cell(const struct placement *plan, unsigned int cell,
			struct id_set *vcpus);

/* Write a size as people do: "16G", "1.5G", "0" */
#define TOPOLOGY_SIZE_TEXT 16
void topology_view_size(uint64_t bytes, char text[TOPOLOGY_SIZE_TEXT]);

/**
 * topology_draw_text() - Draw it for people
 * @columns:	Width to keep within, at least 40
 *
 * Each CPU that may be used appears once: with its threads in the cell of its
 * core, or among those that have none.
 *
 * Return: 0 or -ENOMEM
 */
int topology_draw_text(const struct topology_view *view, unsigned int columns,
		       FILE *out);

/* The same for programs, as one JSON object. */
int topology_draw_json(const struct topology_view *view, FILE *out);

/* The same for Graphviz (dot(1)). */
int topology_draw_dot(const struct topology_view *view, FILE *out);

#endif
