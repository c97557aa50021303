/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exit-cost DEVICE doorbell QUEUE | DEVICE config | FILE out PORT | FILE in
 * PORT
 *
 * Times from within a guest how long one access takes that leaves it: a write
 * to a queue's doorbell, a read of the device status, a byte written to a port
 * or read from one. DEVICE is a modern virtio device's folder below
 * /sys/bus/pci/devices, FILE is /dev/port, or /dev/zero for what the call alone
 * costs. Prints the median and the 99th percentile in nanoseconds. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_pci.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES      ((size_t)20000)
#define WARM_UP      1000
#define CONFIG_BYTES 256
#define BAR_BYTES    0x1000 /* mapped of a structure, from its page on */

struct target {
	volatile uint16_t *word; /* a doorbell */
	volatile uint8_t *status;
	int file; /* /dev/port, or another for what the call alone costs */
	unsigned int port;
};

static void doorbell(const struct target *target)
{
	*target->word = 0;
}

static void config(const struct target *target)
{
	(void)*target->status;
}

/* Nothing else reaches ports where the guest's kernel has no iopl(). */
static void port_out(const struct target *target)
{
	ssize_t ret = pwrite(target->file, "", 1, (off_t)target->port);

	(void)ret;
}

static void port_in(const struct target *target)
{
	char byte;
	ssize_t ret = pread(target->file, &byte, 1, (off_t)target->port);

	(void)ret;
}

/* The capability of a type in @space. Return: whether there is one */
static int find_capability(const uint8_t *space, uint8_t type,
			   struct virtio_pci_notify_cap *found)
{
	for (unsigned int at = space[0x34], i = 0; at && i < 48; i++) {
		if (at > CONFIG_BYTES - sizeof(*found))
			return 0;
		memcpy(found, space + at, sizeof(*found));
		if (found->cap.cap_vndr == 9 && found->cap.cfg_type == type)
			return 1;
		at = found->cap.cap_next;
	}
	return 0;
}

static uint8_t *map_structure(const char *device,
			      const struct virtio_pci_notify_cap *cap,
			      unsigned int offset)
{
	off_t at = (off_t)cap->cap.offset + offset;
	off_t page = at & ~(off_t)(BAR_BYTES - 1);
	char path[256];
	uint8_t *bar;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%u", device, cap->cap.bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	bar = mmap(NULL, BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   page);
	close(fd);
	return bar == MAP_FAILED ? NULL : bar + (at - page);
}

static uint8_t *map_capability(const char *device, uint8_t type,
			       unsigned int queue)
{
	uint8_t space[CONFIG_BYTES] = { 0 };
	struct virtio_pci_notify_cap cap;
	char path[256];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/config", device);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	size = fread(space, 1, sizeof(space), file);
	fclose(file);
	errno = ENODEV;
	if (size != sizeof(space) || !find_capability(space, type, &cap))
		return NULL;
	return map_structure(device, &cap,
			     queue ? queue * cap.notify_off_multiplier : 0);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void measure(void (*access)(const struct target *target),
		    const struct target *target)
{
	static uint64_t sample[SAMPLES];

	for (int i = -WARM_UP; i < (int)SAMPLES; i++) {
		uint64_t began = clock_ns();

		access(target);
		if (i >= 0)
			sample[i] = clock_ns() - began;
	}
	qsort(sample, SAMPLES, sizeof(*sample), by_size);
	printf("p50_ns=%llu p99_ns=%llu\n",
	       (unsigned long long)sample[SAMPLES / 2],
	       (unsigned long long)sample[SAMPLES / 100 * 99]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	unsigned int value =
		argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 0) : 0;
	struct target target = { .port = value };
	void (*access)(const struct target *target) = NULL;

	if (strcmp(what, "doorbell") == 0) {
		target.word = (volatile uint16_t *)map_capability(
			argv[1], VIRTIO_PCI_CAP_NOTIFY_CFG, value);
		access = target.word ? doorbell : NULL;
	} else if (strcmp(what, "config") == 0) {
		target.status =
			map_capability(argv[1], VIRTIO_PCI_CAP_COMMON_CFG, 0);
		access = target.status ? config : NULL;
		if (access)
			target.status += VIRTIO_PCI_COMMON_STATUS;
	} else if (strcmp(what, "out") == 0 || strcmp(what, "in") == 0) {
		target.file = open(argv[1], O_RDWR | O_CLOEXEC);
		access = target.file < 0 ? NULL
			 : *what == 'o'  ? port_out
					 : port_in;
	} else {
		fputs("Usage: exit-cost DEVICE doorbell QUEUE | DEVICE config | "
		      "FILE out PORT | FILE in PORT\n",
		      stderr);
		return 2;
	}
	if (!access) {
		fprintf(stderr, "exit-cost: %s\n", strerror(errno));
		return 1;
	}
	measure(access, &target);
	return 0;
}
