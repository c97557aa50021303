/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

/*
 * The state of the first vCPU at the kernel's entry: boot.rst, "64-bit Boot
 * Protocol", and Xen's docs/misc/pvh.pandoc, "CPU startup state".
 */

#define CR0_PE   (1ULL << 0)
#define CR0_ET   (1ULL << 4)
#define CR0_PG   (1ULL << 31)
#define CR4_PAE  (1ULL << 5)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)

#define RFLAGS_FIXED 0x2

#define PAGE_PRESENT  0x1
#define PAGE_WRITABLE 0x2
#define PAGE_LARGE    0x80

#define TABLE_ENTRIES   512
#define DIRECTORY_COUNT 4 /* 1 GiB each */
#define LARGE_PAGE_SIZE 0x200000ULL

/* Segment types: accessed, so that the processor need not write the GDT. */
#define SEGMENT_CODE 0xB
#define SEGMENT_DATA 0x3
#define SEGMENT_TASK 0xB

#define GDT_CODE64 0x00AF9B000000FFFFULL
#define GDT_DATA   0x00CF93000000FFFFULL
#define GDT_TASK   0x00008B0000000067ULL

static const uint64_t boot_gdt[] = {
	[BOOT_CODE_SELECTOR / 8] = GDT_CODE64,
	[BOOT_DATA_SELECTOR / 8] = GDT_DATA,
	[BOOT_TASK_SELECTOR / 8] = GDT_TASK,
};

struct page_tables {
	uint64_t pml4[TABLE_ENTRIES];
	uint64_t pdpt[TABLE_ENTRIES];
	uint64_t directory[DIRECTORY_COUNT * TABLE_ENTRIES];
};

/* mov $0xfe, %al; out %al, $0x64; hlt; jmp to hlt: the keyboard's reset line */
static const uint8_t reset_code[] = {
	0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd
};

int boot_tables_write(const struct guest_memory *memory)
{
	const uint64_t table = PAGE_PRESENT | PAGE_WRITABLE;
	struct page_tables *pages =
		guest_memory_at(memory, BOOT_PAGE_TABLES_BASE, sizeof(*pages));
	uint64_t *gdt =
		guest_memory_at(memory, BOOT_GDT_BASE, sizeof(boot_gdt));
	void *reset =
		guest_memory_at(memory, BOOT_RESET_VECTOR, sizeof(reset_code));

	if (!pages || !gdt || !reset)
		return -EFAULT;
	memcpy(reset, reset_code, sizeof(reset_code));
	memcpy(gdt, boot_gdt, sizeof(boot_gdt));
	memset(pages, 0, sizeof(*pages));
	pages->pml4[0] = table + BOOT_PAGE_TABLES_BASE +
			 offsetof(struct page_tables, pdpt);
	for (unsigned int i = 0; i < DIRECTORY_COUNT; i++)
		pages->pdpt[i] = table + BOOT_PAGE_TABLES_BASE +
				 offsetof(struct page_tables, directory) +
				 sizeof(uint64_t) * TABLE_ENTRIES * i;
	for (unsigned int i = 0; i < DIRECTORY_COUNT * TABLE_ENTRIES; i++)
		pages->directory[i] = table | PAGE_LARGE | i * LARGE_PAGE_SIZE;
	return 0;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment) {
		.limit = 0xFFFFFFFF,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
}

static void set_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment data =
		flat_segment(BOOT_DATA_SELECTOR, SEGMENT_DATA);

	sregs->cs = flat_segment(BOOT_CODE_SELECTOR, SEGMENT_CODE);
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->tr = (struct kvm_segment) {
		.limit = 0x67,
		.selector = BOOT_TASK_SELECTOR,
		.type = SEGMENT_TASK,
		.present = 1,
	};
	sregs->ldt = (struct kvm_segment) { .unusable = 1 };
}

static void set_long_mode(struct kvm_sregs *sregs)
{
	sregs->cs.db = 0;
	sregs->cs.l = 1;
	sregs->gdt.base = BOOT_GDT_BASE;
	sregs->gdt.limit = sizeof(boot_gdt) - 1;
	sregs->cr3 = BOOT_PAGE_TABLES_BASE;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_LME | EFER_LMA;
	sregs->cr0 |= CR0_PG;
}

static int set_sregs(int vcpu_fd, enum boot_protocol protocol)
{
	struct kvm_sregs sregs;

	/* Keeps what KVM set: the APIC base and its BSP bit. */
	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	set_segments(&sregs);
	sregs.idt.base = 0;
	sregs.idt.limit = 0;
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr3 = 0;
	sregs.cr4 = 0;
	sregs.efer = 0;
	memset(sregs.interrupt_bitmap, 0, sizeof(sregs.interrupt_bitmap));
	if (protocol == BOOT_LINUX64)
		set_long_mode(&sregs);
	return ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

int boot_set_vcpu(int vcpu_fd, const struct boot_entry *entry)
{
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rflags = RFLAGS_FIXED,
	};
	int err;

	if (entry->protocol == BOOT_LINUX64)
		regs.rsi = entry->info;
	else
		regs.rbx = entry->info;
	err = set_sregs(vcpu_fd, entry->protocol);
	if (err)
		return err;
	return ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0 ? -errno : 0;
}
