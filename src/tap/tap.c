/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int tap_open_device(struct fail *fail)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return fail_set(fail, -errno,
				"cannot open /dev/net/tun (%s): give everybody "
				"access with chmod 666 /dev/net/tun",
				strerror(errno));
	if (errno == EMFILE || errno == ENFILE)
		return fail_set(fail, -errno,
				"cannot open /dev/net/tun (%s): raise the "
				"limit with ulimit -n",
				strerror(errno));
	return fail_set(fail, -errno,
			"cannot open /dev/net/tun (%s): load the module with "
			"modprobe tun",
			strerror(errno));
}

static int tap_explain(int err, const char *name, struct fail *fail)
{
	switch (err) {
	case -EBUSY:
	case -EINVAL:
		return fail_set(fail, err,
				"there is an interface %s already: give "
				"another name with --interface",
				name);
	case -EPERM:
		return fail_set(fail, err,
				"not allowed to make an interface: "
				"CAP_NET_ADMIN is needed in the network "
				"namespace");
	default:
		return fail_set(fail, err, "cannot make the interface %s (%s)",
				name, strerror(-err));
	}
}

static int tap_open_queue(const char *name, int flags, struct fail *fail)
{
	struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
						      IFF_VNET_HDR | flags) };
	int header = sizeof(struct virtio_net_hdr_mrg_rxbuf);
	int fd = tap_open_device(fail), err;

	if (fd < 0)
		return fd;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)) {
		err = -errno;
		close(fd);
		return tap_explain(err, name, fail);
	}
	return fd;
}

int tap_open(const char *name, unsigned int queues, int *fd, struct fail *fail)
{
	int flags = queues > 1 ? IFF_MULTI_QUEUE : 0;
	int first = IFF_TUN_EXCL; /* or it would join one that is there */

	for (unsigned int i = 0; i < queues; i++, first = 0) {
		fd[i] = tap_open_queue(name, flags | first, fail);
		if (fd[i] >= 0)
			continue;
		for (unsigned int j = 0; j < i; j++)
			close(fd[j]);
		return fd[i];
	}
	return 0;
}
