/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_BOOT_INTERNAL_H
#define MQVMM_KVM_BOOT_INTERNAL_H

/* Private to the boot files of src/kvm and to their tests. */

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "kvm/boot.h"
#include "kvm/guest_memory.h"

/*
 * What boot_load() puts below 1 MiB. All of it is dead once the kernel has
 * copied it, but for the ACPI tables (acpi.h) and the MP table, which the map
 * reserves.
 */
#define BOOT_GDT_BASE          0x1000
#define BOOT_INFO_BASE         0x7000 /* boot parameters or start info */
#define BOOT_PAGE_TABLES_BASE  0x9000 /* PML4, PDPT, 4 page directories */
#define BOOT_COMMAND_LINE_BASE 0x20000
#define BOOT_COMMAND_LINE_SIZE 0x10000 /* bytes, final NUL included */
#define BOOT_EBDA_BASE         0x9FC00 /* reserved from here to BOOT_VGA_BASE */
#define BOOT_VGA_BASE          0xA0000
#define BOOT_MP_TABLE_BASE     0xFC000
#define BOOT_MP_TABLE_SIZE     0x3ff0   /* bytes */
#define BOOT_RESET_VECTOR      0xFFFF0  /* F000:FFF0, reserved as all above */
#define BOOT_HIGH_BASE         0x100000 /* kernel and initrd are from here up */

/* Selectors in the GDT: what both boot protocols ask for. */
#define BOOT_CODE_SELECTOR 0x10
#define BOOT_DATA_SELECTOR 0x18
#define BOOT_TASK_SELECTOR 0x20

/* Memory types, the same numbers in e820 and in PVH's map. */
#define BOOT_MAP_RAM      1
#define BOOT_MAP_RESERVED 2

/* Every region its own run of RAM, and what the layout reserves. */
#define BOOT_MAP_ENTRIES_MAX (GUEST_MEMORY_REGIONS_MAX + 4)

struct boot_map_entry {
	uint64_t address;
	uint64_t size; /* bytes */
	uint32_t type;
};

/**
 * struct boot_map - What the kernel is told of its physical memory
 * @count:	Entries in use
 * @entry:	In ascending order, not overlapping
 */
struct boot_map {
	unsigned int count;
	struct boot_map_entry entry[BOOT_MAP_ENTRIES_MAX];
};

/**
 * boot_map_build() - The memory map of a guest
 * @map:	Filled
 * @memory:	The guest's RAM, more than 1 MiB of it from address 0
 */
void boot_map_build(struct boot_map *map, const struct guest_memory *memory);

/**
 * boot_ram_end() - How far RAM goes on without a hole
 * @memory:	The guest's RAM
 * @gpa:	Where to begin
 *
 * Return: first address after @gpa that is not RAM, @gpa itself if that is not
 */
uint64_t boot_ram_end(const struct guest_memory *memory, uint64_t gpa);

/**
 * boot_ram_zero() - Clear @size bytes of RAM, across regions
 *
 * Return: 0, or -EFAULT if not all of it is RAM
 */
int boot_ram_zero(const struct guest_memory *memory, uint64_t gpa,
		  uint64_t size);

/**
 * struct boot_file - A file to be put into guest RAM
 * @fd:		Open for reading, a regular file or memfd
 * @size:	Bytes it had when it was opened
 * @what:	"kernel" or "initrd", for messages
 * @path:	For messages
 */
struct boot_file {
	int fd;
	uint64_t size;
	const char *what;
	const char *path;
};

/**
 * boot_file_open() - Open a regular file
 *
 * Return: 0 or negative errno with @fail set. The caller closes @file->fd.
 */
int boot_file_open(struct boot_file *file, const char *what, const char *path,
		   struct fail *fail);

/**
 * boot_file_read() - Read @size bytes at @offset, all or nothing
 *
 * Return: 0; -ENOEXEC if the file is too short; an I/O error
 */
int boot_file_read(const struct boot_file *file, uint64_t offset, void *data,
		   size_t size, struct fail *fail);

/**
 * boot_file_load() - Read @size bytes at @offset into guest RAM at @gpa
 *
 * Return: as boot_file_read(), or -ENOMEM where the guest has no RAM
 */
