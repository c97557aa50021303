/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Theory of operation
 *
 * One virtio-net queue pair as the port of its shard (slirp/port.h). net_tx.c
 * and net_rx.c move frames; here is the pair's life and its notifications.
 *
 * A port is prepared (rings translated and judged) on the vCPU thread that sets
 * DRIVER_OK, and started, paused and stopped on the shard's own thread between
 * turns, so that the data path needs no lock. While @running is false the shard
 * touches neither rings nor guest memory.
 *
 * Both queues share one eventfd for doorbells. Kicks are asked for only while
 * the shard sleeps. Used buffers of a whole turn become visible with one store
 * per ring, the transmit ring's before the receive interrupt, because a driver
 * collects them there.
 */
#include "virtio/net_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ETHERNET_HEADER 14
#define ETHERNET_MTU    1500

/* What may be done without an interrupt for transmitted frames. */
#define NET_TX_LAG_FRAMES 32
#define NET_TX_LAG_BYTES  16384
#define NET_F_GUEST_TSO   (NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6)

static unsigned int net_mtu(const struct net_port *port)
{
	return port->features & NET_F_MTU ? port->device_mtu : ETHERNET_MTU;
}

static size_t net_rx_frame_max(const struct net_port *port)
{
	size_t posted = (size_t)port->rx.ring.size * NET_RX_BUFFER_MIN -
			sizeof(struct net_header);

	if (port->mergeable)
		return posted < PORT_FRAME_MAX ? posted : PORT_FRAME_MAX;
	if (port->features & NET_F_GUEST_TSO)
		return PORT_FRAME_MAX;
	return net_mtu(port) + ETHERNET_HEADER;
}

static void net_port_features(struct port *base, struct port_features *features)
{
	const struct net_port *port = (const struct net_port *)base;
	bool csum;

	memset(features, 0, sizeof(*features));
	features->mtu = ETHERNET_MTU;
	if (!port->active)
		return;
	features->active = true;
	features->mtu = net_mtu(port);
	csum = port->features & NET_F_GUEST_CSUM;
	/* virtio 1.2, 5.1.3.1: segments need checksums left to the driver. */
	features->rx_csum = csum;
	features->rx_tso4 = csum && (port->features & NET_F_GUEST_TSO4);
	features->rx_tso6 = csum && (port->features & NET_F_GUEST_TSO6);
	features->rx_frame_max = net_rx_frame_max(port);
}

static int net_port_kick_fd(struct port *base)
{
	return ((const struct net_port *)base)->kick_fd;
}

static void net_port_disarm(struct port *base)
{
	struct net_port *port = (struct net_port *)base;

	if (port->on_wake)
		port->on_wake(port->on_wake_context);
	if (!port->running)
		return;
	vring_disable_kicks(&port->tx.ring);
	vring_disable_kicks(&port->rx.ring);
}

static bool net_port_arm(struct port *base)
{
	struct net_port *port = (struct net_port *)base;
	bool work;

	if (!port->running)
		return false;
	work = vring_enable_kicks(&port->tx.ring);
	if (port->rx_starved) {
		port->rx_starved = false;
		work |= vring_enable_kicks(&port->rx.ring);
	}
	return work;
}

static bool net_port_has_work(struct port *base)
{
	const struct net_port *port = (const struct net_port *)base;

	return port->running &&
	       (vring_has_chains(&port->tx.ring) ||
		(port->rx_starved && vring_has_chains(&port->rx.ring)));
}

void net_queue_break(struct net_queue *queue,
		     struct virtio_transport *transport)
{
	/* A broken ring fails each call; the driver hears of the first one. */
	if (queue->reported)
		return;
	queue->reported = true;
	net_stat_add(&queue->stats.broken, 1);
	transport->ops->device_broken(transport);
}

unsigned int net_queue_interrupt(struct net_queue *queue,
				 struct virtio_transport *transport)
{
	if (!vring_needs_interrupt(&queue->ring)) {
		net_stat_add(&queue->stats.suppressed, 1);
		return 0;
	}
	net_stat_add(&queue->stats.interrupts, 1);
	transport->ops->queue_interrupt(transport, queue->index);
	return 1;
}

static void net_port_settle(struct port *base)
{
	struct net_port *port = (struct net_port *)base;

	if (!port->tx_put_off)
		return;
	port->tx_put_off = false;
	port->tx_lag_frames = 0;
	port->tx_lag_bytes = 0;
	port->base.syscalls += net_queue_interrupt(&port->tx, port->transport);
}

