/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/follow.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "sched/placement_host.h"

/*
 * Theory of operation
 *
 * When a thread's CPU goes offline or leaves its cpuset, the kernel gives it
 * all CPUs that are left (cpuset(7), "Membership in a cpuset"): everything runs
 * on, but no longer as planned. Nothing tells of that but the thread's
 * affinity. So a thread of ours compares it every few seconds, one system call
 * for each thread that is pinned, and makes another plan when one has lost its
 * CPU. A thread that somebody has put elsewhere by hand has fewer than all
 * CPUs, and is followed no more.
 *
 * Limits: CPUs that are added are used when one is lost. Memory stays where it
 * is, and so do the guest's cells.
 *
 * Threads enter at their beginning, vCPUs again after each reboot of the guest;
 * the lock is for that, and nobody else takes it.
 */

struct follow {
	struct follow_config config;
	pthread_mutex_t lock;
	pid_t vcpu[PLACEMENT_THREADS_MAX];
	pid_t shard[PLACEMENT_THREADS_MAX]; /* 0: none, or not followed */
	int stop_fd;
	bool running;
	pthread_t thread;
};

/* The kernel's masks are words of bits, too. */
static bool get_affinity(pid_t thread, struct id_set *cpus)
{
	*cpus = (struct id_set) { 0 };
	return !sched_getaffinity(thread, sizeof(*cpus), (cpu_set_t *)cpus);
}

/* Return: true if it is not where the plan has it */
static bool has_strayed(pid_t thread, unsigned int cpu)
{
	struct id_set planned = { 0 }, cpus;

	id_set_add(&planned, cpu);
	return thread && get_affinity(thread, &cpus) &&
	       memcmp(&planned, &cpus, sizeof(cpus)) != 0;
}

static bool any_strayed(const pid_t *thread, const unsigned int *cpu,
			unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (has_strayed(thread[i], cpu[i]))
			return true;
	return false;
}

/* Has the kernel given it all CPUs that there are for us? */
static bool has_all(pid_t thread, const struct topology *topology)
{
	struct id_set cpus;

	if (!get_affinity(thread, &cpus))
		return false;
	for (unsigned int i = 0; i < topology->usable_count; i++)
		if (!id_set_has(&cpus, topology->cpu[i].id))
			return false;
	return true;
}

/* Return: how many have lost their CPU; those put elsewhere are forgotten */
static unsigned int count_lost(pid_t *thread, const unsigned int *cpu,
			       unsigned int count,
			       const struct topology *topology)
{
	unsigned int lost = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!has_strayed(thread[i], cpu[i]))
			continue;
		if (has_all(thread[i], topology))
			lost++;
		else
			thread[i] = 0;
	}
	return lost;
}

static void pin_all(const pid_t *thread, const unsigned int *cpu,
		    unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct id_set cpus = { 0 };

		id_set_add(&cpus, cpu[i]);
		if (has_strayed(thread[i], cpu[i]))
			(void)sched_setaffinity(thread[i], sizeof(cpus),
						(const cpu_set_t *)&cpus);
	}
}

/* Nothing but CPUs: memory and cells stay as they are. */
static void take_cpus(struct placement *plan, const struct placement *next)
{
	memcpy(plan->vcpu, next->vcpu, sizeof(plan->vcpu));
	memcpy(plan->shard, next->shard, sizeof(plan->shard));
	memcpy(plan->poll_us, next->poll_us, sizeof(plan->poll_us));
	plan->helpers = next->helpers;
}

/* Return: false if there is no other plan: the threads are the kernel's then */
static bool follow_plan(struct follow *follow, const struct topology *topology)
{
	struct follow_config *config = &follow->config;
	struct placement *plan = config->plan;
	struct placement *next = calloc(1, sizeof(*next));
	struct fail fail = { .text = "no memory to plan in" };
	int ret = -ENOMEM;

	if (next)
		ret = placement_plan_again(topology, config->request, next,
					   config->registry, &fail);
	if (!next || ret) {
		log_line("threads are left to the scheduler: %s", fail.text);
	} else {
		take_cpus(plan, next);
		pin_all(follow->vcpu, plan->vcpu, plan->vcpus);
		pin_all(follow->shard, plan->shard, plan->shards);
		if (config->moved)
			config->moved(config->context);
	}
	free(next);
	return !ret;
}

