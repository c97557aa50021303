/* SPDX-License-Identifier: BSD-3-Clause */
/* The loader of ELF kernels on good, spoiled and cut files. */
#include "boot_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct elf_test {
	struct guest_memory memory;
	struct elf_sample sample;
	struct boot_kernel kernel;
	struct fail fail;
};

static int set_up(void **state)
{
	static const struct elf_test empty;
	struct elf_test *test = test_malloc(sizeof(*test));

	*test = empty;
	guest_create(&test->memory, 64 * MIB);
	elf_sample_init(&test->sample);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct elf_test *test = *state;

	guest_destroy(&test->memory);
	test_free(test);
	return 0;
}

/* Load the first @size bytes of the sample as it is now. */
static int load_part(struct elf_test *test, size_t size)
{
	char path[FILE_PATH_MAX];
	int fd = file_create(&test->sample, size, path);
	struct boot_file file;
	int err;

	test->fail.text[0] = '\0';
	assert_int_equal(boot_file_open(&file, "kernel", path, &test->fail), 0);
	err = boot_kernel_load(&file, &test->memory, &test->kernel,
			       &test->fail);
	close(file.fd);
	close(fd);
	return err;
}

static int load(struct elf_test *test)
{
	return load_part(test, sizeof(test->sample));
}

/* The sample was spoiled: it must be refused with a sentence that has @word. */
static void assert_refused(struct elf_test *test, int err, const char *word)
{
	assert_int_equal(load(test), err);
	assert_non_null(strstr(test->fail.text, word));
}

static void segments_go_to_their_physical_addresses(void **state)
{
	struct elf_test *test = *state;

	assert_int_equal(load(test), 0);
	assert_memory_equal(guest_memory_at(&test->memory, ELF_TEXT_GPA, 64),
			    test->sample.text, 64);
	assert_memory_equal(guest_memory_at(&test->memory, ELF_DATA_GPA, 32),
			    test->sample.data, 32);
	assert_int_equal(test->kernel.end, ELF_DATA_GPA + ELF_DATA_SIZE);
}

static void memory_beyond_the_file_is_zeroed(void **state)
{
	struct elf_test *test = *state;
	uint8_t *data =
		guest_memory_at(&test->memory, ELF_DATA_GPA, ELF_DATA_SIZE + 1);

	memset(data, 0xFF, ELF_DATA_SIZE + 1);
	assert_int_equal(load(test), 0);
	for (int i = sizeof(test->sample.data); i < ELF_DATA_SIZE; i++)
		assert_int_equal(data[i], 0);
	assert_int_equal(data[ELF_DATA_SIZE], 0xFF);
}

static void segment_may_span_memory_regions(void **state)
{
	struct elf_test *test = *state;
	uint8_t *data =
		guest_memory_at(&test->memory, ELF_DATA_GPA, ELF_DATA_SIZE);

	memset(data, 0xFF, ELF_DATA_SIZE);
	guest_split(&test->memory, ELF_DATA_GPA + 16);
	guest_split(&test->memory, ELF_DATA_GPA + 4096);
	assert_int_equal(load(test), 0);
	assert_memory_equal(data, test->sample.data, 32);
	assert_int_equal(data[32], 0);
	assert_int_equal(data[ELF_DATA_SIZE - 1], 0);
}

static void entry_comes_from_the_note(void **state)
{
	struct elf_test *test = *state;

	assert_int_equal(load(test), 0);
	assert_int_equal(test->kernel.protocol, BOOT_PVH);
	assert_int_equal(test->kernel.entry, ELF_ENTRY);
}

static void entry_may_have_32_bits(void **state)
{
	struct elf_test *test = *state;

	test->sample.note.header.n_descsz = 4;
	test->sample.note.entry |= 0xFFFFFFFFULL << 32;
	test->sample.segment[ELF_NOTE].p_filesz = sizeof(test->sample.note) - 4;
	assert_int_equal(load(test), 0);
	assert_int_equal(test->kernel.entry, ELF_ENTRY);
}

static void kernel_without_pvh_note_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.note.header.n_type = 17;
	assert_refused(test, -ENOEXEC, "no PVH entry point");
	elf_sample_init(&test->sample);
	test->sample.note.name[0] = 'L';
	assert_refused(test, -ENOEXEC, "no PVH entry point");
	elf_sample_init(&test->sample);
	test->sample.segment[ELF_NOTE].p_type = PT_NULL;
	assert_refused(test, -ENOEXEC, "no PVH entry point");
}

static void wild_notes_are_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.note.header.n_namesz = 0xFFFFFFFF;
	assert_refused(test, -ENOEXEC, "notes");
	elf_sample_init(&test->sample);
	test->sample.note.header.n_descsz = 0xFFFFFFFF;
	assert_refused(test, -ENOEXEC, "notes");
	elf_sample_init(&test->sample);
	test->sample.segment[ELF_NOTE].p_filesz = 1 << 30;
	assert_refused(test, -ENOEXEC, "notes");
	elf_sample_init(&test->sample);
	test->sample.segment[ELF_NOTE].p_offset = UINT64_MAX - 4;
	assert_refused(test, -ENOEXEC, "truncated");
}

