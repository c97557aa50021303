/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "slirp/move.h"
#include "slirp/reassembly.h"
#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * A frame whose flow another shard owns is copied once into a buffer of this
 * shard's pool and appended to the owner's inbox; the guest's own buffer is
 * free at once. The owner's frames for a receive queue that is not its own
 * travel the same way. Whoever appends to an empty inbox wakes its shard;
 * nobody takes a lock.
 *
 * Buffers come back through the source's returns queue when they have been
 * processed. A shard that runs out stops taking frames from its port (the
 * guest's ring fills: nothing is dropped) and is woken when one comes back.
 * HANDOFF_RESERVED large buffers are only for the guest's frames, so that
 * receive queues that the guest does not empty cannot stop its transmissions.
 *
 * What comes in a buffer and is another shard's yet is passed on in that
 * buffer, which still is its source's: so a frame is copied once, however many
 * shards it passes, and the shard whose queue it came on is who runs out.
 *
 * Order: frames of one flow that came in on one queue stay in order, since both
 * the port and the inbox are first in, first out.
 */

#define HANDOFF_LARGE_SIZE REASSEMBLY_FRAME_MAX

static size_t handoff_stride(size_t size)
{
	return (sizeof(struct handoff) + size + CACHE_LINE - 1) &
	       ~(size_t)(CACHE_LINE - 1);
}

static uint8_t *handoff_carve(struct shard *shard, uint8_t *at, bool large,
			      unsigned int count)
{
	size_t stride =
		handoff_stride(large ? HANDOFF_LARGE_SIZE : HANDOFF_SMALL_SIZE);

	for (unsigned int i = 0; i < count; i++, at += stride) {
		struct handoff *handoff = (struct handoff *)at;

		handoff->source = shard;
		handoff->large = large;
		handoff_put(shard, handoff);
	}
	return at;
}

int handoff_setup(struct shard *shard, struct fail *fail)
{
	size_t size = HANDOFF_SMALL_COUNT * handoff_stride(HANDOFF_SMALL_SIZE) +
		      HANDOFF_LARGE_COUNT * handoff_stride(HANDOFF_LARGE_SIZE);
	uint8_t *at;

	__cds_wfcq_init(&shard->inbox.head, &shard->inbox.tail);
	__cds_wfcq_init(&shard->returns.head, &shard->returns.tail);
	shard->backlog_last = &shard->backlog_first;
	/* A single shard has nobody to hand a frame to. */
	if (shard->slirp->config.shard_count == 1)
		return 0;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return fail_set(fail, -errno,
				"no memory for the queues between shards");
	shard->handoff_memory = at;
	shard->handoff_memory_size = size;
	at = handoff_carve(shard, at, false, HANDOFF_SMALL_COUNT);
	handoff_carve(shard, at, true, HANDOFF_LARGE_COUNT);
	return 0;
}

void handoff_teardown(struct shard *shard)
{
	if (shard->handoff_memory)
		munmap(shard->handoff_memory, shard->handoff_memory_size);
}

/* Take back what other shards have processed. */
static void handoff_collect(struct shard *shard)
{
	struct cds_wfcq_node *node;

	while ((node = __cds_wfcq_dequeue_blocking(&shard->returns.head,
						   &shard->returns.tail))) {
		struct handoff *handoff =
			caa_container_of(node, struct handoff, message.node);

		/* Pairs with the release in handoff_put(). */
		(void)__atomic_load_n(&handoff->message.ready,
				      __ATOMIC_ACQUIRE);
		handoff_put(shard, handoff);
	}
}

bool handoff_has_room(const struct shard *shard)
{
	return !shard->handoff_memory || (shard->large_free != NULL);
}

struct handoff *handoff_take(struct shard *shard, size_t length, bool reserve)
{
	struct handoff *handoff;

	if (length > HANDOFF_LARGE_SIZE)
		return NULL;
	if (length <= HANDOFF_SMALL_SIZE && shard->small_free) {
		handoff = shard->small_free;
		shard->small_free = handoff->next;
		return handoff;
	}
	if (shard->large_count <= (reserve ? HANDOFF_RESERVED : 0))
		return NULL;
	handoff = shard->large_free;
	shard->large_free = handoff->next;
	shard->large_count--;
	return handoff;
}

void handoff_put(struct shard *shard, struct handoff *handoff)
{
	struct shard *source = handoff->source;

	if (source == shard) {
		struct handoff **list = handoff->large ? &shard->large_free
						       : &shard->small_free;

		handoff->next = *list;
		*list = handoff;
		shard->large_count += handoff->large;
		return;
	}
	cds_wfcq_node_init(&handoff->message.node);
	/* Pairs with the acquire in handoff_collect(). */
	__atomic_store_n(&handoff->message.ready, 0, __ATOMIC_RELEASE);
	cds_wfcq_enqueue(&source->returns.head, &source->returns.tail,
			 &handoff->message.node);
	/* Pairs with the exchange in handoff_starve(): either it sees the
	 * buffer, or we see that it waits. */
	if (__atomic_load_n(&source->starving, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&source->starving, 0, __ATOMIC_SEQ_CST))
		shard_wake(source);
}

void handoff_starve(struct shard *shard)
{
	SHARD_COUNT(shard, handoffs_full, 1);
	/* Pairs with handoff_put(); what came back before it is found here. */
	__atomic_exchange_n(&shard->starving, 1, __ATOMIC_SEQ_CST);
	handoff_collect(shard);
}

void message_send(struct shard *shard, unsigned int to, struct message *message)
{
	struct shard *receiver = shard->slirp->shard[to];

	cds_wfcq_node_init(&message->node);
	/* Pairs with the acquire in handoff_receive(). */
	__atomic_store_n(&message->ready, 1, __ATOMIC_RELEASE);
	if (!cds_wfcq_enqueue(&receiver->inbox.head, &receiver->inbox.tail,
			      &message->node))
		shard_wake(receiver);
}

void handoff_send(struct shard *shard, unsigned int to, struct handoff *handoff)
{
	SHARD_COUNT(shard, handoffs_out, 1);
	message_send(shard, to, &handoff->message);
}

struct handoff *handoff_keep(struct shard *shard,
			     const struct port_frame *frame, unsigned int queue)
{
	struct handoff *handoff = shard->handing;
	struct cursor cursor;

	if (handoff && frame == &shard->handed) {
		shard->handing = NULL;
		return handoff;
	}
	/* handoff_has_room() was asked before the frame was taken; a datagram
	 * that was put together here had no such question. */
	handoff = handoff_take(shard, frame->length, false);
	if (!handoff) {
		SHARD_COUNT(shard, tx_dropped, 1);
		return NULL;
	}
	cursor_init(&cursor, frame->iov, frame->iov_count, frame->length);
	if (!cursor_take(&cursor, handoff->data, frame->length)) {
		handoff_put(shard, handoff);
		return NULL;
	}
	handoff->message.kind = MESSAGE_TX;
	handoff->queue = queue;
	handoff->length = frame->length;
	handoff->offload = frame->offload;
	handoff->reassembled = frame->reassembled;
	return handoff;
}

void handoff_frame(struct shard *shard, unsigned int owner,
		   const struct port_frame *frame, unsigned int queue)
{
	struct handoff *handoff = handoff_keep(shard, frame, queue);

	if (handoff)
		handoff_send(shard, owner, handoff);
}

void handoff_input(struct shard *shard, struct handoff *handoff)
{
	struct port_frame *frame = &shard->handed;

	frame->iov[0] = (struct iovec) { .iov_base = handoff->data,
					 .iov_len = handoff->length };
	frame->iov_count = 1;
	frame->length = handoff->length;
	frame->offload = handoff->offload;
	frame->reassembled = handoff->reassembled;
	shard->handing = handoff;
	shard_make_room(shard);
	shard_input(shard, frame, handoff->queue);
	if (!shard->handing)
		return; /* it was passed on, or kept */
	shard->handing = NULL;
	/* Queued sends read from it until the turn ends. */
	handoff->next = shard->held;
	shard->held = handoff;
}

/* Put a frame into our own receive queue. Return: false while there is no room.
 */
static bool handoff_deliver(struct shard *shard, struct handoff *handoff)
{
	struct port_space space;

	if (shard->features.active) {
		if (shard->port->ops->rx_reserve(shard->port, handoff->length,
						 &space))
			return false;
		iov_write(space.iov, space.iov_count, 0, handoff->data,
			  handoff->length);
		if (shard->pcap)
			pcap_note(shard, space.iov, space.iov_count,
				  handoff->length, true);
		shard->port->ops->rx_commit(shard->port, &space,
					    handoff->length, &handoff->offload);
		SHARD_COUNT(shard, rx_frames, 1);
		SHARD_COUNT(shard, rx_bytes, handoff->length);
	}
	handoff_put(shard, handoff);
	return true;
}

static void handoff_run_backlog(struct shard *shard)
{
	struct handoff *handoff;

	while ((handoff = shard->backlog_first) != NULL) {
		struct handoff *next = handoff->next;

		if (!handoff_deliver(shard, handoff))
			return;
		shard->backlog_first = next;
		if (!next)
			shard->backlog_last = &shard->backlog_first;
	}
}

static void handoff_dispatch(struct shard *shard, struct handoff *handoff)
{
	SHARD_COUNT(shard, handoffs_in, 1);
	if (handoff->message.kind == MESSAGE_TX) {
		handoff_input(shard, handoff);
		return;
	}
	if (!shard->backlog_first && handoff_deliver(shard, handoff))
		return;
	SHARD_COUNT(shard, rx_stalls, 1);
	handoff->next = NULL;
	*shard->backlog_last = handoff;
	shard->backlog_last = &handoff->next;
}

static void message_dispatch(struct shard *shard, struct message *message)
{
	if (message->kind == MESSAGE_MOVE)
		move_receive(shard,
			     caa_container_of(message, struct move, message));
	else
		handoff_dispatch(
			shard,
			caa_container_of(message, struct handoff, message));
}

void handoff_receive(struct shard *shard)
{
	struct __cds_wfcq_head head;
	struct cds_wfcq_tail tail;
	struct cds_wfcq_node *node;

	if (!shard->handoff_memory)
		return;
	handoff_collect(shard);
	handoff_run_backlog(shard);
	__cds_wfcq_init(&head, &tail);
	/* All at once: then the inbox is empty, and the next sender wakes us.
	 */
	__cds_wfcq_splice_blocking(&head, &tail, &shard->inbox.head,
				   &shard->inbox.tail);
	while ((node = __cds_wfcq_dequeue_blocking(&head, &tail))) {
		struct message *message =
			caa_container_of(node, struct message, node);

		/* Pairs with the release in message_send(). */
		(void)__atomic_load_n(&message->ready, __ATOMIC_ACQUIRE);
		message_dispatch(shard, message);
	}
}

void handoff_release(struct shard *shard)
{
	struct handoff *handoff;

	while ((handoff = shard->held) != NULL) {
		shard->held = handoff->next;
		handoff_put(shard, handoff);
	}
}
