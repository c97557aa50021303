/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>

#include "sched/topology_internal.h"

/*
 * Theory of operation
 *
 * What CPUs share is told by lists, of those that are in one package, die,
 * cache and core (Linux, Documentation/admin-guide/cputopology.rst). Each level
 * is numbered within the one before, so that whatever a host tells, a core has
 * one cache, a cache one die and a die one package. The list of a group's first
 * CPU is believed, and those of the others are not read: 20 files instead of
 * thousands tell of 128 CPUs. Numbers in sysfs (core_id) are not used, since
 * they are unique in their package only, and -1 on some hosts.
 */

#define CPU      "/sys/devices/system/cpu"
#define UNKNOWN  UINT_MAX
#define CACHES   8 /* of a CPU */
#define L3_LEVEL 3

/* A core with less than 3/4 of the largest one's capacity is a small one. */
#define SMALL_FACTOR  3
#define SMALL_DIVISOR 4

enum level {
	LEVEL_PACKAGE,
	LEVEL_DIE,
	LEVEL_L3,
	LEVEL_CORE,
	LEVELS,
};

static unsigned int *group_of(struct topology_cpu *cpu, enum level level)
{
	switch (level) {
	case LEVEL_PACKAGE:
		return &cpu->package;
	case LEVEL_DIE:
		return &cpu->die;
	case LEVEL_L3:
		return &cpu->l3;
	default:
		return &cpu->core;
	}
}

static bool read_l3(struct host_file *file, unsigned int id,
		    struct id_set *members)
{
	uint64_t cache_level;

	for (unsigned int cache = 0; cache < CACHES; cache++) {
		if (!host_file_read_number(file, &cache_level,
					   CPU "/cpu%u/cache/index%u/level", id,
					   cache))
			return false;
		if (cache_level == L3_LEVEL)
			return host_file_read_set(
				file, members,
				CPU "/cpu%u/cache/index%u/shared_cpu_list", id,
				cache);
	}
	return false;
}

/* Names since Linux 5.2, and what older ones have */
static bool read_list(struct host_file *file, unsigned int id, const char *name,
		      const char *old, struct id_set *members)
{
	return host_file_read_set(file, members, CPU "/cpu%u/topology/%s", id,
				  name) ||
	       host_file_read_set(file, members, CPU "/cpu%u/topology/%s", id,
				  old);
}

/* Older kernels on processors without dies: -1, and each CPU is alone on it */
static bool has_die(struct host_file *file, unsigned int id)
{
	uint64_t die;

	return host_file_read_number(file, &die, CPU "/cpu%u/topology/die_id",
				     id);
}

/* Return: false if the host does not tell who shares it with CPU @id */
static bool read_members(struct host_file *file, unsigned int id,
			 enum level level, struct id_set *members)
{
	switch (level) {
	case LEVEL_PACKAGE:
		return read_list(file, id, "package_cpus_list",
				 "core_siblings_list", members);
	case LEVEL_DIE:
		return has_die(file, id) &&
		       host_file_read_set(file, members,
					  CPU "/cpu%u/topology/die_cpus_list",
					  id);
	case LEVEL_L3:
		return read_l3(file, id, members);
	default:
		return read_list(file, id, "core_cpus_list",
				 "thread_siblings_list", members);
	}
}

/* May both be in one group of @level, as far as enclosing groups tell? */
static bool is_near(struct topology_cpu *a, struct topology_cpu *b,
		    enum level level)
{
	return a->online && b->online && *group_of(b, level) == UNKNOWN &&
	       (level == LEVEL_PACKAGE ||
		*group_of(a, level - 1) == *group_of(b, level - 1));
}

/* Give the group of the CPU at @first its number; UNKNOWN members are free. */
static void number_group(struct topology *topology, unsigned int first,
			 enum level level, unsigned int number,
			 const struct id_set *members)
{
	struct topology_cpu *cpu = topology->cpu;
	unsigned int size = 0;

	for (unsigned int i = first; i < topology->cpu_count; i++) {
		bool in = members ? id_set_has(members, cpu[i].id)
				  : level != LEVEL_CORE;

		if (i > first && !(in && is_near(&cpu[first], &cpu[i], level)))
			continue;
		*group_of(&cpu[i], level) = number;
		if (level == LEVEL_CORE)
			cpu[i].sibling = size;
		size++;
	}
	if (level == LEVEL_CORE && size > topology->smt_count)
		topology->smt_count = size;
}

/* Return: how many groups of @level there are */
static unsigned int number_level(struct host_file *file, enum level level,
				 struct topology *topology)
{
	struct topology_cpu *cpu = topology->cpu;
	struct id_set members;
	unsigned int count = 0;

