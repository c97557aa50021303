/* SPDX-License-Identifier: BSD-3-Clause */
/* The loader of bzImages on good, spoiled and cut files. */
#include "boot_support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct bzimage_test {
	struct guest_memory memory;
	struct bzimage_sample sample;
	struct boot_kernel kernel;
	struct fail fail;
};

static int set_up(void **state)
{
	static const struct bzimage_test empty;
	struct bzimage_test *test = test_malloc(sizeof(*test));

	*test = empty;
	guest_create(&test->memory, 64 * MIB);
	bzimage_sample_init(&test->sample);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct bzimage_test *test = *state;

	guest_destroy(&test->memory);
	test_free(test);
	return 0;
}

static int load_part(struct bzimage_test *test, size_t size)
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

static int load(struct bzimage_test *test)
{
	return load_part(test, sizeof(test->sample));
}

static void assert_refused(struct bzimage_test *test, int err, const char *word)
{
	assert_int_equal(load(test), err);
	assert_non_null(strstr(test->fail.text, word));
}

static void payload_goes_to_the_preferred_address(void **state)
{
	struct bzimage_test *test = *state;
	size_t size = sizeof(test->sample.payload);

	assert_int_equal(load(test), 0);
	assert_memory_equal(guest_memory_at(&test->memory, BZIMAGE_GPA, size),
			    test->sample.payload, size);
	assert_int_equal(test->kernel.protocol, BOOT_LINUX64);
	assert_int_equal(test->kernel.entry, BZIMAGE_GPA + 0x200);
	assert_int_equal(test->kernel.end, BZIMAGE_GPA + BZIMAGE_INIT_SIZE);
}

static void limits_come_from_the_header(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.initrd_addr_max = 0x37FFFFFF;
	test->sample.header.cmdline_size = 255;
	assert_int_equal(load(test), 0);
	assert_int_equal(test->kernel.initrd_end, 0x38000000);
	assert_int_equal(test->kernel.command_line_max, 255);
}

static void zero_setup_sectors_mean_four(void **state)
{
	struct bzimage_test *test = *state;
	uint8_t *at = guest_memory_at(&test->memory, BZIMAGE_GPA, 1);

	/* The payload then begins at 2560, in the middle of payload[]. */
	test->sample.header.setup_sects = 0;
	test->sample.header.syssize = 512 / 16 + 1;
	test->sample.payload[2560 - 1024] = 0x42;
	assert_int_equal(load_part(test, 2560 + 512 + 16), 0);
	assert_int_equal(*at, 0x42);
}

static void old_protocol_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.version = 0x20B;
	assert_refused(test, -ENOEXEC, "boot protocol 2.11");
}

static void kernel_of_32_bits_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.xloadflags = 0;
	assert_refused(test, -ENOEXEC, "32-bit");
}

static void zimage_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.loadflags = 0;
	assert_refused(test, -ENOEXEC, "zImage");
}

static void wild_address_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.pref_address = 0x1000;
	assert_refused(test, -ENOEXEC, "damaged");
	test->sample.header.pref_address = UINT64_MAX - 0x1000;
	assert_refused(test, -ENOEXEC, "damaged");
}

static void wild_size_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.syssize = 0xFFFFFFFF;
	assert_refused(test, -ENOEXEC, "damaged");
	test->sample.header.syssize = 0;
	assert_refused(test, -ENOEXEC, "damaged");
}

static void kernel_too_large_names_the_memory_needed(void **state)
{
	struct bzimage_test *test = *state;

	test->sample.header.init_size = 100 * MIB - 5;
	assert_refused(test, -ENOMEM, "--memory >= 116M");
}

static void fields_behind_the_header_are_not_believed(void **state)
{
	struct bzimage_test *test = *state;

	/* The header ends before init_size: what lies there is code. */
	test->sample.header.jump =
		0xEB | (offsetof(struct setup_header, init_size) - 0x11) << 8;
	assert_refused(test, -ENOEXEC, "damaged");
}

static void every_cut_file_is_refused(void **state)
{
	struct bzimage_test *test = *state;

	for (size_t size = 0; size < sizeof(test->sample); size++) {
		assert_int_equal(load_part(test, size), -ENOEXEC);
		assert_true(test->fail.text[0]);
	}
}

static void no_wrong_byte_leads_out_of_bounds(void **state)
{
	struct bzimage_test *test = *state;
	uint8_t *bytes = (uint8_t *)&test->sample.header;

	for (size_t i = 0; i < sizeof(test->sample.header); i++) {
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
		CASE(payload_goes_to_the_preferred_address),
		CASE(limits_come_from_the_header),
		CASE(zero_setup_sectors_mean_four),
		CASE(old_protocol_is_refused),
		CASE(kernel_of_32_bits_is_refused),
		CASE(zimage_is_refused),
		CASE(wild_address_is_refused),
		CASE(wild_size_is_refused),
		CASE(kernel_too_large_names_the_memory_needed),
		CASE(fields_behind_the_header_are_not_believed),
		CASE(every_cut_file_is_refused),
		CASE(no_wrong_byte_leads_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
