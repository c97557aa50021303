/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_internal.h"

/*
 * Theory of operation
 *
 * One thread serves all clients; each turn does one bounded step for each that
 * has something to do, so that none waits for another longer than one request
 * takes. What is asked of shards is done between their turns
 * (slirp_call_shard()), so that clients cost the guest's network next to
 * nothing.
 *
 * Limits: CONTROL_CLIENTS_MAX connections; one more is told so, and closed.
 * What comes over the socket is the user's own, and treated as anybody's.
 */

#define DEAF_MS 200 /* until accept() is tried again, out of descriptors */

/* The last two of the entries that poll() waits for. */
#define POLL_WAKE     CONTROL_CLIENTS_MAX
#define POLL_LISTENER (CONTROL_CLIENTS_MAX + 1)
#define POLL_COUNT    (CONTROL_CLIENTS_MAX + 2)

static void server_refuse(int sock)
{
	static const char text[] =
		"{\"error\":\"too many clients are connected\"}\n";
	ssize_t ret =
		send(sock, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)ret;
	close(sock);
}

static void server_accept(struct control *control)
{
	int sock = accept4(control->listener, NULL, NULL,
			   SOCK_CLOEXEC | SOCK_NONBLOCK);

	control->deaf = sock < 0 && errno != EAGAIN && errno != EINTR &&
			errno != ECONNABORTED;
	if (sock < 0)
		return;
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->connection[i].sock < 0) {
			connection_open(&control->connection[i], sock);
			return;
		}
	server_refuse(sock);
}

/* Return: how long to wait, milliseconds; -1 without end */
static int server_prepare(struct control *control, struct pollfd *poll)
{
	int timeout_ms = control->deaf ? DEAF_MS : -1;

	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct connection *connection = &control->connection[i];

		poll[i] = (struct pollfd) { .fd = connection->sock };
		if (connection->sock < 0)
			continue;
		poll[i].events = connection_events(connection);
		if (connection_is_busy(connection))
			timeout_ms = 0;
	}
	poll[POLL_WAKE] = (struct pollfd) { control->wake_fd, POLLIN, 0 };
	poll[POLL_LISTENER] =
		(struct pollfd) { control->deaf ? -1 : control->listener,
				  POLLIN, 0 };
	return timeout_ms;
}

static void server_turn(struct control *control, const struct pollfd *poll)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct connection *connection = &control->connection[i];

		if (connection->sock < 0 ||
		    (!poll[i].revents && !connection_is_busy(connection)))
			continue;
		if (!connection_serve(control, connection))
			connection_close(connection);
	}
	control->deaf = false;
	if (poll[POLL_LISTENER].revents)
		server_accept(control);
}

static void *server_main(void *context)
{
	struct control *control = context;
	struct pollfd poll_fd[POLL_COUNT];
	int timeout_ms;

	pthread_setname_np(pthread_self(), "control");
	for (;;) {
		timeout_ms = server_prepare(control, poll_fd);
		if (poll(poll_fd, POLL_COUNT, timeout_ms) < 0)
			continue;
		if (poll_fd[POLL_WAKE].revents)
			return NULL;
		server_turn(control, poll_fd);
	}
}

static int server_start(struct control *control, struct fail *fail)
{
	sigset_t all, before;
	int ret;

	control->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (control->wake_fd < 0)
		return fail_set(fail, -errno,
				"cannot create an eventfd (%s): raise the "
				"limit with ulimit -n",
				strerror(errno));
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&control->thread, NULL, server_main, control);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ret)
		return 0;
	close(control->wake_fd);
	return fail_set(fail, -ret,
			"cannot start a thread (%s): raise the limit with "
			"ulimit -u",
			strerror(ret));
}

int control_start(const struct control_config *config, struct control **out,
		  struct fail *fail)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	if (!control)
		return fail_set(fail, -ENOMEM,
				"no memory for the control socket");
	control->config = *config;
	control->listener = -1;
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		control->connection[i].sock = -1;
	ret = control_listen(control, fail);
	if (!ret)
		ret = server_start(control, fail);
	if (ret) {
		control_unlisten(control);
		free(control);
		return ret;
	}
	*out = control;
	return 0;
}

void control_stop(struct control *control)
{
	uint64_t one = 1;
	ssize_t ret;

	if (!control)
		return;
	ret = write(control->wake_fd, &one, sizeof(one));
	(void)ret;
	pthread_join(control->thread, NULL);
	for (unsigned int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->connection[i].sock >= 0)
			connection_close(&control->connection[i]);
	control_unlisten(control);
	close(control->wake_fd);
	free(control);
}
