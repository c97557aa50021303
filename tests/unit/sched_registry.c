/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/registry.h"

struct rig {
	char root[64];
	char folder[96];
	struct placement_taken taken;
	struct placement plan;
};

static int make_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->root, "/tmp/mqvmm-test-XXXXXX");
	if (!mkdtemp(rig->root))
		return -1;
	snprintf(rig->folder, sizeof(rig->folder), "%s/cpus", rig->root);
	*state = rig;
	return 0;
}

static int remove_rig(void **state)
{
	struct rig *rig = *state;
	char command[128];
	int ret;

	snprintf(command, sizeof(command), "rm -r %s", rig->root);
	ret = system(command);
	free(rig);
	return ret;
}

/* A vCPU and a shard on CPU 3, a shard on 70, 5 GiB on node 2 */
static void plan_some(struct placement *plan)
{
	plan->pinned = true;
	plan->vcpus = 1;
	plan->shards = 2;
	plan->vcpu[0] = plan->shard[0] = 3;
	plan->shard[1] = 70;
	plan->cell_count = 1;
	plan->cell[0].bytes = 5ULL << 30;
	id_set_add(&plan->cell[0].nodes, 2);
}

static struct registry *enter(struct rig *rig)
{
	struct registry *registry = registry_open(rig->folder);

	assert_non_null(registry);
	assert_int_equal(registry_lock(registry), 0);
	registry_read(registry, &rig->taken);
	return registry;
}

static struct registry *note(struct rig *rig)
{
	struct registry *registry = enter(rig);

	plan_some(&rig->plan);
	assert_int_equal(registry_write(registry, &rig->plan), 0);
	registry_unlock(registry);
	return registry;
}

static void assert_nothing_is_taken(struct rig *rig)
{
	static const struct placement_taken nothing;

	registry_close(enter(rig));
	assert_memory_equal(&rig->taken, &nothing, sizeof(nothing));
}

static void others_see_what_is_taken_until_it_is_closed(void **state)
{
	struct rig *rig = *state;
	struct registry *first = note(rig), *second = note(rig);

	assert_int_equal(rig->taken.threads[3], 2);
	assert_int_equal(rig->taken.threads[70], 1);
	assert_int_equal(rig->taken.bytes[2], 5ULL << 30);
	registry_close(enter(rig));
	assert_int_equal(rig->taken.threads[3], 4);
	registry_close(first);
	registry_close(second);
	assert_nothing_is_taken(rig);
}

static void a_new_plan_replaces_the_old_and_does_not_see_it(void **state)
{
	struct rig *rig = *state;
	struct registry *registry = note(rig);

	assert_int_equal(registry_lock(registry), 0);
	registry_read(registry, &rig->taken);
	assert_int_equal(rig->taken.threads[3], 0);
	rig->plan.vcpu[0] = 5;
	rig->plan.shards = 0;
	assert_int_equal(registry_write(registry, &rig->plan), 0);
	registry_unlock(registry);
	registry_close(enter(rig));
	assert_int_equal(rig->taken.threads[5], 1);
	assert_int_equal(rig->taken.threads[3], 0);
	assert_int_equal(rig->taken.threads[70], 0);
	registry_close(registry);
}

/* Return: a process that has noted what it takes, and waits */
static pid_t start_guest(struct rig *rig)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		note(rig);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void what_killed_processes_took_is_free(void **state)
{
	struct rig *rig = *state;
	pid_t guest[3];
	char path[128];

	for (int i = 0; i < 3; i++)
		guest[i] = start_guest(rig);
	registry_close(enter(rig));
	assert_int_equal(rig->taken.threads[3], 6);
	for (int i = 0; i < 3; i++) {
		kill(guest[i], SIGKILL);
		waitpid(guest[i], NULL, 0);
		registry_close(enter(rig));
		assert_int_equal(rig->taken.threads[3], 4 - 2 * i);
	}
	snprintf(path, sizeof(path), "%s/guest0", rig->folder);
	assert_int_equal(access(path, F_OK), -1);
}

