/* SPDX-License-Identifier: BSD-3-Clause */
#include "server_thread.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX     64
#define DATAGRAMS_TURN 32
#define SWEEP_MS       1000

static uint64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

static void conn_unlink(struct conn *conn)
{
	conn->prev->next = conn->next;
	conn->next->prev = conn->prev;
}

static void conn_link_last(struct server_thread *thread, struct conn *conn)
{
	conn->prev = thread->idle.prev;
	conn->next = &thread->idle;
	conn->prev->next = conn;
	thread->idle.prev = conn;
}

static void conn_close(struct conn *conn)
{
	conn_unlink(conn);
	close(conn->fd);
	free(conn);
}

static void conn_turn(struct server_thread *thread, struct conn *conn)
{
	bool waits_to_send = conn_advance(conn, &thread->context);
	struct epoll_event event = { .data.ptr = conn };

	if (conn->state == CONN_DONE) {
		conn_close(conn);
		return;
	}
	conn->active_s = now_s();
	conn_unlink(conn);
	conn_link_last(thread, conn);
	if (conn->waits_to_send == waits_to_send)
		return;
	conn->waits_to_send = waits_to_send;
	event.events = waits_to_send ? EPOLLOUT : EPOLLIN;
	if (epoll_ctl(thread->epoll, EPOLL_CTL_MOD, conn->fd, &event))
		conn_close(conn);
}

/* The request is often there when accept returns: take it in the same turn. */
static void accept_one(struct server_thread *thread)
{
	int fd = accept4(thread->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	int on = 1;
	struct conn *conn;

	if (fd < 0)
		return;
	conn = malloc(sizeof(*conn));
	if (!conn) {
		close(fd);
		return;
	}
	conn->fd = fd;
	conn->state = CONN_REQUEST;
	conn->http = false;
	conn->head_length = 0;
	conn->offset = 0;
	conn->waits_to_send = false;
	conn_link_last(thread, conn);
	event.data.ptr = conn;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	thread->connections++;
	if (epoll_ctl(thread->epoll, EPOLL_CTL_ADD, fd, &event)) {
		conn_close(conn);
		return;
	}
	conn_turn(thread, conn);
}

static void echo_datagrams(struct server_thread *thread)
{
	for (int i = 0; i < DATAGRAMS_TURN; i++) {
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(thread->udp, thread->context.buffer,
				       PATTERN_RUN, 0, (struct sockaddr *)&from,
				       &length);

		if (got < 0)
			return;
		if (sendto(thread->udp, thread->context.buffer, (size_t)got,
			   MSG_DONTWAIT, (struct sockaddr *)&from,
			   length) == got)
			thread->datagrams++;
	}
}

static void close_idle(struct server_thread *thread, uint64_t older_than_s)
{
	struct conn *conn = thread->idle.next;

	while (conn != &thread->idle && conn->active_s <= older_than_s) {
		struct conn *next = conn->next;

		conn_close(conn);
		conn = next;
	}
}

/* Returns true when the server is to end. */
static bool take_event(struct server_thread *thread,
		       const struct epoll_event *event)
{
	if (event->data.ptr == &thread->stop)
		return true;
	if (event->data.ptr == &thread->tcp)
		accept_one(thread);
	else if (event->data.ptr == &thread->udp)
		echo_datagrams(thread);
	else
		conn_turn(thread, event->data.ptr);
	return false;
}

static void *loop(void *argument)
{
	struct server_thread *thread = argument;
	struct epoll_event events[EVENTS_MAX];
	bool stop = false;

	while (!stop) {
		int count =
			epoll_wait(thread->epoll, events, EVENTS_MAX, SWEEP_MS);
		uint64_t now = now_s();

		for (int i = 0; i < count; i++)
			stop |= take_event(thread, &events[i]);
		if (now > SERVER_IDLE_S)
			close_idle(thread, now - SERVER_IDLE_S);
	}
	close_idle(thread, UINT64_MAX);
	return NULL;
}

static int watch(struct server_thread *thread, int *fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = fd };

	return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, *fd, &event) ? -errno
								    : 0;
}

int server_thread_start(struct server_thread *thread)
{
	int rc = -ENOMEM;

	thread->idle.prev = thread->idle.next = &thread->idle;
	thread->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (thread->epoll < 0)
		return -errno;
	thread->context.buffer = malloc(PATTERN_RUN);
	if (!thread->context.buffer)
		goto out;
	rc = watch(thread, &thread->stop, EPOLLIN);
	if (!rc)
		rc = watch(thread, &thread->tcp, EPOLLIN | EPOLLEXCLUSIVE);
	if (!rc)
		rc = watch(thread, &thread->udp, EPOLLIN | EPOLLEXCLUSIVE);
	if (!rc)
		rc = -pthread_create(&thread->thread, NULL, loop, thread);
	if (!rc)
		return 0;
	free(thread->context.buffer);
out:
	close(thread->epoll);
	return rc;
}

void server_thread_join(struct server_thread *thread)
{
	pthread_join(thread->thread, NULL);
	close(thread->epoll);
	free(thread->context.buffer);
}
