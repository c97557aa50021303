/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/ctl_internal.h"

int ctl_take_none(int argc, char **argv, cJSON *arguments, struct fail *fail)
{
	(void)arguments;
	if (argc == 0)
		return 0;
	return fail_set(fail, -EINVAL, "'%s' is too much: see mqvmm ctl --help",
			argv[0]);
}

/* Bytes, with K, M or G behind the number. Return: false if it is none */
static bool take_size(const char *text, double *size)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*size = (double)strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		for (; unit >= units; unit--)
			*size *= 1024;
		end++;
	}
	return !*end;
}

/* Our folder need not be mqvmm's. */
static int take_path(const char *path, cJSON *arguments, struct fail *fail)
{
	char *folder, *whole;
	size_t size;

	if (*path == '/') {
		cJSON_AddStringToObject(arguments, "file", path);
		return 0;
	}
	folder = getcwd(NULL, 0);
	size = folder ? strlen(folder) + strlen(path) + 2 : 0;
	whole = folder ? malloc(size) : NULL;
	if (whole) {
		snprintf(whole, size, "%s/%s", folder, path);
		cJSON_AddStringToObject(arguments, "file", whole);
	}
	free(folder);
	free(whole);
	return whole ? 0
		     : fail_set(fail, -ENOENT,
				"this folder has no name: give "
				"FILE from / on");
}

int ctl_take_capture(int argc, char **argv, cJSON *arguments, struct fail *fail)
{
	double size;

	for (; argc > 1; argc--, argv++) {
		if (strcmp(argv[0], "--overwrite") == 0) {
			cJSON_AddTrueToObject(arguments, "overwrite");
			continue;
		}
		if ((strcmp(argv[0], "--snap") != 0 &&
		     strcmp(argv[0], "--limit") != 0) ||
		    !take_size(argv[1], &size))
			break;
		cJSON_AddNumberToObject(arguments, argv[0] + 2, size);
		argc--, argv++;
	}
	if (argc != 1 || argv[0][0] == '-' || !argv[0][0])
		return fail_set(fail, -EINVAL,
				"a capture takes [--overwrite] [--snap BYTES] "
				"[--limit BYTES] FILE; K, M or G may be behind "
				"BYTES");
	return take_path(argv[0], arguments, fail);
}
