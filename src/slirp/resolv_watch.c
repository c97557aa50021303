/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/resolv_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A resolv.conf is written in place, replaced by rename() or by a new symbolic
 * link, or leads through links to a file that another program replaces.
 * inotify(7) tells of a file only by its inode, of names only by their
 * directory. So the directory of each link on the way is watched, and the file.
 *
 * What there is to be watched changes with every change, so a set of watches
 * serves once. A directory that does not exist is awaited in the nearest one
 * that does.
 *
 * Limits: links among the directories of a path are followed once, when the
 * watches are made; WATCH_LINKS_MAX links to a file.
 */

#define WATCH_LINKS_MAX 8

#define WATCH_NAMES \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

/* Cut the last component off. Return: false where nothing is left */
static bool watch_go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !slash[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

static void watch_directory_of(int fd, const char *path)
{
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	while (watch_go_up(directory))
		if (inotify_add_watch(fd, directory, WATCH_NAMES) >= 0)
			return;
}

/* Go where a symbolic link leads. Return: false if @path is none */
static bool watch_follow(char path[PATH_MAX])
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);

	if (size <= 0)
		return false;
	target[size] = '\0';
	if (target[0] == '/')
		*path = '\0';
	else
		watch_go_up(path);
	if (snprintf(whole, sizeof(whole), "%s%s%s", path, *path ? "/" : "",
		     target) >= PATH_MAX)
		return false;
	memcpy(path, whole, strlen(whole) + 1);
	return true;
}

int resolv_watch_open(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char at[PATH_MAX];

	if (fd < 0)
		return -errno;
	if (snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	for (unsigned int links = 0; links < WATCH_LINKS_MAX; links++) {
		watch_directory_of(fd, at);
		if (!watch_follow(at))
			break;
	}
	inotify_add_watch(fd, path, IN_CLOSE_WRITE);
	return fd;
}
