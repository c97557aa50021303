/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_FAKE_HOST_H
#define MQVMM_TESTS_FAKE_HOST_H

/**
 * fake_host_create() - Make a folder that stands for the / of some host
 * @text:	Words of the form key=value, which describe it:
 *
 *	packages=1 dies=1 l3=1 cores=1 smt=1
 *			how many of each there are in one of what is before it
 *	siblings=apart|adjacent
 *			CPU 0's sibling has the number of half the CPUs, or 1
 *	small=0		small cores without siblings, behind the others
 *	kinds=pmu|capacity
 *			how it tells of small cores
 *	nodes=1		among which the cores are divided; 0 is no NUMA at all
 *	extra=0		nodes more, without CPUs
 *	bare=LIST	nodes without memory
 *	memory=16	GiB of each node; three quarters of it are free
 *	offline=LIST isolated=LIST
 *	allowed=LIST	by affinity
 *	sysfs=none	tells nothing of CPUs and nodes
 *	cgroup=v1|v2 path=/ cpuset=LIST quota=US
 *			of a period of 100000 us
 *
 * Return: its path, to be given to fake_host_destroy()
 */
char *fake_host_create(const char *text);

/* Write a file, or replace it; @text NULL removes it. */
void fake_host_write(const char *root, const char *path, const char *text);

void fake_host_destroy(char *root);

/* Remove what tests of this process that failed left: a group's teardown. */
int fake_host_clean(void **state);

#endif
