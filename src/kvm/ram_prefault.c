/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm/ram.h"
#include "kvm/ram_internal.h"

/*
 * Theory of operation
 *
 * A page is zeroed by the CPU that touches it first, at some 10 GiB/s at best
 * and less from another node. So each cell is cut into slices, one for each of
 * its vCPUs, and a thread on that vCPU's CPU touches its slice. Where pages
 * come from is the mapping's policy (ram_bind()), not the thread's place.
 */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define SLICES_MAX (PLACEMENT_THREADS_MAX + PLACEMENT_CELLS_MAX)

struct slice {
	const struct placement *placement;
	unsigned int cell;
	unsigned int vcpu; /* whose CPU touches it, if there is one */
	uint8_t *host;
	uint64_t bytes;
	pthread_t thread;
	int error;
};

static void *touch(void *argument)
{
	struct slice *slice = argument;

	if (slice->placement && slice->vcpu < slice->placement->vcpus)
		placement_enter_vcpu(slice->placement, slice->vcpu);
	pthread_setname_np(pthread_self(), "prefault");
	if (madvise(slice->host, slice->bytes, MADV_POPULATE_WRITE))
		slice->error = errno;
	return NULL;
}

/* The first vCPU from @vcpu on that is in @cell, placement->vcpus if none. */
static unsigned int next_vcpu(const struct placement *placement,
			      unsigned int cell, unsigned int vcpu)
{
	while (vcpu < placement->vcpus && placement->vcpu_cell[vcpu] != cell)
		vcpu++;
	return vcpu;
}

static unsigned int count_vcpus(const struct placement *placement,
				unsigned int cell)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < placement->vcpus; i++)
		count += placement->vcpu_cell[i] == cell;
	return count;
}

/* Bytes of a slice: a GiB at least, which is some 100 ms. */
static uint64_t slice_bytes(const struct placement *placement,
			    unsigned int cell)
{
	unsigned int vcpus = count_vcpus(placement, cell);
	uint64_t share = placement->cell[cell].bytes / (vcpus ? vcpus : 1);

	if (!vcpus)
		return placement->cell[cell].bytes;
	return (share + RAM_GIB) / RAM_GIB * RAM_GIB;
}

static unsigned int cut_cell(const struct placement *placement,
			     unsigned int cell, uint8_t *base,
			     struct slice *slice)
{
	uint64_t left = placement->cell[cell].bytes;
	uint64_t most = slice_bytes(placement, cell);
	uint8_t *host = base + placement->cell[cell].start;
	unsigned int vcpu = next_vcpu(placement, cell, 0), count = 0;

	for (; left; count++) {
		uint64_t bytes = left < most ? left : most;

		slice[count] = (struct slice) {
			.placement = placement,
			.cell = cell,
			.vcpu = vcpu,
			.host = host,
			.bytes = bytes,
		};
		host += bytes;
		left -= bytes;
		vcpu = next_vcpu(placement, cell, vcpu + 1);
	}
	return count;
}

static int fail_slice(const struct slice *slice, struct fail *fail)
{
	const struct placement *placement = slice->placement;
	char nodes[RAM_NODES_TEXT_SIZE] = "memory";

	if (placement && !id_set_is_empty(&placement->cell[slice->cell].nodes))
		ram_format_nodes(&placement->cell[slice->cell], nodes);
	return fail_set(fail, -slice->error,
			"cannot prefault %" PRIu64 " MiB of guest memory from "
			"host %s (%s): free memory or huge pages there, or "
			"give the guest less",
			slice->bytes / RAM_MIB, nodes, strerror(slice->error));
}

static int touch_slices(struct slice *slice, unsigned int count,
			struct fail *fail)
{
	unsigned int started;
	int rc = 0;

	for (started = 0; started < count; started++) {
		rc = -pthread_create(&slice[started].thread, NULL, touch,
				     &slice[started]);
		if (rc) {
			fail_set(fail, rc,
				 "no thread to prefault memory (%s): raise the "
				 "limit on processes (ulimit -u)",
				 strerror(-rc));
			break;
		}
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(slice[i].thread, NULL);
		if (!rc && slice[i].error)
			rc = fail_slice(&slice[i], fail);
	}
	return rc;
}

static struct slice whole(const struct guest_memory *memory)
{
	struct slice slice = { .host = memory->region[0].host };

	for (unsigned int i = 0; i < memory->region_count; i++)
		slice.bytes += memory->region[i].size;
	return slice;
}

int ram_prefault(const struct guest_memory *memory,
		 const struct placement *placement, struct fail *fail)
{
	struct slice *slice = calloc(SLICES_MAX, sizeof(*slice));
	unsigned int count = 0;
	int rc;

	if (!slice)
		return fail_set(fail, -ENOMEM, "out of memory to prefault");
	if (!placement)
		slice[count++] = whole(memory);
	for (unsigned int i = 0; placement && i < placement->cell_count; i++)
		count += cut_cell(placement, i, memory->region[0].host,
				  &slice[count]);
	rc = touch_slices(slice, count, fail);
	free(slice);
	return rc;
}