int boot_file_load(const struct boot_file *file, uint64_t offset, uint64_t size,
		   const struct guest_memory *memory, uint64_t gpa,
		   struct fail *fail);

/**
 * struct boot_kernel - A kernel in guest RAM, and what it allows
 * @protocol:		How it is entered
 * @entry:		Where, guest physical
 * @end:		First address that the starting kernel does not use
 * @initrd_end:		The initrd must end at or below this address
 * @command_line_max:	Characters, without the final NUL
 * @header:		BOOT_LINUX64: its setup header
 */
struct boot_kernel {
	enum boot_protocol protocol;
	uint64_t entry;
	uint64_t end;
	uint64_t initrd_end;
	uint32_t command_line_max;
	struct setup_header header;
};

/**
 * boot_kernel_load() - Recognise a kernel by its contents and load it
 *
 * Return: 0; -ENOEXEC, -ENOMEM or an I/O error with @fail set
 */
int boot_kernel_load(const struct boot_file *file,
		     const struct guest_memory *memory,
		     struct boot_kernel *kernel, struct fail *fail);

/**
 * boot_fail_memory() - Say that a kernel or initrd does not fit
 * @file:	Which one
 * @end:	First address that it would not need
 *
 * Return: -ENOMEM with @fail set
 */
int boot_fail_memory(const struct boot_file *file, uint64_t end,
		     struct fail *fail);

/**
 * bzimage_probe() - Is there a Linux setup header?
 *
 * Return: whether @file has its magic numbers
 */
bool bzimage_probe(const struct boot_file *file);

/**
 * bzimage_load() - Check and load a bzImage (arch/x86/boot.rst, 64-bit entry)
 *
 * Return: as boot_kernel_load()
 */
int bzimage_load(const struct boot_file *file,
		 const struct guest_memory *memory, struct boot_kernel *kernel,
		 struct fail *fail);

/**
 * elf_probe() - Is it an ELF file, whatever is in it?
 */
bool elf_probe(const struct boot_file *file);

/**
 * elf_load() - Check and load an ELF vmlinux with a PVH entry note
 *
 * Return: as boot_kernel_load()
 */
int elf_load(const struct boot_file *file, const struct guest_memory *memory,
	     struct boot_kernel *kernel, struct fail *fail);

/**
 * struct boot_handover - What is in guest RAM besides the kernel
 * @map:		Memory map
 * @command_line:	Guest physical address, NUL terminated
 * @initrd:		Guest physical address
 * @initrd_size:	Bytes, 0 without an initrd
 * @rsdp:		ACPI root pointer
 */
struct boot_handover {
	struct boot_map map;
	uint64_t command_line;
	uint64_t initrd;
	uint64_t initrd_size;
	uint64_t rsdp;
};

/**
 * boot_params_write() - Boot parameters ("zero page") at BOOT_INFO_BASE
 * @header:	The kernel's own setup header
 *
 * Return: 0, or -EFAULT without RAM there
 */
int boot_params_write(const struct guest_memory *memory,
		      const struct setup_header *header,
		      const struct boot_handover *handover);

/**
 * boot_start_info_write() - PVH's hvm_start_info at BOOT_INFO_BASE
 *
 * Return: 0, or -EFAULT without RAM there
 */
int boot_start_info_write(const struct guest_memory *memory,
			  const struct boot_handover *handover);

/**
 * boot_mp_write() - MP table at BOOT_MP_TABLE_BASE, its pointer in the EBDA
 * @topology:	The guest's CPUs
 *
 * Return: 0, or -EFAULT without RAM there
 */
int boot_mp_write(const struct guest_memory *memory,
		  const struct machine_topology *topology);

/**
 * boot_tables_write() - GDT, page tables that map the first 4 GiB 1:1, and the
 *	code at the reset vector
 *
 * Linux with hardware-reduced ACPI takes EFI's reset for the one to use and,
 * without EFI, jumps to the BIOS in real mode: there it has to find a reset.
 *
 * Return: 0, or -EFAULT without RAM there
 */
int boot_tables_write(const struct guest_memory *memory);

#endif
