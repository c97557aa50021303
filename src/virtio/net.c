/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * The virtio network device (virtio 1.2, 5.1): queues rx0, tx0, rx1, tx1, ...
 * and the control queue. It carries no frame itself: each queue pair is a port
 * (net_port.c) that a thread of the backend serves.
 *
 * All operations come from the transport, under its lock, on a vCPU thread.
 * What a shard owns is changed only through the backend's call_queue(), between
 * two turns of that shard.
 *
 * Only pair 0 runs until the driver sets a number of pairs. The number goes up
 * by starting pairs before traffic is steered to them, and down by steering
 * away first; a pair that is no longer used keeps its rings, so that nothing
 * that is in them is lost.
 *
 * Where the control queue is depends on what was agreed: behind all pairs with
 * MQ, at index 2 without it (5.1.2). There its doorbell is queue pair 1's
 * eventfd, which is fixed for the device's life; so the shard of pair 1, which
 * has no traffic then, answers commands when it wakes.
 */
#include "virtio/net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/net_control.h"

#define SPEED_MBIT  100000
#define FULL_DUPLEX 1

/**
 * struct virtio_net - The device
 * @device:	What the transport sees
 * @config:	As made
 * @space:	Configuration space, constant
 * @memory:	The guest's RAM
 * @backend:	Its threads; operations may be NULL
 * @control:	Control queue
 * @control_shared: It answers at index 2, on the thread of pair 1
 * @pairs_active: Pairs in use, 0 while stopped
 * @pairs_started: Pairs that were in use since the start
 * @port:	config.queue_pairs ports
 */
struct virtio_net {
	struct virtio_device device;
	struct virtio_net_config config;
	struct net_config_space space;
	const struct guest_memory *memory;
	struct virtio_net_backend backend;
	struct net_control control;
	bool control_shared;
	unsigned int pairs_active;
	unsigned int pairs_started;
	struct net_port **port;
};

static void net_call(struct virtio_net *net, unsigned int pair,
		     void (*call)(void *argument), void *argument)
{
	if (net->backend.call_queue)
		net->backend.call_queue(net->backend.context, pair, call,
					argument);
	else
		call(argument);
}

static void net_steer(struct virtio_net *net, unsigned int pairs)
{
	if (net->backend.set_queue_pairs)
		net->backend.set_queue_pairs(net->backend.context, pairs);
}

static int net_set_pairs(void *context, unsigned int count)
{
	struct virtio_net *net = context;
	unsigned int before = net->pairs_active;

	if (count > net->config.queue_pairs)
		return -EINVAL;
	for (unsigned int i = 0; i < count; i++)
		if (!net_port_usable(net->port[i]))
			return -EINVAL;
	for (unsigned int i = before; i < count; i++)
		net_call(net, i, net_port_start, net->port[i]);
	net_steer(net, count);
	for (unsigned int i = count; i < before; i++)
		net_call(net, i, net_port_pause, net->port[i]);
	net->pairs_active = count;
	if (count > net->pairs_started)
		net->pairs_started = count;
	return 0;
}

static bool net_is_control(const struct virtio_net *net, unsigned int queue)
{
	return queue == 2 * net->config.queue_pairs;
}

static int net_kick_fd(struct virtio_device *device, unsigned int queue)
{
	struct virtio_net *net = (struct virtio_net *)device;

	if (net_is_control(net, queue))
		return -1;
	return net->port[queue / 2]->kick_fd;
}

static void net_notify(struct virtio_device *device, unsigned int queue)
{
	struct virtio_net *net = (struct virtio_net *)device;

	if (net_is_control(net, queue) && !net->control_shared)
		net_control_run(&net->control);
}

static void net_config_read(struct virtio_device *device, uint32_t offset,
			    void *data, unsigned int size)
{
	const struct virtio_net *net = (const struct virtio_net *)device;
	const uint8_t *space = (const uint8_t *)&net->space;
	uint8_t *out = data;

	for (unsigned int i = 0; i < size; i++) {
		uint64_t at = (uint64_t)offset + i;

		out[i] = at < sizeof(net->space) ? space[at] : 0;
	}
}

