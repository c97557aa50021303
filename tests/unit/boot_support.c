/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot_support.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void add_region(struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(host, MAP_FAILED);
	memory->region[memory->region_count++] = (struct guest_memory_region) {
		.gpa = gpa,
		.size = size,
		.host = host,
		.fd = -1,
	};
}

void guest_create(struct guest_memory *memory, uint64_t size)
{
	memory->region_count = 0;
	if (size <= GUEST_MEMORY_HOLE_START) {
		add_region(memory, 0, size);
		return;
	}
	add_region(memory, 0, GUEST_MEMORY_HOLE_START);
	add_region(memory, GUEST_MEMORY_HOLE_END,
		   size - GUEST_MEMORY_HOLE_START);
}

void guest_destroy(struct guest_memory *memory)
{
	for (unsigned int i = 0; i < memory->region_count; i++)
		munmap(memory->region[i].host, memory->region[i].size);
	memory->region_count = 0;
}

void guest_split(struct guest_memory *memory, uint64_t gpa)
{
	struct guest_memory_region *low = memory->region, *high;
	uint64_t offset;

	while (gpa - low->gpa >= low->size)
		low++;
	high = low + 1;
	memmove(high + 1, high,
		(memory->region + memory->region_count - high) * sizeof(*high));
	offset = gpa - low->gpa;
	*high = *low;
	high->gpa = gpa;
	high->size -= offset;
	high->host += offset;
	low->size = offset;
	memory->region_count++;
}

int file_create(const void *data, size_t size, char *path)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, 0), size);
	snprintf(path, FILE_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

void elf_sample_init(struct elf_sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	memcpy(sample->header.e_ident, ELFMAG, SELFMAG);
	sample->header.e_ident[EI_CLASS] = ELFCLASS64;
	sample->header.e_ident[EI_DATA] = ELFDATA2LSB;
	sample->header.e_ident[EI_VERSION] = EV_CURRENT;
	sample->header.e_type = ET_EXEC;
	sample->header.e_machine = EM_X86_64;
	sample->header.e_phoff = offsetof(struct elf_sample, segment);
	sample->header.e_phentsize = sizeof(Elf64_Phdr);
	sample->header.e_phnum = ELF_SEGMENTS;
	sample->segment[ELF_TEXT] = (Elf64_Phdr) {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_sample, text),
		.p_paddr = ELF_TEXT_GPA,
		.p_filesz = sizeof(sample->text),
		.p_memsz = sizeof(sample->text),
	};
	sample->segment[ELF_DATA] = (Elf64_Phdr) {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_sample, data),
		.p_paddr = ELF_DATA_GPA,
		.p_filesz = sizeof(sample->data),
		.p_memsz = ELF_DATA_SIZE,
	};
	sample->segment[ELF_NOTE] = (Elf64_Phdr) {
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct elf_sample, note),
		.p_filesz = sizeof(sample->note),
		.p_memsz = sizeof(sample->note),
		.p_align = 4,
	};
	sample->note.header.n_namesz = sizeof(sample->note.name);
	sample->note.header.n_descsz = sizeof(sample->note.entry);
	sample->note.header.n_type = 18;
	memcpy(sample->note.name, "Xen", 4);
	sample->note.entry = ELF_ENTRY;
	memset(sample->text, 0x90, sizeof(sample->text));
	memset(sample->data, 0xDA, sizeof(sample->data));
}

void bzimage_sample_init(struct bzimage_sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	sample->header = (struct setup_header) {
		.setup_sects = 1,
		.syssize = sizeof(sample->payload) / 16,
		.boot_flag = 0xAA55,
		.jump = 0xEB | (sizeof(sample->header) - 0x11) << 8,
		.header = 0x53726448,
		.version = 0x20F,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7FFFFFFF,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = BZIMAGE_GPA,
		.init_size = BZIMAGE_INIT_SIZE,
	};
	memset(sample->payload, 0x90, sizeof(sample->payload));
}
