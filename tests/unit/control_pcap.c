/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures, as the control socket begins and ends them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/control_rig.h"

#define PATH_MAX_HERE 128

static const char stop[] = "{\"execute\":\"pcap-stop\"}";

/* A path in the rig's folder. */
static const char *in_folder(const struct rig *rig, const char *name,
			     char *path)
{
	snprintf(path, PATH_MAX_HERE, "%s/%s", rig->folder, name);
	return path;
}

/* The line that begins a capture to a file; @more: ",..." */
static const char *start_line(const char *path, const char *more, char *line)
{
	snprintf(
		line, 256,
		"{\"execute\":\"pcap-start\",\"arguments\":{\"file\":\"%s\"%s}}",
		path, more);
	return line;
}

static void assert_refused(int sock, const char *line, const char *why)
{
	char *text = rig_refusal(sock, line);

	if (!strstr(text, why))
		fail_msg("%s: %s", line, text);
	free(text);
}

static void assert_done(int sock, const char *line)
{
	cJSON *reply = rig_ask(sock, line);

	assert_non_null(cJSON_GetObjectItem(reply, "return"));
	cJSON_Delete(reply);
}

static off_t size_of(const char *path)
{
	struct stat stat;

	assert_return_code(lstat(path, &stat), errno);
	return stat.st_size;
}

static void make_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void a_capture_is_told_of_at_its_end(void **state)
{
	char path[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);
	const cJSON *value;
	struct stat stat;
	cJSON *reply;

	in_folder(*state, "file", path);
	assert_done(sock, start_line(path, "", line));
	rig_datagram(*state, 0, 4000, 1);
	reply = rig_ask(sock, stop);
	value = cJSON_GetObjectItem(reply, "return");
	assert_int_equal(cJSON_GetObjectItem(value, "frames")->valueint, 1);
	assert_int_equal(cJSON_GetObjectItem(value, "dropped")->valueint, 0);
	assert_int_equal(cJSON_GetObjectItem(value, "bytes")->valueint,
			 size_of(path));
	assert_return_code(lstat(path, &stat), errno);
	assert_int_equal(stat.st_mode & 07777, 0600);
	cJSON_Delete(reply);
	unlink(path);
	close(sock);
}

static void a_file_that_is_there_is_left_alone(void **state)
{
	char path[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	make_file(in_folder(*state, "file", path), "precious");
	assert_refused(sock, start_line(path, "", line), "is there already");
	assert_int_equal(size_of(path), 8);
	assert_refused(sock, stop, "no capture runs");
	unlink(path);
	close(sock);
}

static void it_is_overwritten_if_so_asked(void **state)
{
	char path[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	make_file(in_folder(*state, "file", path), "worthless");
	assert_done(sock, start_line(path, ",\"overwrite\":true", line));
	assert_done(sock, stop);
	assert_true(size_of(path) > 100);
	unlink(path);
	close(sock);
}

static void what_cannot_begin_overwrites_nothing(void **state)
{
	char path[PATH_MAX_HERE], other[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	make_file(in_folder(*state, "file", path), "precious");
	assert_refused(sock,
		       start_line(path, ",\"overwrite\":true,\"snap\":1", line),
		       "14 bytes");
	assert_refused(
		sock, start_line(path, ",\"overwrite\":true,\"limit\":1", line),
		"limit");
	in_folder(*state, "other", other);
	assert_done(sock, start_line(other, "", line));
	assert_refused(sock, start_line(path, ",\"overwrite\":true", line),
		       "runs already");
	assert_int_equal(size_of(path), 8);
	assert_done(sock, stop);
	unlink(path);
	unlink(other);
	close(sock);
}

static void what_cannot_begin_leaves_no_file(void **state)
{
	char path[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	in_folder(*state, "file", path);
	assert_refused(sock, start_line(path, ",\"snap\":1", line), "14 bytes");
	assert_int_equal(access(path, F_OK), -1);
	close(sock);
}

static void links_are_not_followed(void **state)
{
	char path[PATH_MAX_HERE], to[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	make_file(in_folder(*state, "precious", to), "precious");
	assert_return_code(symlink(to, in_folder(*state, "link", path)), errno);
	assert_refused(sock, start_line(path, ",\"overwrite\":true", line),
		       "symbolic link");
	assert_refused(sock, start_line(path, "", line), "is there already");
	assert_int_equal(size_of(to), 8);
	unlink(path);
	unlink(to);
	close(sock);
}

static void what_is_no_file_is_refused_at_once(void **state)
{
	char path[PATH_MAX_HERE], line[256];
	int sock = rig_connect(*state);

	assert_return_code(mkfifo(in_folder(*state, "fifo", path), 0600),
			   errno);
	assert_refused(sock, start_line(path, ",\"overwrite\":true", line),
		       "no ordinary file");
	assert_refused(sock, start_line("/", ",\"overwrite\":true", line),
		       "cannot open /");
	assert_refused(sock, start_line("/nowhere/file", "", line),
		       "No such file");
	unlink(path);
	close(sock);
}

static void wrong_arguments_are_named(void **state)
{
	static const struct {
		const char *more;
		const char *why;
	} bad[] = {
		{ ",\"snap\":\"1\"", "'snap' is a whole number" },
		{ ",\"snap\":-1", "'snap' is a whole number" },
		{ ",\"limit\":1.5", "'limit' is a whole number" },
		{ ",\"limit\":1e300", "'limit' is a whole number" },
		{ ",\"overwrite\":1", "'overwrite' is true or false" },
		{ ",\"ring\":1", "takes no argument 'ring'" },
	};
	int sock = rig_connect(*state);
	char line[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_refused(sock,
			       start_line("/nowhere/file", bad[i].more, line),
			       bad[i].why);
	assert_refused(sock, "{\"execute\":\"pcap-start\"}",
		       "'file' is missing");
	assert_refused(
		sock, "{\"execute\":\"pcap-start\",\"arguments\":{\"file\":1}}",
		"'file' is a string");
	close(sock);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_capture_is_told_of_at_its_end),
		TEST(a_file_that_is_there_is_left_alone),
		TEST(it_is_overwritten_if_so_asked),
		TEST(what_cannot_begin_overwrites_nothing),
		TEST(what_cannot_begin_leaves_no_file),
		TEST(links_are_not_followed),
		TEST(what_is_no_file_is_refused_at_once),
		TEST(wrong_arguments_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
