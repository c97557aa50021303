/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/netns.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "control/control.h"
#include "netns/init.h"
#include "netns/namespace.h"
#include "sched/follow.h"
#include "sched/placement_host.h"
#include "sched/registry.h"
#include "slirp/resolv.h"
#include "tap/steer.h"
#include "tap/tap_port.h"

/*
 * Theory of operation
 *
 * The NAT runs here, in the caller's network namespace, one shard for each
 * queue of a TAP that lies in the other one. The main thread waits for signals:
 * the end of the namespace's init, which is the command's end, signals to hand
 * on to it, and SIGUSR1. The command begins when the shards run.
 */

/* A shard more than there are CPUs helps nobody; this many are enough for a
 * command's start not to be felt on a large host. */
#define NETNS_QUEUES_DEFAULT_MAX 16

#define NETNS_GONE_CHECK_S 1
#define NETNS_SETTLE_TURNS 1000 /* of 64 frames: what a queue can hold */

struct netns {
	struct netns_config config;
	struct namespace namespace;
	struct placement placement;
	struct registry *registry;
	struct follow *follow;
	struct slirp *slirp;
	struct control *control;
	struct port *port[NETNS_QUEUES_MAX];
	int fd[NETNS_QUEUES_MAX];
	unsigned int queues; /* entries of port and fd that are in use */
	sigset_t signals;
	pid_t terminal_group;
	char path[PATH_MAX];
	struct stat served; /* the namespace at path */
};

static void netns_print_stats(void *context, FILE *out)
{
	struct netns *netns = context;

	fputs("{\"slirp\":", out);
	slirp_print_stats(netns->slirp, out);
	fputs("}\n", out);
}

static void netns_write_stats(struct netns *netns)
{
	if (netns->config.stats)
		file_replace(netns->config.stats, netns_print_stats, netns);
}

static void netns_choose(struct netns *netns)
{
	struct slirp_config *slirp = &netns->config.slirp;
	struct topology *topology;
	unsigned int cpus = 1;

	slirp_config_probe(slirp);
	resolv_read_search(slirp);
	if (slirp->shard_count)
		return;
	if (!topology_read("", &topology, NULL)) {
		cpus = topology->usable_count;
		topology_free(topology);
	}
	slirp->shard_count = cpus < NETNS_QUEUES_DEFAULT_MAX
				     ? cpus
				     : NETNS_QUEUES_DEFAULT_MAX;
}

/* A name is one of ip-netns(8). */
static void netns_find(struct netns *netns)
{
	const char *path = netns->config.path;

	if (!path)
		return;
	snprintf(netns->path, sizeof(netns->path), "%s%s",
		 strchr(path, '/') ? "" : "/run/netns/", path);
	netns->config.path = netns->path;
	stat(netns->path, &netns->served);
}

static bool netns_is_gone(const struct netns *netns)
{
	struct stat now;

	return stat(netns->path, &now) || now.st_ino != netns->served.st_ino ||
	       now.st_dev != netns->served.st_dev;
}

static bool netns_runs_command(const struct netns_config *config)
{
	return config->command || !config->path;
}

