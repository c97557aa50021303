/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control socket changes while shards run. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/datagram.h"
#include "unit/control_rig.h"

static cJSON *ask(int sock, const char *line)
{
	cJSON *reply = rig_ask(sock, line);
	cJSON *value = cJSON_DetachItemFromObject(reply, "return");

	if (!value)
		fail_msg("%s: %s", line,
			 cJSON_GetObjectItem(reply, "error")->valuestring);
	cJSON_Delete(reply);
	return value;
}

static void assert_refused(int sock, const char *line, const char *why)
{
	char *text = rig_refusal(sock, line);

	if (!strstr(text, why))
		fail_msg("%s: %s", line, text);
	free(text);
}

/* A member of what a line is answered, as text; from malloc() */
static char *told(int sock, const char *line, const char *member)
{
	cJSON *value = ask(sock, line);
	char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(value, member));

	assert_non_null(text);
	cJSON_Delete(value);
	return text;
}

static void assert_told(int sock, const char *line, const char *member,
			const char *expected)
{
	char *text = told(sock, line, member);

	assert_string_equal(text, expected);
	free(text);
}

/* Forwards */

static const char add[] =
	"{\"execute\":\"forward-add\",\"arguments\":{\"forward\":"
	"\"tcp:127.0.0.1:0-:80\"}}";
static const char list[] = "{\"execute\":\"forward-list\"}";

/* Return: the host port in "...:PORT-10.0.2.15:80" */
static uint16_t port_of(const char *forward)
{
	unsigned int port = 0;

	assert_int_equal(
		sscanf(forward, "\"tcp:127.0.0.1:%u-10.0.2.15:80\"", &port), 1);
	assert_in_range(port, 1, 65535);
	return (uint16_t)port;
}

static bool listens(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port) };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret = connect(sock, (struct sockaddr *)&address, sizeof(address));
	close(sock);
	return ret == 0;
}

static void a_forward_works_from_when_it_is_added(void **state)
{
	int sock = rig_connect(*state);
	char *forward = told(sock, add, "forward");

	assert_true(listens(port_of(forward)));
	free(forward);
	close(sock);
}

static void a_forward_is_removed_by_its_number(void **state)
{
	int sock = rig_connect(*state);
	cJSON *added = ask(sock, add);
	char *forward =
		cJSON_PrintUnformatted(cJSON_GetObjectItem(added, "forward"));
	char line[128];

	snprintf(line, sizeof(line),
		 "{\"execute\":\"forward-remove\",\"arguments\":{\"id\":%d}}",
		 cJSON_GetObjectItem(added, "id")->valueint);
	cJSON_Delete(ask(sock, line));
	assert_false(listens(port_of(forward)));
	assert_told(sock, list, "forwards", "[]");
	assert_refused(sock, line, "no");
	cJSON_Delete(added);
	free(forward);
	close(sock);
}

static void a_forward_is_removed_by_its_text(void **state)
{
	int sock = rig_connect(*state);
	char *forward = told(sock, add, "forward");
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"execute\":\"forward-remove\",\"arguments\":"
		 "{\"forward\":%s}}",
		 forward);
	cJSON_Delete(ask(sock, line));
	assert_false(listens(port_of(forward)));
	assert_refused(sock, line, "no such forward");
	free(forward);
	close(sock);
}

static void forwards_are_listed(void **state)
{
	int sock = rig_connect(*state);
	char *first = told(sock, add, "forward");
	char *second = told(sock, add, "forward");
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "[{\"id\":1,\"forward\":%s},{\"id\":2,\"forward\":%s}]", first,
		 second);
	assert_told(sock, list, "forwards", expected);
	free(first);
	free(second);
	close(sock);
}

static void bad_forwards_are_refused(void **state)
{
	static const struct {
		const char *request;
		const char *arguments;
		const char *why;
	} bad[] = {
		{ "forward-add", "{}", "'forward' is missing" },
		{ "forward-add", "{\"forward\":80}", "is a string" },
		{ "forward-add", "{\"forward\":\"tcp\"}",
		  "'tcp' is not possible" },
		{ "forward-add", "{\"forward\":\"tcp::80-:0\"}", "guest port" },
		{ "forward-remove", "{}", "either 'forward' or 'id'" },
		{ "forward-remove", "{\"id\":1,\"forward\":\"tcp::1-:1\"}",
		  "either 'forward' or 'id'" },
		{ "forward-remove", "{\"id\":7}", "no" },
		{ "forward-remove", "{\"id\":4294967297}", "no such forward" },
		{ "forward-remove", "{\"forward\":\"tcp::80-:80\"}",
		  "no such forward" },
		{ "forward-remove", "{\"forward\":\"x\"}",
		  "'x' is not possible" },
	};
	int sock = rig_connect(*state);
	char line[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(line, sizeof(line),
			 "{\"execute\":\"%s\",\"arguments\":%s}",
			 bad[i].request, bad[i].arguments);
		assert_refused(sock, line, bad[i].why);
	}
	assert_told(sock, list, "forwards", "[]");
	close(sock);
}

static void a_port_in_use_is_refused(void **state)
{
	int sock = rig_connect(*state);
	char *forward = told(sock, add, "forward");
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"execute\":\"forward-add\",\"arguments\":{\"forward\":%s}}",
		 forward);
	assert_refused(sock, line, "cannot listen");
	assert_true(listens(port_of(forward)));
	free(forward);
	close(sock);
}

