/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of `mqvmm netns`. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define ARGUMENTS_MAX 16

struct command_line {
	char *argv[ARGUMENTS_MAX];
	struct netns_config config;
	struct fail fail;
};

/* Parse "mqvmm netns" with the arguments up to NULL. */
static int parse(struct command_line *line, ...)
{
	int argc = 1;
	va_list args;

	memset(line, 0, sizeof(*line));
	line->argv[0] = "netns";
	va_start(args, line);
	while (argc < ARGUMENTS_MAX - 1 &&
	       (line->argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	return options_parse_netns(argc, line->argv, &line->config,
				   &line->fail);
}

static void refuse(const char *option, const char *value, const char *remedy)
{
	struct command_line line;

	assert_int_equal(parse(&line, option, value, NULL), -EINVAL);
	if (!strstr(line.fail.text, remedy))
		fail_msg("%s %s: '%s' does not tell of '%s'", option, value,
			 line.fail.text, remedy);
}

static void defaults_run_the_shell_in_a_new_namespace(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, NULL), 0);
	assert_null(line.config.path);
	assert_null(line.config.command);
	assert_null(line.config.stats);
	assert_null(line.config.control);
	assert_int_equal(line.config.place.policy, PLACEMENT_AUTO);
	assert_string_equal(line.config.interface, "eth0");
	assert_int_equal(line.config.slirp.mtu, 65520);
	assert_int_equal(line.config.slirp.shard_count, 0);
	assert_int_equal(ntohl(line.config.slirp.guest.s_addr), 0x0a00020f);
}

static void command_is_what_follows_the_options(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(
		parse(&line, "--queues", "3", "--", "ls", "--help", NULL), 0);
	assert_int_equal(line.config.slirp.shard_count, 3);
	assert_ptr_equal(line.config.command, line.argv + 4);
	assert_string_equal(line.config.command[1], "--help");
	assert_null(line.config.command[2]);
}

static void command_needs_no_dashes(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--place", "none", "ls", "-l", NULL), 0);
	assert_int_equal(line.config.place.policy, PLACEMENT_NONE);
	assert_string_equal(line.config.command[0], "ls");
	assert_string_equal(line.config.command[1], "-l");
}

static void options_are_all_taken(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--netns", "/proc/1/ns/net",
			       "--interface", "tap0", "--stats", "f",
			       "--control", "s", NULL),
			 0);
	assert_string_equal(line.config.path, "/proc/1/ns/net");
	assert_string_equal(line.config.interface, "tap0");
	assert_string_equal(line.config.stats, "f");
	assert_string_equal(line.config.control, "s");
}

static void network_is_as_of_run(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--net", "net=10.1.0.0/16,mtu=1500",
			       "--net", "queues=5,engine=epoll", NULL),
			 0);
	assert_int_equal(ntohl(line.config.slirp.guest.s_addr), 0x0a01000f);
	assert_int_equal(line.config.slirp.mtu, 1500);
	assert_int_equal(line.config.slirp.shard_count, 5);
	assert_int_equal(line.config.slirp.engine, SLIRP_ENGINE_EPOLL);
}

static void wrong_values_are_refused_with_a_remedy(void **state)
{
	(void)state;
	refuse("--queues", "0", "1 to 256");
	refuse("--queues", "257", "1 to 256");
	refuse("--queues", "many", "1 to 256");
	refuse("--place", "here", "auto, compact");
	refuse("--interface", "", "1 to 15");
	refuse("--interface", "lo", "1 to 15");
	refuse("--interface", "sixteen-letters-", "1 to 15");
	refuse("--interface", "a/b", "1 to 15");
	refuse("--interface", "eth%d", "1 to 15");
	refuse("--netns", "", "--netns");
	refuse("--net", "none", "no option 'none'");
	refuse("--net", "queues=257", "1 to 256");
	refuse("--net", "mtu=65522", "65521");
}

static void unknown_options_are_named(void **state)
{
	(void)state;
	refuse("--kernel", "k", "'--kernel'");
	refuse("-x", "1", "'-x'");
	refuse("--place", NULL, "'--place'");
}

static void help_tells_of_the_options(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "--help", NULL), 1);
	assert_non_null(strstr(options_netns_help(), "--netns"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_run_the_shell_in_a_new_namespace),
		cmocka_unit_test(command_is_what_follows_the_options),
		cmocka_unit_test(command_needs_no_dashes),
		cmocka_unit_test(options_are_all_taken),
		cmocka_unit_test(network_is_as_of_run),
		cmocka_unit_test(wrong_values_are_refused_with_a_remedy),
		cmocka_unit_test(unknown_options_are_named),
		cmocka_unit_test(help_tells_of_the_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
