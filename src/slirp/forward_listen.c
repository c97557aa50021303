/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "slirp/forward_internal.h"

/*
 * Theory of operation
 *
 * A port has one socket for each shard, in one SO_REUSEPORT group, in the order
 * of the shards. The first one is opened without that option, which fails where
 * anybody else listens, and joins the group afterwards: the port is never free
 * in between, nor shared by accident.
 *
 * Within a group a classic BPF program chooses: a hash of the client's address
 * and port, so that a client of UDP stays with one shard, below the number of
 * queues in use. Where the kernel takes no such program it spreads over all.
 */

#define LISTEN_BACKLOG 1024

/* Connections inherit all but the first. */
static void listen_set_stream(int sock)
{
	int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

static int listen_make_socket(const struct slirp_endpoint *at, int type)
{
	int family = endpoint_family(at), off = 0;
	int sock = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (type == SOCK_STREAM)
		listen_set_stream(sock);
	return sock;
}

static int listen_share(int sock)
{
	int one = 1;

	return setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one))
		       ? -errno
		       : 0;
}

static int listen_bind(int sock, const struct slirp_endpoint *at, int type)
{
	struct sockaddr_storage address;
	socklen_t size = endpoint_to_sockaddr(at, AF_UNSPEC, &address);

	if (bind(sock, (struct sockaddr *)&address, size) ||
	    (type == SOCK_STREAM && listen(sock, LISTEN_BACKLOG)))
		return -errno;
	return 0;
}

/* Return: a socket that listens, or negative errno */
static int listen_open(const struct slirp_endpoint *at, int type, bool first)
{
	int sock = listen_make_socket(at, type);
	int ret = sock < 0 ? sock : 0;

	if (!ret && !first)
		ret = listen_share(sock);
	if (!ret)
		ret = listen_bind(sock, at, type);
	if (!ret && first)
		ret = listen_share(sock);
	if (ret && sock >= 0)
		close(sock);
	return ret ? ret : sock;
}

static int listen_fail(const struct forward *forward,
		       const struct slirp_endpoint *at, int err,
		       struct fail *fail)
{
	const char *protocol =
		forward->rule.protocol == IPPROTO_UDP ? "UDP" : "TCP";
	char text[ADDRESS_TEXT_MAX];

	address_format(&at->address, text);
	if (err == -EMFILE)
		return fail_set(fail, err,
				"no descriptors are left to listen on %s port "
				"%s:%u: raise the limit with ulimit -n",
				protocol, text, at->port);
	return fail_set(fail, err,
			"cannot listen on %s port %s:%u (%s): choose another "
			"host port in hostfwd=, or 0 to have one chosen",
			protocol, text, at->port, strerror(-err));
}

/* All shards' sockets of one port, which is chosen if it is 0. */
static int listen_port(struct forward *forward, unsigned int i,
		       struct fail *fail)
{
	int type = forward->rule.protocol == IPPROTO_UDP ? SOCK_DGRAM
							 : SOCK_STREAM;
	struct slirp_endpoint at = forward->rule.host;
	struct sockaddr_storage got = { 0 };
	socklen_t size = sizeof(got);
	int sock;

	at.port = (uint16_t)(at.port + i);
	for (unsigned int s = 0; s < forward->shards; s++) {
		sock = listen_open(&at, type, s == 0);
		if (sock < 0)
			return listen_fail(forward, &at, sock, fail);
		forward_ports(forward, s)[i].sock = sock;
		getsockname(sock, (struct sockaddr *)&got, &size);
		at.port = endpoint_from_sockaddr(&got).port;
	}
	if (i == 0)
		forward->rule.host.port = at.port;
	return 0;
}

/* :: is every address of both families where the host has IPv6. */
static void listen_settle_family(struct slirp_endpoint *at)
{
	struct in_addr any = { htonl(INADDR_ANY) };
	int sock;

	if (address_is4(&at->address) || !address_is_any(&at->address))
		return;
	sock = listen_make_socket(at, SOCK_DGRAM);
	if (sock == -EAFNOSUPPORT)
		at->address = address_from4(any);
	if (sock >= 0)
		close(sock);
}

int forward_listen(struct forward *forward, struct fail *fail)
{
	size_t count = (size_t)forward->shards * forward->rule.count;
	int ret = 0;

	for (size_t i = 0; i < count; i++)
		forward->port[i].sock = -1;
	listen_settle_family(&forward->rule.host);
	for (unsigned int i = 0; !ret && i < forward->rule.count; i++)
		ret = listen_port(forward, i, fail);
	if (ret)
		forward_unlisten(forward);
	return ret;
}

void forward_unlisten(struct forward *forward)
{
	size_t count = (size_t)forward->shards * forward->rule.count;

	for (size_t i = 0; i < count; i++) {
		if (forward->port[i].sock >= 0 && !forward->port[i].flow)
			close(forward->port[i].sock);
		forward->port[i].sock = -1;
	}
}

/* Offsets from the network header: source address, its last word, and port */
#define NET             ((uint32_t)SKF_NET_OFF)
#define IP4_SOURCE      12
#define IP6_SOURCE_LAST 20
#define IP6_SIZE        40
#define HASH_FACTOR     0x9e3779b1 /* spreads ports that follow each other */

void forward_steer(const struct forward *forward, unsigned int queues)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 5, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET + IP4_SOURCE),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, NET),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, NET),
		BPF_STMT(BPF_JMP | BPF_JA, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET + IP6_SOURCE_LAST),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET + IP6_SIZE),
		BPF_STMT(BPF_LDX | BPF_MEM, 0),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, HASH_FACTOR),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, queues),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	/* One socket of a group stands for all. */
	for (unsigned int i = 0; forward->shards > 1 && i < forward->rule.count;
	     i++)
		setsockopt(forward->port[i].sock, SOL_SOCKET,
			   SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
}
