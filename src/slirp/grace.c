/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/shard_internal.h"
#include "slirp/tsan.h"

/*
 * Theory of operation
 *
 * Freed flows may be used again only after a grace period: when every shard has
 * passed a quiescent state since. call_rcu() would wake its worker thread
 * for each flow; here one thread makes a grace period for all that was freed
 * in the last GRACE_PERIOD_MS, and sleeps while nothing is.
 *
 * The same thread takes over other resolvers when the host has them.
 *
 * A shard tags what it removes with grace_tag(): the number of the next period
 * to start. Removed things may be used again when that one has completed.
 */

#define GRACE_PERIOD_MS                                       \
	20 /* shortest time from one grace period to the next \
	    */

uint64_t grace_tag(struct slirp *slirp)
{
	/* Pairs with the store in grace_make(): a period that is not seen to
	 * have started yet starts after the removal. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&slirp->grace.started, __ATOMIC_RELAXED) + 1;
}

bool grace_passed(const struct slirp *slirp, uint64_t tag)
{
	/* Pairs with the release in grace_make(). */
	return __atomic_load_n(&slirp->grace.completed, __ATOMIC_ACQUIRE) >=
	       tag;
}

void grace_want(struct slirp *slirp)
{
	uint64_t one = 1;

	/* Pairs with the exchange in grace_serve(): one write per period. A
	 * shard that has flows in limbo asks in each turn: so it looks first.
	 */
	if (__atomic_load_n(&slirp->grace.wanted, __ATOMIC_ACQUIRE) ||
	    __atomic_exchange_n(&slirp->grace.wanted, 1, __ATOMIC_ACQ_REL))
		return;
	if (write(slirp->grace.wake_fd, &one, sizeof(one)) < 0)
		__atomic_store_n(&slirp->grace.wanted, 0, __ATOMIC_RELEASE);
}

static void grace_make(struct grace *grace)
{
	uint64_t number = grace->started + 1;

	__atomic_store_n(&grace->started, number, __ATOMIC_SEQ_CST);
	urcu_qsbr_synchronize_rcu();
	tsan_acquire(grace);
	__atomic_store_n(&grace->completed, number, __ATOMIC_RELEASE);
}

static void grace_serve(struct grace *grace)
{
	__atomic_exchange_n(&grace->wanted, 0, __ATOMIC_ACQ_REL);
	grace_make(grace);
}

static bool grace_stopped(const struct slirp *slirp)
{
	/* Pairs with the store in grace_stop(). */
	return __atomic_load_n(&slirp->grace.stop, __ATOMIC_ACQUIRE);
}

static void *grace_run(void *context)
{
	struct slirp *slirp = context;
	const struct timespec pause = { .tv_nsec = GRACE_PERIOD_MS * 1000000L };
	struct pollfd ready[] = {
		{ .fd = slirp->grace.wake_fd, .events = POLLIN },
		{ .fd = settings_follow(slirp, -1), .events = POLLIN },
	};
	uint64_t count;

	pthread_setname_np(pthread_self(), "grace");
	/* Its wake-up may have been taken for a wish that came before it. */
	while (!grace_stopped(slirp)) {
		if (poll(ready, 2, -1) < 0) /* by a signal */
			continue;
		if (grace_stopped(slirp))
			break;
		/* Before the pause: what is written in it, perhaps by
		 * grace_stop(), is for the next round. */
		if (ready[0].revents &&
		    read(slirp->grace.wake_fd, &count, sizeof(count)) < 0)
			continue;
		/* Whoever writes resolv.conf may finish meanwhile, too. */
		nanosleep(&pause, NULL);
		if (ready[0].revents)
			grace_serve(&slirp->grace);
		if (ready[1].revents)
			ready[1].fd = settings_follow(slirp, ready[1].fd);
	}
	if (ready[1].fd >= 0)
		close(ready[1].fd);
	return NULL;
}

int grace_start(struct slirp *slirp, struct fail *fail)
{
	struct grace *grace = &slirp->grace;
	int ret;

	grace->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (grace->wake_fd < 0)
		return fail_set(fail, -errno,
				"cannot create an eventfd (%s): raise the "
				"limit with ulimit -n",
				strerror(errno));
	ret = pthread_create(&grace->thread, NULL, grace_run, slirp);
	if (ret) {
		close(grace->wake_fd);
		return fail_set(fail, -ret,
				"cannot start a thread (%s): raise the limit "
				"with ulimit -u",
				strerror(ret));
	}
	grace->running = true;
	return 0;
}

void grace_stop(struct slirp *slirp)
{
	struct grace *grace = &slirp->grace;
	uint64_t one = 1;

	if (!grace->running)
		return;
	__atomic_store_n(&grace->stop, true, __ATOMIC_RELEASE);
	if (write(grace->wake_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(grace->thread, NULL);
	close(grace->wake_fd);
	grace->running = false;
}
