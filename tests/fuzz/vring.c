/* SPDX-License-Identifier: BSD-3-Clause */
#include "virtio/vring.h"

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"

/*
 * Target: a ring whose driver writes anything anywhere. An input is where the
 * ring is, what guest memory holds, and records: what the driver writes before
 * the device's next step.
 */

#define MEMORY_SIZE  32768 /* bytes of each region */
#define SEGMENTS_MAX 64
#define CHAINS_MAX   64

struct rig {
	struct guest_memory memory;
	struct vring vring;
	uint16_t popped[CHAINS_MAX];
	unsigned int count;
};

static void memory_begin(struct guest_memory *memory)
{
	static const uint64_t gpa[] = { 0, GUEST_MEMORY_HOLE_END };

	memset(memory, 0, sizeof(*memory));
	memory->region_count = 2;
	for (unsigned int i = 0; i < 2; i++)
		memory->region[i] = (struct guest_memory_region) {
			.gpa = gpa[i],
			.size = MEMORY_SIZE,
			.host = aligned_alloc(4096, MEMORY_SIZE),
			.fd = -1,
		};
	for (unsigned int i = 0; i < 2; i++) {
		FUZZ_CHECK(memory->region[i].host);
		memset(memory->region[i].host, 0, MEMORY_SIZE);
	}
}

static void memory_end(struct guest_memory *memory)
{
	for (unsigned int i = 0; i < 2; i++)
		free(memory->region[i].host);
}

static void driver_write(struct guest_memory *memory, uint64_t gpa,
			 const struct fuzz_input *bytes)
{
	void *at = guest_memory_at(memory, gpa, bytes->left);

	if (at)
		memcpy(at, bytes->at, bytes->left);
}

/* All of a chain is in the guest's memory; the device writes to its part. */
static void use_chain(const struct vring_chain *chain, const struct iovec *iov)
{
	unsigned int count = chain->readable_count + chain->writable_count;
	volatile uint8_t byte = 0;

	FUZZ_CHECK(count <= SEGMENTS_MAX);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *at = iov[i].iov_base;
		size_t size = iov[i].iov_len;

		FUZZ_CHECK(size > 0);
		byte = at[size - 1];
		if (i >= chain->readable_count)
			at[0] = at[size - 1] = byte;
	}
}

static void pop(struct rig *rig)
{
	struct vring_chain chain;
	struct iovec iov[SEGMENTS_MAX];
	int ret = vring_pop(&rig->vring, iov, SEGMENTS_MAX, &chain);

	if (ret == 1)
		use_chain(&chain, iov);
	if ((ret == 1 || ret == -E2BIG) && rig->count < CHAINS_MAX)
		rig->popped[rig->count++] = chain.head;
}

static void map(struct rig *rig)
{
	struct vring_chain chain;
	struct iovec iov[SEGMENTS_MAX];

	if (rig->count && vring_map(&rig->vring, rig->popped[0], iov,
				    SEGMENTS_MAX, &chain) == 1)
		use_chain(&chain, iov);
}

static void device_step(struct rig *rig, uint8_t step)
{
	switch (step % 6) {
	case 0:
		map(rig);
		break;
	case 1:
		if (rig->count)
			vring_push(&rig->vring, rig->popped[--rig->count],
				   step);
		break;
	case 2:
		if (vring_publish(&rig->vring))
			vring_needs_interrupt(&rig->vring);
		break;
	case 3:
		vring_enable_kicks(&rig->vring);
		vring_wants_interrupt(&rig->vring);
		break;
	default:
		pop(rig);
	}
}

static uint64_t take_address(struct fuzz_input *input)
{
	uint32_t address = fuzz_take32(input);

	/* The highest bit tells the region beyond 4 GiB. */
	return (uint64_t)(address >> 31) << 32 | (address & INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size }, record;
	uint8_t features = fuzz_take8(&input), step;
	struct virtio_queue_setup setup = { .enabled = true };
	struct rig rig = { .count = 0 };
	uint64_t agreed = VIRTIO_F_VERSION_1;

	agreed |= features & 1 ? VIRTIO_F_INDIRECT_DESC : 0;
	agreed |= features & 2 ? VIRTIO_F_EVENT_IDX : 0;
	setup.size = fuzz_take16(&input);
	setup.desc = take_address(&input);
	setup.avail = take_address(&input);
	setup.used = take_address(&input);
	memory_begin(&rig.memory);
	if (vring_init(&rig.vring, &rig.memory, &setup, agreed) == 0)
		while (fuzz_take_record(&input, &step, &record)) {
			uint64_t gpa = take_address(&record);

			driver_write(&rig.memory, gpa, &record);
			device_step(&rig, step);
		}
	memory_end(&rig.memory);
	return 0;
}
