/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_PATTERN_H
#define MQVMM_LOAD_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The period of the pattern, a prime: a segment, page or buffer that was
 * repeated, dropped or moved never lands where the same bytes are due.
 */
#define PATTERN_PERIOD 1048583u

/* What may be taken from the pattern in one piece, bytes. */
#define PATTERN_RUN 262144u

/**
 * struct pattern - The pseudo-random bytes that every stream is made of
 * @bytes:	One period, and its beginning again so that a run never wraps
 *
 * Written once, then read by all threads.
 */
struct pattern {
	uint8_t bytes[PATTERN_PERIOD + PATTERN_RUN];
};

/**
 * pattern_create() - Make the pattern, the same in every process
 *
 * Return: the pattern, for free(); NULL without memory
 */
struct pattern *pattern_create(void);

/**
 * pattern_at() - The bytes due at a place in a stream
 * @pattern:	The pattern
 * @seed:	The stream's seed: streams of different seeds are shifted
 * @offset:	Place in the stream, bytes
 *
 * Return: at least PATTERN_RUN bytes
 */
const uint8_t *pattern_at(const struct pattern *pattern, uint64_t seed,
			  uint64_t offset);

#define CHECKSUM_START 1

/**
 * checksum_add() - Sum up one more piece of a stream
 * @sum:	The sum so far, CHECKSUM_START at first
 * @bytes:	The piece
 * @length:	Its length, bytes
 *
 * Fletcher's two sums, modulo 2^32: one of the bytes, one of the bytes by their
 * distance from the end, so that order counts. How a stream is cut into pieces
 * does not.
 *
 * Return: the new sum
 */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t length);

#endif
