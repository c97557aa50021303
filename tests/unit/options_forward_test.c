/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "options_forward.h"

#define TEXT_MAX 256

struct written {
	const char *text;
	const char *as; /* by slirp_forward_format(), completed */
};

static struct slirp_forward parse(const char *text)
{
	struct slirp_forward forward = { 0 };
	struct fail fail = { 0 };

	if (options_parse_forward(text, &forward, &fail))
		fail_msg("%s: %s", text, fail.text);
	return forward;
}

static void forwards_are_taken_as_they_are_meant(void **state)
{
	static const struct written good[] = {
		{ "tcp::80-:8080", "tcp:[::]:80-10.0.2.15:8080" },
		{ ":0.0.0.0:80-:8080", "tcp:0.0.0.0:80-10.0.2.15:8080" },
		{ "udp:127.0.0.1:53-10.0.2.20:5353",
		  "udp:127.0.0.1:53-10.0.2.20:5353" },
		{ "::0-:80", "tcp:[::]:0-10.0.2.15:80" },
		{ "tcp::8000-8009-:80", "tcp:[::]:8000-8009-10.0.2.15:80" },
		{ "tcp::8000-8000-:80", "tcp:[::]:8000-10.0.2.15:80" },
		{ "tcp:[::1]:8000-8001-[fec0::7]:80",
		  "tcp:[::1]:8000-8001-[fec0::7]:80" },
		{ "tcp:[::1]:80-10.0.2.15:80", "tcp:[::1]:80-10.0.2.15:80" },
		{ "tcp:1.2.3.4:80-[fec0::15]:80",
		  "tcp:1.2.3.4:80-[fec0::15]:80" },
		{ "udp:[::]:1-1024-:1", "udp:[::]:1-1024-10.0.2.15:1" },
	};
	struct slirp_config config;
	struct fail fail = { 0 };

	(void)state;
	slirp_config_init(&config);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct slirp_forward forward = parse(good[i].text);
		char text[SLIRP_FORWARD_TEXT_MAX];

		assert_int_equal(slirp_forward_check(&config, &forward, &fail),
				 0);
		assert_string_equal(slirp_forward_format(&forward, text),
				    good[i].as);
	}
}

static void what_a_forward_is_written_as_is_read_again(void **state)
{
	static const char text[] = "udp:[2001:db8::1]:9000-9100-[fec0::15]:9";
	struct slirp_forward forward = parse(text);
	char again[SLIRP_FORWARD_TEXT_MAX];

	(void)state;
	assert_string_equal(slirp_forward_format(&forward, again), text);
}

static void malformed_forwards_get_their_own_sentence(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "", "begin" },
		{ "tcp", "begin" },
		{ "sctp::1-:1", "begin" },
		{ "tcpx::1-:1", "begin" },
		{ "tcp:22-:22", "host's side" },
		{ "tcp:localhost:22-:22", "host's side" },
		{ "tcp:::1:22-:22", "host port" },
		{ "tcp:[::1:22-:22", "host's side" },
		{ "tcp:[::1]22-:22", "host's side" },
		{ "tcp:[1.2.3.4]:22-:22", "host's side" },
		{ "tcp:[::ffff:1.2.3.4]:22-:22", "host's side" },
		{ "tcp:1.2.3:22-:22", "host's side" },
		{ "tcp::-:22", "host port" },
		{ "tcp::65536-:22", "host port" },
		{ "tcp::99999999999999999999-:22", "host port" },
		{ "tcp::22", "between" },
		{ "tcp::22:22", "between" },
		{ "tcp::9-8-:22", "range" },
		{ "tcp::0-8-:22", "range" },
		{ "tcp::1-1025-:22", "range" },
		{ "tcp::1-70000-:22", "last host port" },
		{ "tcp::8000-8009:22", "guest's side" },
		{ "tcp::8000-22", "guest's side" },
		{ "tcp::8000-8001-", "guest's side" },
		{ "tcp::8000--:22", "guest's side" },
		{ "tcp::22-:", "guest port" },
		{ "tcp::22-:0", "guest port" },
		{ "tcp::22-:22x", "too much" },
		{ "tcp::22-:22-23", "too much" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct slirp_forward forward = { .count = 99 };
		struct fail fail = { 0 };

		if (options_parse_forward(bad[i].text, &forward, &fail) !=
		    -EINVAL)
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(fail.text, bad[i].says))
			fail_msg("%s: %s", bad[i].text, fail.text);
		assert_int_equal(forward.count, 99);
	}
}

static void expect_refused(const char *text)
{
	struct slirp_forward forward = parse(text);
	struct slirp_config config;
	struct fail fail = { 0 };

	slirp_config_init(&config);
	if (slirp_forward_check(&config, &forward, &fail) != -EINVAL)
		fail_msg("%s was taken", text);
	assert_true(strlen(fail.text) > 20);
}

