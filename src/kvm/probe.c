/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A scratch VM with one vCPU and 64 KiB of RAM runs a loop of two instructions
 * in long mode, once at privilege level 0 and once at level 3, where IOPL 3
 * lets it leave by the same OUT instruction. A KVM that is no hardware
 * virtualisation runs level 0 through its instruction emulator: at most a few
 * MIPS, against thousands.
 *
 * A run starts short, since an emulator would take seconds for a loop that
 * hardware needs for its time to be measured, and grows while it is too fast to
 * measure. Time is the thread's CPU time, which does not go on while somebody
 * else has the CPU, and the fastest run counts, which leaves out interrupts and
 * what the hypervisor below us stole.
 */

#define RAM_SIZE       0x10000 /* bytes */
#define PML4_BASE      0x1000
#define PDPT_BASE      0x2000
#define DIRECTORY_BASE 0x3000
#define CODE_BASE      0x4000

#define PAGE_FLAGS 0x7 /* present, writable, user */
#define PAGE_LARGE 0x80

#define CR0_PE        (1ULL << 0)
#define CR0_ET        (1ULL << 4)
#define CR0_PG        (1ULL << 31)
#define CR4_PAE       (1ULL << 5)
#define EFER_LME      (1ULL << 8)
#define EFER_LMA      (1ULL << 10)
#define RFLAGS_FIXED  0x2
#define RFLAGS_IOPL3  0x3000
#define CODE_SELECTOR 0x8
#define DATA_SELECTOR 0x10
#define TASK_SELECTOR 0x18

#define LOOP_INSTRUCTIONS 2
#define LOOPS_FIRST       4000     /* 4 ms at 2 MIPS */
#define LOOPS_MAX         64000000 /* 30 ms at 4000 MIPS */
#define GROWTH            8
#define RUN_LONG_NS       5000000 /* long enough to be measured */
#define RUNS              5       /* of the final length; the best counts */

/*
 * KVM's emulator needs 0.15 us an instruction at best, 1 us seen; hardware
 * virtualisation inside of an emulated machine did 70 MIPS on a busy host.
 */
#define NATIVE_MIPS 12.0

/* loop: dec %ecx; jnz loop; out %al, $0x10; and should it be resumed, hang */
static const uint8_t probe_code[] = { 0xFF, 0xC9, 0x75, 0xFC,
				      0xE6, 0x10, 0xEB, 0xFE };

struct probe {
	int kvm_fd;
	int vm_fd;
	int vcpu_fd;
	uint8_t *ram;
	struct kvm_run *run;
	size_t run_size;
};

enum probe_verdict probe_judge(double level0_mips, double level3_mips)
{
	if (level0_mips >= NATIVE_MIPS)
		return PROBE_STOCK;
	return level3_mips >= NATIVE_MIPS ? PROBE_CPL3_ONLY : PROBE_NONE;
}

