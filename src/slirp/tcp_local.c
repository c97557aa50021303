/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "slirp/tcp_internal.h"

/*
 * A unix stream socket in a TCP socket's place, for guest forwards. It streams,
 * peeks (with SO_PEEK_OFF) and closes by halves as TCP does. It differs in
 * this: connect() never waits; nothing can be discarded unread; what it has
 * queued is counted as SK_MEMINFO_WMEM_ALLOC; it is writable with a quarter of
 * its buffer in use at most; and it knows no reset, so that one from the guest
 * ends it like a close.
 */

#define LOCAL_DRAIN 65536U /* bytes of scratch memory */

int tcp_local_connect(struct shard *shard, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int sock =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	SHARD_COUNT(shard, syscalls, 2);
	if (sock < 0)
		return -errno;
	shard_limit_socket(shard, sock);
	memcpy(to.sun_path, path, strlen(path));
	if (!connect(sock, (struct sockaddr *)&to, sizeof(to)))
		return sock;
	err = -errno;
	close(sock);
	return err;
}

void tcp_local_drain(struct shard *shard, struct tcp_flow *tcp, uint32_t size)
{
	ssize_t got = 1;

	while (size && got > 0) {
		got = recv(tcp->flow.sock, shard_scratch(shard),
			   size < LOCAL_DRAIN ? size : LOCAL_DRAIN,
			   MSG_DONTWAIT);
		SHARD_COUNT(shard, syscalls, 1);
		if (got > 0) {
			size -= (uint32_t)got;
			tcp->sock_seq += (uint32_t)got;
		}
	}
}
