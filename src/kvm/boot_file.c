/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/boot_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int boot_file_open(struct boot_file *file, const char *what, const char *path,
		   struct fail *fail)
{
	struct stat status;
	int err;

	file->what = what;
	file->path = path;
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0) {
		err = -errno;
		return fail_set(fail, err, "cannot open %s %s: %s", what, path,
				strerror(-err));
	}
	if (fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(file->fd);
		file->fd = -1;
		return fail_set(fail, -EINVAL, "%s %s is not a regular file",
				what, path);
	}
	file->size = status.st_size;
	return 0;
}

static int fail_truncated(const struct boot_file *file, struct fail *fail)
{
	return fail_set(fail, -ENOEXEC,
			"%s %s is truncated: it has only %llu bytes; "
			"copy or download it again",
			file->what, file->path, (unsigned long long)file->size);
}

int boot_file_read(const struct boot_file *file, uint64_t offset, void *data,
		   size_t size, struct fail *fail)
{
	uint8_t *to = data;

	if (offset > file->size || size > file->size - offset)
		return fail_truncated(file, fail);
	while (size) {
		ssize_t got = pread(file->fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int err = -errno;

			return fail_set(fail, err, "cannot read %s %s: %s",
					file->what, file->path, strerror(-err));
		}
		if (!got) /* it shrank since it was opened */
			return fail_truncated(file, fail);
		to += got;
		offset += got;
		size -= got;
	}
	return 0;
}

int boot_file_load(const struct boot_file *file, uint64_t offset, uint64_t size,
		   const struct guest_memory *memory, uint64_t gpa,
		   struct fail *fail)
{
	/* Regions ascend, so one pass fills a range that spans several. */
	for (unsigned int i = 0; i < memory->region_count && size; i++) {
		const struct guest_memory_region *region = &memory->region[i];
		uint64_t skip = gpa - region->gpa;
		uint64_t length = region->size - skip;
		int err;

		if (gpa < region->gpa || skip >= region->size)
			continue;
		if (length > size)
			length = size;
		err = boot_file_read(file, offset, region->host + skip, length,
				     fail);
		if (err)
			return err;
		gpa += length;
		offset += length;
		size -= length;
	}
	return size ? boot_fail_memory(file, gpa + size, fail) : 0;
}
