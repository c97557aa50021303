/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * set-queues DEVICE [PAIRS]: sets the number of queue pairs that a network
 * device uses, as `ethtool -L DEVICE combined PAIRS` does, and prints
 * "NOW MAXIMUM". Static and small, for guests without ethtool.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int channels_ioctl(int fd, const char *device, __u32 command,
			  struct ethtool_channels *channels)
{
	struct ifreq request = { .ifr_data = (void *)channels };

	channels->cmd = command;
	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct ethtool_channels channels = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int rc = fd < 0 ? -errno : 0;

	if (argc < 2 || argc > 3) {
		fputs("Usage: set-queues DEVICE [PAIRS]\n", stderr);
		return 2;
	}
	if (!rc)
		rc = channels_ioctl(fd, argv[1], ETHTOOL_GCHANNELS, &channels);
	if (!rc && argc == 3) {
		channels.combined_count = (__u32)strtoul(argv[2], NULL, 10);
		rc = channels_ioctl(fd, argv[1], ETHTOOL_SCHANNELS, &channels);
		if (!rc)
			rc = channels_ioctl(fd, argv[1], ETHTOOL_GCHANNELS,
					    &channels);
	}
	if (rc)
		fprintf(stderr, "set-queues: %s: %s\n", argv[1], strerror(-rc));
	else
		printf("%u %u\n", channels.combined_count,
		       channels.max_combined);
	if (fd >= 0)
		close(fd);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
