/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <string.h>

#define START_INFO_MAGIC   0x336EC578
#define START_INFO_VERSION 1 /* the first with a memory map */

/* Xen's public/arch-x86/hvm/start_info.h, version 1. */
struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t map;
	uint32_t map_count;
	uint32_t reserved;
};

struct start_module {
	uint64_t address;
	uint64_t size;
	uint64_t command_line;
	uint64_t reserved;
};

struct start_map_entry {
	uint64_t address;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* The start info and all that it points to, in one run of memory. */
struct start_page {
	struct start_info info;
	struct start_module initrd;
	struct start_map_entry map[BOOT_MAP_ENTRIES_MAX];
};

_Static_assert(sizeof(struct start_info) == 56, "as in Xen's interface");
_Static_assert(BOOT_INFO_BASE + sizeof(struct start_page) <=
		       BOOT_PAGE_TABLES_BASE,
	       "the start info ends below the page tables");

int boot_start_info_write(const struct guest_memory *memory,
			  const struct boot_handover *handover)
{
	struct start_page *page =
		guest_memory_at(memory, BOOT_INFO_BASE, sizeof(*page));

	if (!page)
		return -EFAULT;
	memset(page, 0, sizeof(*page));
	page->info = (struct start_info) {
		.magic = START_INFO_MAGIC,
		.version = START_INFO_VERSION,
		.command_line = handover->command_line,
		.rsdp = handover->rsdp,
		.map = BOOT_INFO_BASE + offsetof(struct start_page, map),
		.map_count = handover->map.count,
	};
	if (handover->initrd_size) {
		page->info.module_count = 1;
		page->info.modules =
			BOOT_INFO_BASE + offsetof(struct start_page, initrd);
		page->initrd.address = handover->initrd;
		page->initrd.size = handover->initrd_size;
	}
	for (unsigned int i = 0; i < handover->map.count; i++) {
		page->map[i].address = handover->map.entry[i].address;
		page->map[i].size = handover->map.entry[i].size;
		page->map[i].type = handover->map.entry[i].type;
	}
	return 0;
}
