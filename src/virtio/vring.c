/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * The device side of a split virtqueue. Its three areas are translated to host
 * pointers once, at start, because guest RAM never moves; what descriptors
 * point to is translated chain by chain. The driver may write to all of it at
 * any time, so each field is read once, into a local copy, and the copy is
 * judged. Our own state (indices, size) never lives in guest memory.
 *
 * A driver that breaks a rule that makes the ring meaningless (an index out of
 * range, a loop, a wild address, more chains than the ring has room for) breaks
 * its ring: vring_pop() fails from then on until the ring is initialised anew.
 *
 * The driver is on another CPU. Pairs of orderings, ours with the driver's:
 *   load-acquire of avail->idx	 <-> its write barrier before storing avail->idx
 *   store-release of used->idx	 <-> its read barrier after loading used->idx
 *   fence in vring_wants_interrupt() <-> its barrier between storing used_event
 *	(or clearing NO_INTERRUPT) and re-reading used->idx
 *   fence in vring_enable_kicks() <-> its barrier between storing avail->idx
 *	and reading avail_event (or NO_NOTIFY)
 */
#include "virtio/vring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "rings are little-endian and are used without conversion");

enum {
	DESC_NEXT = 1,
	DESC_WRITE = 2,
	DESC_INDIRECT = 4,
};

/*
 * Descriptors of one chain; in a loop there are more. The specification's limit
 * is the ring's size, but Linux makes longer indirect tables for short rings.
 */
#define CHAIN_MAX 1024

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* ring[size] is used_event. */
struct vring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

struct vring_used_elem {
	uint32_t id;
	uint32_t len;
};

/* Behind ring[size - 1] is avail_event, 16 bits. */
struct vring_used {
	uint16_t flags;
	uint16_t idx;
	struct vring_used_elem ring[];
};

/* An indirect table need not be aligned. */
typedef uint64_t __attribute__((aligned(1), may_alias)) unaligned_u64;

int vring_init(struct vring *vring, const struct guest_memory *memory,
	       const struct virtio_queue_setup *setup, uint64_t features)
{
	uint32_t size = setup->size;

	if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if ((setup->desc & 15) || (setup->avail & 1) || (setup->used & 3))
		return -EINVAL;
	memset(vring, 0, sizeof(*vring));
	vring->desc = guest_memory_at(memory, setup->desc, 16ULL * size);
	vring->avail = guest_memory_at(memory, setup->avail, 6 + 2ULL * size);
	vring->used = guest_memory_at(memory, setup->used, 6 + 8ULL * size);
	if (!vring->desc || !vring->avail || !vring->used)
		return -EFAULT;
	vring->memory = memory;
	vring->size = setup->size;
	vring->event_idx = features & VIRTIO_F_EVENT_IDX;
	vring->indirect = features & VIRTIO_F_INDIRECT_DESC;
	return 0;
}

static int vring_break(struct vring *vring)
{
	vring->broken = true;
	vring->avail_seen = vring->avail_next;
	return -EBADMSG;
}

static uint16_t *avail_event(const struct vring *vring)
{
	return (uint16_t *)&vring->used->ring[vring->size];
}

/* Volatile, because the compiler must not read a field a second time. */
static struct vring_desc desc_load(const struct vring_desc *table,
				   uint32_t index)
{
	const volatile unaligned_u64 *raw =
		(const volatile unaligned_u64 *)table + 2ULL * index;
	uint64_t low = raw[0];
	uint64_t high = raw[1];

	return (struct vring_desc) {
		.addr = low,
		.len = (uint32_t)high,
		.flags = (uint16_t)(high >> 32),
		.next = (uint16_t)(high >> 48),
	};
}

/* Where a walk is: the ring's own table or the chain's indirect one. */
struct walk {
	const struct vring_desc *table;
	uint32_t entries;
	uint32_t index;
	bool indirect;
	struct vring_desc desc;
};

/* virtio 1.2, 2.7.5.3: one table at the chain's end, none within it. */
static bool walk_enter_indirect(const struct vring *vring, struct walk *walk)
{
	const struct vring_desc *desc = &walk->desc;

	if (!vring->indirect || walk->indirect)
		return false;
	if ((desc->flags & DESC_NEXT) || (desc->len & 15))
		return false;
	walk->table = guest_memory_at(vring->memory, desc->addr, desc->len);
	walk->entries = desc->len / 16;
	walk->index = 0;
	walk->indirect = true;
	return walk->table != NULL;
}

static bool chain_add(const struct vring *vring, const struct vring_desc *desc,
		      struct iovec *iov, unsigned int iov_max,
		      struct vring_chain *chain)
{
	unsigned int count = chain->readable_count + chain->writable_count;

	if (desc->len == 0)
		return false;
	if (count < iov_max) {
		iov[count].iov_base =
			guest_memory_at(vring->memory, desc->addr, desc->len);
		iov[count].iov_len = desc->len;
		if (!iov[count].iov_base)
			return false;
	}
	if (desc->flags & DESC_WRITE) {
		chain->writable_count++;
		chain->writable += desc->len;
		return true;
	}
	if (chain->writable_count)
		return false;
	chain->readable_count++;
	chain->readable += desc->len;
	return true;
}

