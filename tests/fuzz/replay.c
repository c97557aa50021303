/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

/*
 * main() of a target without libFuzzer: every file of the folder that is named,
 * or the file, is one input. Its name is printed before it runs, so that the
 * last line tells what the target died of.
 */

#define INPUT_MAX (1 << 20) /* bytes */

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = malloc(INPUT_MAX), *exact = NULL;
	size_t size = 0;

	if (file && data) {
		printf("%s\n", path);
		fflush(stdout);
		size = fread(data, 1, INPUT_MAX, file);
		/* So that a sanitizer sees what is read behind it. */
		exact = malloc(size + !size);
	}
	if (exact) {
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
	}
	free(exact);
	free(data);
	if (file)
		fclose(file);
	return file ? 0 : -1;
}

static int replay_folder(const char *path)
{
	struct dirent **entry;
	char file[4096];
	int count = scandir(path, &entry, NULL, alphasort), replayed = 0;

	if (count < 0)
		return replay_file(path) ? 0 : 1;
	for (int i = 0; i < count; i++) {
		if (entry[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path,
				 entry[i]->d_name);
			replayed += replay_file(file) == 0;
		}
		free(entry[i]);
	}
	free(entry);
	return replayed;
}

int main(int argc, char **argv)
{
	int replayed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		replayed += replay_folder(argv[i]);
	printf("%d inputs replayed\n", replayed);
	return replayed ? 0 : 1;
}
