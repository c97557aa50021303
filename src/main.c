/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "bench.h"
#include "control/ctl.h"
#include "doctor.h"
#include "netns/netns.h"
#include "options.h"
#include "topology_command.h"
#include "vmm.h"

/* Exit statuses; the manual page says the same. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_REBOOT = 3,
	STATUS_PANIC = 4,
	STATUS_TRIPLE_FAULT = 5,
	STATUS_NETNS_FAILED = 125, /* as of env(1): others are the command's */
};

static const int end_status[] = {
	[MACHINE_END_POWEROFF] = STATUS_OK,
	[MACHINE_END_REBOOT] = STATUS_REBOOT,
	[MACHINE_END_PANIC] = STATUS_PANIC,
	[MACHINE_END_TRIPLE_FAULT] = STATUS_TRIPLE_FAULT,
	[MACHINE_END_STOPPED] = STATUS_OK,
	[MACHINE_END_ERROR] = STATUS_FAILED,
};

static const char main_help[] =
	"Usage: mqvmm COMMAND [OPTION]...\n"
	"\n"
	"  run       run a guest\n"
	"  netns     run a command in a network namespace\n"
	"  ctl       ask a running mqvmm, and change it\n"
	"  doctor    say what this host offers\n"
	"  topology  draw this host, and where a guest would run\n"
	"  bench     measure mqvmm beside its peers\n"
	"\n"
	"mqvmm COMMAND --help tells more, mqvmm --version the version.\n";

static const char doctor_help[] =
	"Usage: mqvmm doctor [--json]\n"
	"\n"
	"Says in one line each what this host offers to guests and their\n"
	"network. Exit status 0 where mqvmm run will work.\n";

static int fail_with(const struct fail *fail, int status)
{
	fprintf(stderr, "mqvmm: %s\n", fail->text);
	return status;
}

/* What the user gave is wrong, or the host has less than it takes: status 2. */
static int command_run(int argc, char **argv)
{
	enum machine_end end = MACHINE_END_ERROR;
	struct vmm_config config;
	struct fail fail = { 0 };
	int ret = options_parse_run(argc, argv, &config, &fail);

	if (ret > 0) {
		fputs(options_run_help(), stdout);
		fputs(options_net_help(), stdout);
		return STATUS_OK;
	}
	if (ret)
		return fail_with(&fail, STATUS_USAGE);
	file_raise_limit();
	if (vmm_run(&config, &end, &fail))
		return fail_with(&fail, STATUS_USAGE);
	return end_status[end];
}

static int command_netns(int argc, char **argv)
{
	struct netns_config config;
	struct fail fail = { 0 };
	int status = STATUS_OK;
	int ret = options_parse_netns(argc, argv, &config, &fail);

	if (ret > 0) {
		fputs(options_netns_help(), stdout);
		fputs(options_net_help(), stdout);
		return STATUS_OK;
	}
	if (ret || netns_run(&config, &status, &fail))
		return fail_with(&fail, STATUS_NETNS_FAILED);
	return status;
}

static int command_ctl(int argc, char **argv)
{
	struct fail fail = { 0 };
	int ret = ctl_run(argc, argv, &fail);

	if (ret)
		return fail_with(&fail,
				 ret == -EINVAL ? STATUS_USAGE : STATUS_FAILED);
	return STATUS_OK;
}

static int command_doctor(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(doctor_help, stdout);
		return STATUS_OK;
	}
	if (argc > 1 && !json) {
		fprintf(stderr,
			"mqvmm: '%s' is not an option: see mqvmm doctor "
			"--help\n",
			argv[1]);
		return STATUS_USAGE;
	}
	file_raise_limit();
	return doctor_run(json, stdout);
}

static int command_topology(int argc, char **argv)
{
	struct topology_config config;
	struct fail fail = { 0 };
	int ret = options_parse_topology(argc, argv, &config, &fail);

	if (ret > 0) {
		fputs(options_topology_help(), stdout);
		return STATUS_OK;
	}
	if (ret || topology_run(&config, stdout, &fail))
		return fail_with(&fail, STATUS_USAGE);
	return STATUS_OK;
}

static int command_bench(int argc, char **argv)
{
	struct fail fail = { 0 };

	(void)argc;
	bench_exec(argv, &fail);
	return fail_with(&fail, STATUS_USAGE);
}

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "run", command_run },           { "netns", command_netns },
	{ "ctl", command_ctl },           { "doctor", command_doctor },
	{ "topology", command_topology }, { "bench", command_bench },
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0) {
		puts("mqvmm " MQVMM_VERSION);
		return STATUS_OK;
	}
	if (strcmp(name, "--help") == 0) {
		fputs(main_help, stdout);
		return STATUS_OK;
	}
	fprintf(stderr, "mqvmm: '%s' is not a command: see mqvmm --help\n",
		name);
	return STATUS_USAGE;
}
