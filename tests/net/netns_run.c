/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * netns_run [--queues N] [--engine E] [--mtu N] [--forward HOSTPORT:GUESTPORT]
 *           [--stats FILE] [--pin] [--bounce] -- COMMAND...
 *
 * Runs COMMAND in a new network namespace whose only way out is the NAT, one
 * shard per queue of a TAP, and passes its exit status on. For the net tier's
 * tests and for measuring the NAT without a VM; needs root. --bounce has the
 * kernel send every frame on a queue chosen at random, so that nearly all of
 * them reach another shard than their flow's owner.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slirp/slirp.h"
#include "tap/tap.h"
#include "tap/tap_port.h"

#define QUEUES_MAX 64

struct options {
	struct slirp_config slirp;
	const char *stats;
	bool pin;
	bool bounce;
	char **command;
};

static int send_fds(int sock, const int *fd, unsigned int count)
{
	union {
		char data[CMSG_SPACE(sizeof(int) * QUEUES_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(header), fd, sizeof(int) * count);
	return sendmsg(sock, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fds(int sock, int *fd, unsigned int count)
{
	union {
		char data[CMSG_SPACE(sizeof(int) * QUEUES_MAX)];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct cmsghdr *header;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_len != CMSG_LEN(sizeof(int) * count))
		return -EIO;
	memcpy(fd, CMSG_DATA(header), sizeof(int) * count);
	return 0;
}

/* A steering program of two instructions: return bpf_get_prandom_u32(). */
static int bounce_frames(int fd)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_prandom_u32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t) "BSD",
	};
	int steer = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return steer < 0 ? steer : ioctl(fd, TUNSETSTEERINGEBPF, &steer);
}

/* The namespace's side: make the interface, hand it over, run the command. */
static void child_main(const struct options *options, int sock)
{
	const struct slirp_config *slirp = &options->slirp;
	struct tap_config config = {
		.name = "eth0",
		.queues = slirp->shard_count,
		.mtu = slirp->mtu,
		.address = slirp->guest,
		.netmask = slirp->netmask,
		.gateway = slirp->gateway,
	};
	struct fail fail = { 0 };
	int fd[QUEUES_MAX];
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memcpy(config.mac, slirp->guest_mac, sizeof(config.mac));
	if (unshare(CLONE_NEWNET)) {
		perror("netns_run: unshare");
		_exit(125);
	}
	if (tap_create(&config, fd, &fail)) {
		fprintf(stderr, "netns_run: %s\n", fail.text);
		_exit(125);
	}
	if (options->bounce && bounce_frames(fd[0])) {
		perror("netns_run: steering");
		_exit(125);
	}
	if (send_fds(sock, fd, config.queues) || read(sock, &go, 1) != 1)
		_exit(125);
	execvp(options->command[0], options->command);
	perror("netns_run: exec");
	_exit(127);
}

static void pin_shard(void *context, unsigned int shard)
{
	const struct options *options = context;
	cpu_set_t set;

	if (!options->pin)
		return;
	CPU_ZERO(&set);
	CPU_SET(shard % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void write_stats(const struct options *options,
			const struct slirp *slirp)
{
	FILE *out;

	if (!options->stats)
		return;
	out = fopen(options->stats, "we");
	if (!out)
		return;
	slirp_print_stats(slirp, out);
	fputc('\n', out);
	fclose(out);
}

static int serve(struct options *options, pid_t child, int sock)
{
	unsigned int queues = options->slirp.shard_count;
	struct port *port[QUEUES_MAX] = { 0 };
	struct slirp *slirp = NULL;
	struct fail fail = { 0 };
	int fd[QUEUES_MAX], status = 125 << 8;

	if (receive_fds(sock, fd, queues))
		return 125;
	for (unsigned int i = 0; i < queues; i++)
		port[i] = tap_port_create(fd[i], options->slirp.mtu);
	if (slirp_create(&options->slirp, port, &slirp, &fail) ||
	    slirp_start(slirp, pin_shard, options, &fail)) {
		fprintf(stderr, "netns_run: %s\n", fail.text);
		goto out;
	}
	slirp_set_queues(slirp, queues);
	if (write(sock, "g", 1) != 1)
		goto out;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	write_stats(options, slirp);
out:
	slirp_destroy(slirp);
	for (unsigned int i = 0; i < queues; i++) {
		tap_port_destroy(port[i]);
		close(fd[i]);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int add_forward(struct slirp_config *config, const char *text)
{
	struct slirp_forward *forward =
		&config->forward[config->forward_count++];
	unsigned int host, guest;

	if (sscanf(text, "%u:%u", &host, &guest) != 2)
		return -EINVAL;
	forward->protocol = IPPROTO_TCP;
	forward->host.address =
		address_from4((struct in_addr) { htonl(INADDR_LOOPBACK) });
	forward->host.port = (uint16_t)host;
	forward->guest.address = address_from4(config->guest);
	forward->guest.port = (uint16_t)guest;
	return 0;
}

static int parse_resolver(struct slirp_config *config, const char *text)
{
	struct slirp_endpoint *to = &config->resolver[config->resolver_count++];
	struct in_addr in;
	char address[64];
	unsigned int port;

	if (sscanf(text, "%63[^:]:%u", address, &port) != 2)
		return -EINVAL;
	if (inet_pton(AF_INET, address, &in) != 1)
		return -EINVAL;
	*to = (struct slirp_endpoint) { .address = address_from4(in),
					.port = (uint16_t)port };
	return 0;
}

static int parse_option(struct options *options, int option)
{
	struct slirp_config *slirp = &options->slirp;

	switch (option) {
	case 'q':
		slirp->shard_count = (unsigned int)atoi(optarg);
		return slirp->shard_count >= 1 &&
				       slirp->shard_count <= QUEUES_MAX
			       ? 0
			       : -EINVAL;
	case 'e':
		slirp->engine = strcmp(optarg, "epoll") == 0
					? SLIRP_ENGINE_EPOLL
					: SLIRP_ENGINE_URING;
		return 0;
	case 'm':
		slirp->mtu = (unsigned int)atoi(optarg);
		return 0;
	case 'f':
		return add_forward(slirp, optarg);
	case 'r':
		return parse_resolver(slirp, optarg);
	case 's':
		options->stats = optarg;
		return 0;
	case 'p':
		options->pin = true;
		return 0;
	case 'b':
		options->bounce = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "queues", required_argument, NULL, 'q' },
		{ "engine", required_argument, NULL, 'e' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "forward", required_argument, NULL, 'f' },
		{ "resolver", required_argument, NULL, 'r' },
		{ "stats", required_argument, NULL, 's' },
		{ "pin", no_argument, NULL, 'p' },
		{ "bounce", no_argument, NULL, 'b' },
		{ 0 },
	};
	int option;

	slirp_config_init(&options->slirp);
	while ((option = getopt_long(argc, argv, "+", known, NULL)) >= 0)
		if (parse_option(options, option))
			return -EINVAL;
	options->command = argv + optind;
	return optind < argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct rlimit limit;
	int sock[2], status;
	pid_t child;

	if (parse(&options, argc, argv)) {
		fprintf(stderr,
			"usage: netns_run [--queues N] [--engine E] [--mtu N] "
			"[--pin] [--forward H:G] [--resolver A:P] "
			"[--stats FILE] [--bounce] -- COMMAND...\n");
		return 125;
	}
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return 125;
	child = fork();
	if (child < 0)
		return 125;
	if (child == 0)
		child_main(&options, sock[1]);
	close(sock[1]);
	status = serve(&options, child, sock[0]);
	kill(child, SIGKILL);
	return status;
}
