/* SPDX-License-Identifier: BSD-3-Clause */
#include "schedule.h"

#define NS_PER_S 1e9

struct schedule schedule_make(double rate, unsigned int flows,
			      unsigned int index, uint64_t start_ns)
{
	if (rate <= 0)
		return (struct schedule) { .first_ns = start_ns };
	return (struct schedule) {
		.first_ns = start_ns + (uint64_t)(index * NS_PER_S / rate),
		.period_ns = flows * NS_PER_S / rate,
	};
}

uint64_t schedule_at(const struct schedule *schedule, uint64_t n)
{
	return schedule->first_ns + (uint64_t)((double)n * schedule->period_ns);
}

uint64_t schedule_count(const struct schedule *schedule, uint64_t end_ns)
{
	uint64_t count;

	if (end_ns <= schedule->first_ns)
		return 0;
	count = (uint64_t)((double)(end_ns - schedule->first_ns) /
			   schedule->period_ns);
	/* The quotient is rounded; the starts themselves decide. */
	while (count && schedule_at(schedule, count - 1) >= end_ns)
		count--;
	while (schedule_at(schedule, count) < end_ns)
		count++;
	return count;
}
