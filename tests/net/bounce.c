/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bounce INTERFACE COMMAND...
 *
 * Has the kernel send every frame of a multi-queue TAP on a queue chosen at
 * random, so that nearly all of them reach another shard than their flow's
 * owner; then becomes COMMAND. To be run inside of the namespace, as root.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A steering program of two instructions: return bpf_get_prandom_u32(). */
static int load_program(void)
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

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* The program is the interface's: it stays when this queue goes again. */
static int steer(const char *interface)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI |
					      IFF_VNET_HDR | IFF_MULTI_QUEUE };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int program = load_program();

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	if (fd < 0 || program < 0 || ioctl(fd, TUNSETIFF, &request) ||
	    ioctl(fd, TUNSETSTEERINGEBPF, &program))
		return -1;
	close(program);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || steer(argv[1])) {
		perror("bounce");
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror("bounce");
	return 127;
}
