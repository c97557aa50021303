/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "slirp/wire.h"

static struct queue *queue_of(struct port *port)
{
	return (struct queue *)port;
}

static void frame_add(struct queue_frame *frame, size_t size)
{
	uint8_t *data = malloc(size);

	FUZZ_CHECK(data);
	frame->iov[frame->iov_count++] = (struct iovec) { data, size };
	frame->length += size;
}

static void frame_make(struct queue_frame *frame, size_t length, size_t split)
{
	*frame = (struct queue_frame) { .used = true };
	if (split && split < length)
		frame_add(frame, split);
	if (split && length - frame->length > split)
		frame_add(frame, split);
	if (length > frame->length)
		frame_add(frame, length - frame->length);
}

static void frame_drop(struct queue_frame *frame)
{
	for (unsigned int i = 0; i < frame->iov_count; i++)
		free(frame->iov[i].iov_base);
	frame->iov_count = 0;
	frame->used = false;
}

static struct queue_frame *frame_slot(struct queue_frame *slots)
{
	for (unsigned int i = 0; i < QUEUE_FRAMES_MAX; i++)
		if (!slots[i].used)
			return &slots[i];
	return NULL;
}

static void queue_features(struct port *port, struct port_features *features)
{
	*features = queue_of(port)->features;
}

static int queue_kick_fd(struct port *port)
{
	return queue_of(port)->kick_fd;
}

static void queue_ignore(struct port *port)
{
	(void)port;
}

static bool queue_says_no(struct port *port)
{
	(void)port;
	return false;
}

static int queue_tx_take(struct port *port, struct port_frame *frame)
{
	struct queue *queue = queue_of(port);
	struct queue_frame *slot = frame_slot(queue->taken);

	if (!queue->tx_count || !slot)
		return 0;
	*slot = queue->tx[queue->tx_first];
	queue->tx_first = (queue->tx_first + 1) % QUEUE_FRAMES_MAX;
	queue->tx_count--;
	frame->iov_count = slot->iov_count;
	memcpy(frame->iov, slot->iov, sizeof(slot->iov));
	frame->length = slot->length;
	frame->offload = slot->offload;
	frame->token = (uint32_t)(slot - queue->taken);
	return 1;
}

static void queue_tx_done(struct port *port, uint32_t token)
{
	struct queue *queue = queue_of(port);

	FUZZ_CHECK(token < QUEUE_FRAMES_MAX && queue->taken[token].used);
	frame_drop(&queue->taken[token]);
}

static int queue_rx_reserve(struct port *port, size_t length,
			    struct port_space *space)
{
	struct queue *queue = queue_of(port);
	struct queue_frame *slot = frame_slot(queue->reserved);

	FUZZ_CHECK(length > 0);
	if (!queue->features.active || !queue->space || !slot ||
	    length > queue->features.rx_frame_max)
		return -ENOBUFS;
	queue->space--;
	frame_make(slot, length, queue->split);
	space->iov_count = slot->iov_count;
	memcpy(space->iov, slot->iov, sizeof(slot->iov));
	space->length = length;
	space->first = (uint32_t)(slot - queue->reserved);
	return 0;
}

static struct queue_frame *queue_reserved(struct queue *queue,
					  const struct port_space *space)
{
	FUZZ_CHECK(space->first < QUEUE_FRAMES_MAX &&
		   queue->reserved[space->first].used);
	return &queue->reserved[space->first];
}

static void check_offload(const struct port_offload *offload, size_t length)
{
	if (offload->flags & PORT_NEEDS_CSUM)
		FUZZ_CHECK(offload->csum_start + offload->csum_offset +
				   sizeof(uint16_t) <=
			   length);
	if (offload->gso_type != PORT_GSO_NONE)
		FUZZ_CHECK(offload->gso_size > 0 &&
			   offload->header_len <= length);
}

static void queue_rx_commit(struct port *port, struct port_space *space,
			    size_t length, const struct port_offload *offload)
{
	struct queue *queue = queue_of(port);
	struct queue_frame *slot = queue_reserved(queue, space);
	struct port_frame frame = { .length = length };

	FUZZ_CHECK(length > 0 && length <= slot->length);
	if (offload) {
		check_offload(offload, length);
		frame.offload = *offload;
	}
	frame.iov_count = iov_slice(slot->iov, slot->iov_count, 0, length,
				    frame.iov, PORT_IOV_MAX);
	if (queue->received)
		queue->received(queue->context, &frame);
	frame_drop(slot);
}

static void queue_rx_cancel(struct port *port, struct port_space *space)
{
	struct queue *queue = queue_of(port);

	frame_drop(queue_reserved(queue, space));
	queue->space++;
}

static const struct port_ops queue_ops = {
	.features = queue_features,
	.kick_fd = queue_kick_fd,
	.disarm = queue_ignore,
	.arm = queue_says_no,
	.has_work = queue_says_no,
	.tx_take = queue_tx_take,
	.tx_done = queue_tx_done,
	.rx_reserve = queue_rx_reserve,
	.rx_commit = queue_rx_commit,
	.rx_cancel = queue_rx_cancel,
	.flush = queue_ignore,
	.put_off = queue_says_no,
	.settle = queue_ignore,
};

void queue_begin(struct queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	queue->port.ops = &queue_ops;
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	FUZZ_CHECK(queue->kick_fd >= 0);
	queue->space = UINT32_MAX;
	queue->features = (struct port_features) {
		.active = true,
		.rx_csum = true,
		.rx_tso4 = true,
		.rx_tso6 = true,
		.rx_frame_max = PORT_FRAME_MAX,
		.mtu = 1500,
	};
}

void queue_end(struct queue *queue)
{
	for (; queue->tx_count; queue->tx_count--) {
		frame_drop(&queue->tx[queue->tx_first]);
		queue->tx_first = (queue->tx_first + 1) % QUEUE_FRAMES_MAX;
	}
	close(queue->kick_fd);
}

void queue_transmit(struct queue *queue, const void *frame, size_t length,
		    const struct port_offload *offload)
{
	struct queue_frame *slot;

	if (!length || length > PORT_FRAME_MAX ||
	    queue->tx_count == QUEUE_FRAMES_MAX)
		return;
	slot = &queue->tx[(queue->tx_first + queue->tx_count++) %
			  QUEUE_FRAMES_MAX];
	frame_make(slot, length, queue->split);
	slot->offload = *offload;
	iov_write(slot->iov, slot->iov_count, 0, frame, length);
}

bool queue_is_idle(const struct queue *queue)
{
	for (unsigned int i = 0; i < QUEUE_FRAMES_MAX; i++)
		if (queue->taken[i].used || queue->reserved[i].used)
			return false;
	return true;
}
