/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A folder of this user alone, with a file `lock` and a file `guestN` for each
 * running mqvmm, of lines "cpu NUMBER THREADS" and "node NUMBER BYTES".
 *
 * Who runs holds a lock on his file (flock(2)), which the kernel takes away
 * when he ends, in whatever way: a file that can be locked is of nobody, and
 * removed. Numbers of processes would say less: they are used again, and other
 * PID namespaces count on their own. `lock` is held from reading what others
 * took to noting what is taken, so two who start at once do not choose the
 * same.
 */

#define NOTE_SIZE     65536 /* bytes: 2048 lines of "cpu 4095 2048" fit */
#define NOTES_MAX     4096
#define THREADS_MAX   4096 /* of one line; sums stay below UINT16_MAX */
#define LOCK_TRIES    100
#define LOCK_RETRY_NS 10000000

struct registry {
	int folder;
	int lock;
	int note; /* -1: nothing noted */
	unsigned int number;
	char text[NOTE_SIZE + 1];
};

static void find_folder(char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	unsigned int user = (unsigned int)geteuid();

	if (runtime && *runtime == '/') {
		snprintf(path, size, "%s/mqvmm-cpus", runtime);
		return;
	}
	snprintf(path, size, "/run/user/%u", user);
	if (access(path, W_OK | X_OK) == 0)
		snprintf(path, size, "/run/user/%u/mqvmm-cpus", user);
	else
		snprintf(path, size, "/tmp/mqvmm-%u", user);
}

/* In /tmp anybody may have made it: a link, or a folder that he can write to.
 */
static int open_folder(const char *path)
{
	struct stat stat;
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &stat) && stat.st_uid == geteuid() &&
	    !(stat.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

struct registry *registry_open(const char *folder)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	char path[PATH_MAX];

	if (!registry)
		return NULL;
	if (!folder)
		find_folder(path, sizeof(path));
	registry->note = -1;
	registry->lock = -1;
	registry->folder = open_folder(folder ? folder : path);
	if (registry->folder >= 0)
		registry->lock = openat(registry->folder, "lock",
					O_RDWR | O_CREAT | O_NOFOLLOW |
						O_NONBLOCK | O_CLOEXEC,
					0600);
	if (registry->lock >= 0)
		return registry;
	registry_close(registry);
	return NULL;
}

int registry_lock(struct registry *registry)
{
	const struct timespec retry = { .tv_nsec = LOCK_RETRY_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(registry->lock, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&retry, NULL);
	}
	return -ETIMEDOUT;
}

void registry_unlock(struct registry *registry)
{
	flock(registry->lock, LOCK_UN);
}

/* Reading */

static void take_line(const char *line, struct placement_taken *taken)
{
	unsigned long long id, count;

	/* Of more digits than 18 sscanf() would make anything. */
	if (sscanf(line, "cpu %18llu %18llu", &id, &count) == 2 &&
	    id < TOPOLOGY_CPUS_MAX && count <= THREADS_MAX) {
		count += taken->threads[id];
		taken->threads[id] =
			count < THREADS_MAX ? (uint16_t)count : THREADS_MAX;
	} else if (sscanf(line, "node %18llu %18llu", &id, &count) == 2 &&
		   id < ID_SET_MAX && taken->bytes[id] < UINT64_MAX / 4) {
		taken->bytes[id] += count;
	}
}

static void take_note(struct registry *registry, int fd,
		      struct placement_taken *taken)
{
	ssize_t size = pread(fd, registry->text, NOTE_SIZE, 0);
	char *rest = registry->text, *line;

	if (size <= 0)
		return;
	registry->text[size] = '\0';
	while ((line = strsep(&rest, "\n")))
		take_line(line, taken);
}

