/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "torture.h"

#define SECONDS 1
#define FLOWS   1000
#define SEED    1

#define EXIT_SKIPPED 77

#define SHARDS_FEW  2
#define SHARDS_MOST 16

static const char *const engine_names[] = {
	[SLIRP_ENGINE_AUTO] = "auto",
	[SLIRP_ENGINE_URING] = "io_uring",
	[SLIRP_ENGINE_EPOLL] = "epoll",
};

uint64_t torture_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Return: datagrams that found a socket of this process full */
static unsigned int torture_drops(void)
{
	uint32_t memory[SK_MEMINFO_VARS];
	unsigned int drops = 0;

	for (int fd = 0; fd < 65536; fd++) {
		socklen_t size = sizeof(memory), type_size = sizeof(int);
		int type;

		if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) &&
		    type == SOCK_DGRAM &&
		    !getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
			drops += memory[SK_MEMINFO_DROPS];
	}
	return drops;
}

void torture_fail(const struct torture *torture, const char *format, ...)
{
	const struct torture_options *options = &torture->options;
	va_list arguments;

	flockfile(stderr);
	if (torture->slirp)
		slirp_print_stats(torture->slirp, stderr);
	fputc('\n', stderr);
	fprintf(stderr, "the kernel has dropped %u datagrams\n",
		torture_drops());
	fprintf(stderr,
		"torture --engine %s --shards %u --flows %u --seed %lu: ",
		engine_names[options->engine], options->shards, options->flows,
		options->seed);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	_exit(EXIT_FAILURE);
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: torture [--engine io_uring|epoll] [--shards N] "
		"[--flows N]\n"
		"               [--seconds N] [--seed N]\n"
		"Without --engine both, without --shards a few and many.\n");
}

static void run_one(const struct torture_options *options)
{
	struct torture torture = { .options = *options };

	torture_run(&torture);
	printf("%s, %u shards, seed %lu, %s: %lu streams, %lu of them reset, "
	       "%lu datagrams, %lu pings, %lu listings, %lu frames handed "
	       "over, %lu flows moved\n",
	       torture.engine_name, options->shards, options->seed,
	       torture.is6 ? "IPv4 and IPv6" : "IPv4", torture.streams,
	       torture.resets, torture.datagrams, torture.pings,
	       torture.listings, torture.handed, torture.moved);
	fflush(stdout);
}

static void run_shards(struct torture_options options)
{
	if (options.shards) {
		run_one(&options);
		return;
	}
	options.shards = SHARDS_FEW;
	run_one(&options);
	options.shards = SHARDS_MOST;
	run_one(&options);
}

static bool parse_number(const char *text, unsigned long least,
			 unsigned long most, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && !*end && *number >= least && *number <= most;
}

static bool parse(int argc, char **argv, struct torture_options *options)
{
	static const struct option longs[] = {
		{ "engine", required_argument, NULL, 'e' },
		{ "shards", required_argument, NULL, 'n' },
		{ "flows", required_argument, NULL, 'f' },
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ 0 },
	};
	unsigned long number = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'e' && !strcmp(optarg, "epoll"))
			options->engine = SLIRP_ENGINE_EPOLL;
		else if (option == 'e' && !strcmp(optarg, "io_uring"))
			options->engine = SLIRP_ENGINE_URING;
		else if (option == 'n' &&
			 parse_number(optarg, 1, TORTURE_SHARDS_MAX, &number))
			options->shards = (unsigned int)number;
		else if (option == 'f' &&
			 parse_number(optarg, 4, 20000, &number))
			options->flows = (unsigned int)number;
		else if (option == 's' &&
			 parse_number(optarg, 1, 1000000, &number))
			options->seconds = (unsigned int)number;
		else if (option == 'r' &&
			 parse_number(optarg, 0, UINT32_MAX, &number))
			options->seed = number;
		else
			return false;
	}
	return optind == argc;
}

/* Each flow takes some; and half-open ones must not evict each other, of which
 * a shard may have half of its part. */
static bool have_descriptors(const struct torture_options *options)
{
	rlim_t shards = options->shards ? options->shards : SHARDS_MOST;
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       limit.rlim_cur >= 4 * options->flows + 1000 * shards;
}

/* Into a network namespace of our own, where pings are allowed and nobody else
 * takes ports; where none can be made, everything is tried all the same. */
static void enter_namespace(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &loopback)) {
		fprintf(stderr, "torture: there is no loopback\n");
		exit(EXIT_FAILURE);
	}
	close(sock);
	file_write("/proc/sys/net/ipv4/ping_group_range", "0 0");
}

int main(int argc, char **argv)
{
	struct torture_options options = { .flows = FLOWS,
					   .seconds = SECONDS,
					   .seed = SEED };

	if (!parse(argc, argv, &options)) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	enter_namespace();
	file_raise_limit();
	if (!have_descriptors(&options)) {
		fprintf(stderr,
			"torture: too few descriptors, see ulimit -Hn\n");
		return EXIT_SKIPPED;
	}
	run_shards(options);
	if (options.engine == SLIRP_ENGINE_AUTO) {
		options.engine = SLIRP_ENGINE_EPOLL;
		run_shards(options);
	}
	return EXIT_SUCCESS;
}
