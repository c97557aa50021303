/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_SCHEDULE_H
#define MQVMM_LOAD_SCHEDULE_H

#include <stdint.h>

/**
 * struct schedule - When the operations of one flow are meant to start
 * @first_ns:	The first, CLOCK_MONOTONIC
 * @period_ns:	From one to the next; 0: closed loop, nothing is scheduled
 *
 * In an open loop the n-th start does not depend on how long the operations
 * before took, and latency counts from it: an operation that waits for a slow
 * one is as late as its user would find it (no coordinated omission).
 */
struct schedule {
	uint64_t first_ns;
	double period_ns;
};

/**
 * schedule_make() - Share a rate among flows, whose starts take turns
 * @rate:	Operations per second of all flows; 0: closed loop
 * @flows:	Flows
 * @index:	This flow, from 0
 * @start_ns:	When the first flow starts
 *
 * Return: the schedule
 */
struct schedule schedule_make(double rate, unsigned int flows,
			      unsigned int index, uint64_t start_ns);

/**
 * schedule_at() - When an operation is meant to start
 * @schedule:	Of an open loop
 * @n:		Operation, from 0
 *
 * Return: CLOCK_MONOTONIC nanoseconds
 */
uint64_t schedule_at(const struct schedule *schedule, uint64_t n);

/**
 * schedule_count() - How many operations are meant to start before a time
 * @schedule:	Of an open loop
 * @end_ns:	The time
 *
 * Return: their number
 */
uint64_t schedule_count(const struct schedule *schedule, uint64_t end_ns);

#endif