/* All fields are read-only for a driver of VERSION_1 (5.1.4). */
static void net_config_write(struct virtio_device *device, uint32_t offset,
			     const void *data, unsigned int size)
{
	(void)device;
	(void)offset;
	(void)data;
	(void)size;
}

static void net_stop(struct virtio_device *device)
{
	struct virtio_net *net = (struct virtio_net *)device;

	for (unsigned int i = 0; i < net->pairs_started; i++)
		net_call(net, i, net_port_stop, net->port[i]);
	if (net->control_shared) {
		net_call(net, 1, net_port_stop, net->port[1]);
		net->control_shared = false;
	}
	net_control_stop(&net->control);
	if (net->pairs_active)
		net_steer(net, 1);
	net->pairs_active = 0;
	net->pairs_started = 0;
}

/* Runs on the thread of pair 1. */
static void net_share_control(void *context)
{
	struct virtio_net *net = context;

	net->port[1]->on_wake_context = &net->control;
	net->port[1]->on_wake = net_control_run;
}

static int net_start_control(struct virtio_net *net,
			     struct virtio_transport *transport,
			     uint64_t features,
			     const struct virtio_queue_setup *queue)
{
	unsigned int index =
		features & NET_F_MQ ? 2 * net->config.queue_pairs : 2;
	int ret;

	if (!(features & NET_F_CTRL_VQ))
		return 0;
	ret = net_control_prepare(&net->control, net->memory, transport, index,
				  &queue[index], features);
	if (ret)
		return ret;
	net->control_shared = !net_is_control(net, index);
	if (net->control_shared)
		net_call(net, 1, net_share_control, net);
	return 0;
}

static int net_start(struct virtio_device *device,
		     struct virtio_transport *transport, uint64_t features,
		     const struct virtio_queue_setup *queue)
{
	struct virtio_net *net = (struct virtio_net *)device;
	unsigned int pairs = features & NET_F_MQ ? net->config.queue_pairs : 1;
	int ret;

	if (!(features & VIRTIO_F_VERSION_1))
		return -EINVAL;
	for (unsigned int i = 0; i < pairs; i++) {
		ret = net_port_prepare(net->port[i], net->memory, transport,
				       &queue[2UL * i], features);
		if (ret)
			return ret;
	}
	ret = net_start_control(net, transport, features, queue);
	if (ret)
		return ret;
	/* A driver that set up no pair 0 may still use the control queue. */
	net_set_pairs(net, 1);
	return 0;
}

static const struct virtio_device_ops net_device_ops = {
	.kick_fd = net_kick_fd,
	.notify = net_notify,
	.config_read = net_config_read,
	.config_write = net_config_write,
	.start = net_start,
	.stop = net_stop,
};

static uint64_t net_features(const struct virtio_net_config *config)
{
	uint64_t features =
		VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX |
		VIRTIO_F_INDIRECT_DESC | NET_F_CSUM | NET_F_GUEST_CSUM |
		NET_F_MTU | NET_F_MAC | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 |
		NET_F_GUEST_ECN | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 |
		NET_F_HOST_ECN | NET_F_MRG_RXBUF | NET_F_STATUS |
		NET_F_CTRL_VQ | NET_F_CTRL_RX | NET_F_SPEED_DUPLEX;

	return config->queue_pairs > 1 ? features | NET_F_MQ : features;
}

static int net_check_config(const struct virtio_net_config *config,
			    struct fail *fail)
{
	uint32_t size = config->queue_size;

