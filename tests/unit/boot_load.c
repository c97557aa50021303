/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_load() as a whole: what lies in guest RAM when the first vCPU starts. */
#include "boot_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kvm/acpi.h"
#include "kvm/boot.h"

#define PAGE        4096ULL
#define INITRD_SIZE 5000 /* bytes */

struct load_test {
	struct guest_memory memory;
	struct bzimage_sample bzimage;
	struct elf_sample elf;
	uint8_t initrd[INITRD_SIZE];
	char kernel_path[FILE_PATH_MAX];
	char initrd_path[FILE_PATH_MAX];
	int kernel_fd;
	int initrd_fd;
	struct machine_config config;
	struct boot_entry entry;
	struct fail fail;
};

static int set_up(void **state)
{
	static const struct load_test empty = {
		.kernel_fd = -1,
		.config = { .topology = { 2, 1, 2, 1 },
			    .command_line = "console=ttyS0 quiet" },
	};
	struct load_test *test = test_malloc(sizeof(*test));

	*test = empty;
	guest_create(&test->memory, 64 * MIB);
	bzimage_sample_init(&test->bzimage);
	elf_sample_init(&test->elf);
	memset(test->initrd, 0x1D, sizeof(test->initrd));
	test->initrd_fd = file_create(test->initrd, sizeof(test->initrd),
				      test->initrd_path);
	test->config.initrd = test->initrd_path;
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct load_test *test = *state;

	guest_destroy(&test->memory);
	close(test->initrd_fd);
	if (test->kernel_fd >= 0)
		close(test->kernel_fd);
	test_free(test);
	return 0;
}

static int load(struct load_test *test, const void *kernel, size_t size)
{
	if (test->kernel_fd >= 0)
		close(test->kernel_fd);
	test->kernel_fd = file_create(kernel, size, test->kernel_path);
	test->config.kernel = test->kernel_path;
	return boot_load(&test->memory, &test->config, &test->entry,
			 &test->fail);
}

static int load_bzimage(struct load_test *test)
{
	return load(test, &test->bzimage, sizeof(test->bzimage));
}

static int load_elf(struct load_test *test)
{
	return load(test, &test->elf, sizeof(test->elf));
}

static const struct boot_params *params(struct load_test *test)
{
	return guest_memory_at(&test->memory, test->entry.info,
			       sizeof(struct boot_params));
}

/* A field of the PVH start info, at its offset in Xen's interface. */
static uint64_t start_info(struct load_test *test, unsigned int offset,
			   unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value,
	       guest_memory_at(&test->memory, test->entry.info + offset, size),
	       size);
	return value;
}

static void bzimage_starts_in_long_mode(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(load_bzimage(test), 0);
	assert_int_equal(test->entry.protocol, BOOT_LINUX64);
	assert_int_equal(test->entry.rip, BZIMAGE_GPA + 0x200);
	assert_int_equal(params(test)->hdr.type_of_loader, 0xFF);
	assert_int_equal(params(test)->hdr.boot_flag, 0xAA55);
	assert_int_equal(params(test)->hdr.init_size, BZIMAGE_INIT_SIZE);
}

static void bzimage_finds_its_command_line(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(load_bzimage(test), 0);
	assert_string_equal(guest_memory_at(&test->memory,
					    params(test)->hdr.cmd_line_ptr, 32),
			    "console=ttyS0 quiet");
}

static void bzimage_finds_its_initrd_at_the_top(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(load_bzimage(test), 0);
	assert_int_equal(params(test)->hdr.ramdisk_size, INITRD_SIZE);
	assert_int_equal(params(test)->hdr.ramdisk_image, 64 * MIB - 2 * PAGE);
	assert_memory_equal(guest_memory_at(&test->memory,
					    params(test)->hdr.ramdisk_image,
					    INITRD_SIZE),
			    test->initrd, INITRD_SIZE);
}

static void initrd_stays_where_the_kernel_can_reach_it(void **state)
{
	struct load_test *test = *state;

	test->bzimage.header.initrd_addr_max = 32 * MIB - 1;
	assert_int_equal(load_bzimage(test), 0);
	assert_int_equal(params(test)->hdr.ramdisk_image, 32 * MIB - 2 * PAGE);
}

static void bzimage_finds_map_and_acpi(void **state)
{
	struct load_test *test = *state;
	const struct boot_e820_entry *map;

	assert_int_equal(load_bzimage(test), 0);
	map = params(test)->e820_table;
	assert_int_equal(params(test)->e820_entries, 5);
	assert_int_equal(map[3].addr, MIB);
	assert_int_equal(map[3].size, 63 * MIB);
	assert_int_equal(map[3].type, 1);
	assert_memory_equal(
		guest_memory_at(&test->memory, params(test)->acpi_rsdp_addr, 8),
		"RSD PTR ", 8);
}

