/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_FUZZ_FUZZ_H
#define MQVMM_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * What all fuzz targets share. A target is one source file with an
 * LLVMFuzzerTestOneInput(); libFuzzer calls it with bytes that it makes up, or
 * replay.c with those of the corpus. Whatever they are, it returns: that
 * something is wrong is told by a sanitizer, or by FUZZ_CHECK().
 */

/* Of libFuzzer's; one input. Return: 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of libFuzzer's; called first, where a target has it. Return: 0 */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What must hold whatever the input is. */
#define FUZZ_CHECK(holds)        \
	do {                     \
		if (!(holds))    \
			abort(); \
	} while (0)

/**
 * struct fuzz_input - What is left of an input
 *
 * At the end numbers are 0 and bytes none: each input means something.
 */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_take8(struct fuzz_input *input);
/* Little-endian. */
uint16_t fuzz_take16(struct fuzz_input *input);
uint32_t fuzz_take32(struct fuzz_input *input);
uint64_t fuzz_take64(struct fuzz_input *input);
/* The next @size bytes, or as many as there are, as an input of their own. */
struct fuzz_input fuzz_take(struct fuzz_input *input, size_t size);

/**
 * fuzz_take_record() - Take a record: kind, 16 bits of length, bytes
 *
 * Return: false at the input's end
 */
bool fuzz_take_record(struct fuzz_input *input, uint8_t *kind,
		      struct fuzz_input *record);

/* A copy with a NUL behind it, from malloc(). */
char *fuzz_copy_text(const struct fuzz_input *input);

#endif
