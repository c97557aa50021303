/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sched/follow.h"
#include "sched/placement_host.h"

/*
 * A thread of this process is the shard that is followed. What the kernel does
 * to the affinity of a thread that loses its CPU is done here by hand; with a
 * cpuset, tests/net/follow.sh does it.
 */

#define CHECK_MS 5
#define WAIT_S   10

struct rig {
	struct placement_request request;
	struct placement plan;
	struct follow *follow;
	pthread_t thread;
	pid_t tid;
	sem_t entered;
	sem_t leave;
	unsigned int moves; /* atomic */
};

static void *shard_run(void *context)
{
	struct rig *rig = context;

	follow_enter_shard(rig->follow, 0);
	rig->tid = gettid();
	sem_post(&rig->entered);
	while (sem_wait(&rig->leave))
		;
	return NULL;
}

static void rig_moved(void *context)
{
	struct rig *rig = context;

	/* Pairs with the load in rig_wait_move(). */
	__atomic_fetch_add(&rig->moves, 1, __ATOMIC_RELEASE);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct follow_config config = { .check_ms = CHECK_MS,
					.moved = rig_moved };
	struct registry *registry;
	struct fail fail;

	assert_non_null(rig);
	placement_request_init(&rig->request);
	rig->request.registry = false;
	rig->request.shards = 1;
	rig->request.vcpus = 1;
	assert_int_equal(placement_plan_host(&rig->request, &rig->plan,
					     &registry, &fail),
			 0);
	config.request = &rig->request;
	config.plan = &rig->plan;
	config.context = rig;
	assert_int_equal(follow_start(&config, &rig->follow, &fail), 0);
	sem_init(&rig->entered, 0, 0);
	sem_init(&rig->leave, 0, 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, shard_run, rig), 0);
	assert_int_equal(sem_wait(&rig->entered), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	follow_stop(rig->follow);
	sem_post(&rig->leave);
	pthread_join(rig->thread, NULL);
	free(rig);
	return 0;
}

static unsigned int cpus_of(pid_t tid)
{
	cpu_set_t cpus;

	assert_int_equal(sched_getaffinity(tid, sizeof(cpus), &cpus), 0);
	return (unsigned int)CPU_COUNT(&cpus);
}

/* Return: false if the thread was not moved in time */
static bool rig_wait_move(struct rig *rig, unsigned int moves)
{
	time_t end = time(NULL) + WAIT_S;

	/* Pairs with the addition in rig_moved(). */
	while (__atomic_load_n(&rig->moves, __ATOMIC_ACQUIRE) < moves) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

static void lost_cpu_is_replaced(void **state)
{
	struct rig *rig = *state;
	cpu_set_t all;

	if (cpus_of(getpid()) < 2)
		skip();
	memset(&all, 0xff, sizeof(all));
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(sched_setaffinity(rig->tid, sizeof(all), &all),
				 0);
		assert_true(rig_wait_move(rig, i));
		assert_int_equal(cpus_of(rig->tid), 1);
	}
}

static void thread_put_elsewhere_stays_there(void **state)
{
	struct rig *rig = *state;
	cpu_set_t all, other;
	unsigned int cpu = 0;

	assert_int_equal(sched_getaffinity(getpid(), sizeof(all), &all), 0);
	if (CPU_COUNT(&all) < 2)
		skip();
	while (!CPU_ISSET(cpu, &all) || cpu == rig->plan.shard[0])
		cpu++;
	CPU_ZERO(&other);
	CPU_SET(cpu, &other);
	assert_int_equal(sched_setaffinity(rig->tid, sizeof(other), &other), 0);
	/* This thread, which loses its CPU, tells when there was a look. */
	follow_enter_vcpu(rig->follow, 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_true(rig_wait_move(rig, 1));
	assert_int_equal(sched_getaffinity(rig->tid, sizeof(all), &all), 0);
	assert_true(CPU_EQUAL(&all, &other));
}

static void ended_vcpus_are_not_followed(void **state)
{
	struct rig *rig = *state;
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	follow_enter_vcpu(rig->follow, 0); /* this thread */
	assert_int_equal(cpus_of(gettid()), 1);
	follow_forget_vcpus(rig->follow);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	if (cpus_of(gettid()) < 2)
		skip();
	assert_int_equal(sched_setaffinity(rig->tid, sizeof(all), &all), 0);
	assert_true(rig_wait_move(rig, 1));
	assert_true(cpus_of(gettid()) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lost_cpu_is_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			thread_put_elsewhere_stays_there, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_vcpus_are_not_followed,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