	for (unsigned int i = 0; i < topology->cpu_count; i++) {
		if (!cpu[i].online || *group_of(&cpu[i], level) != UNKNOWN)
			continue;
		if (read_members(file, cpu[i].id, level, &members))
			number_group(topology, i, level, count, &members);
		else
			number_group(topology, i, level, count, NULL);
		count++;
	}
	return count;
}

static void read_groups(struct host_file *file, struct topology *topology)
{
	for (unsigned int i = 0; i < topology->cpu_count; i++)
		for (enum level level = 0; level < LEVELS; level++)
			if (topology->cpu[i].online)
				*group_of(&topology->cpu[i], level) = UNKNOWN;
	topology->package_count = number_level(file, LEVEL_PACKAGE, topology);
	topology->die_count = number_level(file, LEVEL_DIE, topology);
	topology->l3_count = number_level(file, LEVEL_L3, topology);
	topology->core_count = number_level(file, LEVEL_CORE, topology);
}

/* Return: of the largest core, 0 if the host does not tell capacities */
static uint64_t read_capacity_max(struct host_file *file,
				  const struct topology *topology)
{
	uint64_t capacity, max = 0;

	for (unsigned int i = 0; i < topology->cpu_count; i++) {
		if (!topology->cpu[i].online)
			continue;
		if (!host_file_read_number(file, &capacity,
					   CPU "/cpu%u/cpu_capacity",
					   topology->cpu[i].id))
			return 0;
		max = capacity > max ? capacity : max;
	}
	return max;
}

/* Arm, and x86 since Linux 6.12 (sysfs-devices-system-cpu: cpu_capacity) */
static void read_small_by_capacity(struct host_file *file,
				   const struct topology *topology,
				   struct id_set *small)
{
	uint64_t capacity, max = read_capacity_max(file, topology);

	for (unsigned int i = 0; max && i < topology->cpu_count; i++)
		if (topology->cpu[i].online &&
		    host_file_read_number(file, &capacity,
					  CPU "/cpu%u/cpu_capacity",
					  topology->cpu[i].id) &&
		    capacity < max / SMALL_DIVISOR * SMALL_FACTOR)
			id_set_add(small, topology->cpu[i].id);
}

/* Intel's kinds of core are PMUs of their own: cpu_core is that of big ones. */
static bool read_big(struct host_file *file, struct id_set *big)
{
	struct id_set atom;

	return host_file_read_set(file, big, "/sys/devices/cpu_core/cpus") &&
	       host_file_read_set(file, &atom, "/sys/devices/cpu_atom/cpus");
}

static void read_kinds(struct host_file *file, struct topology *topology)
{
	struct id_set big, small = { 0 };
	bool told = read_big(file, &big);

	if (!told)
		read_small_by_capacity(file, topology, &small);
	for (unsigned int i = 0; i < topology->cpu_count; i++) {
		struct topology_cpu *cpu = &topology->cpu[i];

		if (!cpu->online || (told ? id_set_has(&big, cpu->id)
					  : !id_set_has(&small, cpu->id)))
			continue;
		cpu->kind = TOPOLOGY_EFFICIENCY;
		topology->hybrid = true;
	}
}

/* CPUs that are present, some of them offline; without sysfs what is allowed */
static void find_cpus(struct host_file *file,
		      const struct topology_share *share,
		      struct topology *topology)
{
	struct id_set present, online, isolated;
	bool told = host_file_read_set(file, &online, CPU "/online");

	if (!host_file_read_set(file, &present, CPU "/present"))
		present = told ? online : share->cpus;
	if (!told)
		online = present;
	host_file_read_set(file, &isolated, CPU "/isolated");
	for (unsigned int id = 0; id < TOPOLOGY_CPUS_MAX; id++) {
		struct topology_cpu *cpu = &topology->cpu[topology->cpu_count];

		if (!id_set_has(&present, id) && !id_set_has(&online, id))
			continue;
		cpu->id = id;
		cpu->online = id_set_has(&online, id);
		cpu->allowed =
			!share->cpus_told || id_set_has(&share->cpus, id);
		cpu->isolated = id_set_has(&isolated, id);
		topology->cpu_count++;
		topology->usable_count += cpu->online && cpu->allowed;
	}
}

void topology_read_cpus(struct host_file *file,
			const struct topology_share *share,
			struct topology *topology)
{
	find_cpus(file, share, topology);
	read_groups(file, topology);
	read_kinds(file, topology);
}
