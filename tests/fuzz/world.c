/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/world.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

#define START_MS 1000000

static uint64_t world_ms = START_MS;

/* Linked with --wrap=clock_gettime. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, now);
	now->tv_sec = (time_t)(world_ms / 1000);
	now->tv_nsec = (long)(world_ms % 1000) * 1000000;
	return 0;
}

void world_begin(void)
{
	world_ms = START_MS;
}

void world_advance(uint64_t ms)
{
	world_ms += ms;
}

/* What is not there on this host is not missed. */
static void write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		fprintf(stderr, "%s cannot be written\n", path);
	close(fd);
}

static void bring_up(const char *interface)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_flags = IFF_UP };

	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	FUZZ_CHECK(sock >= 0);
	FUZZ_CHECK(ioctl(sock, SIOCSIFFLAGS, &request) == 0);
	close(sock);
}

/* Into a network namespace of our own, or not at all. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		puts("skipped: no network namespace can be made here");
		exit(77);
	}
	bring_up("lo");
	/* Thousands of inputs in a second shall not use the ports up. */
	write_setting("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0");
	write_setting("/proc/sys/net/ipv4/ping_group_range", "0 0");
	return 0;
}

static socklen_t loopback(int family, uint16_t port,
			  struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(port);
	return sizeof(*in);
}

int world_open(int family, int type, uint16_t port)
{
	int sock = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t size = loopback(family, port, &address);
	int one = 1;

	FUZZ_CHECK(sock >= 0);
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	FUZZ_CHECK(bind(sock, (struct sockaddr *)&address, size) == 0);
	if (type == SOCK_STREAM)
		FUZZ_CHECK(listen(sock, 16) == 0);
	return sock;
}

int world_connect(int type, uint16_t port)
{
	int sock = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t size = loopback(AF_INET, port, &address);

	FUZZ_CHECK(sock >= 0);
	/* Whether it is in progress or refused is for the NAT to see. */
	(void)!connect(sock, (struct sockaddr *)&address, size);
	return sock;
}

uint16_t world_port(int sock)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	FUZZ_CHECK(getsockname(sock, (struct sockaddr *)&address, &size) == 0);
	return ntohs(address.sin_port); /* in the same place in IPv6's */
}

void world_reset(int sock)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(sock);
}
