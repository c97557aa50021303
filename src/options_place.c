/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options_text.h"

struct policy_name {
	const char *name;
	enum placement_policy policy;
};

static const struct policy_name policies[] = {
	{ "auto", PLACEMENT_AUTO },     { "compact", PLACEMENT_COMPACT },
	{ "spread", PLACEMENT_SPREAD }, { "numa", PLACEMENT_NUMA },
	{ "none", PLACEMENT_NONE },
};

static int parse_policy(const char *text, enum placement_policy *policy)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
		if (strcmp(text, policies[i].name) == 0) {
			*policy = policies[i].policy;
			return 0;
		}
	return -EINVAL;
}

/* A list like "0-3+8": commas are taken. */
static int parse_set(const char *text, struct id_set *set)
{
	char list[OPTIONS_TEXT_MAX];
	size_t length = strlen(text);

	if (!length || length >= sizeof(list) || strchr(text, '\n'))
		return -EINVAL;
	memcpy(list, text, length + 1);
	for (char *plus = list; (plus = strchr(plus, '+'));)
		*plus = ',';
	return id_set_parse(list, set) ? -EINVAL : 0;
}

/* "7" or "0-7", below @end */
static int parse_range(const char *text, unsigned int end, unsigned int *first,
		       unsigned int *last)
{
	char copy[24] = "", *dash;
	uint64_t low, high;

	strncpy(copy, text, sizeof(copy) - 1);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (options_number(copy, 0, end - 1, &low) ||
	    options_number(dash ? dash : copy, low, end - 1, &high))
		return -EINVAL;
	*first = (unsigned int)low;
	*last = (unsigned int)high;
	return 0;
}

/* One CPU for all threads of a range, or as many as there are threads */
static int parse_map(const char *threads, const char *cpus, uint16_t *map)
{
	unsigned int first, last, cpu, end;

	if (!cpus ||
	    parse_range(threads, PLACEMENT_THREADS_MAX, &first, &last) ||
	    parse_range(cpus, TOPOLOGY_CPUS_MAX, &cpu, &end) ||
	    (cpu != end && end - cpu != last - first))
		return -EINVAL;
	for (unsigned int i = first; i <= last; i++)
		map[i] = (uint16_t)(cpu == end ? cpu : cpu + i - first);
	return 0;
}

static int place_word(const struct options_pair *pair,
		      struct placement_request *place)
{
	if (!pair->value)
		return parse_policy(pair->key, &place->policy);
	if (strncmp(pair->key, "vcpu", 4) == 0)
		return parse_map(pair->key + 4, pair->value, place->vcpu);
	if (strncmp(pair->key, "shard", 5) == 0)
		return parse_map(pair->key + 5, pair->value, place->shard);
	if (strcmp(pair->key, "helpers") == 0)
		return parse_set(pair->value, &place->helpers);
	if (strcmp(pair->key, "registry") == 0)
		return options_switch(pair->value, &place->registry);
	return -EINVAL;
}

static bool names_cpus(const struct placement_request *place)
{
	bool named = !id_set_is_empty(&place->helpers);

	for (unsigned int i = 0; i < PLACEMENT_THREADS_MAX; i++)
		named |= place->vcpu[i] != PLACEMENT_CPU_ANY ||
			 place->shard[i] != PLACEMENT_CPU_ANY;
	return named;
}

int options_place(const char *text, struct placement_request *place,
		  struct fail *fail)
{
	char copy[OPTIONS_TEXT_MAX] = "", *rest = copy;
	struct options_pair pair;

	if (!*text || strlen(text) >= sizeof(copy))
		return fail_set(fail, -EINVAL,
				"--place is not possible: give a policy, CPUs "
				"or both, in less than %d characters",
				OPTIONS_TEXT_MAX);
	strncpy(copy, text, sizeof(copy) - 1);
	while (options_next_pair(&rest, &pair))
		if (place_word(&pair, place))
			return fail_set(
				fail, -EINVAL,
				"--place %.64s%s%.64s is not possible: give "
				"auto, compact, spread, numa or none, "
				"vcpuN=CPU, shardN=CPU, vcpuN-M=CPU-CPU with "
				"as many CPUs, helpers=CPUS or registry=off",
				pair.key, pair.value ? "=" : "",
				pair.value ? pair.value : "");
	if (place->policy == PLACEMENT_NONE && names_cpus(place))
		return fail_set(fail, -EINVAL,
				"--place %.64s is not possible: none leaves "
				"threads to the scheduler, so it cannot be "
				"together with CPUs",
				text);
	return 0;
}

/* Cells are numbered in the order in which they are given. */
static int numa_word(const struct options_pair *pair, unsigned int number,
		     struct placement_cell_request *cell)
{
	uint64_t value;

	if (!pair->value)
		return -EINVAL;
	if (strcmp(pair->key, "cell") == 0)
		return options_number(pair->value, number, number, &value);
	if (strcmp(pair->key, "cpus") == 0)
		return parse_set(pair->value, &cell->cpus);
	if (strcmp(pair->key, "memory") == 0)
		return options_size(pair->value, &cell->bytes);
	if (strcmp(pair->key, "host-nodes") == 0)
		return parse_set(pair->value, &cell->nodes);
	return -EINVAL;
}

int options_numa(const char *text, struct placement_request *place,
		 struct fail *fail)
{
	struct placement_cell_request *cell = &place->cell[place->cell_count];
	char copy[OPTIONS_TEXT_MAX] = "", *rest = copy;
	struct options_pair pair;

	if (place->cell_count == PLACEMENT_CELLS_MAX)
		return fail_set(fail, -EINVAL,
				"--numa is not possible more than %d times",
				PLACEMENT_CELLS_MAX);
	if (strlen(text) >= sizeof(copy))
		return fail_set(fail, -EINVAL, "--numa %.64s... is too long",
				text);
	strncpy(copy, text, sizeof(copy) - 1);
	while (options_next_pair(&rest, &pair))
		if (numa_word(&pair, place->cell_count, cell))
			return fail_set(
				fail, -EINVAL,
				"--numa %.64s%s%.64s is not possible: give "
				"cell=%u, cpus=0-3+8-11, memory=SIZE and "
				"host-nodes=0+1, cells in order",
				pair.key, pair.value ? "=" : "",
				pair.value ? pair.value : "",
				place->cell_count);
	if (id_set_is_empty(&cell->cpus) && !cell->bytes)
		return fail_set(fail, -EINVAL,
				"--numa %.64s is not possible: a cell has "
				"cpus= or memory=",
				text);
	place->cell_count++;
	return 0;
}