int vring_map(struct vring *vring, uint16_t head, struct iovec *iov,
	      unsigned int iov_max, struct vring_chain *chain)
{
	struct walk walk = {
		.table = vring->desc,
		.entries = vring->size,
		.index = head,
	};
	unsigned int left = CHAIN_MAX;

	*chain = (struct vring_chain) { .head = head };
	do {
		if (walk.index >= walk.entries)
			return vring_break(vring);
		walk.desc = desc_load(walk.table, walk.index);
		if (walk.desc.flags & DESC_INDIRECT) {
			if (!walk_enter_indirect(vring, &walk))
				return vring_break(vring);
			continue;
		}
		if (left-- == 0 ||
		    !chain_add(vring, &walk.desc, iov, iov_max, chain))
			return vring_break(vring);
		walk.index = walk.desc.next;
	} while (walk.desc.flags & (DESC_NEXT | DESC_INDIRECT));
	if (chain->readable_count + chain->writable_count > iov_max)
		return -E2BIG;
	return 1;
}

/*
 * The driver owns what is neither waiting in avail nor popped and not yet
 * pushed. That bounds the chains that a caller ever holds to the ring's size.
 */
static int avail_refresh(struct vring *vring)
{
	uint16_t held = vring->avail_next - vring->used_next;
	/* Acquire pairs with the driver's barrier before it stores idx. */
	uint16_t idx = __atomic_load_n(&vring->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t waiting = idx - vring->avail_next;

	if (waiting > vring->size - held)
		return vring_break(vring);
	vring->avail_seen = idx;
	return waiting != 0;
}

static uint16_t avail_head(const struct vring *vring, uint16_t position)
{
	uint16_t slot = position & (vring->size - 1);

	return __atomic_load_n(&vring->avail->ring[slot], __ATOMIC_RELAXED);
}

int vring_pop(struct vring *vring, struct iovec *iov, unsigned int iov_max,
	      struct vring_chain *chain)
{
	uint16_t head;
	int ready;

	if (vring->broken)
		return -EBADMSG;
	if (vring->avail_next == vring->avail_seen) {
		ready = avail_refresh(vring);
		if (ready != 1)
			return ready;
	}
	head = avail_head(vring, vring->avail_next++);
	if (vring->avail_next != vring->avail_seen)
		__builtin_prefetch(
			&vring->desc[avail_head(vring, vring->avail_next) &
				     (vring->size - 1)]);
	return vring_map(vring, head, iov, iov_max, chain);
}

void vring_push(struct vring *vring, uint16_t head, uint32_t length)
{
	struct vring_used_elem *elem =
		&vring->used->ring[vring->used_next & (vring->size - 1)];

	__atomic_store_n(&elem->id, head, __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, length, __ATOMIC_RELAXED);
	vring->used_next++;
}

bool vring_publish(struct vring *vring)
{
	if (vring->used_next == vring->used_published)
		return false;
	vring->used_published = vring->used_next;
	/* Release pairs with the driver's barrier after it loads idx. */
	__atomic_store_n(&vring->used->idx, vring->used_next, __ATOMIC_RELEASE);
	return true;
}

bool vring_wants_interrupt(const struct vring *vring)
{
	uint16_t now = vring->used_published;
	uint16_t event;

	/*
	 * used->idx must be visible before used_event is read. Pairs with the
	 * driver's barrier between storing used_event and loading used->idx.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vring->event_idx)
		return !(__atomic_load_n(&vring->avail->flags,
					 __ATOMIC_RELAXED) &
			 AVAIL_NO_INTERRUPT);
	event = __atomic_load_n(&vring->avail->ring[vring->size],
				__ATOMIC_RELAXED);
	/* Was entry @event filled since the last time? virtio 1.2, 2.7.7.2 */
	return (uint16_t)(now - event - 1) <
	       (uint16_t)(now - vring->used_judged);
}

bool vring_needs_interrupt(struct vring *vring)
{
	bool wanted = vring_wants_interrupt(vring);

	vring->used_judged = vring->used_published;
	return wanted;
}

/* Stores only what changes: the driver's CPU keeps its copy of the line. */
static void store_changed(uint16_t *field, uint16_t value)
{
	if (__atomic_load_n(field, __ATOMIC_RELAXED) != value)
		__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

void vring_disable_kicks(struct vring *vring)
{
	if (vring->event_idx) /* an entry that lies 2^16 chains ahead */
		store_changed(avail_event(vring), vring->avail_next - 1);
	else
		store_changed(&vring->used->flags, USED_NO_NOTIFY);
}

bool vring_has_chains(const struct vring *vring)
{
	/* Orders nothing: vring_pop() reads it again. */
	return !vring->broken &&
	       __atomic_load_n(&vring->avail->idx, __ATOMIC_RELAXED) !=
		       vring->avail_next;
}

bool vring_enable_kicks(struct vring *vring)
{
	if (vring->broken)
		return false;
	if (vring->avail_next != vring->avail_seen)
		return true;
	if (vring->event_idx)
		store_changed(avail_event(vring), vring->avail_next);
	else
		store_changed(&vring->used->flags, 0);
	/*
	 * The request must be visible before avail->idx is read. Pairs with the
	 * driver's barrier between storing avail->idx and reading the request.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vring_has_chains(vring);
}
