/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket, as its clients see it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/control_rig.h"

#define CLIENTS_MAX 16
#define LINE_MAX    65536 /* bytes */

static const char flows[] = "{\"execute\":\"flows\"}";

static void assert_answers(int sock)
{
	cJSON *reply = rig_ask(sock, flows);

	assert_non_null(cJSON_GetObjectItem(reply, "return"));
	cJSON_Delete(reply);
}

static void assert_refuses(int sock, const char *line, const char *why)
{
	char *text = rig_refusal(sock, line);

	if (!strstr(text, why))
		fail_msg("%s: %s", line, text);
	free(text);
}

static void stats_are_every_shards_counters(void **state)
{
	int sock = rig_connect(*state);
	cJSON *reply = rig_ask(sock, "{\"execute\":\"stats\"}");
	const cJSON *value = cJSON_GetObjectItem(reply, "return");
	const cJSON *slirp = cJSON_GetObjectItem(value, "slirp");
	const cJSON *shards = cJSON_GetObjectItem(slirp, "shards");

	assert_int_equal(cJSON_GetArraySize(shards), RIG_SHARDS);
	cJSON_Delete(reply);
	close(sock);
}

static void bad_lines_are_refused_and_the_connection_goes_on(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} bad[] = {
		{ "", "not JSON" },
		{ "flows", "not JSON" },
		{ "{\"execute\":\"flows\"", "not JSON" },
		{ "{\"execute\":\"flows\"} {}", "not JSON" },
		{ "[]", "a request is" },
		{ "\"flows\"", "a request is" },
		{ "{}", "a request is" },
		{ "{\"execute\":1}", "a request is" },
		{ "{\"execute\":\"flows\",\"x\":1}", "a request is" },
		{ "{\"execute\":\"flows\",\"execute\":\"stats\"}",
		  "a request is" },
		{ "{\"execute\":\"flows\",\"arguments\":[]}", "a request is" },
		{ "{\"execute\":\"flows\",\"arguments\":{\"all\":true}}",
		  "takes no argument 'all'" },
		{ "{\"execute\":\"Flows\"}", "no request 'Flows'" },
		{ "{\"execute\":\"a\\\"b\\\\c\"}", "no request 'a\"b\\c'" },
		{ "{\"execute\":\"\xff\\u0007\"}", "no request '?" },
	};
	int sock = rig_connect(*state);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_refuses(sock, bad[i].line, bad[i].why);
	assert_answers(sock);
	close(sock);
}

