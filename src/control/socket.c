/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/control_internal.h"

#define LISTEN_BACKLOG 16

static int socket_address(const char *path, struct sockaddr_un *address,
			  struct fail *fail)
{
	size_t size = strlen(path) + 1;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (!*path || size > sizeof(address->sun_path))
		return fail_set(fail, -EINVAL,
				"--control %s is not possible: give a path of "
				"1 to %zu characters",
				path, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, size);
	return 0;
}

/* Nobody can answer on a socket whose listener is gone (unix(7)). */
static bool socket_is_stale(const struct sockaddr_un *address)
{
	int sock =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat stat;
	bool stale;

	if (sock < 0)
		return false;
	stale = !lstat(address->sun_path, &stat) && S_ISSOCK(stat.st_mode) &&
		connect(sock, (const struct sockaddr *)address,
			sizeof(*address)) &&
		errno == ECONNREFUSED;
	close(sock);
	return stale;
}

static int socket_bind(int sock, const struct sockaddr_un *address)
{
	/* The file gets the socket's mode, whatever is made of it later; so
	 * there is no moment at which others may connect. */
	if (fchmod(sock, S_IRUSR | S_IWUSR) ||
	    bind(sock, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	return 0;
}

static int socket_fail(const char *path, int err, struct fail *fail)
{
	if (err == -EADDRINUSE)
		return fail_set(fail, err,
				"cannot make the control socket %s: the file "
				"is there, and it is no socket or somebody "
				"listens on it; give another path",
				path);
	return fail_set(fail, err,
			"cannot make the control socket %s (%s): give a path "
			"in a folder that you may write to",
			path, strerror(-err));
}

int control_listen(struct control *control, struct fail *fail)
{
	const char *path = control->config.path;
	struct sockaddr_un address;
	struct stat stat;
	int ret = socket_address(path, &address, fail);

	if (ret)
		return ret;
	control->listener =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return socket_fail(path, -errno, fail);
	ret = socket_bind(control->listener, &address);
	if (ret == -EADDRINUSE && socket_is_stale(&address) && !unlink(path))
		ret = socket_bind(control->listener, &address);
	if (ret)
		return socket_fail(path, ret, fail);
	if (listen(control->listener, LISTEN_BACKLOG) || lstat(path, &stat))
		return socket_fail(path, -errno, fail);
	control->device = stat.st_dev;
	control->inode = stat.st_ino;
	return 0;
}

void control_unlisten(struct control *control)
{
	struct stat stat;

	if (control->listener < 0)
		return;
	if (control->inode && !lstat(control->config.path, &stat) &&
	    stat.st_dev == control->device && stat.st_ino == control->inode)
		unlink(control->config.path);
	close(control->listener);
	control->listener = -1;
}
