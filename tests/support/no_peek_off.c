/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linked with --wrap=setsockopt: a host whose kernel has no SO_PEEK_OFF for TCP
 * (before Linux 6.9).
 */
#include <errno.h>
#include <sys/socket.h>

int __real_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size);
int __wrap_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size);

int __wrap_setsockopt(int sock, int level, int name, const void *value,
		      socklen_t size)
{
	if (level == SOL_SOCKET && name == SO_PEEK_OFF) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_setsockopt(sock, level, name, value, size);
}
