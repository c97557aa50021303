/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "kvm/boot.h"

/*
 * Target: the loaders of bzImage and ELF. An input is the kernel's file.
 */

#define MEMORY_SIZE (32ULL << 20) /* bytes of guest RAM */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_memory memory = { .region_count = 1 };
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	char path[64];
	const struct machine_config config = {
		.topology = { 1, 1, 1, 1 },
		.memory_size = MEMORY_SIZE,
		.kernel = path,
		.command_line = "console=ttyS0",
	};
	struct boot_entry entry;
	struct fail fail = { 0 };
	void *ram = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int ret;

	FUZZ_CHECK(fd >= 0 && ram != MAP_FAILED);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	memory.region[0] = (struct guest_memory_region) {
		.size = MEMORY_SIZE,
		.host = ram,
		.fd = -1,
	};
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = boot_load(&memory, &config, &entry, &fail);
	FUZZ_CHECK(ret == 0 || fail.text[0]);
	munmap(ram, MEMORY_SIZE);
	close(fd);
	return 0;
}
