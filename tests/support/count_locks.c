/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To be preloaded: counts the locks that threads take whose name begins with
 * COUNT_LOCKS_OF, in the eight bytes of the file that COUNT_LOCKS names. Calls
 * of the program's and of its libraries' (liburcu's too) pass here, taken at
 * once or waited for; locks inside of glibc do not.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static uint64_t *counter;
static const char *threads;

__attribute__((constructor)) static void open_counter(void)
{
	const char *path = getenv("COUNT_LOCKS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	threads = getenv("COUNT_LOCKS_OF");
	if (fd < 0 || !threads)
		return;
	map = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		counter = map;
}

static void count(void)
{
	char name[16] = "";

	if (!counter)
		return;
	prctl(PR_GET_NAME, name);
	if (strncmp(name, threads, strlen(threads)) == 0)
		__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* Define @name as what counts, and then does what it does. */
#define COUNTED(name, declaration, arguments)                               \
	__attribute__((visibility("default"))) int name declaration         \
	{                                                                   \
		static int(*next) declaration;                              \
                                                                            \
		if (!next)                                                  \
			next = (int(*) declaration)dlsym(RTLD_NEXT, #name); \
		count();                                                    \
		return next arguments;                                      \
	}

COUNTED(pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
COUNTED(pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
COUNTED(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
COUNTED(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
COUNTED(pthread_cond_wait, (pthread_cond_t * cond, pthread_mutex_t *lock),
	(cond, lock))
COUNTED(sem_wait, (sem_t * semaphore), (semaphore))