static void forwards_that_cannot_work_are_refused(void **state)
{
	(void)state;
	expect_refused("tcp::22-192.168.1.1:22");
	expect_refused("tcp::22-10.0.2.2:22");
	expect_refused("tcp::22-10.0.2.3:22");
	expect_refused("tcp::22-10.0.2.0:22");
	expect_refused("tcp::22-10.0.2.255:22");
	expect_refused("tcp::22-[fec0::2]:22");
	expect_refused("tcp::22-[2001:db8::1]:22");
	expect_refused("tcp::8000-8009-:65530");
}

static void guest_forwards_lead_to_an_address_or_a_path(void **state)
{
	struct slirp_guest_forward forward;
	char text[ADDRESS_TEXT_MAX];
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(options_parse_guest_forward(
				 "tcp:10.0.2.100:80-tcp:127.0.0.1:8080",
				 &forward, &fail),
			 0);
	assert_string_equal(address_format(&forward.server.address, text),
			    "10.0.2.100");
	assert_int_equal(forward.server.port, 80);
	assert_string_equal(address_format(&forward.host.address, text),
			    "127.0.0.1");
	assert_int_equal(forward.host.port, 8080);
	assert_string_equal(forward.path, "");
	assert_int_equal(
		options_parse_guest_forward(":[fec0::64]:1-unix:/run/a-b:c",
					    &forward, &fail),
		0);
	assert_string_equal(forward.path, "/run/a-b:c");
	assert_int_equal(forward.host.port, 0);
}

static void malformed_guest_forwards_get_their_own_sentence(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "udp:10.0.2.100:1-tcp:1.2.3.4:1", "begin" },
		{ "tcp:10.0.2.100:0-tcp:1.2.3.4:1", "server's port" },
		{ "tcp:x:1-tcp:1.2.3.4:1", "server" },
		{ "tcp:10.0.2.100:1", "between" },
		{ "tcp:10.0.2.100:1-", "target" },
		{ "tcp:10.0.2.100:1-cmd:ls", "target" },
		{ "tcp:10.0.2.100:1-tcp::1", "target" },
		{ "tcp:10.0.2.100:1-tcp:1.2.3.4:0", "target's port" },
		{ "tcp:10.0.2.100:1-tcp:1.2.3.4:1x", "too much" },
		{ "tcp:10.0.2.100:1-unix:", "path" },
		{ "tcp:10.0.2.100:1-unix:here", "path" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct slirp_guest_forward forward;
		struct fail fail = { 0 };

		if (options_parse_guest_forward(bad[i].text, &forward, &fail) !=
		    -EINVAL)
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(fail.text, bad[i].says))
			fail_msg("%s: %s", bad[i].text, fail.text);
	}
}

static void paths_longer_than_a_socket_can_have_are_refused(void **state)
{
	struct slirp_guest_forward forward;
	char text[TEXT_MAX] = ":10.0.2.100:1-unix:/";
	struct fail fail = { 0 };
	size_t size = strlen(text);

	(void)state;
	memset(text + size, 'x', SLIRP_PATH_MAX - 2);
	assert_int_equal(options_parse_guest_forward(text, &forward, &fail), 0);
	memset(text + size, 'x', SLIRP_PATH_MAX - 1);
	assert_int_equal(options_parse_guest_forward(text, &forward, &fail),
			 -EINVAL);
}

static void the_guest_is_no_server_of_its_own(void **state)
{
	static const char *const bad[] = { "10.0.2.15", "10.0.2.2", "10.0.2.3",
					   "192.168.1.1", "[fec0::15]" };
	struct slirp_config config;

	(void)state;
	slirp_config_init(&config);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct slirp_guest_forward forward;
		struct fail fail = { 0 };
		char text[TEXT_MAX];

		snprintf(text, sizeof(text), ":%s:80-tcp:127.0.0.1:80", bad[i]);
		assert_int_equal(
			options_parse_guest_forward(text, &forward, &fail), 0);
		assert_int_equal(
			slirp_guest_forward_check(&config, &forward, &fail),
			-EINVAL);
		assert_true(strlen(fail.text) > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_are_taken_as_they_are_meant),
		cmocka_unit_test(what_a_forward_is_written_as_is_read_again),
		cmocka_unit_test(malformed_forwards_get_their_own_sentence),
		cmocka_unit_test(forwards_that_cannot_work_are_refused),
		cmocka_unit_test(guest_forwards_lead_to_an_address_or_a_path),
		cmocka_unit_test(
			malformed_guest_forwards_get_their_own_sentence),
		cmocka_unit_test(
			paths_longer_than_a_socket_can_have_are_refused),
		cmocka_unit_test(the_guest_is_no_server_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