static void put_entry(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static int map_ram(struct probe *probe)
{
	struct kvm_userspace_memory_region region = { .memory_size = RAM_SIZE };
	void *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ram == MAP_FAILED)
		return -errno;
	probe->ram = ram;
	put_entry(probe->ram + PML4_BASE, PDPT_BASE | PAGE_FLAGS);
	put_entry(probe->ram + PDPT_BASE, DIRECTORY_BASE | PAGE_FLAGS);
	put_entry(probe->ram + DIRECTORY_BASE, PAGE_FLAGS | PAGE_LARGE);
	memcpy(probe->ram + CODE_BASE, probe_code, sizeof(probe_code));
	region.userspace_addr = (uintptr_t)ram;
	if (ioctl(probe->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return -errno;
	return 0;
}

static int make_vcpu(struct probe *probe)
{
	int size = ioctl(probe->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < 0)
		return -errno;
	probe->vcpu_fd = ioctl(probe->vm_fd, KVM_CREATE_VCPU, 0);
	if (probe->vcpu_fd < 0)
		return -errno;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   probe->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	probe->run = run;
	probe->run_size = size;
	return 0;
}

static int open_kvm(struct probe *probe, struct fail *fail)
{
	int err;

	probe->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (probe->kvm_fd >= 0)
		return 0;
	err = -errno;
	if (err == -ENOENT)
		return fail_set(fail, err,
				"there is no /dev/kvm: load the module "
				"kvm_intel or kvm_amd, or enable "
				"virtualisation in the firmware");
	return fail_set(fail, err,
			"cannot open /dev/kvm: %s; is this user in the group "
			"kvm?",
			strerror(-err));
}

static int open_probe(struct probe *probe, struct fail *fail)
{
	int err = open_kvm(probe, fail);

	if (err)
		return err;
	probe->vm_fd = ioctl(probe->kvm_fd, KVM_CREATE_VM, 0);
	if (probe->vm_fd < 0)
		err = -errno;
	if (!err)
		err = map_ram(probe);
	if (!err)
		err = make_vcpu(probe);
	if (err)
		return fail_set(fail, err,
				"KVM cannot make a virtual machine: %s",
				strerror(-err));
	return 0;
}

static void close_probe(struct probe *probe)
{
	if (probe->run)
		munmap(probe->run, probe->run_size);
	if (probe->vcpu_fd >= 0)
		close(probe->vcpu_fd);
	if (probe->vm_fd >= 0)
		close(probe->vm_fd);
	if (probe->kvm_fd >= 0)
		close(probe->kvm_fd);
	if (probe->ram)
		munmap(probe->ram, RAM_SIZE);
}

static struct kvm_segment segment(unsigned int level, uint16_t selector,
				  uint8_t type)
{
	return (struct kvm_segment) {
		.limit = 0xFFFFFFFF,
		.selector = selector | level,
		.type = type,
		.present = 1,
		.dpl = level,
		.s = 1,
		.g = 1,
	};
}

static int set_sregs(const struct probe *probe, unsigned int level)
{
	struct kvm_sregs sregs;

	if (ioctl(probe->vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.cs = segment(level, CODE_SELECTOR, 0xB);
	sregs.cs.l = 1;
	sregs.ss = segment(level, DATA_SELECTOR, 0x3);
	sregs.ss.db = 1;
	sregs.ds = sregs.ss;
	sregs.es = sregs.ss;
	sregs.fs = sregs.ss;
	sregs.gs = sregs.ss;
	sregs.tr = (struct kvm_segment) { .limit = 0x67,
					  .selector = TASK_SELECTOR,
					  .type = 0xB,
					  .present = 1 };
	sregs.ldt = (struct kvm_segment) { .unusable = 1 };
	sregs.cr3 = PML4_BASE;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_PG;
	return ioctl(probe->vcpu_fd, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

static uint64_t thread_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Return: CPU time that the loops took, ns, 0 if they did not run to the end */
static uint64_t run_loops(const struct probe *probe, unsigned int level,
			  uint64_t loops)
{
	struct kvm_regs regs = {
		.rip = CODE_BASE,
		.rcx = loops,
		.rflags = RFLAGS_FIXED | RFLAGS_IOPL3,
	};
	uint64_t begin_ns;
	int err;

	if (set_sregs(probe, level) ||
	    ioctl(probe->vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return 0;
	begin_ns = thread_time_ns();
	do {
		err = ioctl(probe->vcpu_fd, KVM_RUN, 0) < 0 ? errno : 0;
	} while (err == EINTR || err == EAGAIN);
	if (err || probe->run->exit_reason != KVM_EXIT_IO)
		return 0;
	return thread_time_ns() - begin_ns;
}

static double measure_level(const struct probe *probe, unsigned int level)
{
	uint64_t loops = LOOPS_FIRST, best_ns;

	best_ns = run_loops(probe, level, loops);
	while (best_ns && best_ns < RUN_LONG_NS &&
	       loops * GROWTH <= LOOPS_MAX) {
		loops *= GROWTH;
		best_ns = run_loops(probe, level, loops);
	}
	for (int i = 1; i < RUNS && best_ns; i++) {
		uint64_t ns = run_loops(probe, level, loops);

		if (ns && ns < best_ns)
			best_ns = ns;
	}
	if (!best_ns)
		return 0;
	/* Instructions per nanosecond, times a thousand. */
	return (double)loops * LOOP_INSTRUCTIONS * 1000 / (double)best_ns;
}

int probe_measure(struct probe_result *result, struct fail *fail)
{
	struct probe probe = { .kvm_fd = -1, .vm_fd = -1, .vcpu_fd = -1 };
	int err = open_probe(&probe, fail);

	if (probe.run) { /* the last thing to be made */
		result->level0_mips = measure_level(&probe, 0);
		result->level3_mips = measure_level(&probe, 3);
		result->verdict =
			probe_judge(result->level0_mips, result->level3_mips);
	}
	close_probe(&probe);
	return err;
}
