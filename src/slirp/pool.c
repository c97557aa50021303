/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * What a flow needs at once is made ready between turns: TCP sockets with
 * their options set, buffers for small replies.
 *
 * Source ports: each shard has a part of the host's ephemeral range of its
 * own, and each socket a window of it that begins a little behind the one
 * before, so that the kernel neither scans past ports in TIME_WAIT nor meets
 * another shard in a bucket (IP_LOCAL_PORT_RANGE, Linux 6.3; without it the
 * kernel chooses from the whole range).
 */

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define PORT_WINDOW 64 /* ports that one socket may choose from */
#define PORT_STEP   8  /* from one socket's window to the next one's */

#define SCRATCH_SIZE (65536 + 64) /* bytes */

#define POOL_OP_MEMORY ((size_t)SHARD_OPS_MAX * SHARD_OP_BUFFER_SIZE)

static void pool_read_port_range(uint32_t *first, uint32_t *last)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	char line[64], *end;

	*first = 32768;
	*last = 60999;
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		*first = (uint32_t)strtoul(line, &end, 10);
		*last = (uint32_t)strtoul(end, NULL, 10);
	}
	fclose(file);
}

static void pool_set_ports(struct shard *shard)
{
	unsigned int shards = shard->slirp->config.shard_count;
	uint32_t first, last;

	pool_read_port_range(&first, &last);
	if (first < 1 || last > 65535 || first > last)
		return;
	shard->host_ports = (struct shard_ports) { .first = (uint16_t)first,
						   .last = (uint16_t)last };
	shard->port_span = (last - first + 1) / shards;
	shard->port_first = first + shard->index * shard->port_span;
}

static struct shard_ports pool_restrict_ports(struct shard *shard, int sock)
{
	uint32_t low, high, range;

	if (shard->port_span < 2 * PORT_WINDOW)
		return shard->host_ports;
	low = shard->port_first + shard->port_next;
	high = low + PORT_WINDOW - 1;
	shard->port_next = (shard->port_next + PORT_STEP) %
			   (shard->port_span - PORT_WINDOW);
	range = low | high << 16;
	SHARD_COUNT(shard, syscalls, 1);
	/* Before Linux 6.3 this fails, and the kernel chooses alone. */
	if (setsockopt(sock, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
		       sizeof(range))) {
		shard->port_span = 0;
		return shard->host_ports;
	}
	return (struct shard_ports) { .first = (uint16_t)low,
				      .last = (uint16_t)high };
}

uint32_t shard_flow_memory(const struct shard *shard)
{
	/* Pairs with the store in limits_set(): late is early enough. */
	return __atomic_load_n(&shard->slirp->limits.flow_memory,
			       __ATOMIC_RELAXED);
}

void shard_limit_socket(struct shard *shard, int sock)
{
	uint32_t memory = shard_flow_memory(shard);
	/* Of each direction; the kernel doubles what it is told, socket(7). */
	int size = (int)(memory / 4);

	if (!memory)
		return;
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	SHARD_COUNT(shard, syscalls, 2);
}

static int pool_socket(struct shard *shard, int family, int type, int protocol)
{
	int sock =
		socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int err = sock < 0 ? -errno : 0;

	SHARD_COUNT(shard, syscalls, 1);
	if (err == -EMFILE || err == -ENFILE)
		shard->short_of_files = true;
	if (err)
		return err;
	shard_limit_socket(shard, sock);
	return sock;
}

static int pool_make_socket(struct shard *shard, int family,
			    struct shard_ports *ports)
{
	int sock = pool_socket(shard, family, SOCK_STREAM, 0);
	int one = 1;

	if (sock < 0)
		return sock;
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* Urgent data is part of the stream (RFC 6093). */
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	SHARD_COUNT(shard, syscalls, 2);
	*ports = pool_restrict_ports(shard, sock);
	return sock;
}

int shard_take_socket(struct shard *shard, int family,
		      struct shard_ports *ports)
{
	struct socket_pool *pool = &shard->pool[family == AF_INET6];

