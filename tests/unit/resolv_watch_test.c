/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways in which a resolv.conf changes, in a directory of the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/resolv_watch.h"

#define WAIT_MS 5000

struct watch_test {
	char home[32];
	int watch;
};

static int setup(void **state)
{
	struct watch_test *test = calloc(1, sizeof(*test));

	test->watch = -1;
	strcpy(test->home, "/tmp/mqvmm-resolv.XXXXXX");
	*state = test;
	return mkdtemp(test->home) && !chdir(test->home) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type,
		      struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

static int teardown(void **state)
{
	struct watch_test *test = *state;

	if (test->watch >= 0)
		close(test->watch);
	nftw(test->home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(test);
	return 0;
}

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, "#\n", 2), 2);
	close(fd);
}

/* Watch "resolv.conf", of which nothing is to be told yet. */
static void begin(struct watch_test *test)
{
	char path[64];
	struct pollfd ready = { .events = POLLIN };

	snprintf(path, sizeof(path), "%s/resolv.conf", test->home);
	test->watch = resolv_watch_open(path);
	assert_return_code(test->watch, -test->watch);
	ready.fd = test->watch;
	assert_int_equal(poll(&ready, 1, 0), 0);
}

static void expect_change(struct watch_test *test)
{
	struct pollfd ready = { .fd = test->watch, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
}

static void file_written_in_place_is_told(void **state)
{
	write_file("resolv.conf");
	begin(*state);
	write_file("resolv.conf");
	expect_change(*state);
}

static void file_that_appears_is_told(void **state)
{
	begin(*state);
	write_file("resolv.conf");
	expect_change(*state);
}

static void file_that_goes_is_told(void **state)
{
	write_file("resolv.conf");
	begin(*state);
	assert_return_code(unlink("resolv.conf"), errno);
	expect_change(*state);
}

static void file_replaced_by_rename_is_told(void **state)
{
	assert_return_code(mkdir("elsewhere", 0700), errno);
	write_file("resolv.conf");
	write_file("elsewhere/new");
	begin(*state);
	assert_return_code(rename("elsewhere/new", "resolv.conf"), errno);
	expect_change(*state);
}

static void link_that_leads_elsewhere_is_told(void **state)
{
	assert_return_code(mkdir("elsewhere", 0700), errno);
	write_file("elsewhere/a");
	write_file("elsewhere/b");
	assert_return_code(symlink("elsewhere/a", "resolv.conf"), errno);
	assert_return_code(symlink("b", "elsewhere/link"), errno);
	begin(*state);
	assert_return_code(rename("elsewhere/link", "resolv.conf"), errno);
	expect_change(*state);
}

static void target_of_links_written_in_place_is_told(void **state)
{
	assert_return_code(mkdir("elsewhere", 0700), errno);
	write_file("elsewhere/a");
	assert_return_code(symlink("elsewhere/a", "resolv.conf"), errno);
	begin(*state);
	write_file("elsewhere/a");
	expect_change(*state);
}

/* As systemd-resolved does it, here behind a second link */
static void target_of_links_replaced_by_rename_is_told(void **state)
{
	struct watch_test *test = *state;
	char whole[64];

	assert_return_code(mkdir("one", 0700), errno);
	assert_return_code(mkdir("two", 0700), errno);
	assert_return_code(mkdir("three", 0700), errno);
	write_file("two/a");
	write_file("three/new");
	snprintf(whole, sizeof(whole), "%s/one/link", test->home);
	assert_return_code(symlink(whole, "resolv.conf"), errno);
	assert_return_code(symlink("../two/a", "one/link"), errno);
	begin(test);
	assert_return_code(rename("three/new", "two/a"), errno);
	expect_change(test);
}

static void directory_that_appears_behind_a_link_is_told(void **state)
{
	assert_return_code(mkdir("one", 0700), errno);
	assert_return_code(symlink("one/two/three/a", "resolv.conf"), errno);
	begin(*state);
	assert_return_code(mkdir("one/two", 0700), errno);
	expect_change(*state);
}

static void links_in_a_circle_are_survived(void **state)
{
	assert_return_code(symlink("resolv.conf", "resolv.conf"), errno);
	begin(*state);
	assert_return_code(unlink("resolv.conf"), errno);
	expect_change(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_written_in_place_is_told),
		TEST(file_that_appears_is_told),
		TEST(file_that_goes_is_told),
		TEST(file_replaced_by_rename_is_told),
		TEST(link_that_leads_elsewhere_is_told),
		TEST(target_of_links_written_in_place_is_told),
		TEST(target_of_links_replaced_by_rename_is_told),
		TEST(directory_that_appears_behind_a_link_is_told),
		TEST(links_in_a_circle_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
