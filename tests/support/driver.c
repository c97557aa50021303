/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/driver.h"

#include <linux/virtio_ring.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HIGH_START 0x100000000ULL

void driver_memory_init(struct driver_memory *memory, size_t size)
{
	const uint64_t gpa[] = { 0, HIGH_START };

	size = (size + 4095) & ~(size_t)4095;
	memset(memory, 0, sizeof(*memory));
	memory->memory.region_count = 2;
	for (unsigned int i = 0; i < 2; i++) {
		struct guest_memory_region *region = &memory->memory.region[i];

		region->gpa = gpa[i];
		region->size = size;
		region->fd = -1;
		region->host = aligned_alloc(4096, size);
		assert_non_null(region->host);
		memset(region->host, 0, size);
	}
	memory->next = 4096; /* address 0 stays free for mistakes to show */
}

void driver_memory_destroy(struct driver_memory *memory)
{
	free(memory->memory.region[0].host);
	free(memory->memory.region[1].host);
}

void *driver_at(const struct driver_memory *memory, uint64_t gpa, size_t size)
{
	void *host = guest_memory_at(&memory->memory, gpa, size);

	assert_non_null(host);
	return host;
}

void *driver_alloc(struct driver_memory *memory, size_t size, size_t align,
		   uint64_t *gpa)
{
	uint64_t at = (memory->next + align - 1) & ~(uint64_t)(align - 1);

	memory->next = at + size;
	if (gpa)
		*gpa = at;
	return driver_at(memory, at, size);
}

uint64_t driver_high(const struct driver_memory *memory)
{
	return memory->memory.region[1].gpa;
}

void driver_queue_init(struct driver_queue *queue, struct driver_memory *memory,
		       uint16_t size, bool event_idx)
{
	memset(queue, 0, sizeof(*queue));
	assert_true(size <= DRIVER_QUEUE_MAX);
	queue->memory = memory;
	queue->event_idx = event_idx;
	queue->setup.enabled = true;
	queue->setup.size = size;
	queue->desc = driver_alloc(memory, size * 16UL, 16, &queue->setup.desc);
	queue->avail =
		driver_alloc(memory, size * 2UL + 6, 2, &queue->setup.avail);
	queue->used =
		driver_alloc(memory, size * 8UL + 6, 4, &queue->setup.used);
	for (uint16_t i = 0; i < size; i++)
		queue->desc[i].next = i + 1;
	queue->free_count = size;
}

void driver_desc(struct driver_queue *queue, uint16_t index, uint64_t gpa,
		 uint32_t length, uint16_t flags, uint16_t next)
{
	queue->desc[index] = (struct vring_desc) { gpa, length, flags, next };
}

void driver_table(struct driver_queue *queue, uint64_t table, uint16_t index,
		  uint64_t gpa, uint32_t length, uint16_t flags, uint16_t next)
{
	struct vring_desc desc = { gpa, length, flags, next };

	memcpy(driver_at(queue->memory, table + 16ULL * index, sizeof(desc)),
	       &desc, sizeof(desc));
}

static uint16_t segment_flags(const struct driver_segment *segment, bool more)
{
	return (segment->writable ? VRING_DESC_F_WRITE : 0) |
	       (more ? VRING_DESC_F_NEXT : 0);
}

static void add_indirect(struct driver_queue *queue, uint16_t head,
			 const struct driver_segment *segment,
			 unsigned int count)
{
	if (!queue->table[head])
		driver_alloc(queue->memory, 16UL * DRIVER_SEGMENTS_MAX, 16,
			     &queue->table[head]);
	for (unsigned int i = 0; i < count; i++)
		driver_table(queue, queue->table[head], i, segment[i].gpa,
			     segment[i].length,
			     segment_flags(&segment[i], i + 1 < count), i + 1);
	driver_desc(queue, head, queue->table[head], 16 * count,
		    VRING_DESC_F_INDIRECT, 0);
}

