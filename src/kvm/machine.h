/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_MACHINE_H
#define MQVMM_KVM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fail.h"
#include "kvm/bus.h"
#include "kvm/guest_memory.h"
#include "kvm/irq.h"
#include "sched/placement.h"

/* The guest's physical address map. */
#define MACHINE_ECAM_BASE       0xE0000000ULL /* 256 buses of 1 MiB */
#define MACHINE_ECAM_SIZE       0x10000000ULL
#define MACHINE_PCI32_BASE      0xC0000000ULL /* BARs below 4 GiB */
#define MACHINE_PCI32_SIZE      0x20000000ULL
#define MACHINE_PCI64_SIZE      0x400000000ULL /* 16 GiB, above all RAM */
#define MACHINE_IOAPIC_BASE     0xFEC00000ULL
#define MACHINE_LAPIC_BASE      0xFEE00000ULL
#define MACHINE_PCI_IO_BASE     0x6000
#define MACHINE_PCI_IO_SIZE     0x4000
#define MACHINE_PCI_CONFIG_PORT 0xCF8 /* and data at 0xCFC */

/* IOAPIC pins of the PCI slots' INTA..INTD: pin = 16 + (slot + line) % 8. */
#define MACHINE_INTX_GSI_BASE  16
#define MACHINE_INTX_GSI_COUNT 8

/**
 * struct machine_topology - How the guest sees its CPUs
 * @cpus:	vCPUs in all: sockets * cores * threads
 * @sockets:	Packages
 * @cores:	Cores per package
 * @threads:	Hardware threads per core
 */
struct machine_topology {
	unsigned int cpus;
	unsigned int sockets;
	unsigned int cores;
	unsigned int threads;
};

enum machine_serial {
	MACHINE_SERIAL_STDIO, /* Ctrl-A X leaves, where stdin is a terminal or
				 not */
	MACHINE_SERIAL_FILE,
	MACHINE_SERIAL_NONE,
};

enum machine_pages {
	MACHINE_PAGES_DEFAULT, /* ordinary pages, transparent huge ones advised
				*/
	MACHINE_PAGES_2M,      /* hugetlbfs */
	MACHINE_PAGES_1G,
};

/**
 * struct machine_config - What to boot on what
 * @topology:	The guest's CPUs
 * @memory_size: RAM, bytes, a multiple of 2 MiB
 * @pages:	What backs the RAM
 * @placement:	Where on the host the RAM is, and what the guest is told of it;
 *		NULL: anywhere, and nothing
 * @prefault:	Touch all of it before the guest starts
 * @kernel:	Path of a bzImage or of an ELF vmlinux with a PVH note
 * @initrd:	Path, NULL if none
 * @command_line: The kernel's command line
 * @serial:	Where the console goes
 * @serial_path: For MACHINE_SERIAL_FILE
 */
struct machine_config {
	struct machine_topology topology;
	uint64_t memory_size;
	enum machine_pages pages;
	const struct placement *placement;
	bool prefault;
	const char *kernel;
	const char *initrd;
	const char *command_line;
	enum machine_serial serial;
	const char *serial_path;
};

/* Why machine_run() came back. */
enum machine_end {
	MACHINE_END_POWEROFF,     /* the guest switched itself off */
	MACHINE_END_REBOOT,       /* it asked for a reset */
	MACHINE_END_PANIC,        /* it reported a panic (pvpanic) */
	MACHINE_END_TRIPLE_FAULT, /* a CPU shut down */
	MACHINE_END_STOPPED,      /* machine_stop(), Ctrl-A X */
	MACHINE_END_ERROR, /* KVM could not go on; the cause was logged */
};

struct machine;

/**
 * machine_create() - VM, memory, interrupt controllers, buses, legacy devices
 * @config:	Copied; what it points to outlives the machine
 * @out:	The machine
 * @fail:	The cause, as a sentence with the remedy
 *
 * Return: 0 or negative errno
 */
int machine_create(const struct machine_config *config, struct machine **out,
		   struct fail *fail);

/**
 * machine_destroy() - Release all of it; no vCPU runs by then
 * @machine:	May be NULL
 */
void machine_destroy(struct machine *machine);

/* What devices are built on. */
const struct guest_memory *machine_memory(const struct machine *machine);
struct bus *machine_mmio(struct machine *machine);
struct bus *machine_pio(struct machine *machine);
struct irq_controller *machine_irq(struct machine *machine);

/* First address of the 64-bit BAR window, above all RAM. */
uint64_t machine_pci64_base(const struct machine *machine);

/**
 * machine_boot() - Load kernel, initrd, ACPI tables; set the CPUs to reset
 * state
 *
 * Also makes the guest ready again after MACHINE_END_REBOOT: RAM need not be
 * cleared, devices are reset by their owners.
 *
 * Return: 0 or negative errno with @fail set
 */
int machine_boot(struct machine *machine, struct fail *fail);

/**
 * machine_run() - Run all vCPUs, a thread each, until the guest or
 *machine_stop() ends it
 * @pin:	Called on each vCPU thread first, may be NULL
 * @context:	Passed to @pin
 * @end:	Why it ended
 *
 * Return: 0 or negative errno with @fail set when it could not start
 *
 * Context: the main thread; sleeps. No vCPU thread is left when it returns.
 */
int machine_run(struct machine *machine,
		void (*pin)(void *context, unsigned int vcpu), void *context,
		enum machine_end *end, struct fail *fail);

/**
 * machine_stop() - Ask machine_run() to return
 *
 * Context: any thread and signal handlers (writes to an eventfd).
 */
void machine_stop(struct machine *machine);

/**
 * machine_print_stats() - What KVM has counted of each vCPU, as a JSON object
 * @machine:	From machine_create()
 *
 * Context: any thread, also while it runs.
 */
void machine_print_stats(const struct machine *machine, FILE *out);

#endif
