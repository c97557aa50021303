/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_H
#define MQVMM_OPTIONS_H

#include "base/fail.h"
#include "netns/netns.h"
#include "topology_command.h"
#include "vmm.h"

/*
 * The command lines of `mqvmm run` and `mqvmm netns`, as pure functions: text
 * in, configuration or one sentence out. Strings stay where the arguments are.
 */

#define OPTIONS_MEMORY_DEFAULT (512ULL << 20) /* bytes, of a guest */

/**
 * options_parse_run() - Parse the arguments of `mqvmm run`
 * @argc, @argv: Behind the sub-command's name; a leading "run" is argv[0]
 * @config:	Filled, with defaults for what is not said
 * @fail:	What is wrong, and what would be right
 *
 * Return: 0, 1 when help was asked for, -EINVAL
 */
int options_parse_run(int argc, char **argv, struct vmm_config *config,
		      struct fail *fail);

/* The same for one option's value; exposed for tests. */
int options_parse_cpus(const char *text, struct machine_topology *topology,
		       struct fail *fail);
int options_parse_memory(const char *text, struct machine_config *machine,
			 struct fail *fail);

/**
 * options_complete_place() - Have a guest placed that is known by now
 * @place:	Gets its size
 */
void options_complete_place(const struct machine_config *machine,
			    unsigned int shards,
			    struct placement_request *place);

/**
 * options_parse_netns() - Parse the arguments of `mqvmm netns`
 *
 * As options_parse_run(); what follows the options is the command.
 */
int options_parse_netns(int argc, char **argv, struct netns_config *config,
			struct fail *fail);

/**
 * options_parse_topology() - Parse the arguments of `mqvmm topology`
 *
 * As options_parse_run().
 */
int options_parse_topology(int argc, char **argv,
			   struct topology_config *config, struct fail *fail);

/**
 * options_parse_net() - Parse the value of --net, of any command that has it
 * @slirp:	Defaults, changed by what @text says
 *
 * Return: 0 or -EINVAL
 */
int options_parse_net(const char *text, struct slirp_config *slirp,
		      struct fail *fail);

/* What --help prints: about a command, and behind it about --net. */
const char *options_run_help(void);
const char *options_netns_help(void);
const char *options_topology_help(void);
const char *options_net_help(void);

#endif
