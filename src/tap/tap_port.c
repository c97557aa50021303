/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_port.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * The kernel's TAP has no shared buffers: frames are read into and written from
 * buffers of this port, one system call each. A buffer is the same size for
 * both directions; pages that were never used cost nothing.
 *
 * The descriptor is watched edge-triggered: the shard takes frames until none
 * is left, or comes back at once.
 */

#define TAP_BUFFERS 256
#define TAP_BUFFER_SIZE \
	(PORT_FRAME_MAX + 3) /* a whole number of 4-byte words */

struct tap_port {
	struct port port;
	int fd;
	unsigned int mtu;
	uint8_t *memory;
	unsigned int free_count;
	uint16_t free[TAP_BUFFERS];
} __attribute__((aligned(64))); /* no line is two shards' */

static struct tap_port *tap_of(struct port *port)
{
	return (struct tap_port *)port;
}

static uint8_t *tap_buffer(struct tap_port *tap, unsigned int index)
{
	return tap->memory + (size_t)index * TAP_BUFFER_SIZE;
}

static void tap_features(struct port *port, struct port_features *features)
{
	*features = (struct port_features) {
		.active = true,
		.rx_csum = true,
		.rx_tso4 = true,
		.rx_tso6 = true,
		.rx_frame_max = PORT_FRAME_MAX,
		.mtu = tap_of(port)->mtu,
		.rx_steers_tx = true,
	};
}

static int tap_kick_fd(struct port *port)
{
	return tap_of(port)->fd;
}

static void tap_disarm(struct port *port)
{
	(void)port;
}

/* Whether frames wait only the descriptor can tell. */
static bool tap_says_no(struct port *port)
{
	(void)port;
	return false;
}

static int tap_tx_take(struct port *port, struct port_frame *frame)
{
	struct tap_port *tap = tap_of(port);
	struct virtio_net_hdr_mrg_rxbuf header;
	struct iovec iov[2];
	ssize_t got;

	if (!tap->free_count)
		return 0;
	frame->token = tap->free[tap->free_count - 1];
	iov[0].iov_base = &header;
	iov[0].iov_len = sizeof(header);
	iov[1].iov_base = tap_buffer(tap, frame->token);
	iov[1].iov_len = PORT_FRAME_MAX;
	port->syscalls++;
	got = readv(tap->fd, iov, 2);
	if (got <= (ssize_t)sizeof(header))
		return 0;
	tap->free_count--;
	frame->length = (size_t)got - sizeof(header);
	frame->iov[0] = iov[1];
	frame->iov[0].iov_len = frame->length;
	frame->iov_count = 1;
	frame->offload.flags = header.hdr.flags;
	frame->offload.gso_type = header.hdr.gso_type;
	frame->offload.header_len = header.hdr.hdr_len;
	frame->offload.gso_size = header.hdr.gso_size;
	frame->offload.csum_start = header.hdr.csum_start;
	frame->offload.csum_offset = header.hdr.csum_offset;
	return 1;
}

static void tap_give(struct tap_port *tap, uint32_t index)
{
	tap->free[tap->free_count++] = (uint16_t)index;
}

static void tap_tx_done(struct port *port, uint32_t token)
{
	tap_give(tap_of(port), token);
}

static int tap_rx_reserve(struct port *port, size_t length,
			  struct port_space *space)
{
	struct tap_port *tap = tap_of(port);

	if (!tap->free_count || length > PORT_FRAME_MAX)
		return -ENOBUFS;
	space->first = tap->free[--tap->free_count];
	space->count = 1;
	space->iov[0].iov_base = tap_buffer(tap, space->first);
	space->iov[0].iov_len = length;
	space->iov_count = 1;
	space->length = length;
	return 0;
}

static void tap_rx_commit(struct port *port, struct port_space *space,
			  size_t length, const struct port_offload *offload)
{
	struct tap_port *tap = tap_of(port);
	struct virtio_net_hdr_mrg_rxbuf header = { .num_buffers = 1 };
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = space->iov[0].iov_base, .iov_len = length },
	};
	ssize_t ret;

	if (offload) {
		header.hdr.flags = offload->flags;
		header.hdr.gso_type = offload->gso_type;
		header.hdr.hdr_len = offload->header_len;
		header.hdr.gso_size = offload->gso_size;
		header.hdr.csum_start = offload->csum_start;
		header.hdr.csum_offset = offload->csum_offset;
	}
	port->syscalls++;
	ret = writev(tap->fd, iov, 2);
	/* A frame that the namespace drops is lost as on any link. */
	(void)ret;
	tap_give(tap, space->first);
}

static void tap_rx_cancel(struct port *port, struct port_space *space)
{
	tap_give(tap_of(port), space->first);
}

static void tap_flush(struct port *port)
{
	(void)port;
}

static const struct port_ops tap_port_ops = {
	.features = tap_features,
	.kick_fd = tap_kick_fd,
	.disarm = tap_disarm,
	.arm = tap_says_no,
	.has_work = tap_says_no,
	.tx_take = tap_tx_take,
	.tx_done = tap_tx_done,
	.rx_reserve = tap_rx_reserve,
	.rx_commit = tap_rx_commit,
	.rx_cancel = tap_rx_cancel,
	.flush = tap_flush,
	.put_off = tap_says_no,
	.settle = tap_flush,
};

struct port *tap_port_create(int fd, unsigned int mtu)
{
	struct tap_port *tap =
		aligned_alloc(_Alignof(struct tap_port), sizeof(*tap));

	if (!tap)
		return NULL;
	memset(tap, 0, sizeof(*tap));
	tap->port.ops = &tap_port_ops;
	tap->fd = fd;
	tap->mtu = mtu;
	tap->memory = mmap(NULL, (size_t)TAP_BUFFERS * TAP_BUFFER_SIZE,
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tap->memory == MAP_FAILED) {
		free(tap);
		return NULL;
	}
	for (unsigned int i = 0; i < TAP_BUFFERS; i++)
		tap_give(tap, i);
	return &tap->port;
}

void tap_port_destroy(struct port *port)
{
	struct tap_port *tap = tap_of(port);

	if (!port)
		return;
	munmap(tap->memory, (size_t)TAP_BUFFERS * TAP_BUFFER_SIZE);
	free(tap);
}
