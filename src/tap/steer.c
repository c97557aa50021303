/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STEER_QUEUES_MAX 256
#define STEER_STEP       3 /* instructions for each queue */
#define STEER_REST       3 /* around them */

struct steer_program {
	struct bpf_insn insn[STEER_REST + STEER_STEP * STEER_QUEUES_MAX];
	unsigned int count;
};

static void steer_add(struct steer_program *program, uint8_t code, int16_t skip,
		      int32_t value)
{
	program->insn[program->count++] =
		(struct bpf_insn) { .code = code, .off = skip, .imm = value };
}

/* r0 = CPU; for each queue: if r0 == its CPU, return it; return r0 % queues */
static void steer_write(struct steer_program *program, const unsigned int *cpu,
			unsigned int queues)
{
	program->count = 0;
	steer_add(program, BPF_JMP | BPF_CALL, 0,
		  BPF_FUNC_get_smp_processor_id);
	for (unsigned int i = 0; i < queues; i++) {
		steer_add(program, BPF_JMP | BPF_JNE | BPF_K, 2,
			  (int32_t)cpu[i]);
		steer_add(program, BPF_ALU | BPF_MOV | BPF_K, 0, (int32_t)i);
		steer_add(program, BPF_JMP | BPF_EXIT, 0, 0);
	}
	steer_add(program, BPF_ALU | BPF_MOD | BPF_K, 0, (int32_t)queues);
	steer_add(program, BPF_JMP | BPF_EXIT, 0, 0);
}

static int steer_load(const struct steer_program *program)
{
	static const char license[] = "BSD-3-Clause";
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insn_cnt = program->count,
		.insns = (uint64_t)(uintptr_t)program->insn,
		.license = (uint64_t)(uintptr_t)license,
	};
	long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

int steer_by_cpu(int fd, const unsigned int *cpu, unsigned int queues)
{
	struct steer_program program;
	int loaded, ret = 0;

	if (!queues || queues > STEER_QUEUES_MAX)
		return -EINVAL;
	steer_write(&program, cpu, queues);
	loaded = steer_load(&program);
	if (loaded < 0)
		return loaded;
	if (ioctl(fd, TUNSETSTEERINGEBPF, &loaded))
		ret = -errno;
	close(loaded);
	return ret;
}