static void a_forwards_own_socket_is_no_flow(void **state)
{
	int sock = rig_connect(*state);

	cJSON_Delete(ask(sock, "{\"execute\":\"forward-add\",\"arguments\":"
			       "{\"forward\":\"udp:127.0.0.1:0-:53\"}}"));
	assert_told(sock, "{\"execute\":\"flows\"}", "flows", "[]");
	close(sock);
}

/* Policy */

static const char show[] = "{\"execute\":\"policy-show\"}";

static void set_policy(int sock, const char *policy)
{
	char line[256];

	snprintf(
		line, sizeof(line),
		"{\"execute\":\"policy-set\",\"arguments\":{\"policy\":\"%s\"}}",
		policy);
	cJSON_Delete(ask(sock, line));
}

/* Return: how many frames the policy has refused */
static unsigned int denied(int sock)
{
	cJSON *value = ask(sock, "{\"execute\":\"stats\"}");
	const cJSON *slirp = cJSON_GetObjectItem(value, "slirp");
	const cJSON *shard;
	unsigned int sum = 0;

	cJSON_ArrayForEach(shard, cJSON_GetObjectItem(slirp, "shards")) sum +=
		(unsigned int)cJSON_GetObjectItem(shard, "policy_denied")
			->valueint;
	cJSON_Delete(value);
	return sum;
}

static void a_policy_is_shown_as_it_is_set(void **state)
{
	static const char text[] =
		"deny=tcp:10.0.0.0/8:1-1023,allow=any,default=deny";
	int sock = rig_connect(*state);
	char *shown;

	set_policy(sock, text);
	shown = told(sock, show, "policy");
	shown[strlen(shown) - 1] = '\0'; /* the quotes */
	assert_string_equal(shown + 1, text);
	set_policy(sock, shown + 1);
	free(shown);
	close(sock);
}

static void a_policy_holds_when_it_is_answered(void **state)
{
	uint8_t frame[64], answer[PORT_FRAME_MAX];
	struct rig *rig = *state;
	int sock = rig_connect(rig);
	size_t size = datagram_make(&rig->config, frame, 4000, rig->host_port,
				    "x", 1);

	rig_datagram(rig, 0, 4000, 1);
	set_policy(sock, "default=deny");
	assert_int_equal(denied(sock), 0);
	fake_port_transmit(rig->fake[0], frame, size);
	/* It is told by ICMP. */
	assert_true(fake_port_receive(rig->fake[0], answer, RIG_WAIT_MS) > 0);
	assert_int_equal(denied(sock), 1);
	set_policy(sock, "");
	rig_datagram(rig, 0, 4000, 1);
	close(sock);
}

static void a_bad_policy_changes_nothing(void **state)
{
	int sock = rig_connect(*state);
	char *before, *after;

	set_policy(sock, "deny=192.0.2.0/24");
	before = told(sock, show, "policy");
	assert_refused(sock,
		       "{\"execute\":\"policy-set\",\"arguments\":{\"policy\":"
		       "\"allow=any,deny=300.0.0.1\"}}",
		       "'deny=300.0.0.1' is no rule");
	assert_refused(sock, "{\"execute\":\"policy-set\"}",
		       "'policy' is missing");
	after = told(sock, show, "policy");
	assert_string_equal(before, after);
	free(before);
	free(after);
	close(sock);
}

/* Limits */

static const char limits[] = "{\"execute\":\"limits\"}";

static void limits_are_changed_one_by_one(void **state)
{
	int sock = rig_connect(*state);

	assert_told(sock,
		    "{\"execute\":\"limits\",\"arguments\":{\"tcp-flows\":7}}",
		    "tcp-flows", "7");
	assert_told(sock,
		    "{\"execute\":\"limits\",\"arguments\":{\"udp-flows\":0,"
		    "\"flow-rate\":1000}}",
		    "flow-rate", "1000");
	assert_told(sock,
		    "{\"execute\":\"limits\",\"arguments\":{"
		    "\"flow-memory\":65536}}",
		    "flow-memory", "65536");
	assert_told(sock, limits, "tcp-flows", "7");
	assert_told(sock, limits, "udp-flows", "0");
	close(sock);
}

static void bad_limits_change_nothing(void **state)
{
	int sock = rig_connect(*state);

	cJSON_Delete(ask(sock, "{\"execute\":\"limits\",\"arguments\":"
			       "{\"tcp-flows\":7}}"));
	assert_refused(sock,
		       "{\"execute\":\"limits\",\"arguments\":{\"tcp-flows\":1,"
		       "\"flow-rate\":100000001}}",
		       "'flow-rate' is 100000000 at most");
	assert_refused(sock,
		       "{\"execute\":\"limits\",\"arguments\":{\"tcp-flows\":1,"
		       "\"udp-flows\":\"2\"}}",
		       "'udp-flows' is a whole number");
	assert_refused(sock,
		       "{\"execute\":\"limits\",\"arguments\":{\"flows\":1}}",
		       "no argument 'flows'");
	assert_told(sock, limits, "tcp-flows", "7");
	close(sock);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_forward_works_from_when_it_is_added),
		TEST(a_forward_is_removed_by_its_number),
		TEST(a_forward_is_removed_by_its_text),
		TEST(forwards_are_listed),
		TEST(bad_forwards_are_refused),
		TEST(a_port_in_use_is_refused),
		TEST(a_forwards_own_socket_is_no_flow),
		TEST(a_policy_is_shown_as_it_is_set),
		TEST(a_policy_holds_when_it_is_answered),
		TEST(a_bad_policy_changes_nothing),
		TEST(limits_are_changed_one_by_one),
		TEST(bad_limits_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
