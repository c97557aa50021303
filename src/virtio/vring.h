/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_VRING_H
#define MQVMM_VIRTIO_VRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "kvm/guest_memory.h"
#include "virtio/device.h"

#define VRING_SIZE_MAX 32768 /* virtio 1.2, 2.7 */

/* Feature bits that change how a ring works (virtio 1.2, 6). */
#define VIRTIO_F_INDIRECT_DESC (1ULL << 28)
#define VIRTIO_F_EVENT_IDX     (1ULL << 29)
#define VIRTIO_F_VERSION_1     (1ULL << 32)

/**
 * struct vring - Device side of one split virtqueue (virtio 1.2, 2.7)
 * @memory:	The guest's RAM
 * @desc, @avail, @used: The three areas, translated once
 * @size:	Entries, a power of two
 * @avail_next:	Next entry of @avail to pop
 * @avail_seen:	avail->idx when it was read last
 * @used_next:	Next entry of @used to fill
 * @used_published: used->idx as the driver sees it
 * @used_judged: used->idx when an interrupt was last decided on
 * @event_idx:	VIRTIO_F_EVENT_IDX was agreed
 * @indirect:	VIRTIO_F_INDIRECT_DESC was agreed
 * @broken:	The driver broke the rules; the ring gives nothing more
 *
 * Owned by one thread at a time. All indices run freely and wrap at 2^16.
 */
struct vring {
	const struct guest_memory *memory;
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint16_t size;
	uint16_t avail_next;
	uint16_t avail_seen;
	uint16_t used_next;
	uint16_t used_published;
	uint16_t used_judged;
	bool event_idx;
	bool indirect;
	bool broken;
};

/**
 * struct vring_chain - What one descriptor chain holds
 * @readable_count, @writable_count: Segments for the device to read, to write
 * @readable, @writable: Their sums, bytes
 * @head:	Names the chain to vring_push()
 */
struct vring_chain {
	unsigned int readable_count;
	unsigned int writable_count;
	size_t readable;
	size_t writable;
	uint16_t head;
};

/**
 * vring_init() - Translate a ring's areas and start at index 0
 * @vring:	To fill
 * @memory:	Outlives the ring
 * @setup:	What the driver asked for
 * @features:	Agreed
 *
 * Return: 0, -EINVAL (size or alignment, virtio 1.2, 2.7) or -EFAULT (an area
 * is not RAM)
 *
 * Context: does not sleep.
 */
int vring_init(struct vring *vring, const struct guest_memory *memory,
	       const struct virtio_queue_setup *setup, uint64_t features);

/**
 * vring_pop() - Take the next chain that the driver made available
 * @vring:	Ring
 * @iov:	Filled with the readable segments, then the writable ones
 * @iov_max:	Entries of @iov
 * @chain:	Filled with their counts and the chain's name
 *
 * Reads avail->idx once per batch, each descriptor once. virtio 1.2, 2.7.13.
 *
 * Return: 1; 0 if there is none; -E2BIG if the chain has more than @iov_max
 * segments (it was taken, @chain is right, @iov is not to be used); -EBADMSG if
 * the ring is broken, now or before
 *
 * Context: the ring's thread; does not sleep.
 */
int vring_pop(struct vring *vring, struct iovec *iov, unsigned int iov_max,
	      struct vring_chain *chain);

/**
 * vring_map() - Walk a chain that was popped before once more
 * @head:	The chain
 *
 * The driver may have changed the descriptors since: all is judged anew. Other
 * parameters as vring_pop().
 *
 * Return: 1, -E2BIG or -EBADMSG
 */
int vring_map(struct vring *vring, uint16_t head, struct iovec *iov,
	      unsigned int iov_max, struct vring_chain *chain);

/**
 * vring_push() - Put a popped chain into the used ring, not yet visible
 * @head:	The chain, each popped one once
 * @length:	Bytes written to its writable part
 *
 * Context: the ring's thread; does not sleep.
 */
void vring_push(struct vring *vring, uint16_t head, uint32_t length);

/**
 * vring_publish() - Show the driver all that was pushed (virtio 1.2, 2.7.14)
 *
 * Return: true if there was anything, then ask vring_needs_interrupt()
 *
 * Context: the ring's thread; does not sleep.
 */
bool vring_publish(struct vring *vring);

/**
 * vring_needs_interrupt() - Does the driver want to hear of what was published?
 *
 * Return: false if it suppressed the interrupt (virtio 1.2, 2.7.7). To be asked
 * once after each vring_publish() that returned true.
 *
 * Context: the ring's thread; does not sleep.
 */
bool vring_needs_interrupt(struct vring *vring);

/**
 * vring_wants_interrupt() - Would the driver want one now?
 *
 * As vring_needs_interrupt(), but the question stays open: asking again later
 * covers the same buffers and those published since.
 */
bool vring_wants_interrupt(const struct vring *vring);

/**
 * vring_disable_kicks() - Tell the driver that the ring is looked at anyway
 *
 * A hint: a kick may come nevertheless (virtio 1.2, 2.7.10).
 *
 * Context: the ring's thread; does not sleep.
 */
void vring_disable_kicks(struct vring *vring);

/**
 * vring_enable_kicks() - Ask the driver for a kick at the next chain
 *
 * Return: true if a chain is there already, for which no kick may come
 *
 * Context: the ring's thread; does not sleep.
 */
bool vring_enable_kicks(struct vring *vring);

/* Has the driver made chains available? Context: as vring_pop() */
bool vring_has_chains(const struct vring *vring);

#endif
