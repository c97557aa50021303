/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "kvm/cpuid.h"

/*
 * Theory of operation
 *
 * A thread per vCPU sits in KVM_RUN and carries each exit to a device. To stop
 * it, another thread sets immediate_exit in the shared page and then sends a
 * signal. If the signal comes before KVM_RUN, KVM sees immediate_exit; if it
 * comes in KVM_RUN, it interrupts the guest. Either way KVM first completes the
 * access that it had given us, and only then says EINTR: so a stopped vCPU has
 * nothing in flight that could spill into its state after a reset. That is why
 * the loop ends at EINTR and nowhere else, but for a vCPU that cannot go on.
 */

#define STACK_BYTES ((size_t)256 << 10)

/* A repeated string instruction may hold off EINTR, but not for ever. */
#define EXITS_AFTER_KICK 64

static int kick_signal(void)
{
	return SIGRTMIN;
}

static bool is_kicked(const struct vcpu *vcpu)
{
	/* Pairs with the store in vcpu_kick(). */
	return __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_ACQUIRE);
}

static void handle_io(const struct vcpu *vcpu)
{
	const struct vcpu_world *world = vcpu->world;
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_IN)
			(void)bus_read(world->pio, run->io.port, data,
				       run->io.size);
		else if (run->io.port == POWER_PORT_RESET_CONTROL &&
			 run->io.size == 1)
			power_write_reset_control(world->power, *data);
		else
			(void)bus_write(world->pio, run->io.port, data,
					run->io.size);
	}
}

static void handle_mmio(const struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->mmio.is_write)
		(void)bus_write(vcpu->world->mmio, run->mmio.phys_addr,
				run->mmio.data, run->mmio.len);
	else
		(void)bus_read(vcpu->world->mmio, run->mmio.phys_addr,
			       run->mmio.data, run->mmio.len);
}

static void handle_system_event(const struct vcpu *vcpu)
{
	enum machine_end end = MACHINE_END_POWEROFF;

	if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_RESET)
		end = MACHINE_END_REBOOT;
	else if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_CRASH)
		end = MACHINE_END_PANIC;
	ending_request(vcpu->world->ending, end);
}

/* The bytes of the instruction that KVM could not emulate, if it tells. */
static void format_instruction(const struct kvm_run *run, char *text,
			       size_t size)
{
	size_t used = 0;
	unsigned int i;

	text[0] = '\0';
	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR ||
	    run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION ||
	    !(run->emulation_failure.flags &
	      KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	for (i = 0; i < run->emulation_failure.insn_size &&
		    i < sizeof(run->emulation_failure.insn_bytes);
	     i++)
		used += (size_t)snprintf(text + used, size - used, "%s%02x",
					 i ? " " : ", instruction ",
					 run->emulation_failure.insn_bytes[i]);
}

/* The one line about a vCPU that KVM gave up. */
static void report_error(const struct vcpu *vcpu, const char *what,
			 uint64_t detail)
{
	struct kvm_regs regs = { 0 };
	char instruction[80]; /* 15 bytes at three characters, and the word */

	(void)ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	format_instruction(vcpu->run, instruction, sizeof(instruction));
	log_line("vCPU %u cannot go on: %s %#" PRIx64 " at rip %#" PRIx64 "%s",
		 vcpu->index, what, detail, (uint64_t)regs.rip, instruction);
	ending_request(vcpu->world->ending, MACHINE_END_ERROR);
}

/* Return: may the vCPU go on? */
static bool handle_exit(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(vcpu);
		return true;
	case KVM_EXIT_MMIO:
		handle_mmio(vcpu);
		return true;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return true;
	case KVM_EXIT_SHUTDOWN:
		ending_request(vcpu->world->ending, MACHINE_END_TRIPLE_FAULT);
		return false;
	case KVM_EXIT_SYSTEM_EVENT:
		handle_system_event(vcpu);
		return false;
	case KVM_EXIT_FAIL_ENTRY:
		report_error(vcpu,
			     "hardware refused to enter the guest, reason",
			     run->fail_entry.hardware_entry_failure_reason);
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		report_error(vcpu, "KVM internal error",
			     run->internal.suberror);
		return false;
	default:
		report_error(vcpu, "unexpected exit", run->exit_reason);
		return false;
	}
}

