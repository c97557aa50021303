/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptors of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* Return: descriptors that the kernel's table has room for (proc(5), FDSize) */
static unsigned long table_size(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long size = 0;
	char line[128];

	assert_non_null(file);
	while (!size && fgets(line, sizeof(line), file))
		if (sscanf(line, "FDSize: %lu", &size) != 1)
			size = 0;
	fclose(file);
	return size;
}

static void limit_is_raised_to_what_is_allowed(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	file_raise_limit();
	getrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

static void table_has_room_before_it_is_needed(void **state)
{
	struct rlimit limit;
	int next;

	(void)state;
	file_raise_limit();
	getrlimit(RLIMIT_NOFILE, &limit);
	assert_true(table_size() >= (limit.rlim_cur < FILE_TABLE_SIZE
					     ? limit.rlim_cur
					     : FILE_TABLE_SIZE));
	/* And none of them is taken. */
	next = dup(STDERR_FILENO);
	assert_in_range(next, 0, 32);
	close(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit_is_raised_to_what_is_allowed),
		cmocka_unit_test(table_has_room_before_it_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
