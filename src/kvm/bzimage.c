/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SECTOR_SIZE      512 /* bytes */
#define HEADER_OFFSET    offsetof(struct boot_params, hdr)
#define HEADER_MAGIC     0x53726448 /* "HdrS" */
#define BOOT_FLAG        0xAA55
#define VERSION_MIN      0x020C /* the first with xloadflags */
#define SETUP_SECTS_OLD  4      /* what 0 in setup_sects means */
#define ENTRY64_OFFSET   0x200
#define LOADER_UNDEFINED 0xFF
#define VIDEO_NORMAL     0xFFFF

_Static_assert(sizeof(struct boot_params) == 4096, "the zero page is a page");
_Static_assert(BOOT_MAP_ENTRIES_MAX <= E820_MAX_ENTRIES_ZEROPAGE,
	       "every map fits the zero page");

static int read_header(const struct boot_file *file,
		       struct setup_header *header, struct fail *fail)
{
	memset(header, 0, sizeof(*header));
	return boot_file_read(file, HEADER_OFFSET, header, sizeof(*header),
			      fail);
}

bool bzimage_probe(const struct boot_file *file)
{
	struct {
		uint16_t boot_flag;
		uint16_t jump;
		uint32_t magic;
	} __attribute__((packed)) probe;

	if (boot_file_read(file,
			   HEADER_OFFSET +
				   offsetof(struct setup_header, boot_flag),
			   &probe, sizeof(probe), NULL))
		return false;
	return probe.boot_flag == BOOT_FLAG && probe.magic == HEADER_MAGIC;
}

static int check_header(const struct boot_file *file,
			const struct setup_header *header, struct fail *fail)
{
	if (header->version < VERSION_MIN)
		return fail_set(fail, -ENOEXEC,
				"kernel %s speaks boot protocol %u.%u, 2.12 is "
				"needed: use Linux 3.8 or later",
				file->path, header->version >> 8,
				header->version & 0xFF);
	if (!(header->xloadflags & XLF_KERNEL_64))
		return fail_set(fail, -ENOEXEC,
				"kernel %s is for 32-bit processors only: use "
				"an x86-64 one",
				file->path);
	if (!(header->loadflags & LOADED_HIGH))
		return fail_set(fail, -ENOEXEC,
				"kernel %s is a zImage, which loads below "
				"1 MiB: use a bzImage",
				file->path);
	if (header->pref_address < BOOT_HIGH_BASE ||
	    header->pref_address >= GUEST_MEMORY_HOLE_START ||
	    header->init_size > GUEST_MEMORY_HOLE_START)
		return fail_set(fail, -ENOEXEC,
				"kernel %s asks to be loaded at 0x%llx with "
				"0x%x bytes of memory, which no guest has: its "
				"header is damaged",
				file->path,
				(unsigned long long)header->pref_address,
				header->init_size);
	return 0;
}

/*
 * The header grows with the protocol: its length is where its short jump goes,
 * and what lies beyond is code.
 */
static void trim_header(struct setup_header *header)
{
	size_t length =
		offsetof(struct setup_header, header) + (header->jump >> 8);

	if (length < sizeof(*header))
		memset((uint8_t *)header + length, 0, sizeof(*header) - length);
}

int bzimage_load(const struct boot_file *file,
		 const struct guest_memory *memory, struct boot_kernel *kernel,
		 struct fail *fail)
{
	struct setup_header *header = &kernel->header;
	uint64_t setup, size;
	int err;

	err = read_header(file, header, fail);
	if (err)
		return err;
	trim_header(header);
	err = check_header(file, header, fail);
	if (err)
		return err;

	setup = header->setup_sects ? header->setup_sects : SETUP_SECTS_OLD;
	setup = (setup + 1) * SECTOR_SIZE;
	size = (uint64_t)header->syssize * 16;
	/* Loaded as it is, it may not be larger than what it unpacks in. */
	if (size <= ENTRY64_OFFSET || size > header->init_size)
		return fail_set(fail, -ENOEXEC,
				"kernel %s claims a size of %llu bytes, which "
				"cannot be: its header is damaged",
				file->path, (unsigned long long)size);

	kernel->protocol = BOOT_LINUX64;
	kernel->entry = header->pref_address + ENTRY64_OFFSET;
	kernel->end = header->pref_address + header->init_size;
	kernel->initrd_end = (uint64_t)header->initrd_addr_max + 1;
	kernel->command_line_max = header->cmdline_size;
	if (boot_ram_end(memory, header->pref_address) < kernel->end)
		return boot_fail_memory(file, kernel->end, fail);
	return boot_file_load(file, setup, size, memory, header->pref_address,
			      fail);
}

static void write_map(struct boot_params *params, const struct boot_map *map)
{
	for (unsigned int i = 0; i < map->count; i++)
		params->e820_table[i] = (struct boot_e820_entry) {
			.addr = map->entry[i].address,
			.size = map->entry[i].size,
			.type = map->entry[i].type,
		};
	params->e820_entries = map->count;
}

int boot_params_write(const struct guest_memory *memory,
		      const struct setup_header *header,
		      const struct boot_handover *handover)
{
	struct boot_params *params =
		guest_memory_at(memory, BOOT_INFO_BASE, sizeof(*params));

	if (!params)
		return -EFAULT;
	memset(params, 0, sizeof(*params));
	params->hdr = *header;
	params->hdr.type_of_loader = LOADER_UNDEFINED;
	params->hdr.vid_mode = VIDEO_NORMAL;
	params->hdr.cmd_line_ptr = handover->command_line;
	params->hdr.ramdisk_image = handover->initrd;
	params->hdr.ramdisk_size = handover->initrd_size;
	params->hdr.setup_data = 0;
	params->acpi_rsdp_addr = handover->rsdp;
	write_map(params, &handover->map);
	return 0;
}
