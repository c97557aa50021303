/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kvm/acpi.h"
#include "kvm/boot_internal.h"

/*
 * Theory of operation
 *
 * There is no firmware: the kernel, its initrd and its command line, the ACPI
 * tables and the memory map are written into guest RAM, and the first vCPU is
 * set to the kernel's entry. boot_internal.h has the layout below 1 MiB; the
 * kernel goes where its headers ask for, the initrd as high as it may below the
 * 32-bit hole, so that the kernel can unpack itself without meeting it.
 *
 * The two kernel formats differ in how they are loaded (bzimage.c, elf.c) and
 * in how they are told of the rest (boot_params_write(), boot_pvh.c).
 */

#define PAGE_SIZE 4096ULL
#define MIB       (1ULL << 20)

int boot_fail_memory(const struct boot_file *file, uint64_t end,
		     struct fail *fail)
{
	/* --memory takes multiples of 2 MiB. */
	uint64_t mib = end / (2 * MIB) * 2 + 2;

	if (end > GUEST_MEMORY_HOLE_START)
		return fail_set(fail, -ENOMEM,
				"%s %s does not fit below the guest's 32-bit "
				"hole at 3 GiB: use a smaller one",
				file->what, file->path);
	return fail_set(fail, -ENOMEM,
			"%s %s does not fit the guest's memory: use --memory "
			">= %lluM",
			file->what, file->path, (unsigned long long)mib);
}

int boot_kernel_load(const struct boot_file *file,
		     const struct guest_memory *memory,
		     struct boot_kernel *kernel, struct fail *fail)
{
	memset(kernel, 0, sizeof(*kernel));
	if (elf_probe(file))
		return elf_load(file, memory, kernel, fail);
	if (bzimage_probe(file))
		return bzimage_load(file, memory, kernel, fail);
	return fail_set(fail, -ENOEXEC,
			"kernel %s is not a kernel: it is neither a bzImage "
			"nor an uncompressed ELF vmlinux",
			file->path);
}

static int load_kernel(const struct guest_memory *memory, const char *path,
		       struct boot_kernel *kernel, struct fail *fail)
{
	struct boot_file file;
	int err;

	err = boot_file_open(&file, "kernel", path, fail);
	if (err)
		return err;
	err = boot_kernel_load(&file, memory, kernel, fail);
	close(file.fd);
	return err;
}

static int place_initrd(const struct guest_memory *memory,
			const struct boot_kernel *kernel,
			const struct boot_file *file,
			struct boot_handover *handover, struct fail *fail)
{
	uint64_t top = boot_ram_end(memory, BOOT_HIGH_BASE);

	if (!file->size)
		return fail_set(fail, -EINVAL, "initrd %s is empty",
				file->path);
	if (top > kernel->initrd_end)
		top = kernel->initrd_end;
	if (top < kernel->end || file->size > top - kernel->end ||
	    ((top - file->size) & ~(PAGE_SIZE - 1)) < kernel->end)
		return boot_fail_memory(
			file, kernel->end + file->size + PAGE_SIZE, fail);
	handover->initrd = (top - file->size) & ~(PAGE_SIZE - 1);
	handover->initrd_size = file->size;
	return boot_file_load(file, 0, file->size, memory, handover->initrd,
			      fail);
}

static int load_initrd(const struct guest_memory *memory,
		       const struct boot_kernel *kernel, const char *path,
		       struct boot_handover *handover, struct fail *fail)
{
	struct boot_file file;
	int err;

	err = boot_file_open(&file, "initrd", path, fail);
	if (err)
		return err;
	err = place_initrd(memory, kernel, &file, handover, fail);
	close(file.fd);
	return err;
}

static int load_command_line(const struct guest_memory *memory,
			     const struct boot_kernel *kernel, const char *text,
			     struct boot_handover *handover, struct fail *fail)
{
	size_t length = strlen(text), max = kernel->command_line_max;
	char *to = guest_memory_at(memory, BOOT_COMMAND_LINE_BASE,
				   BOOT_COMMAND_LINE_SIZE);

	if (!to)
		return -EFAULT;
	if (max > BOOT_COMMAND_LINE_SIZE - 1)
		max = BOOT_COMMAND_LINE_SIZE - 1;
	if (length > max)
		return fail_set(fail, -E2BIG,
				"the kernel command line has %zu characters, "
				"this kernel takes %zu: shorten --append",
				length, max);
	memcpy(to, text, length + 1);
	handover->command_line = BOOT_COMMAND_LINE_BASE;
	return 0;
}

static int write_handover(const struct guest_memory *memory,
			  const struct boot_kernel *kernel,
			  const struct boot_handover *handover)
{
	if (kernel->protocol == BOOT_PVH)
		return boot_start_info_write(memory, handover);
	return boot_params_write(memory, &kernel->header, handover);
}

int boot_load(const struct guest_memory *memory,
	      const struct machine_config *config, struct boot_entry *entry,
	      struct fail *fail)
{
	struct boot_handover handover = { 0 };
	const char *command_line =
		config->command_line ? config->command_line : "";
	struct boot_kernel kernel;
	int err;

	if (!guest_memory_at(memory, 0, BOOT_HIGH_BASE))
		return fail_set(fail, -EFAULT,
				"the guest's memory does not begin with 1 MiB "
				"at address 0");
	err = load_kernel(memory, config->kernel, &kernel, fail);
	if (!err && config->initrd)
		err = load_initrd(memory, &kernel, config->initrd, &handover,
				  fail);
	if (!err)
		err = load_command_line(memory, &kernel, command_line,
					&handover, fail);
	if (!err)
		err = acpi_build(memory, &config->topology, config->placement,
				 &handover.rsdp, fail);
	if (!err)
		err = boot_mp_write(memory, &config->topology);
	if (!err)
		err = boot_tables_write(memory);
	if (err)
		return err;
	boot_map_build(&handover.map, memory);
	err = write_handover(memory, &kernel, &handover);
	if (err)
		return err;
	entry->protocol = kernel.protocol;
	entry->rip = kernel.entry;
	entry->info = BOOT_INFO_BASE;
	return 0;
}
