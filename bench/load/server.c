/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * One listener and one UDP socket are shared by all threads; EPOLLEXCLUSIVE
 * wakes one of them per event, and a connection stays with the thread that
 * accepted it. A thread only ever waits in epoll_wait(). The first thread of
 * the process waits for a signal or the end of --seconds and then stops the
 * others through an eventfd.
 */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server_thread.h"

#define PORT_TRIES 32

/* Sets *fd to a bound socket, and the port of @address if it was 0. */
static int open_bound(struct address *address, int type, int *fd)
{
	int on = 1;

	*fd = socket(address->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		     0);
	if (*fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(*fd, &address->sa, address->length) ||
	    getsockname(*fd, &address->sa, &address->length) ||
	    (type == SOCK_STREAM && listen(*fd, SOMAXCONN))) {
		int rc = -errno;

		close(*fd);
		return rc;
	}
	return 0;
}

int server_open(const struct address *bind_to, int *tcp, int *udp)
{
	int rc = -EADDRINUSE;

	/* A free TCP port may be taken for UDP: then try another. */
	for (int i = 0; i < PORT_TRIES; i++) {
		struct address address = *bind_to;

		rc = open_bound(&address, SOCK_STREAM, tcp);
		if (rc)
			break;
		rc = open_bound(&address, SOCK_DGRAM, udp);
		if (!rc)
			return address_port(&address);
		close(*tcp);
		if (address_port(bind_to))
			break;
	}
	fprintf(stderr, "mqload: cannot serve on port %u: %s\n",
		address_port(bind_to), strerror(-rc));
	return rc;
}

int server_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void wait_for_end(int signals, double seconds)
{
	struct pollfd ready = { .fd = signals, .events = POLLIN };

	while (poll(&ready, 1, seconds > 0 ? (int)(seconds * 1000) : -1) < 0 &&
	       errno == EINTR)
		;
}

static void stop_all(struct server_thread *threads, unsigned int count,
		     int stop)
{
	struct conn_context total = { 0 };
	uint64_t connections = 0;
	uint64_t datagrams = 0;

	if (eventfd_write(stop, 1))
		abort(); /* a fresh eventfd takes a 1 */
	for (unsigned int i = 0; i < count; i++) {
		server_thread_join(&threads[i]);
		connections += threads[i].connections;
		datagrams += threads[i].datagrams;
		total.requests += threads[i].context.requests;
		total.broken += threads[i].context.broken;
	}
	printf("served connections=%llu requests=%llu datagrams=%llu "
	       "broken=%llu\n",
	       (unsigned long long)connections,
	       (unsigned long long)total.requests,
	       (unsigned long long)datagrams, (unsigned long long)total.broken);
}

static int serve(const struct options *options, const struct pattern *pattern,
		 int signals, int tcp, int udp)
{
	unsigned int count = options->threads ? options->threads : 2;
	struct server_thread *threads = calloc(count, sizeof(*threads));
	int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned int started = 0;
	int rc = 0;

	if (!threads || stop < 0)
		rc = -ENOMEM;
	while (!rc && started < count) {
		threads[started] = (struct server_thread) {
			.tcp = tcp,
			.udp = udp,
			.stop = stop,
			.context.pattern = pattern,
		};
		rc = server_thread_start(&threads[started]);
		if (!rc)
			started++;
	}
	if (rc)
		fprintf(stderr, "mqload: cannot start the server: %s\n",
			strerror(-rc));
	else
		wait_for_end(signals, options->seconds);
	if (threads && stop >= 0)
		stop_all(threads, started, stop);
	if (stop >= 0)
		close(stop);
	free(threads);
	return rc;
}

int server_run(const struct options *options)
{
	struct pattern *pattern = pattern_create();
	int signals = server_signals();
	int tcp = -1;
	int udp = -1;
	int port;
	int rc = -ENOMEM;

	if (!pattern || signals < 0)
		goto out;
	rc = port = server_open(&options->bind, &tcp, &udp);
	if (port < 0)
		goto out;
	/* Connections have it from their listener. */
	if (options->receive_buffer)
		setsockopt(tcp, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer,
			   sizeof(options->receive_buffer));
	printf("port %d\n", port);
	fflush(stdout);
	rc = serve(options, pattern, signals, tcp, udp);
	close(tcp);
	close(udp);
out:
	free(pattern);
	if (signals >= 0)
		close(signals);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
