/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPICA's own disassembler must accept every table that we build. */
#include "boot_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm/acpi.h"

#define SKIPPED  77
#define PATH_LEN 256

struct disassembly {
	struct guest_memory memory;
	uint64_t xsdt;
	char folder[PATH_LEN];
};

static uint64_t field(const struct disassembly *test, uint64_t gpa,
		      unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, guest_memory_at(&test->memory, gpa, size), size);
	return value;
}

static int set_up(void **state)
{
	const struct machine_topology topology = { 300, 1, 300, 1 };
	struct disassembly *test = test_malloc(sizeof(*test));
	const struct placement placement = {
		.numa = true,
		.cell_count = 2,
		.cell = { { .bytes = 256 * MIB, .distance = { 10, 21 } },
			  { .bytes = 256 * MIB, .distance = { 21, 10 } } },
	};
	uint64_t rsdp;

	guest_create(&test->memory, 512 * MIB);
	assert_int_equal(
		acpi_build(&test->memory, &topology, &placement, &rsdp, NULL),
		0);
	test->xsdt = field(test, rsdp + 24, 8);
	strcpy(test->folder, "/tmp/mqvmm-acpi-XXXXXX");
	assert_non_null(mkdtemp(test->folder));
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct disassembly *test = *state;
	DIR *folder = opendir(test->folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(test->folder);
	guest_destroy(&test->memory);
	test_free(test);
	return 0;
}

/* Return: exit status of iasl -d on @aml */
static int run_iasl(const char *aml)
{
	char *const arguments[] = { "iasl", "-d", (char *)aml, NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (!posix_spawnp(&pid, "iasl", &actions, NULL, arguments, environ))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static void assert_clean(const char *dsl)
{
	FILE *file = fopen(dsl, "r");
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_null(strcasestr(line, "incorrect checksum"));
		assert_null(strcasestr(line, "invalid"));
		assert_null(strcasestr(line, "unknown"));
	}
	fclose(file);
}

static void disassemble(const struct disassembly *test, uint64_t gpa)
{
	uint32_t length = field(test, gpa + 4, 4);
	const char *table = guest_memory_at(&test->memory, gpa, length);
	char aml[PATH_LEN + 16], dsl[PATH_LEN + 16];
	FILE *file;

	snprintf(aml, sizeof(aml), "%s/%.4s.aml", test->folder, table);
	snprintf(dsl, sizeof(dsl), "%s/%.4s.dsl", test->folder, table);
	file = fopen(aml, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(table, length, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(run_iasl(aml), 0);
	assert_clean(dsl);
}

static void every_table_disassembles(void **state)
{
	struct disassembly *test = *state;
	uint32_t length = field(test, test->xsdt + 4, 4);

	disassemble(test, test->xsdt);
	for (unsigned int at = 36; at < length; at += 8)
		disassemble(test, field(test, test->xsdt + at, 8));
}

static void dsdt_disassembles(void **state)
{
	struct disassembly *test = *state;
	uint64_t fadt = field(test, test->xsdt + 36, 8);

	assert_memory_equal(guest_memory_at(&test->memory, fadt, 4), "FACP", 4);
	disassemble(test, field(test, fadt + 140, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_table_disassembles,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(dsdt_disassembles, set_up,
						tear_down),
	};

	/* NOLINTNEXTLINE(bugprone-command-processor): a constant string */
	if (system("command -v iasl >/dev/null"))
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
