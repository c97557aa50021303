/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SCHED_FOLLOW_H
#define MQVMM_SCHED_FOLLOW_H

#include "sched/placement.h"

struct follow;
struct registry;

/**
 * struct follow_config - Whose threads follow the host's CPUs
 * @request:	What was asked for, for another plan
 * @plan:	The one in force; its CPUs are changed while threads may enter
 * @registry:	From placement_plan_host(), or NULL
 * @check_ms:	How long a change may go unnoticed
 * @moved:	Called when shards have other CPUs than before; may be NULL
 * @context:	Passed to @moved
 *
 * What it points to outlives the follower.
 */
struct follow_config {
	const struct placement_request *request;
	struct placement *plan;
	struct registry *registry;
	unsigned int check_ms;
	void (*moved)(void *context);
	void *context;
};

#define FOLLOW_CHECK_MS 2000

/**
 * follow_start() - Begin to follow
 * @config:	Copied
 * @out:	Set to the follower
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 *
 * Context: a thread with the affinity that the process was started with: its
 * new thread keeps that.
 */
int follow_start(const struct follow_config *config, struct follow **out,
		 struct fail *fail);

/**
 * follow_enter_shard() - placement_enter_shard(), and follow the thread
 * @shard:	Index; that of the vCPU for follow_enter_vcpu()
 *
 * Return: how long it may poll, microseconds
 *
 * Context: the thread itself, at its beginning.
 */
uint32_t follow_enter_shard(struct follow *follow, unsigned int shard);
void follow_enter_vcpu(struct follow *follow, unsigned int vcpu);

/* The vCPUs' threads have ended. Others may enter. */
void follow_forget_vcpus(struct follow *follow);

/* Context: sleeps until its thread has ended. NULL is ignored. */
void follow_stop(struct follow *follow);

#endif
