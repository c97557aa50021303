/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TOPOLOGY_COMMAND_H
#define MQVMM_TOPOLOGY_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "base/fail.h"
#include "kvm/machine.h"
#include "sched/placement.h"

enum topology_format {
	TOPOLOGY_TEXT,
	TOPOLOGY_JSON,
	TOPOLOGY_DOT,
};

/**
 * struct topology_config - What `mqvmm topology` shall draw
 * @from:	Folder that stands for the host's /, "" for this host
 * @format:	Of what is written
 * @guest:	There is a guest to place; otherwise the host alone is drawn
 * @machine:	Its CPUs and memory
 * @queues:	Its queue pairs, each with a shard
 * @place:	Which CPUs and nodes they are on
 */
struct topology_config {
	const char *from;
	enum topology_format format;
	bool guest;
	struct machine_config machine;
	unsigned int queues;
	struct placement_request place;
};

/**
 * topology_run() - Read the host, plan the guest, draw both
 * @fail:	What is wrong with the host
 *
 * Text keeps to the width of a terminal that @out is, 100 columns at most.
 *
 * Return: 0 or negative errno
 */
int topology_run(const struct topology_config *config, FILE *out,
		 struct fail *fail);

#endif
