/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "control/control.h"
#include "pci/root.h"
#include "sched/follow.h"
#include "sched/near.h"
#include "sched/placement_host.h"
#include "sched/registry.h"
#include "virtio/net.h"
#include "virtio/virtio_pci.h"

/*
 * Theory of operation
 *
 * The one place where the rooms meet: the machine, on it the PCI root, in that
 * the network device, whose queue pairs are the NAT's ports. Built in this
 * order, taken down in reverse.
 *
 * Signals are blocked in every thread but one that waits for them: it stops the
 * machine (SIGTERM, SIGINT) or writes the counters (SIGUSR1). The shards run on
 * while the guest reboots; the device is reset, and with it all their ports.
 */

#define NET_SLOT 1

struct vmm {
	const struct vmm_config *config;
	struct machine *machine;
	struct pci_root *root;
	struct virtio_net *net;
	struct slirp *slirp;
	struct virtio_pci *pci;
	struct control *control;
	struct placement placement;
	struct follow *follow;
	struct registry *registry;
	pthread_t signal_thread;
	sigset_t signals;
	bool signal_thread_runs;
};

static void vmm_print_stats(void *context, FILE *out)
{
	struct vmm *vmm = context;

	fprintf(out, "{\"version\":\"%s\",\"vcpus\":%u", MQVMM_VERSION,
		vmm->config->machine.topology.cpus);
	fputs(",\n\"kvm\":", out);
	machine_print_stats(vmm->machine, out);
	if (vmm->slirp) {
		fputs(",\n\"slirp\":", out);
		slirp_print_stats(vmm->slirp, out);
		fputs(",\n\"net\":", out);
		virtio_net_print_stats(vmm->net, out);
	}
	fputs("}\n", out);
}

static void vmm_write_stats(struct vmm *vmm)
{
	if (vmm->config->stats)
		file_replace(vmm->config->stats, vmm_print_stats, vmm);
}

static int vmm_start_control(struct vmm *vmm, struct fail *fail)
{
	struct control_config config = {
		.path = vmm->config->control,
		.slirp = vmm->slirp,
		.print_stats = vmm_print_stats,
		.context = vmm,
	};

	return config.path ? control_start(&config, &vmm->control, fail) : 0;
}

/* Placement */

static int vmm_begin_follow(struct vmm *vmm, struct fail *fail)
{
	struct follow_config config = {
		.request = &vmm->config->place,
		.plan = &vmm->placement,
		.registry = vmm->registry,
		.check_ms = FOLLOW_CHECK_MS,
	};

	return follow_start(&config, &vmm->follow, fail);
}

static void vmm_place_vcpu(void *context, unsigned int vcpu)
{
	struct vmm *vmm = context;

	follow_enter_vcpu(vmm->follow, vcpu);
}

static uint32_t vmm_place_shard(void *context, unsigned int shard)
{
	struct vmm *vmm = context;

	return follow_enter_shard(vmm->follow, shard);
}

static void vmm_go_near_shard(void *context, unsigned int shard)
{
	const struct vmm *vmm = context;

	near_shard(&vmm->placement, shard);
}

/* Signals */

static void *vmm_wait_signals(void *context)
{
	struct vmm *vmm = context;
	int signal;

	pthread_setname_np(pthread_self(), "signals");
	for (;;) {
		if (sigwait(&vmm->signals, &signal))
			continue;
		if (signal == SIGUSR1) {
			vmm_write_stats(vmm);
			continue;
		}
		if (signal == SIGUSR2) /* vmm_end_signals() */
			return NULL;
		machine_stop(vmm->machine);
	}
}

static int vmm_begin_signals(struct vmm *vmm, struct fail *fail)
{
	int ret;

	sigemptyset(&vmm->signals);
	sigaddset(&vmm->signals, SIGTERM);
	sigaddset(&vmm->signals, SIGINT);
	sigaddset(&vmm->signals, SIGHUP);
	sigaddset(&vmm->signals, SIGUSR1);
	sigaddset(&vmm->signals, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &vmm->signals, NULL);
	ret = pthread_create(&vmm->signal_thread, NULL, vmm_wait_signals, vmm);
	if (ret)
		return fail_set(fail, -ret,
				"cannot start a thread (%s): raise the limit "
				"with ulimit -u",
				strerror(ret));
	vmm->signal_thread_runs = true;
	return 0;
}

static void vmm_end_signals(struct vmm *vmm)
{
	if (!vmm->signal_thread_runs)
		return;
	pthread_kill(vmm->signal_thread, SIGUSR2);
	pthread_join(vmm->signal_thread, NULL);
}

