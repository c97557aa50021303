/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/ram.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/ram_internal.h"

static uint64_t page_bytes(enum machine_pages pages)
{
	return pages == MACHINE_PAGES_1G ? RAM_GIB : 2 * RAM_MIB;
}

/* A counter of the host's pool of huge pages, 0 where there is no pool. */
static uint64_t pool_read(uint64_t page, const char *counter)
{
	char path[128];
	uint64_t value = 0;
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
		 page / 1024, counter);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &value) != 1)
		value = 0;
	(void)fclose(file);
	return value;
}

static int fail_pool(uint64_t size, uint64_t page, struct fail *fail)
{
	uint64_t wanted = size / page;
	uint64_t free = pool_read(page, "free_hugepages");
	uint64_t reserved = pool_read(page, "resv_hugepages");
	uint64_t total = pool_read(page, "nr_hugepages");
	uint64_t left = free > reserved ? free - reserved : 0;

	return fail_set(fail, -ENOMEM,
			"guest memory needs %" PRIu64 " huge pages of %" PRIu64
			" MiB and %" PRIu64 " are free: write at least %" PRIu64
			" to /sys/kernel/mm/hugepages/hugepages-%" PRIu64
			"kB/nr_hugepages, or use ordinary pages",
			wanted, page / RAM_MIB, left, total + wanted - left,
			page / 1024);
}

/*
 * Address space of @size bytes that begins at a multiple of 1 GiB, so that host
 * and guest addresses agree in their low bits and KVM can map large pages.
 */
static uint8_t *reserve_aligned(uint64_t size)
{
	uint8_t *raw = mmap(NULL, size + RAM_GIB, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t head;

	if (raw == MAP_FAILED)
		return NULL;
	head = -(uintptr_t)raw % RAM_GIB;
	if (head)
		munmap(raw, head);
	munmap(raw + head + size, RAM_GIB - head);
	return raw + head;
}

/*
 * Ordinary RAM is anonymous, not a memfd: distributions leave transparent huge
 * pages off for shared memory and on for anonymous memory.
 */
static int map_ordinary(uint8_t *base, uint64_t size, struct fail *fail)
{
	if (mmap(base, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return fail_set(fail, -errno,
				"cannot map %" PRIu64 " MiB of guest memory "
				"(%s): give the guest less memory",
				size / RAM_MIB, strerror(errno));
	/* Advice: a kernel without huge pages refuses it and loses nothing. */
	(void)madvise(base, size, MADV_HUGEPAGE);
	return 0;
}

static int map_huge(uint8_t *base, uint64_t size, enum machine_pages pages,
		    int *out, struct fail *fail)
{
	unsigned int flags = MFD_CLOEXEC | MFD_HUGETLB;
	int fd;

	flags |= pages == MACHINE_PAGES_1G ? MFD_HUGE_1GB : MFD_HUGE_2MB;
	fd = memfd_create("mqvmm-ram", flags);
	if (fd < 0)
		return fail_set(fail, -errno,
				"this host offers no huge pages of %" PRIu64
				" MiB (%s): use ordinary pages",
				page_bytes(pages) / RAM_MIB, strerror(errno));
	if (ftruncate(fd, (off_t)size) < 0 ||
	    mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 0) == MAP_FAILED) {
		close(fd);
		return fail_pool(size, page_bytes(pages), fail);
	}
	*out = fd;
	return 0;
}

static void split_at_hole(struct guest_memory *memory, uint8_t *base, int fd,
			  uint64_t size)
{
	uint64_t low = size;

	if (low > GUEST_MEMORY_HOLE_START)
		low = GUEST_MEMORY_HOLE_START;
	memory->region_count = 1;
	memory->region[0] = (struct guest_memory_region) { .size = low,
							   .host = base,
							   .fd = fd };
	if (size == low)
		return;
	memory->region_count = 2;
	memory->region[1] =
		(struct guest_memory_region) { .gpa = GUEST_MEMORY_HOLE_END,
					       .size = size - low,
					       .host = base + low,
					       .fd = fd,
					       .fd_offset = low };
}

static int map(uint8_t *base, uint64_t size, enum machine_pages pages,
	       const struct placement *placement, int *fd, struct fail *fail)
{
	int rc = 0;

	if (pages == MACHINE_PAGES_DEFAULT)
		return map_ordinary(base, size, fail);
	if (placement)
		rc = ram_check_pools(placement, page_bytes(pages), fail);
	if (rc < 0)
		return rc;
	return map_huge(base, size, pages, fd, fail);
}

static int check_size(uint64_t size, uint64_t page, struct fail *fail)
{
	if (size && size % page == 0 && size <= INT64_MAX - RAM_GIB)
		return 0;
	return fail_set(fail, -EINVAL,
			"guest memory of %" PRIu64
			" bytes is not a multiple of %" PRIu64 " MiB: round it",
			size, page / RAM_MIB);
}

int ram_alloc(struct guest_memory *memory, uint64_t size,
	      enum machine_pages pages, const struct placement *placement,
	      struct fail *fail)
{
	uint8_t *base;
	int fd = -1;
	int rc;

	memset(memory, 0, sizeof(*memory));
	rc = check_size(size, page_bytes(pages), fail);
	if (rc < 0)
		return rc;
	base = reserve_aligned(size);
	if (!base)
		return fail_set(fail, -ENOMEM,
				"no address space for %" PRIu64
				" MiB of guest memory: raise the limit "
				"(ulimit -v) or give the guest less",
				size / RAM_MIB);
	rc = map(base, size, pages, placement, &fd, fail);
	if (rc < 0)
		goto out_unmap;
	if (placement)
		rc = ram_bind(base, placement, fail);
	if (rc < 0)
		goto out_close;
	/* A core dump is for this program's state, not for the guest's. */
	(void)madvise(base, size, MADV_DONTDUMP);
	split_at_hole(memory, base, fd, size);
	return 0;
out_close:
	if (fd >= 0)
		close(fd);
out_unmap:
	munmap(base, size);
	return rc;
}

void ram_free(struct guest_memory *memory)
{
	unsigned int i;

	if (memory->region_count && memory->region[0].fd >= 0)
		close(memory->region[0].fd); /* all regions share it */
	for (i = 0; i < memory->region_count; i++)
		munmap(memory->region[i].host, memory->region[i].size);
	memory->region_count = 0;
}
