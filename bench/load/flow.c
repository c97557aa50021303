/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <time.h>

uint64_t flow_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool flow_next(const struct flow *flow, uint64_t now_ns, uint64_t *due_ns)
{
	uint64_t limit = flow->mode->stream ? 1 : flow->budget;

	*due_ns = now_ns;
	if (flow->schedule.period_ns > 0)
		*due_ns = schedule_at(&flow->schedule, flow->begun);
	return flow->begun < limit && now_ns < flow->deadline_ns &&
	       *due_ns < flow->deadline_ns;
}

void flow_begin(struct flow *flow, uint64_t due_ns, uint64_t now_ns)
{
	flow->begun++;
	flow->state = FLOW_START;
	flow->offset = 0;
	flow->intended_ns = due_ns;
	if (flow->schedule.period_ns > 0)
		histogram_record(flow->lateness_ns,
				 now_ns > due_ns ? now_ns - due_ns : 0);
}

void flow_end(struct flow *flow, int rc, uint64_t now_ns)
{
	flow->ended_ns = now_ns;
	if (rc) {
		enum load_error kind = load_error_of(rc);

		flow->errors[kind]++;
		if (kind == LOAD_TIMEOUT && flow->mode->lossy)
			flow->lost++;
		flow_close(flow);
	} else if (!flow->mode->receive) {
		flow->done++;
		histogram_record(flow->latency_ns, now_ns - flow->intended_ns);
	}
}

uint64_t flow_missed(const struct flow *flow)
{
	uint64_t due;

	if (flow->schedule.period_ns <= 0 || flow->deadline_ns == UINT64_MAX)
		return 0;
	due = schedule_count(&flow->schedule, flow->deadline_ns);
	if (due > flow->budget)
		due = flow->budget;
	return due > flow->begun ? due - flow->begun : 0;
}
