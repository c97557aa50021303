/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/*
 * Theory of operation
 *
 * A vmlinux is loaded by its program headers, at their physical addresses; its
 * section headers are never read. It is started at the address in its Xen note
 * XEN_ELFNOTE_PHYS32_ENTRY (PVH), in 32-bit mode. No field of the file is
 * believed before it was checked against the file's size and the guest's RAM,
 * and nothing is loaded before all of them were.
 */

#define SEGMENTS_MAX      64    /* a vmlinux has about five */
#define NOTES_SIZE_MAX    4096  /* bytes, a vmlinux has about a hundred */
#define NOTE_NAME         "Xen" /* with its NUL */
#define NOTE_PHYS32_ENTRY 18
#define COMMAND_LINE_MAX  2047 /* Linux's COMMAND_LINE_SIZE less its NUL */

struct elf_image {
	const struct boot_file *file;
	unsigned int segment_count;
	Elf64_Phdr segment[SEGMENTS_MAX];
};

static int fail_damaged(const struct elf_image *image, const char *what,
			struct fail *fail)
{
	return fail_set(fail, -ENOEXEC, "kernel %s is damaged: its ELF %s",
			image->file->path, what);
}

bool elf_probe(const struct boot_file *file)
{
	uint8_t magic[SELFMAG];

	return !boot_file_read(file, 0, magic, sizeof(magic), NULL) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

static int read_ident(const struct elf_image *image, struct fail *fail)
{
	uint8_t ident[EI_NIDENT];
	int err;

	err = boot_file_read(image->file, 0, ident, sizeof(ident), fail);
	if (err)
		return err;
	if (ident[EI_CLASS] == ELFCLASS32)
		return fail_set(fail, -ENOEXEC,
				"kernel %s is for 32-bit processors only: use "
				"an x86-64 one",
				image->file->path);
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB ||
	    ident[EI_VERSION] != EV_CURRENT)
		return fail_damaged(image, "identification is unknown", fail);
	return 0;
}

static int read_segments(struct elf_image *image, struct fail *fail)
{
	Elf64_Ehdr header;
	int err;

	err = boot_file_read(image->file, 0, &header, sizeof(header), fail);
	if (err)
		return err;
	if (header.e_machine != EM_X86_64)
		return fail_set(fail, -ENOEXEC,
				"kernel %s is for another processor "
				"architecture: use an x86-64 one",
				image->file->path);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return fail_set(fail, -ENOEXEC,
				"kernel %s is an ELF file that cannot be "
				"started, such as a module: use vmlinux",
				image->file->path);
	if (header.e_phentsize != sizeof(Elf64_Phdr) || !header.e_phnum ||
	    header.e_phnum > SEGMENTS_MAX)
		return fail_damaged(image,
				    "program headers are wrong in size "
				    "or number",
				    fail);
	image->segment_count = header.e_phnum;
	return boot_file_read(image->file, header.e_phoff, image->segment,
			      header.e_phnum * sizeof(Elf64_Phdr), fail);
}

static bool segments_overlap(const Elf64_Phdr *a, const Elf64_Phdr *b)
{
	return a->p_memsz && b->p_memsz &&
	       a->p_paddr < b->p_paddr + b->p_memsz &&
	       b->p_paddr < a->p_paddr + a->p_memsz;
}

/* Everything that can be wrong with a segment without knowing the RAM. */
static int check_segment(const struct elf_image *image,
			 const Elf64_Phdr *segment, struct fail *fail)
{
	const struct boot_file *file = image->file;
	uint64_t end;

	if (segment->p_filesz > segment->p_memsz)
		return fail_damaged(image,
				    "segment is larger in the file than "
				    "in memory",
				    fail);
	if (!segment->p_memsz)
		return 0;
	if (segment->p_offset > file->size ||
	    segment->p_filesz > file->size - segment->p_offset)
		return fail_set(fail, -ENOEXEC,
				"kernel %s is truncated: a segment ends beyond "
				"its %llu bytes; copy or download it again",
				file->path, (unsigned long long)file->size);
	if (__builtin_add_overflow(segment->p_paddr, segment->p_memsz, &end))
		return fail_damaged(image,
				    "segment wraps around the address "
				    "space",
				    fail);
	if (segment->p_paddr < BOOT_HIGH_BASE)
		return fail_set(fail, -ENOEXEC,
				"kernel %s wants to be loaded below 1 MiB, at "
				"0x%llx: use a kernel for PCs",
				file->path,
				(unsigned long long)segment->p_paddr);
	for (const Elf64_Phdr *other = image->segment; other < segment; other++)
		if (other->p_type == PT_LOAD &&
		    segments_overlap(other, segment))
			return fail_damaged(image, "segments overlap", fail);
	return 0;
}

