/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fuzz/fuzz.h"

static uint64_t take_number(struct fuzz_input *input, size_t size)
{
	struct fuzz_input bytes = fuzz_take(input, size);
	uint64_t number = 0;

	memcpy(&number, bytes.at, bytes.left);
	return number;
}

uint8_t fuzz_take8(struct fuzz_input *input)
{
	return (uint8_t)take_number(input, 1);
}

uint16_t fuzz_take16(struct fuzz_input *input)
{
	return (uint16_t)take_number(input, 2);
}

uint32_t fuzz_take32(struct fuzz_input *input)
{
	return (uint32_t)take_number(input, 4);
}

uint64_t fuzz_take64(struct fuzz_input *input)
{
	return take_number(input, 8);
}

struct fuzz_input fuzz_take(struct fuzz_input *input, size_t size)
{
	struct fuzz_input taken = { input->at, input->left };

	if (taken.left > size)
		taken.left = size;
	input->at += taken.left;
	input->left -= taken.left;
	return taken;
}

bool fuzz_take_record(struct fuzz_input *input, uint8_t *kind,
		      struct fuzz_input *record)
{
	if (!input->left)
		return false;
	*kind = fuzz_take8(input);
	*record = fuzz_take(input, fuzz_take16(input));
	return true;
}

char *fuzz_copy_text(const struct fuzz_input *input)
{
	char *text = malloc(input->left + 1);

	FUZZ_CHECK(text);
	memcpy(text, input->at, input->left);
	text[input->left] = '\0';
	return text;
}