static void deep_nesting_is_refused(void **state)
{
	int sock = rig_connect(*state);
	char line[LINE_MAX];

	memset(line, '[', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	assert_refuses(sock, line, "not JSON");
	assert_answers(sock);
	close(sock);
}

static void a_zero_byte_is_refused(void **state)
{
	static const char line[] = "{\"execute\":\"flows\"}\0\n";
	int sock = rig_connect(*state);
	char *text;

	send(sock, line, sizeof(line) - 1, 0);
	text = rig_receive(sock);
	assert_non_null(text);
	assert_non_null(strstr(text, "error"));
	free(text);
	assert_answers(sock);
	close(sock);
}

static void the_longest_line_is_read(void **state)
{
	int sock = rig_connect(*state);
	char line[LINE_MAX + 1];

	memset(line, ' ', LINE_MAX);
	memcpy(line, flows, strlen(flows));
	line[LINE_MAX] = '\0';
	cJSON_Delete(rig_ask(sock, line));
	assert_answers(sock);
	close(sock);
}

static void a_longer_line_is_refused_once(void **state)
{
	int sock = rig_connect(*state);
	size_t size = 5 * LINE_MAX;
	char *line = malloc(size + 1);

	memset(line, ' ', size);
	memcpy(line, flows, strlen(flows));
	line[size] = '\0';
	assert_refuses(sock, line, "longer than 65536 bytes");
	assert_answers(sock);
	free(line);
	close(sock);
}

static void half_a_line_waits_for_its_rest(void **state)
{
	int slow = rig_connect(*state), other = rig_connect(*state);
	char *text;

	rig_send(slow, "{\"execute\":");
	assert_answers(other);
	rig_send(slow, "\"flows\"}\n");
	text = rig_receive(slow);
	assert_non_null(strstr(text, "return"));
	free(text);
	close(slow);
	close(other);
}

static void the_last_line_needs_no_newline(void **state)
{
	int sock = rig_connect(*state);
	char *text;

	rig_send(sock, flows);
	shutdown(sock, SHUT_WR);
	text = rig_receive(sock);
	assert_non_null(strstr(text, "return"));
	free(text);
	assert_null(rig_receive(sock));
	close(sock);
}

static void requests_are_answered_in_their_order(void **state)
{
	int sock = rig_connect(*state);
	char request[64], expected[64], *text;

	for (int i = 0; i < 200; i++) {
		snprintf(request, sizeof(request), "{\"execute\":\"%d\"}\n", i);
		rig_send(sock, request);
	}
	for (int i = 0; i < 200; i++) {
		text = rig_receive(sock);
		snprintf(expected, sizeof(expected), "'%d'", i);
		assert_non_null(strstr(text, expected));
		free(text);
	}
	close(sock);
}

static void a_client_that_does_not_read_blocks_nobody(void **state)
{
	int deaf = rig_connect(*state), other = rig_connect(*state);
	static const char request[] = "{\"execute\":\"stats\"}\n";

	/* Until neither side's buffer takes any more. */
	while (send(deaf, request, strlen(request), MSG_DONTWAIT) > 0)
		assert_answers(other);
	assert_int_equal(errno, EAGAIN);
	assert_answers(other);
	rig_datagram(*state, 0, 4000, 4);
	rig_answer(*state, 0, 4);
	close(deaf);
	assert_answers(other);
	close(other);
}

static void more_clients_than_there_is_room_for_are_told(void **state)
{
	int sock[CLIENTS_MAX], late;
	char *text;

	for (int i = 0; i < CLIENTS_MAX; i++)
		sock[i] = rig_connect(*state);
	for (int i = 0; i < CLIENTS_MAX; i++)
		assert_answers(sock[i]);
	late = rig_connect(*state);
	text = rig_receive(late);
	assert_non_null(strstr(text, "too many clients"));
	free(text);
	assert_null(rig_receive(late));
	close(late);
	/* Its end has been seen when a later request is answered. */
	close(sock[0]);
	assert_answers(sock[1]);
	assert_answers(sock[1]);
	sock[0] = rig_connect(*state);
	assert_answers(sock[0]);
	for (int i = 0; i < CLIENTS_MAX; i++)
		close(sock[i]);
}

static void the_socket_is_for_its_user_alone(void **state)
{
	struct rig *rig = *state;
	char path[128];
	struct control *control = NULL;
	struct fail fail = { 0 };
	struct stat stat;
	mode_t before = umask(0);

	snprintf(path, sizeof(path), "%s/open", rig->folder);
	assert_int_equal(rig_start(rig, path, &control, &fail), 0);
	umask(before);
	assert_return_code(lstat(path, &stat), errno);
	assert_true(S_ISSOCK(stat.st_mode));
	assert_int_equal(stat.st_mode & 07777, 0600);
	control_stop(control);
	assert_int_equal(lstat(path, &stat), -1);
}

static void a_socket_that_nobody_listens_on_is_replaced(void **state)
{
	struct rig *rig = *state;
	struct fail fail = { 0 };
	char aside[128];

	/* As a killed mqvmm leaves it: the file, and no listener. */
	snprintf(aside, sizeof(aside), "%s/aside", rig->folder);
	assert_return_code(link(rig->path, aside), errno);
	control_stop(rig->control);
	rig->control = NULL;
	assert_return_code(rename(aside, rig->path), errno);
	assert_int_equal(rig_start(rig, rig->path, &rig->control, &fail), 0);
	close(rig_connect(rig));
}

static void a_socket_that_is_served_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct control *second = NULL;
	struct fail fail = { 0 };
	int sock;

	assert_int_equal(rig_start(rig, rig->path, &second, &fail),
			 -EADDRINUSE);
	assert_non_null(strstr(fail.text, rig->path));
	sock = rig_connect(rig);
	assert_answers(sock);
	close(sock);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct control *control = NULL;
	struct fail fail = { 0 };
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/file", rig->folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(rig_start(rig, path, &control, &fail), -EADDRINUSE);
	assert_return_code(unlink(path), errno);
	close(fd);
}

static void a_path_that_does_not_fit_is_refused(void **state)
{
	struct control *control = NULL;
	struct fail fail = { 0 };
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(rig_start(*state, path, &control, &fail), -EINVAL);
	assert_non_null(strstr(fail.text, "--control"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stats_are_every_shards_counters),
		TEST(bad_lines_are_refused_and_the_connection_goes_on),
		TEST(deep_nesting_is_refused),
		TEST(a_zero_byte_is_refused),
		TEST(the_longest_line_is_read),
		TEST(a_longer_line_is_refused_once),
		TEST(half_a_line_waits_for_its_rest),
		TEST(the_last_line_needs_no_newline),
		TEST(requests_are_answered_in_their_order),
		TEST(a_client_that_does_not_read_blocks_nobody),
		TEST(more_clients_than_there_is_room_for_are_told),
		TEST(the_socket_is_for_its_user_alone),
		TEST(a_socket_that_nobody_listens_on_is_replaced),
		TEST(a_socket_that_is_served_is_left_alone),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(a_path_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