/*
 * The driver looks after transmitted frames whenever it polls its receive
 * queue, and asks for an interrupt for each until then. So the interrupt waits
 * for a received frame to make it needless, unless so much was transmitted that
 * the driver's sockets may wait for it.
 */
static void net_port_flush_tx(struct net_port *port)
{
	if (vring_publish(&port->tx.ring))
		port->tx_put_off = true;
	if (!port->tx_put_off)
		return;
	/* A driver that has polled meanwhile wants none: that settles it. */
	if (!vring_wants_interrupt(&port->tx.ring) ||
	    port->tx_lag_frames >= NET_TX_LAG_FRAMES ||
	    port->tx_lag_bytes >= NET_TX_LAG_BYTES)
		net_port_settle(&port->base);
}

static void net_port_flush(struct port *base)
{
	struct net_port *port = (struct net_port *)base;

	if (!port->running)
		return;
	if (vring_publish(&port->rx.ring))
		port->base.syscalls +=
			net_queue_interrupt(&port->rx, port->transport);
	net_port_flush_tx(port);
}

static bool net_port_put_off(struct port *base)
{
	return ((struct net_port *)base)->tx_put_off;
}

static const struct port_ops net_port_ops = {
	.features = net_port_features,
	.kick_fd = net_port_kick_fd,
	.disarm = net_port_disarm,
	.arm = net_port_arm,
	.has_work = net_port_has_work,
	.tx_take = net_tx_take,
	.tx_done = net_tx_done,
	.rx_reserve = net_rx_reserve,
	.rx_commit = net_rx_commit,
	.rx_cancel = net_rx_cancel,
	.flush = net_port_flush,
	.put_off = net_port_put_off,
	.settle = net_port_settle,
};

int net_port_create(unsigned int pair, uint16_t queue_size_max,
		    unsigned int mtu, struct net_port **out)
{
	size_t size = sizeof(struct net_port) +
		      queue_size_max * sizeof(struct net_rx_chain);
	struct net_port *port;

	size = (size + NET_PORT_ALIGN - 1) & ~(size_t)(NET_PORT_ALIGN - 1);
	port = aligned_alloc(NET_PORT_ALIGN, size);
	if (!port)
		return -ENOMEM;
	memset(port, 0, size);
	port->base.ops = &net_port_ops;
	port->rx.index = 2 * pair;
	port->tx.index = 2 * pair + 1;
	port->device_mtu = mtu;
	port->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (port->kick_fd < 0) {
		free(port);
		return -errno;
	}
	*out = port;
	return 0;
}

void net_port_destroy(struct net_port *port)
{
	if (!port)
		return;
	close(port->kick_fd);
	free(port);
}

int net_port_prepare(struct net_port *port, const struct guest_memory *memory,
		     struct virtio_transport *transport,
		     const struct virtio_queue_setup *queue, uint64_t features)
{
	int ret;

	memset(&port->rx.ring, 0, sizeof(port->rx.ring));
	memset(&port->tx.ring, 0, sizeof(port->tx.ring));
	if (!queue[0].enabled || !queue[1].enabled)
		return 0;
	ret = vring_init(&port->rx.ring, memory, &queue[0], features);
	if (!ret)
		ret = vring_init(&port->tx.ring, memory, &queue[1], features);
	if (ret)
		return ret;
	port->transport = transport;
	port->features = features;
	port->mergeable = features & NET_F_MRG_RXBUF;
	port->rx_starved = false;
	port->tx_put_off = false;
	port->tx_lag_frames = 0;
	port->tx_lag_bytes = 0;
	port->rx.reported = false;
	port->tx.reported = false;
	net_rx_reset(port, port->rx.ring.size);
	return 0;
}

bool net_port_usable(const struct net_port *port)
{
	return port->tx.ring.size != 0;
}

void net_port_start(void *context)
{
	struct net_port *port = context;

	port->running = true;
	port->active = true;
}

void net_port_pause(void *context)
{
	struct net_port *port = context;

	port->active = false;
}

void net_port_stop(void *context)
{
	struct net_port *port = context;

	port->running = false;
	port->active = false;
	port->on_wake = NULL;
	port->features = 0;
	port->tx_put_off = false;
	memset(&port->rx.ring, 0, sizeof(port->rx.ring));
	memset(&port->tx.ring, 0, sizeof(port->tx.ring));
}
