/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/resolv_conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/*
 * Theory of operation
 *
 * A file of our own is bound over /etc/resolv.conf, or over what that is a link
 * to. It lies in a tmpfs that is mounted on /proc, as a folder that is always
 * there, and then hidden by the new /proc.
 *
 * The host's programs replace their resolv.conf by renaming, which has the
 * kernel take away what was mounted on the old one, in all mount namespaces. So
 * both folders in question are watched, and ours is mounted again.
 */

#define RESOLV_CONF "/etc/resolv.conf"
#define FILE_ACCESS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int resolv_conf_write(const char *path, const struct slirp_config *slirp)
{
	FILE *out = fopen(path, "we");
	char text[INET6_ADDRSTRLEN];

	if (!out)
		return -errno;
	if (slirp->ipv4)
		fprintf(out, "nameserver %s\n",
			inet_ntop(AF_INET, &slirp->dns, text, sizeof(text)));
	if (slirp->ipv6)
		fprintf(out, "nameserver %s\n",
			inet_ntop(AF_INET6, &slirp->dns6, text, sizeof(text)));
	if (slirp->search[0])
		fprintf(out, "search %s\n", slirp->search);
	return fclose(out) ? -errno : 0;
}

static int resolv_conf_bind(const char *file)
{
	return mount(file, RESOLV_CONF, NULL, MS_BIND, NULL) ? -errno : 0;
}

static int resolv_conf_bind_first(const struct slirp_config *slirp)
{
	int ret = resolv_conf_write("/proc/resolv.conf", slirp);

	if (ret)
		return ret;
	ret = resolv_conf_bind("/proc/resolv.conf");
	if (ret != -ENOENT)
		return ret;
	log_line("there is no " RESOLV_CONF
		 ": names will not be resolved in the namespace");
	return 0;
}

int resolv_conf_mount(const struct slirp_config *slirp,
		      struct resolv_conf *conf)
{
	int ret;

	conf->watch = -1;
	if (mount("tmpfs", "/proc", "tmpfs", FILE_ACCESS, "mode=0755,size=64k"))
		return -errno;
	ret = resolv_conf_bind_first(slirp);
	conf->file = open("/proc/resolv.conf", O_PATH | O_CLOEXEC);
	if (!mount("proc", "/proc", "proc", FILE_ACCESS, NULL))
		return ret;
	/* Forbidden in most containers. The old one serves, too. */
	close(conf->file);
	conf->file = -1;
	umount2("/proc", MNT_DETACH);
	return ret;
}

void resolv_conf_watch(struct resolv_conf *conf, int signal)
{
	const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_DELETE;
	char path[PATH_MAX];

	if (conf->file < 0)
		return;
	conf->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(conf->watch, "/etc", events);
	if (realpath(RESOLV_CONF, path))
		inotify_add_watch(conf->watch, dirname(path), events);
	fcntl(conf->watch, F_SETOWN, getpid());
	fcntl(conf->watch, F_SETSIG, signal);
	fcntl(conf->watch, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static bool resolv_conf_is_ours(const struct resolv_conf *conf)
{
	struct stat ours, there;

	return !fstat(conf->file, &ours) && !stat(RESOLV_CONF, &there) &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void resolv_conf_restore(const struct resolv_conf *conf)
{
	char events[4096], path[64];

	while (read(conf->watch, events, sizeof(events)) > 0)
		;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", conf->file);
	/* One that is not there at this moment is told of when it is. */
	if (!resolv_conf_is_ours(conf))
		resolv_conf_bind(path);
}