	pool->wanted = true;
	if (!pool->count)
		return pool_make_socket(shard, family, ports);
	pool->count--;
	*ports = pool->ports[pool->count];
	return pool->sock[pool->count];
}

/* One that waits for a connection, for one that is needed now. */
static bool pool_give_up(struct shard *shard)
{
	for (int i = 0; i < 2; i++) {
		struct socket_pool *pool = &shard->pool[i];

		if (!pool->count)
			continue;
		close(pool->sock[--pool->count]);
		SHARD_COUNT(shard, syscalls, 1);
		return true;
	}
	return false;
}

int shard_open_socket(struct shard *shard, int family, int type, int protocol)
{
	int sock = pool_socket(shard, family, type, protocol);

	if (shard->short_of_files && sock < 0 && pool_give_up(shard))
		sock = pool_socket(shard, family, type, protocol);
	if (shard->short_of_files && sock < 0)
		SHARD_COUNT(shard, refused_full, 1);
	return sock;
}

static void pool_refill_one(struct shard *shard, struct socket_pool *pool,
			    int family)
{
	int sock;

	if (!pool->wanted || pool->count > POOL_SOCKETS_MAX / 2)
		return;
	while (pool->count < POOL_SOCKETS_MAX) {
		sock = pool_make_socket(shard, family,
					&pool->ports[pool->count]);
		if (sock < 0)
			return;
		pool->sock[pool->count++] = sock;
	}
}

void pool_refill(struct shard *shard)
{
	pool_refill_one(shard, &shard->pool[0], AF_INET);
	pool_refill_one(shard, &shard->pool[1], AF_INET6);
}

static void pool_close(struct socket_pool *pool)
{
	while (pool->count)
		close(pool->sock[--pool->count]);
}

void *shard_take_keep(struct shard *shard)
{
	void *keep = shard->keep_free;

	if (keep) {
		shard->keep_free = *(void **)keep;
		return keep;
	}
	if (shard->keep_used == POOL_KEEPS)
		return NULL;
	return shard->keep_memory +
	       (size_t)shard->keep_used++ * SHARD_KEEP_SIZE;
}

void shard_put_keep(struct shard *shard, void *keep)
{
	*(void **)keep = shard->keep_free;
	shard->keep_free = keep;
}

void *shard_take_hold(struct shard *shard)
{
	void *hold = shard->hold_free;

	if (hold) {
		shard->hold_free = *(void **)hold;
		return hold;
	}
	if (shard->hold_used == POOL_HOLDS)
		return NULL;
	return shard->hold_memory +
	       (size_t)shard->hold_used++ * SHARD_HOLD_SIZE;
}

void shard_put_hold(struct shard *shard, void *hold)
{
	*(void **)hold = shard->hold_free;
	shard->hold_free = hold;
}

void *shard_scratch(struct shard *shard)
{
	return shard->scratch;
}

/* Pages of it exist once they are written to. */
static void *pool_map(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

int pool_setup(struct shard *shard, struct fail *fail)
{
	shard->keep_memory = pool_map((size_t)POOL_KEEPS * SHARD_KEEP_SIZE);
	shard->hold_memory = pool_map((size_t)POOL_HOLDS * SHARD_HOLD_SIZE);
	shard->op_memory = pool_map(POOL_OP_MEMORY);
	shard->scratch = malloc(SCRATCH_SIZE);
	if (!shard->keep_memory || !shard->hold_memory || !shard->op_memory ||
	    !shard->scratch)
		return fail_set(fail, -ENOMEM,
				"no memory for a shard's buffers");
	shard->pool[0].wanted = true;
	pool_set_ports(shard);
	return 0;
}

void pool_teardown(struct shard *shard)
{
	pool_close(&shard->pool[0]);
	pool_close(&shard->pool[1]);
	if (shard->keep_memory)
		munmap(shard->keep_memory,
		       (size_t)POOL_KEEPS * SHARD_KEEP_SIZE);
	if (shard->hold_memory)
		munmap(shard->hold_memory,
		       (size_t)POOL_HOLDS * SHARD_HOLD_SIZE);
	if (shard->op_memory)
		munmap(shard->op_memory, POOL_OP_MEMORY);
	free(shard->scratch);
}
