/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

#define HOST_ROOM (4 << 20) /* bytes, for all that a test sends at once */

int host_open(int type, unsigned int wait_ms, uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval wait = { .tv_sec = wait_ms / 1000,
				.tv_usec = wait_ms % 1000 * 1000 };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int room = HOST_ROOM;

	assert_return_code(sock, errno);
	assert_return_code(bind(sock, (struct sockaddr *)&address, size),
			   errno);
	assert_return_code(
		getsockname(sock, (struct sockaddr *)&address, &size), errno);
	if (type == SOCK_STREAM)
		assert_return_code(listen(sock, 16), errno);
	else
		setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	*port = ntohs(address.sin_port);
	return sock;
}

uint16_t host_forwarded_port(struct slirp *slirp)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];

	assert_int_equal(slirp_forward_list(slirp, entry), 1);
	return entry[0].forward.host.port;
}
