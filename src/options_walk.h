/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_WALK_H
#define MQVMM_OPTIONS_WALK_H

#include <getopt.h>

#include "base/fail.h"

/* What the commands' command lines have in common. Context: one thread. */

/**
 * options_walk() - Take a command's long options, up to the first other word
 * @argc, @argv: argv[0] is not looked at
 * @command:	For messages, as in `mqvmm COMMAND --help`
 * @options:	Their @val is what @take gets; the last is all zeros
 * @take:	Takes one option; its value is NULL where it has none. Returns 0
 *		to go on, anything else to end the walk with
 * @config:	Passed to @take
 * @fail:	What is wrong with an option that is unknown
 *
 * Return: 0 with optind behind the options, -EINVAL, or what @take returned
 */
int options_walk(int argc, char **argv, const char *command,
		 const struct option *options,
		 int (*take)(int option, const char *value, void *config,
			     struct fail *fail),
		 void *config, struct fail *fail);

#endif
