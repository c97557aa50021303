/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/host_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Return: a descriptor of a regular file, or -1 */
static int open_below(const char *root, const char *format, va_list args)
{
	char path[PATH_MAX];
	struct stat stat;
	int used = snprintf(path, sizeof(path), "%s", root), length, fd;

	if (used < 0 || used >= PATH_MAX)
		return -1;
	length = vsnprintf(path + used, sizeof(path) - (size_t)used, format,
			   args);
	if (length < 0 || used + length >= PATH_MAX)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &stat) || !S_ISREG(stat.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Return: bytes read; all of @text if there may be more, or on an error */
static size_t read_whole(int fd, char *text)
{
	size_t size = 0;
	ssize_t got;

	while (size < HOST_FILE_TEXT_SIZE) {
		got = read(fd, text + size, HOST_FILE_TEXT_SIZE - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return HOST_FILE_TEXT_SIZE;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return size;
}

static const char *read_below(struct host_file *file, const char *format,
			      va_list args)
{
	int fd = open_below(file->root, format, args);
	size_t size;

	if (fd < 0)
		return NULL;
	size = read_whole(fd, file->text);
	close(fd);
	if (size == 0 || size == HOST_FILE_TEXT_SIZE)
		return NULL;
	file->text[size] = '\0';
	return file->text;
}

const char *host_file_read(struct host_file *file, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = read_below(file, format, args);
	va_end(args);
	return text;
}

bool host_file_read_set(struct host_file *file, struct id_set *set,
			const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = read_below(file, format, args);
	va_end(args);
	id_set_parse(text ? text : "", set);
	return !id_set_is_empty(set);
}

bool host_file_read_number(struct host_file *file, uint64_t *number,
			   const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = read_below(file, format, args);
	va_end(args);
	*number = 0;
	if (!text || !isdigit((unsigned char)*text))
		return false;
	*number = strtoull(text, NULL, 10);
	return true;
}

const char *host_file_field(const char *text, const char *key)
{
	const char *value = strstr(text, key);

	return value ? value + strlen(key) + strspn(value + strlen(key), " \t")
		     : NULL;
}
