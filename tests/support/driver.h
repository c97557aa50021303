/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_SUPPORT_DRIVER_H
#define MQVMM_TESTS_SUPPORT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/guest_memory.h"
#include "virtio/device.h"

/*
 * A small virtio driver that lives in the test process: guest RAM is plain
 * memory, rings have the layout of <linux/virtio_ring.h>, not that of the code
 * under test. Rings are raw and public, so that a test can break any rule.
 */

#define DRIVER_QUEUE_MAX 1024

/**
 * struct driver_memory - Guest RAM, two regions with a hole between them
 * @memory:	As the device sees it
 * @next:	Where driver_alloc() goes on, guest physical
 */
struct driver_memory {
	struct guest_memory memory;
	uint64_t next;
};

/* One segment of a chain. */
struct driver_segment {
	uint64_t gpa;
	uint32_t length;
	bool writable;
};

struct vring_desc;

/**
 * struct driver_queue - Driver side of one split ring
 * @setup:	As the device is told
 * @desc:	The table; avail and used as words: flags, idx, ring, event
 * @event_idx:	VIRTIO_F_EVENT_IDX was agreed
 * @indirect:	Put chains into indirect tables
 * @avail_next:	Next entry of avail to fill
 * @avail_kicked: avail->idx when a kick was last decided on
 * @used_next:	Next entry of used to take
 * @free:	Head of the list of free descriptors, linked by desc.next
 * @free_count:	How many
 * @links:	Per head: descriptors in its chain
 * @table:	Per head: its indirect table, guest physical
 */
struct driver_queue {
	struct driver_memory *memory;
	struct virtio_queue_setup setup;
	struct vring_desc *desc;
	uint16_t *avail;
	uint16_t *used;
	bool event_idx;
	bool indirect;
	uint16_t avail_next;
	uint16_t avail_kicked;
	uint16_t used_next;
	uint16_t free;
	uint16_t free_count;
	uint16_t links[DRIVER_QUEUE_MAX];
	uint64_t table[DRIVER_QUEUE_MAX];
};

#define DRIVER_SEGMENTS_MAX 128

/* Make 2 x @size bytes of RAM and more, half of it from 4 GiB. Asserts success.
 */
void driver_memory_init(struct driver_memory *memory, size_t size);
void driver_memory_destroy(struct driver_memory *memory);

/* Take RAM that is never given back; *@gpa may be NULL. */
void *driver_alloc(struct driver_memory *memory, size_t size, size_t align,
		   uint64_t *gpa);
/* The high region's first address: for buffers beyond 4 GiB. */
uint64_t driver_high(const struct driver_memory *memory);
void *driver_at(const struct driver_memory *memory, uint64_t gpa, size_t size);

void driver_queue_init(struct driver_queue *queue, struct driver_memory *memory,
		       uint16_t size, bool event_idx);

/* Add a chain, not yet visible. Return: its head, -1 if the ring is full. */
int driver_add(struct driver_queue *queue, const struct driver_segment *segment,
	       unsigned int count);
/* Make a head available that the test has written itself. */
void driver_add_head(struct driver_queue *queue, uint16_t head);
/* Show it all to the device. Return: true if it asked for a kick. */
bool driver_publish(struct driver_queue *queue);
/* Next used chain. Return: its head, -1 if there is none. */
int driver_take(struct driver_queue *queue, uint32_t *length);
void driver_disable_interrupts(struct driver_queue *queue);
/* Interrupt at the @after-th used chain from now. Return: true if there is one.
 */
bool driver_enable_interrupts(struct driver_queue *queue, uint16_t after);

/* Write a descriptor of the ring's table. */
void driver_desc(struct driver_queue *queue, uint16_t index, uint64_t gpa,
		 uint32_t length, uint16_t flags, uint16_t next);
/* Write one of an indirect table. */
void driver_table(struct driver_queue *queue, uint64_t table, uint16_t index,
		  uint64_t gpa, uint32_t length, uint16_t flags, uint16_t next);

uint16_t driver_used_idx(const struct driver_queue *queue);
uint16_t driver_avail_event(const struct driver_queue *queue);

#endif