static int check_segments(const struct elf_image *image,
			  const struct guest_memory *memory, uint64_t *end,
			  struct fail *fail)
{
	*end = 0;
	for (unsigned int i = 0; i < image->segment_count; i++) {
		const Elf64_Phdr *segment = &image->segment[i];
		uint64_t segment_end = segment->p_paddr + segment->p_memsz;
		int err;

		if (segment->p_type != PT_LOAD)
			continue;
		err = check_segment(image, segment, fail);
		if (err)
			return err;
		if (!segment->p_memsz)
			continue;
		if (boot_ram_end(memory, segment->p_paddr) < segment_end)
			return boot_fail_memory(image->file, segment_end, fail);
		if (segment_end > *end)
			*end = segment_end;
	}
	if (!*end)
		return fail_damaged(image, "file has nothing to load", fail);
	return 0;
}

/* Is the entry in what was loaded from the file, and reachable in 32 bits? */
static bool entry_is_loaded(const struct elf_image *image, uint64_t entry)
{
	for (unsigned int i = 0; i < image->segment_count; i++) {
		const Elf64_Phdr *segment = &image->segment[i];

		if (segment->p_type == PT_LOAD && entry <= UINT32_MAX &&
		    entry >= segment->p_paddr &&
		    entry - segment->p_paddr < segment->p_filesz)
			return true;
	}
	return false;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/*
 * Return: bytes that the note at @offset takes; 0 when it is cut short. @entry
 * is filled when it is the note that we look for.
 */
static uint64_t parse_note(const uint8_t *notes, uint64_t size,
			   uint64_t alignment, uint64_t *entry)
{
	uint64_t description;
	Elf64_Nhdr note;

	if (size < sizeof(note))
		return 0;
	memcpy(&note, notes, sizeof(note));
	description = sizeof(note) + align_up(note.n_namesz, alignment);
	if (description > size || note.n_descsz > size - description)
		return 0;
	if (note.n_type == NOTE_PHYS32_ENTRY &&
	    note.n_namesz == sizeof(NOTE_NAME) &&
	    !memcmp(notes + sizeof(note), NOTE_NAME, sizeof(NOTE_NAME)) &&
	    (note.n_descsz == 4 || note.n_descsz == 8)) {
		*entry = 0;
		memcpy(entry, notes + description, note.n_descsz);
	}
	return description + align_up(note.n_descsz, alignment);
}

static int find_entry(const struct elf_image *image, const Elf64_Phdr *segment,
		      uint64_t *entry, struct fail *fail)
{
	uint64_t size = segment->p_filesz, at = 0, taken;
	uint8_t notes[NOTES_SIZE_MAX];
	int err;

	if (size > sizeof(notes))
		return fail_damaged(image, "notes are too large", fail);
	err = boot_file_read(image->file, segment->p_offset, notes, size, fail);
	if (err)
		return err;
	for (; at < size; at += taken) {
		taken = parse_note(notes + at, size - at,
				   segment->p_align == 8 ? 8 : 4, entry);
		if (!taken)
			return fail_damaged(image, "notes are cut short", fail);
	}
	return 0;
}

static int read_entry(const struct elf_image *image, uint64_t *entry,
		      struct fail *fail)
{
	*entry = UINT64_MAX;
	for (unsigned int i = 0; i < image->segment_count; i++) {
		int err;

		if (image->segment[i].p_type != PT_NOTE)
			continue;
		err = find_entry(image, &image->segment[i], entry, fail);
		if (err)
			return err;
	}
	if (*entry == UINT64_MAX)
		return fail_set(fail, -ENOEXEC,
				"kernel %s has no PVH entry point: use its "
				"bzImage, or build it with CONFIG_PVH=y",
				image->file->path);
	if (!entry_is_loaded(image, *entry))
		return fail_damaged(image,
				    "note points to an entry outside of "
				    "its segments",
				    fail);
	return 0;
}

static int load_segments(const struct elf_image *image,
			 const struct guest_memory *memory, struct fail *fail)
{
	for (unsigned int i = 0; i < image->segment_count; i++) {
		const Elf64_Phdr *segment = &image->segment[i];
		int err;

		if (segment->p_type != PT_LOAD)
			continue;
		err = boot_file_load(image->file, segment->p_offset,
				     segment->p_filesz, memory,
				     segment->p_paddr, fail);
		if (err)
			return err;
		err = boot_ram_zero(memory,
				    segment->p_paddr + segment->p_filesz,
				    segment->p_memsz - segment->p_filesz);
		if (err)
			return err;
	}
	return 0;
}

int elf_load(const struct boot_file *file, const struct guest_memory *memory,
	     struct boot_kernel *kernel, struct fail *fail)
{
	struct elf_image image = { .file = file };
	int err;

	err = read_ident(&image, fail);
	if (!err)
		err = read_segments(&image, fail);
	if (!err)
		err = read_entry(&image, &kernel->entry, fail);
	if (!err)
		err = check_segments(&image, memory, &kernel->end, fail);
	if (!err)
		err = load_segments(&image, memory, fail);
	if (err)
		return err;
	kernel->protocol = BOOT_PVH;
	kernel->initrd_end = GUEST_MEMORY_HOLE_START;
	kernel->command_line_max = COMMAND_LINE_MAX;
	return 0;
}