static void run_loop(const struct vcpu *vcpu)
{
	unsigned int exits_left = EXITS_AFTER_KICK;

	do {
		if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
			if (!handle_exit(vcpu))
				return;
		} else if (errno == EINTR) {
			if (is_kicked(vcpu))
				return;
		} else if (errno != EAGAIN) { /* EAGAIN: a SIPI has come */
			report_error(vcpu, strerror(errno), (uint64_t)errno);
			return;
		}
	} while (!is_kicked(vcpu) || exits_left-- > 0);
}

static void *thread_main(void *argument)
{
	struct vcpu *vcpu = argument;
	char name[16];

	switches_begin(&vcpu->switches);
	snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	pthread_setname_np(pthread_self(), name);
	if (vcpu->world->pin)
		vcpu->world->pin(vcpu->world->context, vcpu->index);
	run_loop(vcpu);
	switches_end(&vcpu->switches);
	return NULL;
}

int vcpu_create(struct vcpu *vcpu, const struct vm *vm,
		const struct machine_topology *topology, unsigned int index,
		struct fail *fail)
{
	uint32_t id = cpuid_apic_id(topology, index);
	int rc;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->index = index;
	vcpu->run_size = vm->run_size;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		return fail_set(fail, -errno, "KVM cannot make vCPU %u (%s)%s",
				index, strerror(errno),
				errno == EMFILE ? ": raise the limit on open "
						  "files (ulimit -n)"
						: "");
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		rc = fail_set(fail, -errno, "cannot map vCPU %u: %s", index,
			      strerror(errno));
		goto out_close;
	}
	rc = cpuid_set_vcpu(vm->kvm_fd, vcpu->fd, topology, index, fail);
	if (rc < 0)
		goto out_unmap;
	rc = vcpu_state_save(vm->kvm_fd, vcpu->fd, &vcpu->reset);
	if (rc == 0) {
		vcpu_stats_open(&vcpu->stats, vcpu->fd);
		return 0;
	}
	fail_set(fail, rc, "KVM does not show the state of vCPU %u: %s", index,
		 strerror(-rc));
out_unmap:
	munmap(vcpu->run, vcpu->run_size);
out_close:
	close(vcpu->fd);
	return rc;
}

int vcpu_reset(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
	return vcpu_state_load(vcpu->fd, vcpu->reset);
}

static int start_thread(struct vcpu *vcpu)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return -rc;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&vcpu->thread, &attr, thread_main, vcpu);
	pthread_attr_destroy(&attr);
	return -rc;
}

int vcpu_start(struct vcpu *vcpu, const struct vcpu_world *world)
{
	sigset_t only_kick;
	sigset_t before;
	int rc;

	vcpu->world = world;
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
	sigfillset(&only_kick);
	sigdelset(&only_kick, kick_signal());
	pthread_sigmask(SIG_SETMASK, &only_kick, &before);
	rc = start_thread(vcpu);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void vcpu_kick(struct vcpu *vcpu)
{
	/* Before the signal; pairs with the load in is_kicked(). */
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	pthread_kill(vcpu->thread, kick_signal());
}

void vcpu_join(struct vcpu *vcpu)
{
	pthread_join(vcpu->thread, NULL);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu_stats_close(&vcpu->stats);
	free(vcpu->reset);
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
}

static void kick_handler(int signal)
{
	(void)signal; /* interrupting KVM_RUN is all that is wanted */
}

int vcpu_prepare_kick(void)
{
	struct sigaction action = { .sa_handler = kick_handler };

	sigemptyset(&action.sa_mask);
	return sigaction(kick_signal(), &action, NULL) ? -errno : 0;
}