int driver_add(struct driver_queue *queue, const struct driver_segment *segment,
	       unsigned int count)
{
	unsigned int links = queue->indirect ? 1 : count;
	uint16_t head = queue->free;
	uint16_t at = head, next;

	assert_true(count > 0 && count <= DRIVER_SEGMENTS_MAX);
	if (queue->free_count < links)
		return -1;
	next = queue->desc[head].next;
	if (queue->indirect)
		add_indirect(queue, head, segment, count);
	for (unsigned int i = 0; !queue->indirect && i < count; i++) {
		next = queue->desc[at].next;
		driver_desc(queue, at, segment[i].gpa, segment[i].length,
			    segment_flags(&segment[i], i + 1 < count), next);
		at = next;
	}
	queue->free = next;
	queue->free_count -= links;
	queue->links[head] = links;
	driver_add_head(queue, head);
	return head;
}

void driver_add_head(struct driver_queue *queue, uint16_t head)
{
	uint16_t slot = queue->avail_next++ & (queue->setup.size - 1);

	__atomic_store_n(&queue->avail[2 + slot], head, __ATOMIC_RELAXED);
}

bool driver_publish(struct driver_queue *queue)
{
	uint16_t before = queue->avail_kicked;

	__atomic_store_n(&queue->avail[1], queue->avail_next, __ATOMIC_RELEASE);
	queue->avail_kicked = queue->avail_next;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->event_idx)
		return vring_need_event(driver_avail_event(queue),
					queue->avail_next, before);
	return !(__atomic_load_n(&queue->used[0], __ATOMIC_RELAXED) &
		 VRING_USED_F_NO_NOTIFY);
}

/* Give a chain's descriptors back to the free list. */
static void free_chain(struct driver_queue *queue, uint16_t head)
{
	uint16_t last = head;

	assert_in_range(queue->links[head], 1, queue->setup.size);
	for (uint16_t i = 1; i < queue->links[head]; i++)
		last = queue->desc[last].next;
	queue->desc[last].next = queue->free;
	queue->free = head;
	queue->free_count += queue->links[head];
	queue->links[head] = 0;
}

int driver_take(struct driver_queue *queue, uint32_t *length)
{
	uint16_t slot = queue->used_next & (queue->setup.size - 1);
	struct vring_used_elem elem;

	if (__atomic_load_n(&queue->used[1], __ATOMIC_ACQUIRE) ==
	    queue->used_next)
		return -1;
	memcpy(&elem, &queue->used[2 + 4 * slot], sizeof(elem));
	queue->used_next++;
	assert_true(elem.id < queue->setup.size);
	free_chain(queue, elem.id);
	if (length)
		*length = elem.len;
	return (int)elem.id;
}

void driver_disable_interrupts(struct driver_queue *queue)
{
	uint16_t *event = &queue->avail[2 + queue->setup.size];

	__atomic_store_n(&queue->avail[0], VRING_AVAIL_F_NO_INTERRUPT,
			 __ATOMIC_RELAXED);
	if (queue->event_idx)
		__atomic_store_n(event, queue->used_next - 1, __ATOMIC_RELAXED);
}

bool driver_enable_interrupts(struct driver_queue *queue, uint16_t after)
{
	uint16_t *event = &queue->avail[2 + queue->setup.size];

	__atomic_store_n(&queue->avail[0], 0, __ATOMIC_RELAXED);
	__atomic_store_n(event, queue->used_next + after - 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return driver_used_idx(queue) != queue->used_next;
}

uint16_t driver_used_idx(const struct driver_queue *queue)
{
	return __atomic_load_n(&queue->used[1], __ATOMIC_ACQUIRE);
}

uint16_t driver_avail_event(const struct driver_queue *queue)
{
	return __atomic_load_n(&queue->used[2 + 4 * queue->setup.size],
			       __ATOMIC_RELAXED);
}