static void entry_outside_of_the_kernel_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.note.entry = ELF_TEXT_GPA + sizeof(test->sample.text);
	assert_refused(test, -ENOEXEC, "entry");
	test->sample.note.entry = UINT64_MAX - 1;
	assert_refused(test, -ENOEXEC, "entry");
}

static void kernel_for_another_processor_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(test, -ENOEXEC, "32-bit");
	elf_sample_init(&test->sample);
	test->sample.header.e_machine = EM_AARCH64;
	assert_refused(test, -ENOEXEC, "another processor");
	elf_sample_init(&test->sample);
	test->sample.header.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(test, -ENOEXEC, "identification");
}

static void object_file_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.header.e_type = ET_REL;
	assert_refused(test, -ENOEXEC, "module");
}

static void wrong_program_headers_are_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.header.e_phnum = 0;
	assert_refused(test, -ENOEXEC, "program headers");
	test->sample.header.e_phnum = 0xFFFF;
	assert_refused(test, -ENOEXEC, "program headers");
	elf_sample_init(&test->sample);
	test->sample.header.e_phentsize = 1;
	assert_refused(test, -ENOEXEC, "program headers");
	elf_sample_init(&test->sample);
	test->sample.header.e_phoff = UINT64_MAX - 8;
	assert_refused(test, -ENOEXEC, "truncated");
}

static void segment_beyond_the_file_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_offset += 1;
	assert_refused(test, -ENOEXEC, "truncated");
	test->sample.segment[ELF_DATA].p_offset = UINT64_MAX;
	assert_refused(test, -ENOEXEC, "truncated");
}

static void segment_larger_in_file_than_memory_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_memsz = 31;
	assert_refused(test, -ENOEXEC, "larger in the file");
}

static void segment_in_file_only_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_memsz = 0;
	assert_refused(test, -ENOEXEC, "larger in the file");
}

static void empty_segment_is_passed_over(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_paddr = 0;
	test->sample.segment[ELF_DATA].p_memsz = 0;
	test->sample.segment[ELF_DATA].p_filesz = 0;
	assert_int_equal(load(test), 0);
}

static void overlapping_segments_are_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_paddr = ELF_TEXT_GPA + 63;
	assert_refused(test, -ENOEXEC, "overlap");
}

static void segment_that_wraps_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_paddr = UINT64_MAX - 100;
	assert_refused(test, -ENOEXEC, "wraps");
}

static void segment_below_1_mib_is_refused(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_paddr = 0x7000;
	assert_refused(test, -ENOEXEC, "below 1 MiB");
}

static void segment_beyond_memory_names_the_memory_needed(void **state)
{
	struct elf_test *test = *state;

	test->sample.segment[ELF_DATA].p_memsz = 100 * MIB;
	assert_refused(test, -ENOMEM, "--memory >= 118M");
	test->sample.segment[ELF_DATA].p_paddr = GUEST_MEMORY_HOLE_START;
	assert_refused(test, -ENOMEM, "hole");
}

static void refused_kernel_leaves_memory_alone(void **state)
{
	struct elf_test *test = *state;
	uint8_t *text = guest_memory_at(&test->memory, ELF_TEXT_GPA, 1);

	test->sample.segment[ELF_DATA].p_memsz = 100 * MIB;
	assert_int_equal(load(test), -ENOMEM);
	assert_int_equal(*text, 0);
}

static void every_cut_file_is_refused(void **state)
{
	struct elf_test *test = *state;

	for (size_t size = 0; size < sizeof(test->sample); size++) {
		assert_int_equal(load_part(test, size), -ENOEXEC);
		assert_true(test->fail.text[0]);
	}
}

/* What is accepted in spite of a wrong byte must still be in bounds. */
static void no_wrong_byte_leads_out_of_bounds(void **state)
{
	struct elf_test *test = *state;
	uint8_t *bytes = (uint8_t *)&test->sample;
	size_t size = offsetof(struct elf_sample, text);

	for (size_t i = 0; i < size; i++) {
		uint8_t good = bytes[i];

		for (int value = 0; value < 256; value += 51) {
			bytes[i] = value;
			if (load(test))
				continue;
			assert_true(test->kernel.end <= 64 * MIB);
			assert_true(test->kernel.entry < test->kernel.end);
			assert_true(test->kernel.entry >= MIB);
		}
		bytes[i] = good;
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(segments_go_to_their_physical_addresses),
		CASE(memory_beyond_the_file_is_zeroed),
		CASE(segment_may_span_memory_regions),
		CASE(entry_comes_from_the_note),
		CASE(entry_may_have_32_bits),
		CASE(kernel_without_pvh_note_is_refused),
		CASE(wild_notes_are_refused),
		CASE(entry_outside_of_the_kernel_is_refused),
		CASE(kernel_for_another_processor_is_refused),
		CASE(object_file_is_refused),
		CASE(wrong_program_headers_are_refused),
		CASE(segment_beyond_the_file_is_refused),
		CASE(segment_larger_in_file_than_memory_is_refused),
		CASE(segment_in_file_only_is_refused),
		CASE(empty_segment_is_passed_over),
		CASE(overlapping_segments_are_refused),
		CASE(segment_that_wraps_is_refused),
		CASE(segment_below_1_mib_is_refused),
		CASE(segment_beyond_memory_names_the_memory_needed),
		CASE(refused_kernel_leaves_memory_alone),
		CASE(every_cut_file_is_refused),
		CASE(no_wrong_byte_leads_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
