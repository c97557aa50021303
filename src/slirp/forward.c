/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slirp/protocols.h"
#include "slirp/shard_internal.h"

/*
 * Port forwards: one SO_REUSEPORT listener per shard for TCP, so that the
 * kernel spreads connections over the shards; one socket for UDP, on the first
 * shard. A first bind without SO_REUSEPORT tells a port that somebody else
 * listens on, which with it could be shared by accident.
 */

#define FORWARD_BACKLOG 1024
#define FORWARD_ACCEPTS 16 /* taken in one turn from one listener */

/* Connections inherit all but the first. */
static void forward_set_stream(int sock)
{
	int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

static int forward_socket(const struct slirp_forward *forward,
			  struct slirp_endpoint *at, bool shared)
{
	int type = forward->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int one = 1, err;
	int sock = socket(endpoint_family(at),
			  type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t size = endpoint_to_sockaddr(at, AF_UNSPEC, &address);

	if (sock < 0)
		return -errno;
	if (shared)
		setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (type == SOCK_STREAM)
		forward_set_stream(sock);
	if (bind(sock, (struct sockaddr *)&address, size) ||
	    (type == SOCK_STREAM && listen(sock, FORWARD_BACKLOG)) ||
	    getsockname(sock, (struct sockaddr *)&address, &size)) {
		err = -errno;
		close(sock);
		return err;
	}
	*at = endpoint_from_sockaddr(&address);
	return sock;
}

static int forward_fail(const struct slirp_forward *forward, int err,
			struct fail *fail)
{
	char text[ADDRESS_TEXT_MAX];

	return fail_set(fail, err,
			"cannot listen on %s port %s:%u (%s): choose another "
			"host port in hostfwd=, or 0 to have one chosen",
			forward->protocol == IPPROTO_TCP ? "TCP" : "UDP",
			address_format(&forward->host.address, text),
			forward->host.port, strerror(-err));
}

static int forward_open_one(struct slirp *slirp, unsigned int i,
			    struct fail *fail)
{
	const struct slirp_forward *forward = &slirp->config.forward[i];
	struct slirp_endpoint at = forward->host;
	unsigned int count = slirp->config.shard_count;
	int sock = forward_socket(forward, &at, false);

	if (sock < 0)
		return forward_fail(forward, sock, fail);
	slirp->forward_port[i] = at.port;
	if (forward->protocol == IPPROTO_UDP) {
		slirp->shard[0]->listener[i].sock = sock;
		return 0;
	}
	close(sock);
	for (unsigned int s = 0; s < count; s++) {
		sock = forward_socket(forward, &at, true);
		if (sock < 0)
			return forward_fail(forward, sock, fail);
		slirp->shard[s]->listener[i].sock = sock;
	}
	return 0;
}

int forward_open(struct slirp *slirp, struct fail *fail)
{
	int ret;

	for (unsigned int i = 0; i < slirp->config.forward_count; i++) {
		ret = forward_open_one(slirp, i, fail);
		if (ret)
			return ret;
	}
	return 0;
}

void forward_watch(struct shard *shard)
{
	const struct slirp_config *config = &shard->slirp->config;

	for (unsigned int i = 0; i < config->forward_count; i++) {
		struct listener *listener = &shard->listener[i];

		if (listener->sock < 0)
			continue;
		if (config->forward[i].protocol == IPPROTO_TCP) {
			engine_watch(shard->engine, listener->sock,
				     ENGINE_READABLE, TOKEN(TOKEN_LISTENER, i));
			continue;
		}
		udp_forward(shard, listener->sock, &config->forward[i].guest);
		listener->sock = -1;
	}
}

void forward_accept(struct shard *shard, unsigned int index)
{
	const struct slirp_forward *forward =
		&shard->slirp->config.forward[index];
	int sock;

	for (int i = 0; i < FORWARD_ACCEPTS; i++) {
		sock = accept4(shard->listener[index].sock, NULL, NULL,
			       SOCK_NONBLOCK | SOCK_CLOEXEC);
		SHARD_COUNT(shard, syscalls, 1);
		if (sock < 0)
			return;
		shard_make_room(shard);
		tcp_accept(shard, sock, &forward->guest);
	}
	/* Edge-triggered: ask again for what may be left. */
	engine_rewatch(shard->engine, shard->listener[index].sock,
		       ENGINE_READABLE, TOKEN(TOKEN_LISTENER, index));
}

void forward_close(struct shard *shard)
{
	for (unsigned int i = 0; i < shard->slirp->config.forward_count; i++) {
		if (shard->listener[i].sock >= 0)
			close(shard->listener[i].sock);
		shard->listener[i].sock = -1;
	}
}