static void who_is_killed_with_the_lock_held_stops_nobody(void **state)
{
	struct rig *rig = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		enter(rig);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_nothing_is_taken(rig);
}

static void a_lock_that_is_never_given_back_ends_in_an_error(void **state)
{
	struct rig *rig = *state;
	struct registry *holder = enter(rig), *other;

	other = registry_open(rig->folder);
	assert_int_equal(registry_lock(other), -ETIMEDOUT);
	registry_close(other);
	registry_close(holder);
}

static const char *const nonsense[] = {
	"",
	"cpu",
	"cpu 4096 1\ncpu 99999999999999999999 1\nnode 4096 1\n",
	"cpu -1 1\ncpu 1 -1\ncpu 1 5000\n",
	"node 1 99999999999999999999999999999",
	"cpus 3 1\n\n\n\ncp",
	"\xff\xfe\n cpuu 1 1\nnode x 1\n",
};

/* Of a process that runs: its lock is held here. */
static void nonsense_counts_as_nothing(void **state)
{
	struct rig *rig = *state;
	char path[128];
	int fd;

	registry_close(enter(rig));
	snprintf(path, sizeof(path), "%s/guest0", rig->folder);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		size_t size = strlen(nonsense[i]);

		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(flock(fd, LOCK_EX), 0);
		assert_int_equal(write(fd, nonsense[i], size), size);
		registry_close(enter(rig));
		for (unsigned int cpu = 0; cpu < TOPOLOGY_CPUS_MAX; cpu++)
			assert_int_equal(rig->taken.threads[cpu], 0);
		close(fd);
	}
}

static void sums_do_not_wrap(void **state)
{
	struct rig *rig = *state;
	char path[128];
	FILE *file;

	registry_close(enter(rig));
	snprintf(path, sizeof(path), "%s/guest0", rig->folder);
	file = fopen(path, "w");
	assert_int_equal(flock(fileno(file), LOCK_EX), 0);
	for (int i = 0; i < 100; i++)
		fputs("cpu 3 4096\n", file);
	fflush(file);
	registry_close(enter(rig));
	assert_true(rig->taken.threads[3] >= 4096);
	fclose(file);
}

static void things_that_are_no_notes_are_left_alone(void **state)
{
	struct rig *rig = *state;
	char path[128];

	registry_close(enter(rig));
	snprintf(path, sizeof(path), "%s/guest0", rig->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/guest1", rig->folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/guest2", rig->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	registry_close(note(rig));
	assert_nothing_is_taken(rig);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void a_folder_of_others_is_not_used(void **state)
{
	struct rig *rig = *state;
	char target[128];

	assert_int_equal(mkdir(rig->folder, 0700), 0);
	assert_int_equal(chmod(rig->folder, 0770), 0);
	assert_null(registry_open(rig->folder));
	assert_int_equal(errno, EPERM);
	assert_int_equal(rmdir(rig->folder), 0);
	snprintf(target, sizeof(target), "%s/target", rig->root);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, rig->folder), 0);
	assert_null(registry_open(rig->folder));
}

#define RIG_TEST(test) \
	cmocka_unit_test_setup_teardown(test, make_rig, remove_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(others_see_what_is_taken_until_it_is_closed),
		RIG_TEST(a_new_plan_replaces_the_old_and_does_not_see_it),
		RIG_TEST(what_killed_processes_took_is_free),
		RIG_TEST(who_is_killed_with_the_lock_held_stops_nobody),
		RIG_TEST(a_lock_that_is_never_given_back_ends_in_an_error),
		RIG_TEST(nonsense_counts_as_nothing),
		RIG_TEST(sums_do_not_wrap),
		RIG_TEST(things_that_are_no_notes_are_left_alone),
		RIG_TEST(a_folder_of_others_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
