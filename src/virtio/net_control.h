/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_NET_CONTROL_H
#define MQVMM_VIRTIO_NET_CONTROL_H

#include "virtio/net_port.h"

/**
 * struct net_control - The control queue (virtio 1.2, 5.1.6.5)
 * @queue:	Its ring, zeroed while stopped
 * @transport:	Interrupts go through it
 * @features:	Agreed
 * @set_pairs:	Use this many queue pairs, 1 to 65535 were asked for. Return: 0
 *		or -EINVAL
 * @context:	Passed to @set_pairs
 */
struct net_control {
	struct net_queue queue;
	struct virtio_transport *transport;
	uint64_t features;
	int (*set_pairs)(void *context, unsigned int count);
	void *context;
};

/**
 * net_control_prepare() - Translate the ring of a stopped control queue
 * @index:	Which virtqueue it is under these @features
 * @queue:	Its set-up; one that is not enabled stays stopped
 *
 * Return: 0, -EINVAL or -EFAULT (vring_init())
 */
int net_control_prepare(struct net_control *control,
			const struct guest_memory *memory,
			struct virtio_transport *transport, unsigned int index,
			const struct virtio_queue_setup *queue,
			uint64_t features);

/**
 * net_control_run() - Answer all commands that wait
 * @context:	struct net_control
 *
 * Context: one thread at a time, the one that the doorbell reaches; sleeps in
 * @set_pairs.
 */
void net_control_run(void *context);

/** net_control_stop() - Forget the ring of a struct net_control */
void net_control_stop(void *context);

#endif
