/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_TORTURE_STREAM_H
#define MQVMM_TESTS_TORTURE_STREAM_H

#include "torture_plan.h"

#define STREAM_RUN_MAX 65536 /* bytes */

/* First bytes of a connection, from the client. */
struct greeting {
	uint64_t seed;
	uint64_t most;
	uint32_t number;
	uint32_t exact;
};

/* One end of one connection. */
struct stream {
	int sock;
	struct greeting greeting;
	struct torture_plan plan;
	enum torture_role role;
	uint64_t sent;
	uint64_t received;
	uint64_t choice;
	unsigned int pauses;
	bool ended; /* our half */
	bool eof;   /* theirs */
	const char *complaint;
	uint8_t run[STREAM_RUN_MAX];
	uint8_t right[STREAM_RUN_MAX];
};

/* The greeting is known: make the plan, set the socket up. */
void stream_begin(struct stream *stream, enum torture_role role);

/**
 * stream_run() - Carry the plan out
 *
 * What is wrong is told on the standard error. Return: true if nothing is
 */
bool stream_run(struct stream *stream);

#endif
