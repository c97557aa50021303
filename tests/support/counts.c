/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/counts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t counts_stat(const struct slirp *slirp, int shard, const char *name)
{
	char *text = NULL, *at, key[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t sum = 0;

	slirp_print_stats(slirp, out);
	fclose(out);
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(text, key);
	for (int i = 0; at; at = strstr(at, key), i++) {
		at += strlen(key);
		if (shard < 0 || i == shard)
			sum += strtoull(at, &at, 10);
	}
	free(text);
	return sum;
}

unsigned int counts_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
