/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * The driver's commands: how many queue pairs it uses, and receive filters,
 * which are accepted and have no effect, since only the guest's own traffic
 * arrives. Everything else is refused with VIRTIO_NET_ERR. A command without a
 * readable head of two bytes or a writable byte for the answer goes back
 * unanswered and is counted.
 *
 * Kicks stay enabled: commands are rare, and a driver waits for each of them.
 */
#include "virtio/net_control.h"

#include <errno.h>
#include <string.h>

/* Class and command, then as much of the data as any command needs. */
struct command {
	uint8_t class;
	uint8_t command;
	uint16_t value;
};

#define COMMAND_HEAD 2 /* bytes */

int net_control_prepare(struct net_control *control,
			const struct guest_memory *memory,
			struct virtio_transport *transport, unsigned int index,
			const struct virtio_queue_setup *queue,
			uint64_t features)
{
	net_control_stop(control);
	if (!queue->enabled)
		return 0;
	control->transport = transport;
	control->features = features;
	control->queue.index = index;
	control->queue.reported = false;
	return vring_init(&control->queue.ring, memory, queue, features);
}

void net_control_stop(void *context)
{
	struct net_control *control = context;

	memset(&control->queue.ring, 0, sizeof(control->queue.ring));
}

static bool command_set_pairs(struct net_control *control,
			      const struct command *command, size_t length)
{
	if (!(control->features & NET_F_MQ) || length < sizeof(*command) ||
	    command->value == 0)
		return false;
	return control->set_pairs(control->context, command->value) == 0;
}

static bool command_run(struct net_control *control,
			const struct command *command, size_t length)
{
	bool filters = control->features & NET_F_CTRL_RX;

	switch (command->class) {
	case NET_CTRL_RX:
		return filters && command->command <= NET_CTRL_RX_ALLMULTI &&
		       length > COMMAND_HEAD;
	case NET_CTRL_MAC:
		return filters && command->command == NET_CTRL_MAC_TABLE_SET;
	case NET_CTRL_MQ:
		return command->command == NET_CTRL_MQ_PAIRS_SET &&
		       command_set_pairs(control, command, length);
	default:
		return false;
	}
}

/* Return: bytes written to the command's answer */
static uint32_t command_answer(struct net_control *control, struct iovec *iov,
			       const struct vring_chain *chain)
{
	size_t length = chain->readable;
	unsigned int count = chain->readable_count;
	struct command command = { 0 };
	uint8_t *answer;

	if (length < COMMAND_HEAD || !chain->writable)
		return 0;
	answer = iov[count].iov_base;
	net_iov_pull(iov, &count, &command,
		     length < sizeof(command) ? length : sizeof(command));
	/* The guest may write on: the compiler must not read it again. */
	__asm__ volatile("" : "+m"(command));
	*answer = command_run(control, &command, length) ? NET_OK : NET_ERR;
	return 1;
}

/* Return: false when none waits; @budget counts down */
static bool control_next(struct net_control *control, unsigned int *budget)
{
	struct net_queue *queue = &control->queue;
	struct iovec iov[PORT_IOV_MAX];
	struct vring_chain chain;
	uint32_t written = 0;
	int ret;

	if (*budget == 0)
		return false;
	ret = vring_pop(&queue->ring, iov, PORT_IOV_MAX, &chain);
	if (ret == -EBADMSG)
		net_queue_break(queue, control->transport);
	if (ret == 0 || ret == -EBADMSG)
		return false;
	--*budget;
	if (ret == 1)
		written = command_answer(control, iov, &chain);
	net_stat_add(written ? &queue->stats.frames : &queue->stats.malformed,
		     1);
	vring_push(&queue->ring, chain.head, written);
	return true;
}

void net_control_run(void *context)
{
	struct net_control *control = context;
	struct net_queue *queue = &control->queue;
	/* More cannot wait before answers are published, if rules are kept. */
	unsigned int budget = queue->ring.size;

	if (!queue->ring.size)
		return;
	do {
		while (control_next(control, &budget))
			;
	} while (vring_enable_kicks(&queue->ring) && budget);
	if (vring_publish(&queue->ring))
		net_queue_interrupt(queue, control->transport);
}