	if (config->queue_pairs < 1 ||
	    config->queue_pairs > VIRTIO_NET_PAIRS_MAX)
		return fail_set(fail, -EINVAL,
				"%u queue pairs are not possible: choose 1 to "
				"%d",
				config->queue_pairs, VIRTIO_NET_PAIRS_MAX);
	if (size < 4 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return fail_set(fail, -EINVAL,
				"queues of %u entries are not possible: choose "
				"a power of two from 4 to %d",
				size, VRING_SIZE_MAX);
	if (config->mtu < 68 || config->mtu > 65535)
		return fail_set(fail, -EINVAL,
				"an MTU of %u bytes is not possible: choose 68 "
				"to 65535",
				config->mtu);
	if (config->mac[0] & 1)
		return fail_set(fail, -EINVAL,
				"the guest's MAC address is a multicast one: "
				"make its first byte even");
	return 0;
}

static void net_describe(struct virtio_net *net)
{
	const struct virtio_net_config *config = &net->config;

	net->device.ops = &net_device_ops;
	net->device.id = NET_DEVICE_ID;
	net->device.pci_class = NET_PCI_CLASS;
	net->device.features = net_features(config);
	net->device.queue_count = 2 * config->queue_pairs + 1;
	net->device.queue_size_max = config->queue_size;
	memcpy(net->space.mac, config->mac, sizeof(net->space.mac));
	net->space.status = NET_S_LINK_UP;
	net->space.max_virtqueue_pairs = config->queue_pairs;
	net->space.mtu = config->mtu;
	net->space.speed = SPEED_MBIT;
	net->space.duplex = FULL_DUPLEX;
	net->control.set_pairs = net_set_pairs;
	net->control.context = net;
}

int virtio_net_create(const struct virtio_net_config *config,
		      const struct guest_memory *memory,
		      struct virtio_net **out, struct fail *fail)
{
	struct virtio_net *net;
	int ret = net_check_config(config, fail);

	if (ret)
		return ret;
	net = calloc(1, sizeof(*net));
	if (!net)
		return fail_set(fail, -ENOMEM, "out of memory");
	net->config = *config;
	net->memory = memory;
	net_describe(net);
	net->port = calloc(config->queue_pairs, sizeof(struct net_port *));
	ret = net->port ? 0 : -ENOMEM;
	for (unsigned int i = 0; !ret && i < config->queue_pairs; i++)
		ret = net_port_create(i, config->queue_size, config->mtu,
				      &net->port[i]);
	if (ret) {
		virtio_net_destroy(net);
		return fail_set(fail, ret,
				"cannot make %u queue pairs (%s): raise the "
				"limit with ulimit -n or use fewer",
				config->queue_pairs, strerror(-ret));
	}
	*out = net;
	return 0;
}

void virtio_net_destroy(struct virtio_net *net)
{
	if (!net)
		return;
	for (unsigned int i = 0; net->port && i < net->config.queue_pairs; i++)
		net_port_destroy(net->port[i]);
	free(net->port);
	free(net);
}

void virtio_net_attach(struct virtio_net *net,
		       const struct virtio_net_backend *backend)
{
	net->backend = *backend;
}

struct port *virtio_net_port(struct virtio_net *net, unsigned int pair)
{
	return &net->port[pair]->base;
}

struct virtio_device *virtio_net_device(struct virtio_net *net)
{
	return &net->device;
}

static void print_queue(FILE *out, const char *name,
			const struct net_queue *queue, bool more)
{
	const struct net_queue_stats *stats = &queue->stats;

	fprintf(out,
		"{\"queue\":\"%s\",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
		",\"interrupts\":%" PRIu64 ",\"suppressed\":%" PRIu64
		",\"malformed\":%" PRIu64 ",\"stalls\":%" PRIu64
		",\"broken\":%" PRIu64 "}%s",
		name, net_stat_read(&stats->frames),
		net_stat_read(&stats->bytes), net_stat_read(&stats->interrupts),
		net_stat_read(&stats->suppressed),
		net_stat_read(&stats->malformed), net_stat_read(&stats->stalls),
		net_stat_read(&stats->broken), more ? "," : "");
}

void virtio_net_print_stats(const struct virtio_net *net, FILE *out)
{
	char name[16];

	fprintf(out, "{\"queues\":[");
	for (unsigned int i = 0; i < net->config.queue_pairs; i++) {
		snprintf(name, sizeof(name), "rx%u", i);
		print_queue(out, name, &net->port[i]->rx, true);
		snprintf(name, sizeof(name), "tx%u", i);
		print_queue(out, name, &net->port[i]->tx, true);
	}
	print_queue(out, "control", &net->control.queue, false);
	fprintf(out, "]}\n");
}