/* Network */

static void vmm_call_queue(void *context, unsigned int queue,
			   void (*call)(void *argument), void *argument)
{
	slirp_call_shard(context, queue, call, argument);
}

static void vmm_set_queue_pairs(void *context, unsigned int count)
{
	slirp_set_queues(context, count);
}

static int vmm_create_nat(struct vmm *vmm, struct fail *fail)
{
	struct slirp_config config = vmm->config->slirp;
	struct port *port[VIRTIO_NET_PAIRS_MAX];
	struct virtio_net_backend backend = {
		.call_queue = vmm_call_queue,
		.set_queue_pairs = vmm_set_queue_pairs,
	};
	int ret;

	slirp_config_probe(&config);
	config.near = vmm_go_near_shard;
	config.near_context = vmm;
	for (unsigned int i = 0; i < config.shard_count; i++)
		port[i] = virtio_net_port(vmm->net, i);
	ret = slirp_create(&config, port, &vmm->slirp, fail);
	if (ret)
		return ret;
	backend.context = vmm->slirp;
	virtio_net_attach(vmm->net, &backend);
	return 0;
}

static int vmm_create_net(struct vmm *vmm, struct fail *fail)
{
	const struct slirp_config *slirp = &vmm->config->slirp;
	struct virtio_net_config config = {
		.queue_pairs = slirp->shard_count,
		.queue_size = VIRTIO_NET_QUEUE_SIZE,
		.mtu = slirp->mtu,
	};
	int ret;

	memcpy(config.mac, slirp->guest_mac, sizeof(config.mac));
	ret = virtio_net_create(&config, machine_memory(vmm->machine),
				&vmm->net, fail);
	if (!ret)
		ret = vmm_create_nat(vmm, fail);
	if (!ret)
		ret = virtio_pci_create(vmm->root, NET_SLOT,
					virtio_net_device(vmm->net), &vmm->pci,
					fail);
	return ret;
}

static int vmm_create(struct vmm *vmm, struct fail *fail)
{
	struct pci_root_config root = { 0 };
	struct machine_config machine = vmm->config->machine;
	int ret;

	machine.placement = &vmm->placement;
	ret = machine_create(&machine, &vmm->machine, fail);
	if (ret)
		return ret;
	root.mmio = machine_mmio(vmm->machine);
	root.pio = machine_pio(vmm->machine);
	root.irq = machine_irq(vmm->machine);
	root.pci64_base = machine_pci64_base(vmm->machine);
	ret = pci_root_create(&root, &vmm->root, fail);
	if (!ret && vmm->config->net)
		ret = vmm_create_net(vmm, fail);
	return ret;
}

static void vmm_destroy(struct vmm *vmm)
{
	virtio_pci_destroy(vmm->pci);
	slirp_destroy(vmm->slirp);
	virtio_net_destroy(vmm->net);
	pci_root_destroy(vmm->root);
	machine_destroy(vmm->machine);
}

static int vmm_loop(struct vmm *vmm, enum machine_end *end, struct fail *fail)
{
	int ret;

	do {
		ret = machine_boot(vmm->machine, fail);
		if (!ret)
			ret = machine_run(vmm->machine, vmm_place_vcpu, vmm,
					  end, fail);
		follow_forget_vcpus(vmm->follow);
		if (ret)
			return ret;
		pci_root_reset(vmm->root);
	} while (*end == MACHINE_END_REBOOT && vmm->config->reboot);
	return 0;
}

int vmm_run(const struct vmm_config *config, enum machine_end *end,
	    struct fail *fail)
{
	struct vmm vmm = { .config = config };
	int ret = placement_plan_host(&config->place, &vmm.placement,
				      &vmm.registry, fail);

	if (!ret)
		ret = vmm_begin_follow(&vmm, fail);
	if (!ret)
		placement_enter_helper(&vmm.placement);
	if (!ret)
		ret = vmm_create(&vmm, fail);
	if (!ret)
		ret = vmm_begin_signals(&vmm, fail);
	if (!ret && vmm.slirp)
		ret = slirp_start(vmm.slirp, vmm_place_shard, &vmm, fail);
	if (!ret)
		ret = vmm_start_control(&vmm, fail);
	if (!ret)
		ret = vmm_loop(&vmm, end, fail);
	control_stop(vmm.control);
	vmm_end_signals(&vmm);
	if (!ret)
		vmm_write_stats(&vmm);
	follow_stop(vmm.follow); /* before threads' numbers can be others' */
	vmm_destroy(&vmm);
	registry_close(vmm.registry);
	return ret;
}
