/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_REGISTRY_H
#define MQVMM_SCHED_REGISTRY_H

#include "sched/placement.h"

/*
 * What the running guests of this user took of the host. Context of all: one
 * thread at a time; they use files.
 */
struct registry;

/**
 * registry_open() - Find the registry
 * @folder:	Where it is; NULL for mqvmm-cpus in $XDG_RUNTIME_DIR or
 *		/run/user/UID, or /tmp/mqvmm-UID. Made if it is missing
 *
 * Return: the registry for registry_close(); NULL with errno set: EPERM for a
 * folder that is not this user's, or open to others
 */
struct registry *registry_open(const char *folder);

/**
 * registry_lock() - Wait until others have made their plans, and keep them off
 *
 * Return: 0; -ETIMEDOUT after a second, since a plan takes milliseconds
 */
int registry_lock(struct registry *registry);
void registry_unlock(struct registry *registry);

/**
 * registry_read() - What others took, without this registry's own note
 *
 * Notes of processes that are gone are removed; what cannot be understood
 * counts as nothing.
 *
 * Context: locked.
 */
void registry_read(struct registry *registry, struct placement_taken *taken);

/**
 * registry_write() - Note what @plan takes, in place of what was noted
 *
 * The note ends with registry_close() or with the process, however that ends.
 *
 * Return: 0 or negative errno
 *
 * Context: locked.
 */
int registry_write(struct registry *registry, const struct placement *plan);

/* NULL is ignored. */
void registry_close(struct registry *registry);

#endif
