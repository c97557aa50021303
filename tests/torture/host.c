/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX  64
#define OPEN_MAX    8 /* connections begun at a time */
#define PATIENCE_MS 2
#define CHECK_US    1000000

void host_watch(struct host *host, int sock, void *source, uint32_t events,
		bool anew)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(host->epoll, anew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, sock,
		      &event))
		torture_fail(host->torture, "epoll_ctl");
}

static void host_dispatch(struct host *host, const struct epoll_event *event)
{
	struct torture *torture = host->torture;
	int *sock = event->data.ptr;

	if (sock >= torture->listener &&
	    sock < torture->listener + TORTURE_LISTENERS)
		conn_accept(host, *sock);
	else if (sock >= torture->echo &&
		 sock < torture->echo + TORTURE_UDP_MAX / TORTURE_UDP_SHARE)
		echo_run(host, *sock);
	else
		conn_event(host, event->data.ptr, event->events);
}

static void host_open(struct host *host)
{
	unsigned int most = host->torture->options.flows / 4;

	for (int i = 0; i < OPEN_MAX && host->opened < most &&
			host->half_open < TORTURE_HALF_OPEN;
	     i++)
		conn_open(host);
}

static void host_free_ended(struct host *host)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&host->ended))) {
		TAILQ_REMOVE(&host->ended, conn, node);
		free(conn);
	}
}

static void host_tell_when_over(struct host *host)
{
	if (host->told || !TAILQ_EMPTY(&host->conns))
		return;
	host->told = true;
	sem_post(&host->torture->over);
}

static void host_turn(struct host *host)
{
	struct epoll_event event[EVENTS_MAX];
	int count = epoll_wait(host->epoll, event, EVENTS_MAX, PATIENCE_MS);

	host->now_us = torture_now_us();
	for (int i = 0; i < count; i++)
		host_dispatch(host, &event[i]);
	host_free_ended(host);
	if (!torture_is(&host->torture->stopping))
		host_open(host);
	else
		host_tell_when_over(host);
}

static void host_check_alive(struct host *host, uint64_t *next_us)
{
	struct conn *conn;

	if (host->now_us < *next_us)
		return;
	*next_us = host->now_us + CHECK_US;
	TAILQ_FOREACH(conn, &host->conns, node)
	conn_check_alive(host, conn);
}

static void host_set_up(struct host *host)
{
	struct torture *torture = host->torture;

	host->random.state = torture->options.seed ^ 2;
	host->now_us = torture_now_us();
	host->epoll = epoll_create1(EPOLL_CLOEXEC);
	TAILQ_INIT(&host->conns);
	TAILQ_INIT(&host->ended);
	for (int i = 0; i < TORTURE_LISTENERS; i++)
		host_watch(host, torture->listener[i], &torture->listener[i],
			   EPOLLIN, true);
	echo_set_up(host);
}

void *host_main(void *context)
{
	struct host *host = calloc(1, sizeof(*host));
	uint64_t next_us = 0;

	host->torture = context;
	host_set_up(host);
	while (!torture_is(&host->torture->quit)) {
		host_turn(host);
		host_check_alive(host, &next_us);
	}
	close(host->epoll);
	free(host->place);
	free(host->number);
	free(host);
	return NULL;
}
