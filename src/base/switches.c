/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/switches.h"

#include <inttypes.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

void switches_begin(struct switches *switches)
{
	/* Pairs with the acquire in switches_print(). */
	__atomic_store_n(&switches->tid, gettid(), __ATOMIC_RELEASE);
}

void switches_end(struct switches *switches)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	/* Whole numbers, ordered by nothing: who prints may see one of two. */
	__atomic_fetch_add(&switches->voluntary, (uint64_t)usage.ru_nvcsw,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&switches->involuntary, (uint64_t)usage.ru_nivcsw,
			   __ATOMIC_RELAXED);
	/* Pairs with the acquire in switches_print(). */
	__atomic_store_n(&switches->tid, 0, __ATOMIC_RELEASE);
}

/* Return: whether both lines were there (proc(5), /proc/PID/status) */
static bool switches_read(pid_t tid, uint64_t *voluntary, uint64_t *involuntary)
{
	char line[256];
	int found = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/task/%d/status", (int)tid);
	file = fopen(line, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		found += sscanf(line, "voluntary_ctxt_switches: %" SCNu64,
				voluntary) == 1;
		found += sscanf(line, "nonvoluntary_ctxt_switches: %" SCNu64,
				involuntary) == 1;
	}
	fclose(file);
	return found == 2;
}

void switches_print(const struct switches *switches, FILE *out)
{
	/* Pairs with the releases above. */
	pid_t tid = __atomic_load_n(&switches->tid, __ATOMIC_ACQUIRE);
	uint64_t voluntary = 0, involuntary = 0;

	if (tid && !switches_read(tid, &voluntary, &involuntary))
		return;
	voluntary += __atomic_load_n(&switches->voluntary, __ATOMIC_RELAXED);
	involuntary +=
		__atomic_load_n(&switches->involuntary, __ATOMIC_RELAXED);
	fprintf(out,
		",\"voluntary_switches\":%" PRIu64
		",\"involuntary_switches\":%" PRIu64,
		voluntary, involuntary);
}
