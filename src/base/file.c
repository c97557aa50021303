/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

void file_replace(const char *path, void (*print)(void *context, FILE *out),
		  void *context)
{
	char temporary[4096];
	FILE *out;

	if (snprintf(temporary, sizeof(temporary), "%s.%d", path, getpid()) >=
	    (int)sizeof(temporary))
		return;
	out = fopen(temporary, "we");
	if (!out) {
		log_line("cannot write %s: %s", path, strerror(errno));
		return;
	}
	print(context, out);
	if (fclose(out) || rename(temporary, path)) {
		log_line("cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
	}
}

void file_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
