/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_walk.h"

#include <errno.h>
#include <string.h>

int options_walk(int argc, char **argv, const char *command,
		 const struct option *options,
		 int (*take)(int option, const char *value, void *config,
			     struct fail *fail),
		 void *config, struct fail *fail)
{
	int at = 1, option, ret = 0;

	optind = 0; /* glibc: start over, also in tests */
	opterr = 0;
	/* optind moves on only behind the last letter of an unknown "-xy". */
	for (; !ret &&
	       (option = getopt_long(argc, argv, "+", options, NULL)) != -1;
	     at = optind) {
		if (option == '?')
			return fail_set(fail, -EINVAL,
					"'%s' is not an option, or its value "
					"is missing: see mqvmm %s --help",
					argv[at], command);
		ret = take(option, optarg, config, fail);
	}
	return ret;
}
