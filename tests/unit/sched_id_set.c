/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sched/id_set.h"

static void what_is_written_is_what_was_read(void **state)
{
	static const char *const lists[] = {
		"",    "0",        "0-1",          "0-3,8,10-12",
		"7,9", "0-1,4095", "63-64,127-129"
	};
	struct id_set set;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		assert_int_equal(id_set_parse(lists[i], &set), 0);
		assert_int_equal(id_set_format(&set, text, sizeof(text)), 0);
		assert_string_equal(text, lists[i]);
	}
}

static void a_list_is_read_as_the_kernel_writes_it(void **state)
{
	struct id_set set;

	(void)state;
	assert_int_equal(id_set_parse("1-2,5\n", &set), 0);
	for (unsigned int id = 0; id < 10; id++)
		assert_int_equal(id_set_has(&set, id),
				 id == 1 || id == 2 || id == 5);
	assert_int_equal(id_set_parse("\n", &set), 0);
	assert_true(id_set_is_empty(&set));
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = { "x",    "1,",   ",1",  "3-1",  "1-",
					   "-1",   " 1",   "1 ",  "1\n2", "0x3",
					   "1--2", "1,,2", "\n\n" };
	struct id_set set;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(id_set_parse(bad[i], &set), -EINVAL);
	assert_int_equal(id_set_parse("0-1,x", &set), -EINVAL);
	assert_true(id_set_has(&set, 0) && id_set_has(&set, 1));
}

static void numbers_beyond_all_bounds_are_left_out(void **state)
{
	struct id_set set;

	(void)state;
	assert_int_equal(id_set_parse("4094-4096", &set), -ERANGE);
	assert_true(id_set_has(&set, 4094) && id_set_has(&set, 4095));
	assert_false(id_set_has(&set, 4096));
	assert_int_equal(
		id_set_parse(
			"3,99999999999999999999999-99999999999999999999999",
			&set),
		-ERANGE);
	assert_true(id_set_has(&set, 3));
	assert_int_equal(id_set_parse("5000", &set), -ERANGE);
	assert_true(id_set_is_empty(&set));
}

static void a_short_buffer_gets_whole_ranges(void **state)
{
	struct id_set set;
	char text[8];

	(void)state;
	assert_int_equal(id_set_parse("1-3,5-7,9", &set), 0);
	assert_int_equal(id_set_format(&set, text, sizeof(text)), -ENOSPC);
	assert_string_equal(text, "1-3,5-7");
	assert_int_equal(id_set_format(&set, text, 7), -ENOSPC);
	assert_string_equal(text, "1-3");
}

static void an_intersection_has_what_both_have(void **state)
{
	struct id_set set, other;
	char text[32];

	(void)state;
	id_set_parse("0-9,100", &set);
	id_set_parse("8-12,100", &other);
	id_set_intersect(&set, &other);
	id_set_format(&set, text, sizeof(text));
	assert_string_equal(text, "8-9,100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_what_was_read),
		cmocka_unit_test(a_list_is_read_as_the_kernel_writes_it),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(numbers_beyond_all_bounds_are_left_out),
		cmocka_unit_test(a_short_buffer_gets_whole_ranges),
		cmocka_unit_test(an_intersection_has_what_both_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
