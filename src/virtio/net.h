/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_VIRTIO_NET_H
#define MQVMM_VIRTIO_NET_H

#include <stdint.h>
#include <stdio.h>

#include "base/fail.h"
#include "kvm/guest_memory.h"
#include "slirp/port.h"
#include "virtio/device.h"

#define VIRTIO_NET_PAIRS_MAX  1024
#define VIRTIO_NET_QUEUE_SIZE 1024 /* a good queue_size */

struct virtio_net;

/**
 * struct virtio_net_config - The device to make
 * @queue_pairs: 1 to VIRTIO_NET_PAIRS_MAX
 * @queue_size:	Entries of each queue at most, a power of two, 4 to 32768
 * @mac:	The guest's address
 * @mtu:	The guest's interface, bytes of IP packet, 68 to 65535
 */
struct virtio_net_config {
	unsigned int queue_pairs;
	uint16_t queue_size;
	uint8_t mac[6];
	unsigned int mtu;
};

/**
 * struct virtio_net_backend - The threads that serve the device's ports
 * @call_queue:	Run @call on the thread of queue pair @queue, between two turns,
 *		and return when it has run (slirp_call_shard())
 * @set_queue_pairs: The driver uses pairs 0 to @count - 1 (slirp_set_queues())
 * @context:	Passed to both
 */
struct virtio_net_backend {
	void (*call_queue)(void *context, unsigned int queue,
			   void (*call)(void *argument), void *argument);
	void (*set_queue_pairs)(void *context, unsigned int count);
	void *context;
};

/**
 * virtio_net_create() - Make a network device, stopped
 * @config:	Copied
 * @memory:	The guest's RAM, outlives the device
 * @out:	The device
 * @fail:	The cause, as a sentence
 *
 * Return: 0 or negative errno
 */
int virtio_net_create(const struct virtio_net_config *config,
		      const struct guest_memory *memory,
		      struct virtio_net **out, struct fail *fail);

/**
 * virtio_net_destroy() - Free a stopped device whose ports nobody uses
 * @net:	May be NULL
 */
void virtio_net_destroy(struct virtio_net *net);

/**
 * virtio_net_attach() - From now on these threads serve the ports
 * @backend:	Copied. Without one, calls run on the caller's thread.
 *
 * Context: while the device is stopped.
 */
void virtio_net_attach(struct virtio_net *net,
		       const struct virtio_net_backend *backend);

/** virtio_net_port() - Queue pair @pair, as its shard sees it */
struct port *virtio_net_port(struct virtio_net *net, unsigned int pair);

/** virtio_net_device() - The device, as its transport sees it */
struct virtio_device *virtio_net_device(struct virtio_net *net);

/**
 * virtio_net_print_stats() - Write all counters as JSON: {"queues":[...]}
 * @out:	Where to
 *
 * Context: any thread; reads running queues' counters, lock-free.
 */
void virtio_net_print_stats(const struct virtio_net *net, FILE *out);

#endif
