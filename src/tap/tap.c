/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>

#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int tap_open_queue(const struct tap_config *config, struct fail *fail)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
			     (config->queues > 1 ? IFF_MULTI_QUEUE : 0),
	};
	int header = sizeof(struct virtio_net_hdr_mrg_rxbuf);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return fail_set(fail, -errno,
				"cannot open /dev/net/tun (%s): load the tun "
				"module or give access to the device",
				strerror(errno));
	strncpy(request.ifr_name, config->name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)) {
		err = -errno;
		close(fd);
		return fail_set(fail, err,
				"cannot make the interface %s (%s): "
				"CAP_NET_ADMIN is needed",
				config->name, strerror(-err));
	}
	return fd;
}

static void tap_request_address(struct ifreq *request, struct in_addr address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&request->ifr_addr;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_addr = address;
}

static int tap_set_up(int sock, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(sock, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &request) ? -errno : 0;
}

static int tap_set_link(int sock, const struct tap_config *config)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, config->name, IFNAMSIZ - 1);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, config->mac, sizeof(config->mac));
	if (ioctl(sock, SIOCSIFHWADDR, &request))
		return -errno;
	request.ifr_mtu = (int)config->mtu;
	return ioctl(sock, SIOCSIFMTU, &request) ? -errno : 0;
}

static int tap_set_address(int sock, const struct tap_config *config)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, config->name, IFNAMSIZ - 1);
	tap_request_address(&request, config->address);
	if (ioctl(sock, SIOCSIFADDR, &request))
		return -errno;
	tap_request_address(&request, config->netmask);
	return ioctl(sock, SIOCSIFNETMASK, &request) ? -errno : 0;
}

static int tap_set_route(int sock, const struct tap_config *config)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_in gateway = { .sin_family = AF_INET,
				       .sin_addr = config->gateway };

	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	memcpy(&route.rt_gateway, &gateway, sizeof(gateway));
	return ioctl(sock, SIOCADDRT, &route) ? -errno : 0;
}

static int tap_configure(const struct tap_config *config, struct fail *fail)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (sock < 0)
		return fail_set(fail, -errno, "cannot open a socket (%s)",
				strerror(errno));
	ret = tap_set_up(sock, "lo");
	if (!ret)
		ret = tap_set_link(sock, config);
	if (!ret)
		ret = tap_set_address(sock, config);
	if (!ret)
		ret = tap_set_up(sock, config->name);
	if (!ret)
		ret = tap_set_route(sock, config);
	close(sock);
	if (ret)
		return fail_set(fail, ret,
				"cannot configure the interface %s (%s)",
				config->name, strerror(-ret));
	return 0;
}

int tap_create(const struct tap_config *config, int *fd, struct fail *fail)
{
	unsigned int opened = 0;
	int ret = 0;

	for (; opened < config->queues; opened++) {
		fd[opened] = tap_open_queue(config, fail);
		if (fd[opened] < 0) {
			ret = fd[opened];
			goto out;
		}
	}
	ret = tap_configure(config, fail);
out:
	if (ret)
		while (opened)
			close(fd[--opened]);
	return ret;
}
