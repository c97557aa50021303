/* SPDX-License-Identifier: BSD-3-Clause */
#include "netns/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor (unix(7), SCM_RIGHTS) */
union pass_control {
	char data[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int pass_send(int sock, const void *data, size_t size, int fd)
{
	union pass_control control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = control.data;
		message.msg_controllen = sizeof(control.data);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int pass_receive(int sock, void *data, size_t size, int *fd)
{
	union pass_control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct cmsghdr *header;
	ssize_t got;

	*fd = -1;
	do
		got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	/* A descriptor that does not fit below the limit is left out. */
	if (message.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	if (got == 0)
		return -EPIPE;
	return (size_t)got == size ? 0 : -EPROTO;
}
