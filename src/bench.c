/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Measuring is a program of its own, in Python: it runs this one and its peers,
 * and needs nothing of what is linked here.
 */

static int bench_find(char *path, size_t size, const char *self)
{
	const char *override = getenv("MQVMM_BENCH");
	const char *slash = strrchr(self, '/');
	int folder = (int)(slash - self);

	if (override) {
		snprintf(path, size, "%s", override);
		return access(path, X_OK) ? -errno : 0;
	}
	/* Beside the installed program; in a build folder there is no such. */
	snprintf(path, size, "%.*s/" MQVMM_BENCH_INSTALLED, folder, self);
	if (access(path, X_OK) == 0)
		return 0;
	snprintf(path, size, "%s", MQVMM_BENCH_SOURCE);
	return access(path, X_OK) ? -errno : 0;
}

int bench_exec(char **argv, struct fail *fail)
{
	char self[PATH_MAX] = "";
	char path[2 * PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int err;

	if (length <= 0)
		return fail_set(
			fail, -errno,
			"cannot tell where mqvmm is: is /proc mounted?");
	err = bench_find(path, sizeof(path), self);
	if (err)
		return fail_set(fail, err,
				"no program to measure with at '%s' (%s): "
				"install mqvmm whole, or name mqvmm-bench with "
				"the variable MQVMM_BENCH",
				path, strerror(-err));
	setenv("MQVMM", self, 0);
	execv(path, argv);
	return fail_set(fail, -errno,
			"cannot run '%s' (%s): is python3 "
			"installed?",
			path, strerror(errno));
}
