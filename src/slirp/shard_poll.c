/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/resource.h>
#include <urcu/arch.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/shard_internal.h"
#include "slirp/tsan.h"

/*
 * Theory of operation
 *
 * A shard that has nothing to do may look for work for a while instead of
 * asking to be woken (sched/poll.h decides): at its port, which is not armed,
 * so that the guest need not kick; at its inbox; and at what the engine sees
 * without entering the kernel. With epoll each look is a system call. While it
 * looks it is RCU-offline, as in its sleep: it touches no flow.
 *
 * Limits: what a sleep would have been interrupted for (a timer, an interrupt
 * that was put off) waits for the spin's end, POLL_BUDGET_MAX_US at most.
 */

void shard_begin_polling(struct shard *shard)
{
	uint32_t budget_us = shard->slirp->config.poll_us;

	poll_init(&shard->poll, budget_us == SLIRP_POLL_AUTO
					? shard->place_poll_us
					: budget_us);
}

static bool shard_sees_work(struct shard *shard)
{
	struct port *port = shard->port;

	/* Orders nothing: the turn takes what is there with its own barriers.
	 */
	return (handoff_has_room(shard) && port->ops->has_work(port)) ||
	       !cds_wfcq_empty(&shard->inbox.head, &shard->inbox.tail) ||
	       engine_has_events(shard->engine);
}

static void shard_count_preemptions(struct shard *shard)
{
	struct rusage usage;

	if (!poll_wants_preemptions(&shard->poll, shard->now_us))
		return;
	getrusage(RUSAGE_THREAD, &usage);
	SHARD_COUNT(shard, syscalls, 1);
	poll_note_preemptions(&shard->poll, shard->now_us,
			      (uint64_t)usage.ru_nivcsw);
}

static bool shard_spin(struct shard *shard, uint64_t *now_us)
{
	bool found = false;

	tsan_release(&shard->slirp->grace);
	urcu_qsbr_thread_offline();
	while (!found && poll_again(&shard->poll, *now_us)) {
		caa_cpu_relax();
		found = shard_sees_work(shard);
		*now_us = shard_clock_us();
	}
	urcu_qsbr_thread_online();
	return found;
}

bool shard_poll(struct shard *shard)
{
	uint64_t began_us, now_us;
	bool found;

	if (!shard->poll.budget_us)
		return false;
	shard_count_preemptions(shard);
	began_us = shard_clock_us();
	now_us = began_us;
	if (!poll_begin(&shard->poll, began_us))
		return false;
	found = shard_spin(shard, &now_us);
	SHARD_COUNT(shard, polls, 1);
	SHARD_COUNT(shard, poll_us, now_us - began_us);
	SHARD_COUNT(shard, poll_won, found);
	return found;
}
