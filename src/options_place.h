/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_OPTIONS_PLACE_H
#define MQVMM_OPTIONS_PLACE_H

#include "base/fail.h"
#include "sched/placement.h"

/*
 * Values of --place and --numa. Context: pure.
 */

/**
 * options_place() - Parse the value of --place
 * @text:	Comma-separated: a policy, and which CPUs threads are on
 * @place:	Changed by what @text says
 *
 * Return: 0 or -EINVAL
 */
int options_place(const char *text, struct placement_request *place,
		  struct fail *fail);

/**
 * options_numa() - Parse the value of one --numa
 * @text:	As "cell=0,cpus=0-3+8-11,memory=4G,host-nodes=0+1"
 * @place:	Gets one cell more
 *
 * Return: 0 or -EINVAL
 */
int options_numa(const char *text, struct placement_request *place,
		 struct fail *fail);

#endif
