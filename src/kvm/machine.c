/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/machine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/acpi.h"
#include "kvm/boot.h"
#include "kvm/console.h"
#include "kvm/ending.h"
#include "kvm/irq_kvm.h"
#include "kvm/power.h"
#include "kvm/ram.h"
#include "kvm/rtc.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"

/*
 * Theory of operation
 *
 * The machine owns everything of the guest but its PCI devices. It is made
 * once, then booted and run in turns: a guest that reboots comes back from
 * machine_run() and goes through machine_boot() again, which sets chips and
 * CPUs to their state at power-on, as KVM cannot remake them in a living VM.
 *
 * While it runs there is a thread per vCPU, which carries accesses to devices,
 * and the caller's thread, which waits for console input and for the end.
 */

struct machine {
	struct machine_config config;
	struct guest_memory memory;
	bool prefaulted;
	struct vm vm;
	struct bus *mmio;
	struct bus *pio;
	struct irq_controller *irq;
	struct ending ending;
	struct power power;
	struct rtc rtc;
	struct console console;
	unsigned int vcpu_count; /* those that are made */
	struct vcpu *vcpu;
};

static void destroy_vcpus(struct machine *machine)
{
	while (machine->vcpu_count)
		vcpu_destroy(&machine->vcpu[--machine->vcpu_count]);
	free(machine->vcpu);
}

static int create_vcpus(struct machine *machine, struct fail *fail)
{
	const struct machine_topology *topology = &machine->config.topology;

	machine->vcpu = calloc(topology->cpus, sizeof(*machine->vcpu));
	if (!machine->vcpu)
		return fail_set(fail, -ENOMEM, "out of memory for vCPUs");
	while (machine->vcpu_count < topology->cpus) {
		unsigned int index = machine->vcpu_count;
		int rc = vcpu_create(&machine->vcpu[index], &machine->vm,
				     topology, index, fail);

		if (rc < 0) {
			destroy_vcpus(machine);
			return rc;
		}
		machine->vcpu_count++;
	}
	return 0;
}

static int create_buses(struct machine *machine, struct fail *fail)
{
	machine->mmio = bus_create();
	machine->pio = bus_create();
	if (machine->mmio && machine->pio)
		return 0;
	bus_destroy(machine->mmio);
	bus_destroy(machine->pio);
	return fail_set(fail, -ENOMEM, "out of memory for buses");
}

static void destroy_buses(struct machine *machine)
{
	bus_destroy(machine->mmio);
	bus_destroy(machine->pio);
}

static int create_devices(struct machine *machine, struct fail *fail)
{
	int rc;

	rc = irq_kvm_create(machine->vm.fd, &machine->irq, fail);
	if (rc < 0)
		return rc;
	rc = power_init(&machine->power, machine->pio, &machine->ending, fail);
	if (rc == 0)
		rc = rtc_init(&machine->rtc, machine->pio, fail);
	if (rc == 0)
		rc = console_init(&machine->console, &machine->config,
				  machine->pio, machine->irq, &machine->ending,
				  fail);
	if (rc < 0)
		irq_kvm_destroy(machine->irq);
	return rc;
}

/* The PCI window is the highest that the guest addresses. */
static int check_address_bits(const struct guest_memory *memory,
			      struct fail *fail)
{
	uint64_t end = acpi_pci64_base(memory) + MACHINE_PCI64_SIZE;
	unsigned int bits = vm_address_bits();

	if (bits >= 64 || end <= 1ULL << bits)
		return 0;
	return fail_set(fail, -EINVAL,
			"this processor has %u address bits, too few for that "
			"much guest memory: give the guest less",
			bits);
}

/* What the VM is made of, RAM first: it is what most often is not there. */
static int create_vm(struct machine *machine, struct fail *fail)
{
	const struct machine_config *config = &machine->config;
	int rc;

	rc = ram_alloc(&machine->memory, config->memory_size, config->pages,
		       config->placement, fail);
	if (rc < 0)
		return rc;
	rc = check_address_bits(&machine->memory, fail);
	if (rc < 0)
		goto out_ram;
	rc = vm_create(&machine->vm, &config->topology, fail);
	if (rc < 0)
		goto out_ram;
	rc = vm_map_memory(&machine->vm, &machine->memory, fail);
	if (rc == 0)
		rc = create_vcpus(machine, fail);
	if (rc == 0)
		return 0;
	vm_destroy(&machine->vm);
out_ram:
	ram_free(&machine->memory);
	return rc;
}

static void destroy_vm(struct machine *machine)
{
	destroy_vcpus(machine);
	vm_destroy(&machine->vm);
	ram_free(&machine->memory);
}

int machine_create(const struct machine_config *config, struct machine **out,
		   struct fail *fail)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	int rc;

	if (!machine)
		return fail_set(fail, -ENOMEM, "out of memory");
	machine->config = *config;
	rc = ending_init(&machine->ending);
	if (rc < 0) {
		fail_set(fail, rc, "no eventfd: %s", strerror(-rc));
		goto out_free;
	}
	rc = create_buses(machine, fail);
	if (rc < 0)
		goto out_ending;
	rc = create_vm(machine, fail);
	if (rc < 0)
		goto out_buses;
	rc = create_devices(machine, fail);
	if (rc < 0)
		goto out_vm;
	*out = machine;
	return 0;
out_vm:
	destroy_vm(machine);
out_buses:
	destroy_buses(machine);
