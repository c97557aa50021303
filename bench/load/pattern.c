/* SPDX-License-Identifier: BSD-3-Clause */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64: one well-mixed word per counter value. */
static uint64_t mix(uint64_t counter)
{
	uint64_t z = counter * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

struct pattern *pattern_create(void)
{
	struct pattern *pattern = malloc(sizeof(*pattern));

	if (!pattern)
		return NULL;
	for (size_t i = 0; i < PATTERN_PERIOD; i += sizeof(uint64_t)) {
		uint64_t word = mix(i / sizeof(word) + 1);
		size_t left = PATTERN_PERIOD - i;

		memcpy(pattern->bytes + i, &word,
		       left < sizeof(word) ? left : sizeof(word));
	}
	memcpy(pattern->bytes + PATTERN_PERIOD, pattern->bytes, PATTERN_RUN);
	return pattern;
}

const uint8_t *pattern_at(const struct pattern *pattern, uint64_t seed,
			  uint64_t offset)
{
	uint64_t shift = mix(seed) % PATTERN_PERIOD;

	return pattern->bytes + (shift + offset) % PATTERN_PERIOD;
}

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;
	uint32_t plain = (uint32_t)sum;
	uint32_t weighted = (uint32_t)(sum >> 32) + plain * (uint32_t)length;

	for (size_t i = 0; i < length; i++) {
		plain += byte[i];
		weighted += (uint32_t)(length - i) * byte[i];
	}
	return (uint64_t)weighted << 32 | plain;
}
