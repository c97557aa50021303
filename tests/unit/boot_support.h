/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_UNIT_BOOT_SUPPORT_H
#define MQVMM_TESTS_UNIT_BOOT_SUPPORT_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/boot_internal.h"
#include "kvm/guest_memory.h"

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/**
 * guest_create() - RAM of @size bytes as a machine lays it out around the hole
 */
void guest_create(struct guest_memory *memory, uint64_t size);
void guest_destroy(struct guest_memory *memory);

/**
 * guest_split() - Cut the region that holds @gpa in two there, as two NUMA
 *		   nodes would
 */
void guest_split(struct guest_memory *memory, uint64_t gpa);

/**
 * file_create() - A file with these bytes, in memory
 * @path:	Filled with a path that opens it, at least FILE_PATH_MAX bytes
 *
 * Return: its descriptor; the caller closes it
 */
int file_create(const void *data, size_t size, char *path);

#define FILE_PATH_MAX 64

/* A small vmlinux with a PVH note, every field of which may be spoiled. */
#define ELF_TEXT_GPA  (16 * MIB)
#define ELF_DATA_GPA  (17 * MIB)
#define ELF_DATA_SIZE 8192 /* in memory; data[] is what the file holds */
#define ELF_ENTRY     (ELF_TEXT_GPA + 16)

enum elf_segment { ELF_TEXT, ELF_DATA, ELF_NOTE, ELF_SEGMENTS };

struct elf_note_xen {
	Elf64_Nhdr header;
	char name[4];
	uint64_t entry;
} __attribute__((packed));

struct elf_sample {
	Elf64_Ehdr header;
	Elf64_Phdr segment[ELF_SEGMENTS];
	struct elf_note_xen note;
	uint8_t text[64];
	uint8_t data[32];
};

void elf_sample_init(struct elf_sample *sample);

/* A small bzImage: boot sector, one sector of setup, payload. */
#define BZIMAGE_GPA       (16 * MIB)
#define BZIMAGE_INIT_SIZE (4 * MIB)

struct bzimage_sample {
	uint8_t boot_sector[0x1f1];
	struct setup_header header;
	uint8_t setup[1024 - 0x1f1 - sizeof(struct setup_header)];
	uint8_t payload[4096];
} __attribute__((packed));

void bzimage_sample_init(struct bzimage_sample *sample);

#endif
