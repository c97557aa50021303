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
	switches->voluntary = (uint64_t)usage.ru_nvcsw;
	switches->involuntary = (uint64_t)usage.ru_nivcsw;
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
	uint64_t voluntary, involuntary;

	if (!tid) {
		voluntary = switches->voluntary;
		involuntary = switches->involuntary;
	} else if (!switches_read(tid, &voluntary, &involuntary)) {
		return;
	}
	fprintf(out,
		",\"voluntary_switches\":%" PRIu64
		",\"involuntary_switches\":%" PRIu64,
		voluntary, involuntary);
}
