/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
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

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void file_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