static bool netns_is_ignored(int signal)
{
	struct sigaction action;

	return !sigaction(signal, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

static int netns_create_namespace(struct netns *netns, struct fail *fail)
{
	struct namespace_plan plan = {
		.config = &netns->config,
		.run = netns_runs_command(&netns->config),
	};
	int ret;

	signal(SIGCHLD, SIG_DFL); /* or statuses would be lost */
	init_signals(&netns->signals);
	sigaddset(&netns->signals, SIGUSR1);
	if (netns_is_ignored(SIGHUP)) /* nohup(1) */
		sigdelset(&netns->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &netns->signals, &plan.mask);
	netns->terminal_group = tcgetpgrp(STDIN_FILENO);
	ret = namespace_create(&plan, &netns->namespace, netns->fd, fail);
	if (ret)
		return ret;
	netns->queues = netns->config.slirp.shard_count;
	return 0;
}

static uint32_t netns_place_shard(void *context, unsigned int shard)
{
	struct netns *netns = context;

	return follow_enter_shard(netns->follow, shard);
}

/* Without the right to, flows are spread by a hash, which works as well. */
static void netns_steer(void *context)
{
	const struct netns *netns = context;

	if (netns->placement.pinned && netns->queues > 1)
		steer_by_cpu(netns->fd[0], netns->placement.shard,
			     netns->queues);
}

static int netns_place(struct netns *netns, struct fail *fail)
{
	struct follow_config follow = {
		.request = &netns->config.place,
		.plan = &netns->placement,
		.check_ms = FOLLOW_CHECK_MS,
		.moved = netns_steer,
		.context = netns,
	};
	int ret;

	netns->config.place.shards = netns->queues;
	ret = placement_plan_host(&netns->config.place, &netns->placement,
				  &netns->registry, fail);
	if (ret)
		return ret;
	netns_steer(netns);
	follow.registry = netns->registry;
	return follow_start(&follow, &netns->follow, fail);
}

static int netns_create_nat(struct netns *netns, struct fail *fail)
{
	struct netns_config *config = &netns->config;
	int ret = netns_place(netns, fail);

	for (unsigned int i = 0; !ret && i < netns->queues; i++) {
		netns->port[i] =
			tap_port_create(netns->fd[i], config->slirp.mtu);
		if (!netns->port[i])
			ret = fail_set(fail, -ENOMEM, "no memory for %u queues",
				       netns->queues);
	}
	if (!ret)
		ret = slirp_create(&config->slirp, netns->port, &netns->slirp,
				   fail);
	if (!ret)
		ret = slirp_start(netns->slirp, netns_place_shard, netns, fail);
	if (!ret)
		slirp_set_queues(netns->slirp, netns->queues);
	return ret;
}

static int netns_start_control(struct netns *netns, struct fail *fail)
{
	struct control_config config = {
		.path = netns->config.control,
		.slirp = netns->slirp,
		.print_stats = netns_print_stats,
		.context = netns,
	};

	return config.path ? control_start(&config, &netns->control, fail) : 0;
}

/* Return: true with *status set once the init has ended */
static bool netns_reap(struct netns *netns, int *status)
{
	int ended;

	if (waitpid(netns->namespace.init, &ended, WNOHANG) <= 0)
		return false;
	netns->namespace.init = 0;
	*status = init_status(ended);
	return true;
}

/* Nobody tells of the end of a namespace that others made: look for it. */
static bool netns_next_signal(const struct netns *netns, siginfo_t *info)
{
	const struct timespec check = { .tv_sec = NETNS_GONE_CHECK_S };
	bool ours = netns->namespace.init;

	while (sigtimedwait(&netns->signals, info, ours ? NULL : &check) < 0)
		if (!ours && netns_is_gone(netns))
			return false;
	return true;
}

/* Return: the status to end with */
static int netns_wait(struct netns *netns)
{
	siginfo_t info;
	int status = 0;

	while (netns_next_signal(netns, &info)) {
		if (info.si_signo == SIGUSR1) {
			netns_write_stats(netns);
		} else if (info.si_signo == SIGCHLD) {
			if (netns->namespace.init && netns_reap(netns, &status))
				return status;
		} else if (!netns->namespace.init) {
			return 0;
		} else if (init_is_ours(&info)) {
			kill(netns->namespace.init, info.si_signo);
		}
	}
	return 0;
}

static void netns_do_nothing(void *context)
{
	(void)context;
}

/* Have the shards take what programs sent last and still lies in the queues. */
static void netns_settle(struct netns *netns)
{
	struct pollfd poll_fd = { .events = POLLIN };

	for (unsigned int i = 0; i < netns->queues; i++) {
		poll_fd.fd = netns->fd[i];
		for (int turn = 0; turn < NETNS_SETTLE_TURNS; turn++) {
			if (poll(&poll_fd, 1, 0) <= 0)
				break;
			slirp_call_shard(netns->slirp, i, netns_do_nothing,
					 NULL);
		}
	}
}

/*
 * A shell that took the terminal cannot give it back from its namespace, where
 * our process group has no number.
 */
static void netns_take_terminal_back(const struct netns *netns)
{
	sigset_t output;

	if (netns->terminal_group != getpgrp() ||
	    tcgetpgrp(STDIN_FILENO) == netns->terminal_group)
		return;
	sigemptyset(&output);
	sigaddset(&output, SIGTTOU);
	sigprocmask(SIG_BLOCK, &output, NULL);
	tcsetpgrp(STDIN_FILENO, netns->terminal_group);
}

static int netns_serve(struct netns *netns, int *status, struct fail *fail)
{
	int ret = 0;

	file_raise_limit();
	ret = netns_create_nat(netns, fail);
	if (!ret)
		ret = netns_start_control(netns, fail);
	if (ret)
		return ret;
	if (!netns_runs_command(&netns->config)) {
		printf("serving %s\n", netns->config.path);
		fflush(stdout);
	} else if (namespace_start(&netns->namespace)) {
		return fail_set(fail, -EPIPE,
				"the namespace's first process was killed");
	}
	*status = netns_wait(netns);
	netns_settle(netns);
	netns_write_stats(netns);
	netns_take_terminal_back(netns);
	return 0;
}

int netns_run(const struct netns_config *config, int *status, struct fail *fail)
{
	struct netns netns = { .config = *config, .namespace.sock = -1 };
	int ret;

	netns_find(&netns);
	netns_choose(&netns);
	ret = netns_create_namespace(&netns, fail);
	if (!ret)
		ret = netns_serve(&netns, status, fail);
	control_stop(netns.control);
	follow_stop(netns.follow); /* it steers */
	slirp_destroy(netns.slirp);
	for (unsigned int i = 0; i < netns.queues; i++) {
		tap_port_destroy(netns.port[i]);
		close(netns.fd[i]);
	}
	registry_close(netns.registry);
	namespace_destroy(&netns.namespace);
	return ret;
}

int netns_try(struct fail *fail)
{
	struct netns_config config = { .interface = "eth0" };
	struct namespace_plan plan = { .config = &config };
	struct namespace namespace;
	int fd, ret;

	slirp_config_init(&config.slirp);
	slirp_config_probe(&config.slirp);
	ret = namespace_create(&plan, &namespace, &fd, fail);
	if (!ret)
		close(fd);
	return ret;
}
