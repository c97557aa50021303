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

/* The table never shrinks again. */
static void file_grow_table(rlim_t limit)
{
	int last =
		limit < FILE_TABLE_SIZE ? (int)limit - 1 : FILE_TABLE_SIZE - 1;
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int copy = fcntl(file, F_DUPFD_CLOEXEC, last);

	if (copy >= 0)
		close(copy);
	if (file >= 0)
		close(file);
}

void file_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	file_grow_table(limit.rlim_cur);
}
