/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/ram_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* mbind() takes a set as the kernel's words of bits, as id_set has it. */
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "a 64-bit host");

void ram_format_nodes(const struct placement_cell *cell, char *text)
{
	char list[RAM_NODES_TEXT_SIZE - sizeof("nodes ")];
	const char *plural = "";

	(void)id_set_format(&cell->nodes, list, sizeof(list));
	if (strpbrk(list, ",-"))
		plural = "s";
	snprintf(text, RAM_NODES_TEXT_SIZE, "node%s %s", plural, list);
}

static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &value) != 1)
		value = 0;
	(void)fclose(file);
	return value;
}

static uint64_t node_free_pages(unsigned int node, uint64_t page)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%u/hugepages/"
		 "hugepages-%" PRIu64 "kB/free_hugepages",
		 node, page / 1024);
	return read_number(path);
}

static uint64_t free_pages(const struct id_set *nodes, uint64_t page)
{
	uint64_t pages = 0;
	unsigned int first = 0, end = 0;

	for (; id_set_next_range(nodes, &first, &end); first = end)
		for (unsigned int node = first; node < end; node++)
			pages += node_free_pages(node, page);
	return pages;
}

static bool is_subset(const struct id_set *inner, const struct id_set *outer)
{
	struct id_set both = *inner;

	id_set_intersect(&both, outer);
	return memcmp(&both, inner, sizeof(both)) == 0;
}

/* All that can come from nowhere but @nodes. */
static uint64_t wanted_bytes(const struct placement *placement,
			     const struct id_set *nodes)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < placement->cell_count; i++) {
		const struct placement_cell *cell = &placement->cell[i];

		if (cell->strict && is_subset(&cell->nodes, nodes))
			bytes += cell->bytes;
	}
	return bytes;
}

static bool is_bound(const struct placement_cell *cell)
{
	return cell->bytes && !id_set_is_empty(&cell->nodes);
}

int ram_check_pools(const struct placement *placement, uint64_t page,
		    struct fail *fail)
{
	for (unsigned int i = 0; i < placement->cell_count; i++) {
		const struct placement_cell *cell = &placement->cell[i];
		char nodes[RAM_NODES_TEXT_SIZE];
		uint64_t wanted, free;

		if (!cell->strict || !is_bound(cell))
			continue;
		wanted = wanted_bytes(placement, &cell->nodes) / page;
		free = free_pages(&cell->nodes, page);
		if (wanted <= free)
			continue;
		ram_format_nodes(cell, nodes);
		return fail_set(fail, -ENOMEM,
				"guest memory needs %" PRIu64
				" huge pages of %" PRIu64
				" MiB on host %s and %" PRIu64
				" are free there: add %" PRIu64
				" to /sys/devices/system/node/nodeN/hugepages/"
				"hugepages-%" PRIu64
				"kB/nr_hugepages of it, or use ordinary pages",
				wanted, page / RAM_MIB, nodes, free,
				wanted - free, page / 1024);
	}
	return 0;
}

static int policy_of(const struct placement_cell *cell)
{
	unsigned int first = 0, end = 0;

	if (cell->strict)
		return MPOL_BIND;
	(void)id_set_next_range(&cell->nodes, &first, &end);
	if (end - first > 1)
		return MPOL_INTERLEAVE;
	first = end;
	if (id_set_next_range(&cell->nodes, &first, &end))
		return MPOL_INTERLEAVE;
	return MPOL_PREFERRED;
}

static bool host_has_one_node(void)
{
	char text[8] = "";
	FILE *file = fopen("/sys/devices/system/node/online", "re");

	if (!file)
		return true;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	(void)fclose(file);
	return strcmp(text, "0\n") == 0;
}

static int fail_bind(unsigned int index, const struct placement_cell *cell,
		     int error, struct fail *fail)
{
	const char *remedy = "choose nodes that are online, have memory and "
			     "are in this process's cpuset (Mems_allowed)";
	char nodes[RAM_NODES_TEXT_SIZE];

	if (error == ENOSYS || (error == EPERM && host_has_one_node()))
		return 0;
	if (error == EPERM)
		remedy = "let this container call mbind, which CAP_SYS_NICE "
			 "does";
	ram_format_nodes(cell, nodes);
	if (cell->strict)
		return fail_set(fail, -error,
				"cannot bind cell %u of the guest's memory to "
				"host %s (%s): %s",
				index, nodes, strerror(error), remedy);
	log_line("the guest's memory may not be near its CPUs: no policy for "
		 "host %s (%s): %s",
		 nodes, strerror(error), remedy);
	return 0;
}

int ram_bind(uint8_t *base, const struct placement *placement,
	     struct fail *fail)
{
	for (unsigned int i = 0; i < placement->cell_count; i++) {
		const struct placement_cell *cell = &placement->cell[i];
		int rc;

		if (!is_bound(cell))
			continue;
		if (!mbind(base + cell->start, cell->bytes, policy_of(cell),
			   (const unsigned long *)cell->nodes.word, ID_SET_MAX,
			   0))
			continue;
		rc = fail_bind(i, cell, errno, fail);
		if (rc < 0)
			return rc;
	}
	return 0;
}
