/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

static struct conn *conn_add(struct host *host, int sock, bool ours)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	conn->sock = sock;
	conn->ours = ours;
	conn->alive_us = host->now_us;
	TAILQ_INSERT_TAIL(&host->conns, conn, node);
	host->opened += ours;
	host->half_open += ours;
	conn->watched = EPOLLIN | (ours ? EPOLLOUT : 0);
	host_watch(host, sock, conn, conn->watched, true);
	return conn;
}

void conn_accept(struct host *host, int listener)
{
	int sock;

	while ((sock = accept4(listener, NULL, NULL,
			       SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_add(host, sock, false);
}

static void conn_know(struct host *host, struct conn *conn, uint32_t id)
{
	conn->id = id;
	conn->plan = plan_make(host->torture, id);
	conn->known = true;
}

void conn_open(struct host *host)
{
	struct torture *torture = host->torture;
	uint32_t id =
		__atomic_fetch_add(&torture->next_id, 1, __ATOMIC_RELAXED);
	bool is6 = plan_make(torture, id).is6;
	struct slirp_endpoint at =
		run_loopback(is6, torture->forward_port[is6]);
	struct sockaddr_storage to;
	socklen_t size = endpoint_to_sockaddr(&at, AF_UNSPEC, &to);
	int sock = socket(to.ss_family,
			  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct conn *conn;

	if (sock < 0 || (connect(sock, (struct sockaddr *)&to, size) &&
			 errno != EINPROGRESS))
		torture_fail(torture, "cannot connect to the forward: %s",
			     strerror(errno));
	conn = conn_add(host, sock, true);
	conn_know(host, conn, id);
}

static void conn_end(struct host *host, struct conn *conn)
{
	host->opened -= conn->ours;
	host->half_open -= conn->ours && !conn->up_got;
	close(conn->sock);
	conn->sock = -1;
	TAILQ_REMOVE(&host->conns, conn, node);
	TAILQ_INSERT_TAIL(&host->ended, conn, node);
}

static void conn_abort(struct host *host, struct conn *conn)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(conn->sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	conn_end(host, conn);
}

/* A call has failed: by the guest's reset, or not as it should. */
static void conn_fail(struct host *host, struct conn *conn, const char *what)
{
	/* One that is not known was opened by a late copy of a SYN; if not, the
	 * guest tells. */
	if (conn->known && conn->plan.abort != ABORT_GUEST)
		torture_fail(host->torture,
			     "stream %u, the host's %s: %s, up %u of %u, down "
			     "%u of %u",
			     conn->id, what, strerror(errno), conn->up_got,
			     conn->plan.up, conn->down_sent, conn->plan.down);
	conn_end(host, conn);
}

static void conn_take_data(struct host *host, struct conn *conn, size_t size)
{
	if (conn->known && size > conn->plan.up - conn->up_got)
		torture_fail(host->torture,
			     "stream %u: %zu bytes after %u of %u", conn->id,
			     size, conn->up_got, conn->plan.up);
	if (!conn->known) {
		memcpy(conn->head + conn->up_got, host->data, size);
		if (conn->up_got + size == TORTURE_HEADER)
			conn_know(host, conn, stream_id(conn->head));
	} else {
		stream_check(host->torture, conn->id, true, conn->up_got,
			     host->data, size);
	}
	host->half_open -= conn->ours && !conn->up_got;
	conn->up_got += (uint32_t)size;
	conn->alive_us = host->now_us;
}

static void conn_take_fin(struct host *host, struct conn *conn)
{
	if (!conn->known || conn->up_got != conn->plan.up)
		torture_fail(host->torture, "stream %u ends at %u of %u",
			     conn->id, conn->up_got, conn->plan.up);
	conn->up_over = true;
}

static void conn_read(struct host *host, struct conn *conn)
{
	size_t most = 1 + random_below(&host->random, sizeof(host->data));
	ssize_t got;

	if (!conn->known)
		most = TORTURE_HEADER - conn->up_got;
	got = recv(conn->sock, host->data, most, 0);
	if (got > 0)
		conn_take_data(host, conn, (size_t)got);
	else if (got == 0)
		conn_take_fin(host, conn);
	else if (errno != EAGAIN)
		conn_fail(host, conn, "recv");
	if (conn->sock >= 0 && conn->known && conn->plan.abort == ABORT_HOST &&
	    conn->up_got >= conn->plan.abort_at)
		conn_abort(host, conn);
}

static void conn_write(struct host *host, struct conn *conn)
{
	uint32_t size = TORTURE_HEADER +
			random_below(&host->random,
				     sizeof(host->data) - TORTURE_HEADER);
	ssize_t sent;

	if (size > conn->plan.down - conn->down_sent)
		size = conn->plan.down - conn->down_sent;
	if (!size)
		return;
	stream_fill(host->torture, conn->id, false, conn->down_sent, host->data,
		    size);
	sent = send(conn->sock, host->data, size, MSG_NOSIGNAL);
	if (sent > 0) {
		conn->down_sent += (uint32_t)sent;
		conn->alive_us = host->now_us;
	} else if (errno != EAGAIN) {
		conn_fail(host, conn, "send");
	}
}

/* What epoll is to tell of. */
static uint32_t conn_wants(const struct conn *conn)
{
	bool writing = conn->known && conn->down_sent < conn->plan.down;

	return (conn->up_over ? 0 : EPOLLIN) | (writing ? EPOLLOUT : 0);
}

static void conn_finish(struct host *host, struct conn *conn)
{
	if (conn->known && !conn->down_over &&
	    conn->down_sent == conn->plan.down &&
	    (conn->up_over || !conn->plan.host_waits)) {
		shutdown(conn->sock, SHUT_WR);
		conn->down_over = true;
	}
	if (conn->down_over && conn->up_over) {
		conn_end(host, conn);
	} else if (conn->watched != conn_wants(conn)) {
		conn->watched = conn_wants(conn);
		host_watch(host, conn->sock, conn, conn->watched, false);
	}
}

void conn_event(struct host *host, struct conn *conn, uint32_t events)
{
	if (conn->sock >= 0 && !conn->up_over &&
	    events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		conn_read(host, conn);
	if (conn->sock >= 0 && conn->known && events & EPOLLOUT)
		conn_write(host, conn);
	if (conn->sock >= 0)
		conn_finish(host, conn);
}

void conn_check_alive(const struct host *host, const struct conn *conn)
{
	if (host->now_us - conn->alive_us < TORTURE_QUIET_S * 1000000ULL)
		return;
	torture_fail(host->torture,
		     "stream %u%s hangs at the host: up %u of %u%s, down %u of "
		     "%u%s",
		     conn->id, conn->known ? "" : " (not known yet)",
		     conn->up_got, conn->plan.up,
		     conn->up_over ? " with FIN" : "", conn->down_sent,
		     conn->plan.down, conn->down_over ? " with FIN" : "");
}
