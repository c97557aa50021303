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

/* Return: the only word, NULL if there is none or too much */
static const char *take_one(int argc, char **argv, const char *what,
			    struct fail *fail)
{
	if (argc == 1)
		return argv[0];
	fail_set(fail, -EINVAL, "give %s, and nothing else", what);
	return NULL;
}

/* A forward, or its number. */
int ctl_take_forward(int argc, char **argv, cJSON *arguments, struct fail *fail)
{
	const char *text =
		take_one(argc, argv, "one forward like tcp::8080-:80", fail);

	if (!text)
		return -EINVAL;
	if (*text && strspn(text, "0123456789") == strlen(text))
		cJSON_AddNumberToObject(arguments, "id", strtod(text, NULL));
	else
		cJSON_AddStringToObject(arguments, "forward", text);
	return 0;
}

/* Items, which are one list however they are cut into words. */
int ctl_take_policy(int argc, char **argv, cJSON *arguments, struct fail *fail)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (argc == 0)
		return fail_set(fail, -EINVAL,
				"give items like deny=10.0.0.0/8, or '' for "
				"no rules");
	out = open_memstream(&text, &size);
	if (!out)
		return fail_set(fail, -ENOMEM, "no memory for the policy");
	for (int i = 0; i < argc; i++)
		fprintf(out, "%s%s", i ? "," : "", argv[i]);
	fclose(out);
	cJSON_AddStringToObject(arguments, "policy", text);
	free(text);
	return 0;
}

/* NAME=N each; names are mqvmm's to know. */
int ctl_take_limits(int argc, char **argv, cJSON *arguments, struct fail *fail)
{
	for (int i = 0; i < argc; i++) {
		char *sign = strchr(argv[i], '=');
		char *number = sign ? sign + 1 : argv[i];

		if (!sign || !*number ||
		    strspn(number, "0123456789") != strlen(number))
			return fail_set(fail, -EINVAL,
					"'%s' is not possible: give NAME=N, "
					"like tcp-flows=1000",
					argv[i]);
		*sign = '\0';
		cJSON_AddNumberToObject(arguments, argv[i],
					strtod(number, NULL));
	}
	return 0;
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