out_ending:
	ending_destroy(&machine->ending);
out_free:
	free(machine);
	return rc;
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	console_destroy(&machine->console);
	irq_kvm_destroy(machine->irq);
	destroy_vm(machine);
	destroy_buses(machine);
	ending_destroy(&machine->ending);
	free(machine);
}

const struct guest_memory *machine_memory(const struct machine *machine)
{
	return &machine->memory;
}

struct bus *machine_mmio(struct machine *machine)
{
	return machine->mmio;
}

struct bus *machine_pio(struct machine *machine)
{
	return machine->pio;
}

struct irq_controller *machine_irq(struct machine *machine)
{
	return machine->irq;
}

uint64_t machine_pci64_base(const struct machine *machine)
{
	return acpi_pci64_base(&machine->memory);
}

static int reset(struct machine *machine, struct fail *fail)
{
	unsigned int i;
	int rc = vm_reset(&machine->vm);

	if (rc < 0)
		return fail_set(fail, rc, "KVM cannot reset its chips: %s",
				strerror(-rc));
	for (i = 0; i < machine->vcpu_count; i++) {
		rc = vcpu_reset(&machine->vcpu[i]);
		if (rc < 0)
			return fail_set(fail, rc,
					"KVM cannot reset vCPU %u: %s", i,
					strerror(-rc));
	}
	if (machine->console.present)
		serial_reset(&machine->console.serial);
	return 0;
}

/*
 * Huge pages that come from some nodes only are taken at once: reservations are
 * the host's as a whole, and to find a node's taken later kills the process.
 */
static bool must_prefault(const struct machine_config *config)
{
	const struct placement *placement = config->placement;

	if (config->prefault)
		return true;
	if (config->pages == MACHINE_PAGES_DEFAULT || !placement)
		return false;
	for (unsigned int i = 0; i < placement->cell_count; i++)
		if (placement->cell[i].strict)
			return true;
	return false;
}

int machine_boot(struct machine *machine, struct fail *fail)
{
	struct boot_entry entry;
	int rc;

	if (must_prefault(&machine->config) && !machine->prefaulted) {
		rc = ram_prefault(&machine->memory, machine->config.placement,
				  fail);
		if (rc < 0)
			return rc;
		machine->prefaulted = true;
	}
	rc = boot_load(&machine->memory, &machine->config, &entry, fail);
	if (rc < 0)
		return rc;
	rc = reset(machine, fail);
	if (rc < 0)
		return rc;
	rc = boot_set_vcpu(machine->vcpu[0].fd, &entry);
	if (rc < 0)
		return fail_set(fail, rc,
				"KVM refuses the kernel's entry state: %s",
				strerror(-rc));
	return 0;
}

static void stop_vcpus(struct machine *machine, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		vcpu_kick(&machine->vcpu[i]);
	for (i = 0; i < count; i++)
		vcpu_join(&machine->vcpu[i]);
}

static int start_vcpus(struct machine *machine, const struct vcpu_world *world,
		       struct fail *fail)
{
	unsigned int i;
	int rc = vcpu_prepare_kick();

	if (rc < 0)
		return fail_set(fail, rc, "cannot set a signal handler: %s",
				strerror(-rc));
	for (i = 0; i < machine->vcpu_count; i++) {
		rc = vcpu_start(&machine->vcpu[i], world);
		if (rc < 0) {
			stop_vcpus(machine, i);
			return fail_set(fail, rc,
					"no thread for vCPU %u (%s): raise the "
					"limit on processes (ulimit -u)",
					i, strerror(-rc));
		}
	}
	return 0;
}

static void wait_for_end(struct machine *machine)
{
	struct pollfd polls[1 + CONSOLE_POLLS];

	for (;;) {
		polls[0] = (struct pollfd) { .fd = machine->ending.eventfd,
					     .events = POLLIN };
		console_poll(&machine->console, &polls[1]);
		if (poll(polls, 1 + CONSOLE_POLLS, -1) < 0)
			continue; /* a signal, whose handler may have asked */
		console_handle(&machine->console, &polls[1]);
		if (polls[0].revents && ending_requested(&machine->ending))
			return;
	}
}

int machine_run(struct machine *machine,
		void (*pin)(void *context, unsigned int vcpu), void *context,
		enum machine_end *end, struct fail *fail)
{
	const struct vcpu_world world = {
		.mmio = machine->mmio,
		.pio = machine->pio,
		.power = &machine->power,
		.ending = &machine->ending,
		.pin = pin,
		.context = context,
	};
	int rc;

	console_attach(&machine->console);
	rc = start_vcpus(machine, &world, fail);
	if (rc == 0) {
		wait_for_end(machine);
		stop_vcpus(machine, machine->vcpu_count);
		*end = ending_take(&machine->ending);
	}
	console_detach(&machine->console);
	return rc;
}

void machine_stop(struct machine *machine)
{
	ending_request(&machine->ending, MACHINE_END_STOPPED);
}

void machine_print_stats(const struct machine *machine, FILE *out)
{
	fputs("{\"cpus\":[", out);
	for (unsigned int i = 0; i < machine->vcpu_count; i++) {
		fprintf(out, "%s\n{\"name\":\"vcpu%u\"", i ? "," : "", i);
		vcpu_stats_print(&machine->vcpu[i].stats, out);
		switches_print(&machine->vcpu[i].switches, out);
		fputs("}", out);
	}
	fputs("]}\n", out);
}
