/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_TORTURE_PLAN_H
#define MQVMM_TESTS_TORTURE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What one connection of the torture test does. Both ends derive the same plan
 * from the seed and the connection's number.
 */

enum torture_role {
	TORTURE_CLIENT,
	TORTURE_SERVER,
	TORTURE_ROLES,
};

/**
 * struct torture_side - What one of the two ends does
 * @size:	Bytes that it sends before it ends its half
 * @hold:	Of these, bytes that it sends only once the other has ended
 * @burst:	Longest send() and recv(), bytes
 * @pauses:	How often it pauses before it sends or receives
 * @pause_ms:	Longest pause
 * @buffer:	SO_RCVBUF, 0 for the kernel's choice
 */
struct torture_side {
	uint64_t size;
	uint64_t hold;
	size_t burst;
	unsigned int pauses;
	unsigned int pause_ms;
	int buffer;
};

struct torture_plan {
	uint64_t seed;
	struct torture_side side[TORTURE_ROLES];
};

/* The next number of a sequence; @state is moved on. */
uint64_t torture_random(uint64_t *state);

/**
 * torture_plan_make() - Choose sizes and shapes
 * @most:	Longest stream each way, bytes, most are far shorter; with
 *@exact all are as long as that
 */
void torture_plan_make(uint64_t seed, uint32_t number, uint64_t most,
		       bool exact, struct torture_plan *plan);

/* Bytes @at and on of what @role sends. */
void torture_fill(const struct torture_plan *plan, enum torture_role role,
		  uint64_t at, uint8_t *to, size_t size);

#endif
