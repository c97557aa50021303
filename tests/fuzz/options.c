/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "slirp/resolv.h"

/*
 * Target: text that people write: command lines, the values of options, a
 * policy, resolv.conf. An input is the kind of text and the text; a command
 * line has an argument on each line.
 */

#define ARGUMENTS_MAX 64

enum {
	TEXT_RUN,
	TEXT_NETNS,
	TEXT_NET,
	TEXT_POLICY,
	TEXT_RESOLV,
	TEXT_KINDS,
};

/* What is refused is refused with a sentence. */
static void check_result(int ret, const struct fail *fail)
{
	FUZZ_CHECK(ret == 0 || ret == 1 || fail->text[0]);
}

static int split(char *text, char **argv)
{
	int argc = 1;

	argv[0] = "command";
	while (text && argc < ARGUMENTS_MAX - 1) {
		argv[argc++] = text;
		text = strchr(text, '\n');
		if (text)
			*text++ = '\0';
	}
	argv[argc] = NULL;
	return argc;
}

static void parse_run(char *text)
{
	char *argv[ARGUMENTS_MAX];
	int argc = split(text, argv);
	struct vmm_config config;
	struct fail fail = { 0 };

	check_result(options_parse_run(argc, argv, &config, &fail), &fail);
}

static void parse_netns(char *text)
{
	char *argv[ARGUMENTS_MAX];
	int argc = split(text, argv);
	struct netns_config config;
	struct fail fail = { 0 };

	check_result(options_parse_netns(argc, argv, &config, &fail), &fail);
}

static void parse_net(const char *text)
{
	struct slirp_config config;
	struct fail fail = { 0 };

	slirp_config_init(&config);
	check_result(options_parse_net(text, &config, &fail), &fail);
	FUZZ_CHECK(config.forward_count <= SLIRP_FORWARDS_MAX);
	FUZZ_CHECK(config.resolver_count <= SLIRP_RESOLVERS_MAX);
}

static char *print_policy(const struct slirp_policy *policy)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	FUZZ_CHECK(out);
	policy_print(policy, out);
	fclose(out);
	return text;
}

/* A policy that is printed and read again is the same. */
static void parse_policy(const char *text)
{
	struct slirp_policy policy = { 0 }, again = { 0 };
	struct fail fail = { 0 };
	char *first, *second;
	int ret = policy_parse(text, &policy, &fail);

	check_result(ret, &fail);
	if (ret)
		return;
	first = print_policy(&policy);
	FUZZ_CHECK(policy_parse(first, &again, &fail) == 0);
	second = print_policy(&again);
	FUZZ_CHECK(strcmp(first, second) == 0);
	FUZZ_CHECK(policy.count == again.count);
	free(first);
	free(second);
}

static void parse_resolv(char *text, size_t size)
{
	struct resolvers resolvers = { 0 };
	FILE *in = fmemopen(text, size, "r");

	FUZZ_CHECK(in);
	resolv_parse(in, &resolvers);
	fclose(in);
	FUZZ_CHECK(resolvers.count <= SLIRP_RESOLVERS_MAX);
	FUZZ_CHECK(memchr(resolvers.search, 0, sizeof(resolvers.search)));
	FUZZ_CHECK(memchr(resolvers.domain, 0, sizeof(resolvers.domain)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t kind = fuzz_take8(&input) % TEXT_KINDS;
	char *text = fuzz_copy_text(&input);

	switch (kind) {
	case TEXT_RUN:
		parse_run(text);
		break;
	case TEXT_NETNS:
		parse_netns(text);
		break;
	case TEXT_NET:
		parse_net(text);
		break;
	case TEXT_POLICY:
		parse_policy(text);
		break;
	default:
		parse_resolv(text, input.left);
	}
	free(text);
	return 0;
}
