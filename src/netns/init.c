/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "netns/drain.h"

#define INIT_REPLACED SIGIO /* the host's resolv.conf may have been */

void init_signals(sigset_t *set)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
				       SIGCHLD };

	sigemptyset(set);
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(set, signals[i]);
}

int init_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
				      : 128 + WTERMSIG(wait_status);
}

bool init_is_ours(const siginfo_t *info)
{
	return info->si_code != SI_KERNEL;
}

static _Noreturn void init_exec(char *const *command, const sigset_t *mask)
{
	char *shell[] = { getenv("SHELL"), NULL };
	int err;

	if (!command) {
		if (!shell[0] || !*shell[0])
			shell[0] = "/bin/sh";
		command = shell;
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	err = errno;
	log_line("cannot run %s: %s", command[0], strerror(err));
	_exit(err == ENOENT ? INIT_STATUS_NOT_FOUND : INIT_STATUS_CANNOT_RUN);
}

/* Wait for whoever ended. Return: true with *status set if @command did */
static bool init_reap(pid_t command, int *status)
{
	pid_t pid;
	int ended;

	while ((pid = waitpid(-1, &ended, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*status = init_status(ended);
		return true;
	}
	return false;
}

/* The command has ended, and with it all that it left running. */
static _Noreturn void init_end(int status)
{
	sigset_t stop;

	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	init_signals(&stop);
	sigdelset(&stop, SIGCHLD);
	drain_connections(&stop);
	_exit(status);
}

_Noreturn void init_main(char *const *command, const sigset_t *mask,
			 struct resolv_conf *conf)
{
	sigset_t signals;
	siginfo_t info;
	int status;
	pid_t pid;

	init_signals(&signals);
	sigaddset(&signals, INIT_REPLACED);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	resolv_conf_watch(conf, INIT_REPLACED);
	pid = fork();
	if (pid < 0) {
		log_line("cannot start a process: %s", strerror(errno));
		_exit(INIT_STATUS_CANNOT_RUN);
	}
	if (pid == 0)
		init_exec(command, mask);
	for (;;) {
		if (sigwaitinfo(&signals, &info) < 0)
			continue;
		if (info.si_signo == SIGCHLD) {
			if (init_reap(pid, &status))
				init_end(status);
		} else if (info.si_signo == INIT_REPLACED) {
			resolv_conf_restore(conf);
		} else if (init_is_ours(&info)) {
			kill(pid, info.si_signo);
		}
	}
}
