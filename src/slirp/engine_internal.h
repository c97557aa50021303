/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_ENGINE_INTERNAL_H
#define MQVMM_SLIRP_ENGINE_INTERNAL_H

#include "slirp/engine.h"

/* Changes of what is watched that one wait applies together. */
#define ENGINE_CHANGES_MAX 512

enum engine_change_kind {
	ENGINE_WATCH,
	ENGINE_REWATCH,
	ENGINE_FORGET,
	ENGINE_CLOSE,
};

struct engine_change {
	enum engine_change_kind kind;
	int fd;
	unsigned int ready;
	uint64_t token;
};

/**
 * struct engine_backend - One way to reach the kernel
 * @apply:	Carry out changes, in order
 * @run, @wait, @has_events, @destroy: As the functions of engine.h
 */
struct engine_backend {
	const char *name;
	void (*apply)(struct engine *engine, const struct engine_change *change,
		      unsigned int count);
	void (*run)(struct engine *engine, struct engine_op *const *op,
		    unsigned int count);
	unsigned int (*wait)(struct engine *engine, struct engine_event *event,
			     unsigned int max, int64_t timeout_us);
	bool (*has_events)(struct engine *engine);
	void (*destroy)(struct engine *engine);
};

/* Embedded as first member of an implementation. */
struct engine {
	const struct engine_backend *backend;
	uint64_t syscalls;
	unsigned int change_count;
	struct engine_change change[ENGINE_CHANGES_MAX];
};

int engine_epoll_create(struct engine **out, struct fail *fail);
int engine_uring_create(struct engine **out, struct fail *fail);

/* Run one operation by a plain system call, with its result set. */
void engine_run_plain(struct engine_op *op);

/* Prepare what both backends hand to the kernel: message header and flags. */
void engine_prepare(struct engine_op *op);

#endif