/* Return: false if there is nothing to follow any more */
static bool follow_look(struct follow *follow)
{
	const struct placement *plan = follow->config.plan;
	struct topology *topology;
	struct fail fail;
	unsigned int lost;
	bool goes_on = true;

	if (!any_strayed(follow->vcpu, plan->vcpu, plan->vcpus) &&
	    !any_strayed(follow->shard, plan->shard, plan->shards))
		return true;
	if (topology_read("", &topology, &fail))
		return true;
	lost = count_lost(follow->vcpu, plan->vcpu, plan->vcpus, topology) +
	       count_lost(follow->shard, plan->shard, plan->shards, topology);
	if (lost) {
		log_line("the CPUs of this process have changed: of the "
			 "threads %u are placed anew",
			 lost);
		goes_on = follow_plan(follow, topology);
	}
	topology_free(topology);
	return goes_on;
}

static void *follow_run(void *context)
{
	struct follow *follow = context;
	struct pollfd stop = { .fd = follow->stop_fd, .events = POLLIN };
	bool goes_on = true;

	pthread_setname_np(pthread_self(), "follow");
	while (goes_on && !poll(&stop, 1, (int)follow->config.check_ms)) {
		pthread_mutex_lock(&follow->lock);
		goes_on = follow_look(follow);
		pthread_mutex_unlock(&follow->lock);
	}
	return NULL;
}

static int follow_start_thread(struct follow *follow, struct fail *fail)
{
	sigset_t all, mask;
	int ret;

	follow->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (follow->stop_fd < 0)
		return fail_set(fail, -errno,
				"no descriptor is left: raise "
				"the limit with ulimit -n");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	ret = pthread_create(&follow->thread, NULL, follow_run, follow);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (ret)
		return fail_set(fail, -ret,
				"cannot start a thread (%s): raise the limit "
				"with ulimit -u",
				strerror(ret));
	follow->running = true;
	return 0;
}

int follow_start(const struct follow_config *config, struct follow **out,
		 struct fail *fail)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	int ret = 0;

	if (!follow)
		return fail_set(fail, -ENOMEM, "no memory for threads");
	follow->config = *config;
	follow->stop_fd = -1;
	pthread_mutex_init(&follow->lock, NULL);
	if (config->plan->pinned)
		ret = follow_start_thread(follow, fail);
	if (ret)
		follow_stop(follow);
	else
		*out = follow;
	return ret;
}

uint32_t follow_enter_shard(struct follow *follow, unsigned int shard)
{
	uint32_t poll_us;

	pthread_mutex_lock(&follow->lock);
	placement_enter_shard(follow->config.plan, shard);
	follow->shard[shard] = gettid();
	poll_us = follow->config.plan->poll_us[shard];
	pthread_mutex_unlock(&follow->lock);
	return poll_us;
}

void follow_enter_vcpu(struct follow *follow, unsigned int vcpu)
{
	pthread_mutex_lock(&follow->lock);
	placement_enter_vcpu(follow->config.plan, vcpu);
	follow->vcpu[vcpu] = gettid();
	pthread_mutex_unlock(&follow->lock);
}

void follow_forget_vcpus(struct follow *follow)
{
	pthread_mutex_lock(&follow->lock);
	memset(follow->vcpu, 0, sizeof(follow->vcpu));
	pthread_mutex_unlock(&follow->lock);
}

void follow_stop(struct follow *follow)
{
	if (!follow)
		return;
	if (follow->running) {
		eventfd_write(follow->stop_fd, 1);
		pthread_join(follow->thread, NULL);
	}
	if (follow->stop_fd >= 0)
		close(follow->stop_fd);
	pthread_mutex_destroy(&follow->lock);
	free(follow);
}
