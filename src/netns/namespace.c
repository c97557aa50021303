/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/namespace.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns/inside.h"
#include "netns/pass.h"

/*
 * Theory of operation
 *
 * A child is cloned into the new namespaces, where it makes the interface and
 * sends its queues' descriptors here; they work from any namespace. It is the
 * first process of a process namespace: when it ends, the kernel ends all that
 * the command left running, and the child ends with its parent
 * (PR_SET_PDEATHSIG). So nothing can stay behind.
 *
 * A user namespace is made only for those who are not allowed the others
 * without: root's command keeps all of root's rights and identities.
 */

/* As fork() does, with new namespaces. */
static pid_t namespace_clone(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL,
			      NULL);
}

static int namespace_explain(int err, const struct netns_config *config,
			     struct fail *fail)
{
	if (config->path)
		return fail_set(fail, err,
				"cannot enter the network namespace %s (%s): "
				"--netns needs root",
				config->path, strerror(-err));
	switch (err) {
	case -EPERM:
	case -EACCES:
		return fail_set(fail, err,
				"user namespaces are forbidden here: set the "
				"sysctl kernel.unprivileged_userns_clone to 1 "
				"where there is one, or be root");
	case -ENOSPC:
	case -EUSERS:
		return fail_set(fail, err,
				"there are too many namespaces: raise the "
				"sysctls user.max_user_namespaces and "
				"user.max_net_namespaces");
	case -EINVAL:
		return fail_set(fail, err,
				"this kernel has no user namespaces: be root");
	default:
		return fail_set(fail, err, "cannot make a namespace (%s)",
				strerror(-err));
	}
}

static int namespace_spawn(const struct namespace_plan *plan, int sock,
			   pid_t *child, struct fail *fail)
{
	const struct netns_config *config = plan->config;
	unsigned long flags = config->path ? 0 : CLONE_NEWNET;
	struct inside_user user = { geteuid(), getegid() };
	bool new_user = false;

	if (plan->run)
		flags |= CLONE_NEWNS | CLONE_NEWPID;
	*child = namespace_clone(flags);
	if (*child < 0 && errno == EPERM && !config->path) {
		new_user = true;
		*child = namespace_clone(flags | CLONE_NEWUSER);
	}
	if (*child < 0)
		return namespace_explain(-errno, config, fail);
	if (*child == 0)
		inside_main(plan, new_user ? &user : NULL, sock);
	return 0;
}

static int namespace_receive(struct namespace *namespace, unsigned int queues,
			     int *fd, struct fail *fail)
{
	struct inside_report report;
	unsigned int received = 0;
	int none, ret;

	ret = pass_receive(namespace->sock, &report, sizeof(report), &none);
	if (!ret && report.result)
		return fail_set(fail, report.result, "%s", report.fail.text);
	for (; !ret && received < queues; received++)
		ret = pass_receive(namespace->sock, &report.result,
				   sizeof(report.result), &fd[received]);
	if (!ret)
		return 0;
	while (received--)
		if (fd[received] >= 0)
			close(fd[received]);
	return fail_set(fail, ret,
			"cannot take over the interface's queues (%s): raise "
			"the limit with ulimit -n",
			strerror(-ret));
}

int namespace_create(const struct namespace_plan *plan,
		     struct namespace *namespace, int *fd, struct fail *fail)
{
	int sock[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return fail_set(fail, -errno, "cannot make sockets (%s)",
				strerror(errno));
	*namespace = (struct namespace) { .sock = sock[0] };
	ret = namespace_spawn(plan, sock[1], &namespace->init, fail);
	close(sock[1]);
	if (!ret)
		ret = namespace_receive(
			namespace, plan->config->slirp.shard_count, fd, fail);
	if (ret || !plan->run)
		namespace_destroy(namespace);
	return ret;
}

int namespace_start(struct namespace *namespace)
{
	return pass_send(namespace->sock, "", 1, -1);
}

void namespace_destroy(struct namespace *namespace)
{
	if (namespace->init > 0) {
		kill(namespace->init, SIGKILL);
		while (waitpid(namespace->init, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (namespace->sock >= 0)
		close(namespace->sock);
	*namespace = (struct namespace) { .sock = -1 };
}
