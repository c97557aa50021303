/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "netns/init.h"
#include "netns/link.h"
#include "netns/pass.h"
#include "netns/resolv_conf.h"
#include "tap/tap.h"

/* The caller becomes root (user_namespaces(7)): all that it may map. */
static int inside_map_ids(const struct inside_user *user, struct fail *fail)
{
	char uids[32], gids[32];
	int ret;

	snprintf(uids, sizeof(uids), "0 %u 1", user->uid);
	snprintf(gids, sizeof(gids), "0 %u 1", user->gid);
	ret = file_write("/proc/self/setgroups", "deny");
	if (!ret)
		ret = file_write("/proc/self/uid_map", uids);
	if (!ret)
		ret = file_write("/proc/self/gid_map", gids);
	if (ret)
		return fail_set(fail, ret,
				"cannot become root in a new user namespace "
				"(%s): allow it to mqvmm, or be root",
				strerror(-ret));
	return 0;
}

static int inside_join(const char *path, struct fail *fail)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return fail_set(fail, -errno,
				"cannot open the network namespace %s (%s): "
				"give a name of ip netns, or a path like "
				"/proc/PID/ns/net",
				path, strerror(errno));
	if (setns(fd, CLONE_NEWNET))
		ret = fail_set(fail, -errno,
			       errno == EPERM
				       ? "cannot enter %s (%s): --netns needs "
					 "root"
				       : "cannot enter %s (%s): it is not a "
					 "network namespace",
			       path, strerror(errno));
	close(fd);
	return ret;
}

static int inside_mount(const struct slirp_config *slirp,
			struct resolv_conf *conf, struct fail *fail)
{
	int ret = 0;

	/* The host's mounts come in, ours do not get out. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
		ret = -errno;
	if (!ret)
		ret = resolv_conf_mount(slirp, conf);
	if (ret)
		return fail_set(fail, ret,
				"cannot mount in a new user namespace (%s): "
				"allow it to mqvmm (sysctl "
				"kernel.apparmor_restrict_unprivileged_userns "
				"is one thing that forbids it), or be root",
				strerror(-ret));
	return 0;
}

static int inside_set_up(const struct namespace_plan *plan,
			 const struct inside_user *user,
			 struct resolv_conf *conf, int *fd, struct fail *fail)
{
	const struct netns_config *config = plan->config;
	int ret = user ? inside_map_ids(user, fail) : 0;

	if (!ret && config->path)
		ret = inside_join(config->path, fail);
	if (!ret && plan->run)
		ret = inside_mount(&config->slirp, conf, fail);
	if (!ret)
		ret = tap_open(config->interface, config->slirp.shard_count, fd,
			       fail);
	if (!ret)
		ret = link_configure(config->interface, &config->slirp, fail);
	return ret;
}

/* What stays open here would keep the interface. */
static int inside_hand_over(int sock, const int *fd, unsigned int queues)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < queues; i++) {
		ret = pass_send(sock, &(int) { 0 }, sizeof(int), fd[i]);
		close(fd[i]);
	}
	return ret;
}

_Noreturn void inside_main(const struct namespace_plan *plan,
			   const struct inside_user *user, int sock)
{
	struct resolv_conf conf = { .file = -1, .watch = -1 };
	struct inside_report report = { 0 };
	int fd[NETNS_QUEUES_MAX], none;
	char start;

	/* A parent that has ended already is noticed when it says nothing. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	report.result = inside_set_up(plan, user, &conf, fd, &report.fail);
	if (pass_send(sock, &report, sizeof(report), -1) || report.result ||
	    inside_hand_over(sock, fd, plan->config->slirp.shard_count) ||
	    !plan->run || pass_receive(sock, &start, sizeof(start), &none))
		_exit(0);
	close(sock);
	init_main(plan->config->command, &plan->mask, &conf);
}
