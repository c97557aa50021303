/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "slirp/forward_internal.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * A shard accepts what the kernel gives to its own listeners, a few connections
 * at a time; those of UDP are flows (udp_forward.c). Readiness is
 * edge-triggered: a listener that may have more is asked for it anew, and one
 * for which no descriptor was left is tried again a little later, since nobody
 * tells when there is one.
 */

#define SERVE_ACCEPTS  16     /* taken in one turn from one listener */
#define SERVE_RETRY_US 100000 /* without descriptors */

static uint64_t serve_token(unsigned int place, unsigned int i)
{
	return TOKEN(TOKEN_LISTENER, (uint64_t)place << 16 | i);
}

static void serve_begin_udp(struct shard *shard, const struct forward *forward,
			    struct forward_port *port, unsigned int i)
{
	struct slirp_endpoint host = forward->rule.host;
	struct slirp_endpoint guest = forward->rule.guest;

	host.port = (uint16_t)(host.port + i);
	guest.port = (uint16_t)(guest.port + i);
	port->flow = udp_listen(shard, port->sock, &host, &guest);
	if (!port->flow)
		port->sock = -1;
}

void forward_begin(struct shard *shard, unsigned int place)
{
	struct forward *forward = shard->forward[place];
	struct forward_port *port = forward_ports(forward, shard->index);

	/* What is new at run time is not steered by the queues of now. */
	shard->forward_queues = 0;
	for (unsigned int i = 0; i < forward->rule.count; i++, port++) {
		if (forward->rule.protocol == IPPROTO_UDP)
			serve_begin_udp(shard, forward, port, i);
		else
			engine_watch(shard->engine, port->sock, ENGINE_READABLE,
				     serve_token(place, i));
	}
}

void forward_begin_all(struct shard *shard)
{
	for (unsigned int i = 0; i < SLIRP_FORWARDS_MAX; i++)
		if (shard->forward[i])
			forward_begin(shard, i);
}

static void serve_end(struct shard *shard, struct forward_port *port,
		      uint64_t token)
{
	if (port->flow) {
		port->flow->ops->abort(shard, port->flow);
	} else {
		/* Refuse at once: it is closed when all polls of it are over.
		 */
		shutdown(port->sock, SHUT_RDWR);
		engine_close(shard->engine, port->sock, token);
	}
	port->flow = NULL;
	port->sock = -1;
}

void forward_end(struct shard *shard, unsigned int place)
{
	struct forward *forward = shard->forward[place];
	struct forward_port *port = forward_ports(forward, shard->index);

	for (unsigned int i = 0; i < forward->rule.count; i++, port++) {
		serve_end(shard, port, serve_token(place, i));
	}
}

static void serve_starve(struct shard *shard, struct forward_port *port)
{
	int err = errno;

	port->starved = true;
	shard->short_of_files = true; /* so that an idle flow gives way */
	shard->forward_retry_us = shard->now_us + SERVE_RETRY_US;
	if (shard_first_notice(shard, SHARD_NOTICE_SOCKETS))
		log_line("cannot accept connections for the guest (%s): raise "
			 "the limit with ulimit -n",
			 strerror(err));
}

/* Return: true to go on, since the error was of one connection, now gone */
static bool serve_failed(struct shard *shard, struct forward_port *port)
{
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		SHARD_COUNT(shard, accepts_delayed, 1);
		serve_starve(shard, port);
		return false;
	case EAGAIN:
	case EINVAL:
	case EBADF:
		return false;
	default: /* accept(2): errors of the network are reported here, too */
		return true;
	}
}

static void serve_accept(struct shard *shard, unsigned int place,
			 unsigned int i)
{
	struct forward *forward = shard->forward[place];
	struct forward_port *port = &forward_ports(forward, shard->index)[i];
	struct slirp_endpoint guest = forward->rule.guest;
	int sock;

	port->starved = false;
	guest.port = (uint16_t)(guest.port + i);
	for (int n = 0; n < SERVE_ACCEPTS; n++) {
		sock = accept4(port->sock, NULL, NULL,
			       SOCK_NONBLOCK | SOCK_CLOEXEC);
		SHARD_COUNT(shard, syscalls, 1);
		if (sock < 0 && !serve_failed(shard, port))
			return;
		if (sock < 0)
			continue;
		shard_limit_socket(shard, sock);
		shard_make_room(shard);
		tcp_accept(shard, sock, &guest);
	}
	/* Edge-triggered: ask again for what may be left. */
	engine_rewatch(shard->engine, port->sock, ENGINE_READABLE,
		       serve_token(place, i));
}

void forward_accept(struct shard *shard, uint32_t token)
{
	unsigned int place = token >> 16, i = token & 0xffff;

	/* An event may come late, when its place has another forward. */
	if (place < SLIRP_FORWARDS_MAX && shard->forward[place] &&
	    shard->forward[place]->rule.protocol == IPPROTO_TCP &&
	    i < shard->forward[place]->rule.count)
		serve_accept(shard, place, i);
}

static void serve_retry(struct shard *shard, unsigned int place)
{
	struct forward *forward = shard->forward[place];
	const struct forward_port *port = forward_ports(forward, shard->index);

	for (unsigned int i = 0; i < forward->rule.count; i++)
		if (port[i].starved)
			serve_accept(shard, place, i);
}

void forward_retry(struct shard *shard)
{
	if (!shard->forward_retry_us || shard->now_us < shard->forward_retry_us)
		return;
	shard->forward_retry_us = 0;
	for (unsigned int i = 0; i < SLIRP_FORWARDS_MAX; i++)
		if (shard->forward[i])
			serve_retry(shard, i);
}

int64_t forward_patience(const struct shard *shard, int64_t patience_us)
{
	return shard->forward_retry_us && patience_us > SERVE_RETRY_US
		       ? SERVE_RETRY_US
		       : patience_us;
}

void forward_tidy(struct shard *shard)
{
	unsigned int queues =
		__atomic_load_n(&shard->slirp->queues, __ATOMIC_RELAXED);

	/* The first shard has a socket of each group, and does it for all. */
	if (shard->index != 0 || shard->forward_queues == queues)
		return;
	shard->forward_queues = queues;
	for (unsigned int i = 0; i < SLIRP_FORWARDS_MAX; i++)
		if (shard->forward[i])
			forward_steer(shard->forward[i], queues);
}

struct flow *shard_next_listener(struct shard *shard,
				 const struct in6_addr *guest,
				 unsigned int port, unsigned int *place)
{
	while (*place < SLIRP_FORWARDS_MAX) {
		struct forward *forward = shard->forward[(*place)++];
		const struct slirp_forward *rule;

		if (!forward || forward->rule.protocol != IPPROTO_UDP)
			continue;
		rule = &forward->rule;
		if (port >= rule->guest.port &&
		    port - rule->guest.port < rule->count &&
		    address_equal(&rule->guest.address, guest))
			return forward_ports(
				       forward,
				       shard->index)[port - rule->guest.port]
				.flow;
	}
	return NULL;
}