static void look_at(struct registry *registry, const char *name,
		    struct placement_taken *taken)
{
	struct stat stat;
	int fd = openat(registry->folder, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!fstat(fd, &stat) && S_ISREG(stat.st_mode)) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			unlinkat(registry->folder, name, 0);
		else if (errno == EWOULDBLOCK)
			take_note(registry, fd, taken);
	}
	close(fd);
}

static void name_note(unsigned int number, char *name, size_t size)
{
	snprintf(name, size, "guest%u", number);
}

void registry_read(struct registry *registry, struct placement_taken *taken)
{
	DIR *folder = fdopendir(dup(registry->folder));
	const struct dirent *entry;
	char own[32] = "";

	memset(taken, 0, sizeof(*taken));
	if (registry->note >= 0)
		name_note(registry->number, own, sizeof(own));
	if (!folder)
		return;
	rewinddir(folder);
	while ((entry = readdir(folder)))
		if (strncmp(entry->d_name, "guest", 5) == 0 &&
		    strcmp(entry->d_name, own) != 0)
			look_at(registry, entry->d_name, taken);
	closedir(folder);
}

/* Writing */

static int create_note(struct registry *registry)
{
	char name[32];
	int fd = -1;

	for (unsigned int i = 0; fd < 0 && i < NOTES_MAX; i++) {
		name_note(i, name, sizeof(name));
		registry->number = i;
		fd = openat(registry->folder, name,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return -errno;
	}
	if (fd < 0)
		return -EEXIST;
	registry->note = fd;
	return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static void count_plan(const struct placement *plan,
		       struct placement_taken *taken)
{
	for (unsigned int i = 0; i < plan->vcpus; i++)
		taken->threads[plan->vcpu[i]]++;
	for (unsigned int i = 0; i < plan->shards; i++)
		taken->threads[plan->shard[i]]++;
	for (unsigned int c = 0; c < plan->cell_count; c++) {
		const struct placement_cell *cell = &plan->cell[c];
		unsigned int nodes = 0;

		for (unsigned int i = 0; i < ID_SET_MAX; i++)
			nodes += id_set_has(&cell->nodes, i);
		for (unsigned int i = 0; i < ID_SET_MAX; i++)
			if (id_set_has(&cell->nodes, i))
				taken->bytes[i] += cell->bytes / nodes;
	}
}

static int print_note(int fd, const struct placement_taken *taken)
{
	FILE *out;
	int copy = dup(fd), ret;

	out = copy < 0 ? NULL : fdopen(copy, "w");
	if (!out) {
		ret = -errno;
		if (copy >= 0)
			close(copy);
		return ret;
	}
	for (unsigned int i = 0; i < TOPOLOGY_CPUS_MAX; i++)
		if (taken->threads[i])
			fprintf(out, "cpu %u %u\n", i, taken->threads[i]);
	for (unsigned int i = 0; i < ID_SET_MAX; i++)
		if (taken->bytes[i])
			fprintf(out, "node %u %llu\n", i,
				(unsigned long long)taken->bytes[i]);
	return fclose(out) ? -errno : 0;
}

int registry_write(struct registry *registry, const struct placement *plan)
{
	struct placement_taken *taken = calloc(1, sizeof(*taken));
	int ret = taken ? 0 : -ENOMEM;

	if (!ret && registry->note < 0)
		ret = create_note(registry);
	if (!ret && (ftruncate(registry->note, 0) ||
		     lseek(registry->note, 0, SEEK_SET) < 0))
		ret = -errno;
	if (!ret) {
		count_plan(plan, taken);
		ret = print_note(registry->note, taken);
	}
	free(taken);
	return ret;
}

void registry_close(struct registry *registry)
{
	char name[32];

	if (!registry)
		return;
	if (registry->note >= 0) {
		name_note(registry->number, name, sizeof(name));
		unlinkat(registry->folder, name, 0);
		close(registry->note);
	}
	if (registry->lock >= 0)
		close(registry->lock);
	if (registry->folder >= 0)
		close(registry->folder);
	free(registry);
}
