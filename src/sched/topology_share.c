/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/topology_internal.h"

/*
 * Theory of operation
 *
 * What a process may use is told by the affinity of a thread and by its
 * cgroups (cgroups(7), cpuset(7)), looked for where systemd and container
 * engines mount them. A cgroup's path may be that of the host while only the
 * container's own part of the hierarchy is mounted; and quotas of ancestors
 * hold too. So all from the full path up to the mount itself is looked at: the
 * nearest cpuset counts (one above may lack what a partition below took), and
 * of quotas the smallest.
 *
 * Limits: hierarchies mounted elsewhere are not found, and then only affinity
 * counts, to which the kernel applies cpusets as well.
 */

#define QUOTA_MAX_US (UINT64_MAX / 1000)

/*
 * Restrict @set to @more, where both are told. The kernel keeps affinity within
 * the cpuset: one that has nothing of it is that of others.
 */
static void restrict_set(struct id_set *set, bool *told,
			 const struct id_set *more, bool more_told)
{
	struct id_set both = *set;

	if (!more_told)
		return;
	id_set_intersect(&both, more);
	if (!*told)
		*set = *more;
	else if (!id_set_is_empty(&both))
		*set = both;
	*told = true;
}

static void restrict_quota(struct topology_share *share, uint64_t quota_us,
			   uint64_t period_us)
{
	uint64_t millicpus;

	if (!period_us || quota_us > QUOTA_MAX_US)
		return;
	millicpus = quota_us * 1000 / period_us;
	if (!millicpus)
		millicpus = 1;
	if (millicpus > UINT32_MAX)
		return;
	if (!share->quota_millicpus || millicpus < share->quota_millicpus)
		share->quota_millicpus = (uint32_t)millicpus;
}

/*
 * A line of /proc/self/status. The main thread may be pinned already: what the
 * calling one may use counts where that is told, which copies of hosts do not.
 */
static void read_status_set(struct host_file *file, const char *key,
			    struct id_set *set, bool *told)
{
	const char *text = host_file_read(file, "/proc/thread-self/status");
	const char *value;

	if (!text)
		text = host_file_read(file, "/proc/self/status");
	value = text ? host_file_field(text, key) : NULL;
	if (!value)
		return;
	file->text[value - file->text + (long)strcspn(value, "\n")] = '\0';
	id_set_parse(value, set);
	*told = !id_set_is_empty(set);
}

/* "150000 100000", or "max 100000" without a limit */
static void read_quota_v2(struct host_file *file, const char *folder,
			  struct topology_share *share)
{
	uint64_t quota_us;
	char *period;

	if (!host_file_read_number(file, &quota_us, "%s/cpu.max", folder))
		return;
	quota_us = strtoull(file->text, &period, 10);
	restrict_quota(share, quota_us, strtoull(period, NULL, 10));
}

static void read_nearest(struct host_file *file, const char *folder,
			 const char *name, struct id_set *set, bool *told)
{
	if (!*told)
		*told = host_file_read_set(file, set, "%s/%s", folder, name);
}

static void read_v2(struct host_file *file, const char *folder,
		    struct topology_share *share)
{
	read_quota_v2(file, folder, share);
	read_nearest(file, folder, "cpuset.cpus.effective", &share->cpus,
		     &share->cpus_told);
	read_nearest(file, folder, "cpuset.mems.effective", &share->nodes,
		     &share->nodes_told);
}

static void read_quota_v1(struct host_file *file, const char *folder,
			  struct topology_share *share)
{
	uint64_t quota_us, period_us;

	if (host_file_read_number(file, &quota_us, "%s/cpu.cfs_quota_us",
				  folder) &&
	    host_file_read_number(file, &period_us, "%s/cpu.cfs_period_us",
				  folder))
		restrict_quota(share, quota_us, period_us);
}

static void read_cpuset_v1(struct host_file *file, const char *folder,
			   struct topology_share *share)
{
	read_nearest(file, folder, "cpuset.cpus", &share->cpus,
		     &share->cpus_told);
	read_nearest(file, folder, "cpuset.mems", &share->nodes,
		     &share->nodes_told);
}

static bool list_has(char *list, const char *name)
{
	char *one;

	while ((one = strsep(&list, ",")))
		if (strcmp(one, name) == 0)
			return true;
	return false;
}

/*
 * The process's cgroup where @controller is: lines are ID:CONTROLLERS:PATH.
 * Return: NULL if it is not told, or outside of what this process can see
 */
static const char *find_cgroup(struct host_file *file, const char *controller)
{
	char *rest = file->text, *line, *controllers;

	if (!host_file_read(file, "/proc/self/cgroup"))
		return NULL;
	while ((line = strsep(&rest, "\n"))) {
		strsep(&line, ":");
		controllers = strsep(&line, ":");
		if (line && list_has(controllers, controller))
			return strstr(line, "/..") ? NULL : line;
	}
	return NULL;
}

struct hierarchy {
	const char *controller; /* "" is that of version 2 */
	const char *mount;
	void (*read)(struct host_file *file, const char *folder,
		     struct topology_share *share);
};

static const struct hierarchy hierarchies[] = {
	{ "", "/sys/fs/cgroup", read_v2 },
	{ "", "/sys/fs/cgroup/unified", read_v2 },
	{ "cpu", "/sys/fs/cgroup/cpu", read_quota_v1 },
	{ "cpuset", "/sys/fs/cgroup/cpuset", read_cpuset_v1 },
};

static void read_hierarchy(struct host_file *file,
			   const struct hierarchy *hierarchy,
			   struct topology_share *share)
{
	const char *path = find_cgroup(file, hierarchy->controller);
	size_t mount = strlen(hierarchy->mount);
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s%s", hierarchy->mount,
		     path ? path : "") >= PATH_MAX)
		return;
	for (char *end; strlen(folder) > mount; *end = '\0') {
		hierarchy->read(file, folder, share);
		end = strrchr(folder, '/');
	}
	hierarchy->read(file, folder, share);
}

void topology_read_share(struct host_file *file, struct topology_share *share)
{
	struct topology_share cgroup = { 0 };

	memset(share, 0, sizeof(*share));
	read_status_set(file, "Cpus_allowed_list:", &share->cpus,
			&share->cpus_told);
	read_status_set(file, "Mems_allowed_list:", &share->nodes,
			&share->nodes_told);
	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++)
		read_hierarchy(file, &hierarchies[i], &cgroup);
	restrict_set(&share->cpus, &share->cpus_told, &cgroup.cpus,
		     cgroup.cpus_told);
	restrict_set(&share->nodes, &share->nodes_told, &cgroup.nodes,
		     cgroup.nodes_told);
	share->quota_millicpus = cgroup.quota_millicpus;
}
