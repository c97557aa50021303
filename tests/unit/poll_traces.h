/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_POLL_TRACES_H
#define MQVMM_TESTS_POLL_TRACES_H

#include <stddef.h>
#include <stdint.h>

/* A turn, and how long it then took until there was work, microseconds. */
struct poll_pause {
	uint16_t busy_us;
	uint16_t pause_us;
};

/* Pauses of a shard under one kind of load. */
struct poll_trace {
	const char *name;
	const struct poll_pause *pause;
	size_t count;
};

enum poll_trace_name {
	POLL_TRACE_CRR1,
	POLL_TRACE_CRR8,
	POLL_TRACE_RR1,
	POLL_TRACE_RR8,
	POLL_TRACE_UP1,
	POLL_TRACE_DOWN1,
	POLL_TRACE_CRR_RATE,
	POLL_TRACE_MIXED,
	POLL_TRACES,
};

extern const struct poll_trace poll_traces[POLL_TRACES];

#endif