static void first_4_gib_are_mapped_one_to_one(void **state)
{
	struct load_test *test = *state;
	const uint64_t *pml4, *pdpt, *directory;

	assert_int_equal(load_bzimage(test), 0);
	pml4 = guest_memory_at(&test->memory, BOOT_PAGE_TABLES_BASE, 4096);
	pdpt = guest_memory_at(&test->memory, pml4[0] & ~0xFFFULL, 4096);
	assert_int_equal(pml4[0] & 3, 3);
	for (uint64_t gpa = 0; gpa < 4 * GIB; gpa += 2 * MIB) {
		uint64_t entry = pdpt[gpa >> 30];

		assert_int_equal(entry & 3, 3);
		directory =
			guest_memory_at(&test->memory, entry & ~0xFFFULL, 4096);
		assert_int_equal(directory[gpa >> 21 & 511], gpa | 0x83);
	}
}

static void gdt_has_the_segments_of_the_boot_protocol(void **state)
{
	struct load_test *test = *state;
	const uint64_t *gdt;

	assert_int_equal(load_bzimage(test), 0);
	gdt = guest_memory_at(&test->memory, BOOT_GDT_BASE, 40);
	assert_int_equal(gdt[0], 0);
	assert_int_equal(gdt[2], 0x00AF9B000000FFFFULL);
	assert_int_equal(gdt[3], 0x00CF93000000FFFFULL);
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

static const uint8_t *mp_table(struct load_test *test)
{
	uint32_t address;

	memcpy(&address, guest_memory_at(&test->memory, BOOT_EBDA_BASE + 4, 4),
	       4);
	return guest_memory_at(&test->memory, address, BOOT_MP_TABLE_SIZE);
}

static uint16_t mp_length(const uint8_t *table)
{
	return table[4] | table[5] << 8;
}

/* Processors that the MP table names, their ids checked to ascend from 0. */
static unsigned int mp_processors(const uint8_t *table)
{
	const uint8_t *entry = table + 44;
	unsigned int count = 0;

	for (; entry[0] == 0; entry += 20) {
		assert_int_equal(entry[1], count);
		assert_int_equal(entry[3], count ? 1 : 3);
		count++;
	}
	return count;
}

static void mp_table_is_in_the_ebda(void **state)
{
	struct load_test *test = *state;
	const uint8_t *pointer, *table;

	assert_int_equal(load_elf(test), 0);
	pointer = guest_memory_at(&test->memory, BOOT_EBDA_BASE, 16);
	assert_memory_equal(pointer, "_MP_", 4);
	assert_int_equal(sum(pointer, 16), 0);
	table = mp_table(test);
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(sum(table, mp_length(table)), 0);
	assert_int_equal(mp_processors(table), 2);
}

static void mp_table_leaves_out_what_8_bits_do_not_hold(void **state)
{
	struct load_test *test = *state;

	test->config.topology = (struct machine_topology) { 300, 1, 300, 1 };
	assert_int_equal(load_elf(test), 0);
	assert_int_equal(mp_processors(mp_table(test)), 255);
	assert_int_equal(sum(mp_table(test), mp_length(mp_table(test))), 0);
}

static void vmlinux_starts_by_pvh(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(load_elf(test), 0);
	assert_int_equal(test->entry.protocol, BOOT_PVH);
	assert_int_equal(test->entry.rip, ELF_ENTRY);
	assert_int_equal(start_info(test, 0, 4), 0x336EC578);
	assert_int_equal(start_info(test, 4, 4), 1);
	assert_string_equal(
		guest_memory_at(&test->memory, start_info(test, 24, 8), 32),
		"console=ttyS0 quiet");
	assert_int_equal(start_info(test, 32, 8), ACPI_AREA_BASE);
}

static void vmlinux_finds_its_initrd(void **state)
{
	struct load_test *test = *state;
	const uint64_t *module;

	assert_int_equal(load_elf(test), 0);
	assert_int_equal(start_info(test, 12, 4), 1);
	module = guest_memory_at(&test->memory, start_info(test, 16, 8), 32);
	assert_int_equal(module[0], 64 * MIB - 2 * PAGE);
	assert_int_equal(module[1], INITRD_SIZE);
}

static void vmlinux_without_initrd_has_no_module(void **state)
{
	struct load_test *test = *state;

	test->config.initrd = NULL;
	assert_int_equal(load_elf(test), 0);
	assert_int_equal(start_info(test, 12, 4), 0);
}

static void vmlinux_finds_its_map(void **state)
{
	struct load_test *test = *state;
	const struct {
		uint64_t address, size;
		uint32_t type, reserved;
	} * map;

	assert_int_equal(load_elf(test), 0);
	assert_int_equal(start_info(test, 48, 4), 5);
	map = guest_memory_at(&test->memory, start_info(test, 40, 8), 120);
	assert_int_equal(map[3].address, MIB);
	assert_int_equal(map[3].size, 63 * MIB);
	assert_int_equal(map[3].type, 1);
}

static void reboot_finds_everything_anew(void **state)
{
	struct load_test *test = *state;
	uint8_t *text = guest_memory_at(&test->memory, ELF_TEXT_GPA, 64);
	char *rsdp = guest_memory_at(&test->memory, ACPI_AREA_BASE, 8);

	assert_int_equal(load_elf(test), 0);
	memset(text, 0, 64);
	memset(rsdp, 0, 8);
	assert_int_equal(load_elf(test), 0);
	assert_memory_equal(text, test->elf.text, 64);
	assert_memory_equal(rsdp, "RSD PTR ", 8);
}

static void missing_files_are_named(void **state)
{
	struct load_test *test = *state;

	test->config.kernel = "/nonexistent/vmlinuz";
	assert_int_equal(boot_load(&test->memory, &test->config, &test->entry,
				   &test->fail),
			 -ENOENT);
	assert_non_null(strstr(test->fail.text, "kernel /nonexistent/vmlinuz"));
	test->fail.text[0] = '\0';
	test->config.initrd = "/nonexistent/initrd";
	assert_int_equal(load_elf(test), -ENOENT);
	assert_non_null(strstr(test->fail.text, "initrd /nonexistent/initrd"));
}

static void directory_is_no_kernel(void **state)
{
	struct load_test *test = *state;

	test->config.kernel = "/";
	assert_int_equal(boot_load(&test->memory, &test->config, &test->entry,
				   &test->fail),
			 -EINVAL);
	assert_non_null(strstr(test->fail.text, "not a regular file"));
}

static void other_file_is_no_kernel(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(load(test, test->initrd, INITRD_SIZE), -ENOEXEC);
	assert_non_null(strstr(test->fail.text, "not a kernel"));
}

static void command_line_too_long_is_refused(void **state)
{
	struct load_test *test = *state;
	char line[2049];

	memset(line, 'a', sizeof(line));
	line[2047] = '\0';
	test->config.command_line = line;
	assert_int_equal(load_bzimage(test), 0);
	line[2047] = 'a';
	line[2048] = '\0';
	assert_int_equal(load_bzimage(test), -E2BIG);
	assert_non_null(strstr(test->fail.text, "2048 characters"));
	test->fail.text[0] = '\0';
	assert_int_equal(load_elf(test), -E2BIG);
}

static void initrd_too_large_names_the_memory_needed(void **state)
{
	struct load_test *test = *state;

	/* The kernel ends at 20 MiB; the initrd is not read, only sized. */
	assert_int_equal(ftruncate(test->initrd_fd, 44 * MIB + 1), 0);
	assert_int_equal(load_bzimage(test), -ENOMEM);
	assert_non_null(strstr(test->fail.text, "initrd /proc"));
	assert_non_null(strstr(test->fail.text, "--memory >= 66M"));
}

static void empty_initrd_is_refused(void **state)
{
	struct load_test *test = *state;

	assert_int_equal(ftruncate(test->initrd_fd, 0), 0);
	assert_int_equal(load_elf(test), -EINVAL);
	assert_non_null(strstr(test->fail.text, "empty"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(bzimage_starts_in_long_mode),
		CASE(bzimage_finds_its_command_line),
		CASE(bzimage_finds_its_initrd_at_the_top),
		CASE(initrd_stays_where_the_kernel_can_reach_it),
		CASE(bzimage_finds_map_and_acpi),
		CASE(first_4_gib_are_mapped_one_to_one),
		CASE(gdt_has_the_segments_of_the_boot_protocol),
		CASE(mp_table_is_in_the_ebda),
		CASE(mp_table_leaves_out_what_8_bits_do_not_hold),
		CASE(vmlinux_starts_by_pvh),
		CASE(vmlinux_finds_its_initrd),
		CASE(vmlinux_without_initrd_has_no_module),
		CASE(vmlinux_finds_its_map),
		CASE(reboot_finds_everything_anew),
		CASE(missing_files_are_named),
		CASE(directory_is_no_kernel),
		CASE(other_file_is_no_kernel),
		CASE(command_line_too_long_is_refused),
		CASE(initrd_too_large_names_the_memory_needed),
		CASE(empty_initrd_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
