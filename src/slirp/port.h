/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_PORT_H
#define MQVMM_SLIRP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Theory of operation
 *
 * A port is one queue pair as its shard sees it: a virtqueue pair of a VM, a
 * queue of a multi-queue TAP, a test's arrays. It hands out the guest's
 * transmitted frames in place, and receive space in place, so that payload
 * moves between guest buffers and host sockets with one copy, the socket's.
 *
 * "tx" and "rx" are the guest's: tx goes guest to host, rx host to guest. The
 * guest's bytes may change while they are read: copy a header once, then judge
 * the copy.
 *
 * A turn of the shard: disarm, then any number of tx_take / rx_reserve /
 * rx_commit / rx_cancel / tx_done, then flush. At the end of every turn all
 * taken frames have been given back with tx_done, and all reserved space was
 * committed or cancelled: between turns a shard holds no guest buffer, so a
 * port may be stopped, reset or replaced there (slirp_call_shard()).
 *
 * Context: all operations run on the port's shard's thread and never sleep.
 */

/* Segments of one frame; a frame in more pieces is dropped and counted. */
#define PORT_IOV_MAX 64

/* Longest frame either way: 64 KiB of IP and an Ethernet header, bytes. */
#define PORT_FRAME_MAX (65535 + 14)

/* port_offload.flags, as in the virtio-net header (virtio 1.2, 5.1.6). */
#define PORT_NEEDS_CSUM 1 /* checksum from csum_start is to be filled in */
#define PORT_DATA_VALID 2 /* checksum was verified */

/* port_offload.gso_type */
#define PORT_GSO_NONE  0
#define PORT_GSO_TCPV4 1
#define PORT_GSO_UDP   3
#define PORT_GSO_TCPV6 4
#define PORT_GSO_ECN   0x80 /* or'ed to a TCP type */

/**
 * struct port_offload - What the frame's sender left to the receiver's side
 * @flags:	PORT_NEEDS_CSUM, PORT_DATA_VALID
 * @gso_type:	PORT_GSO_*
 * @header_len:	Ethernet to TCP header, bytes, with a gso_type; a hint only
 * @gso_size:	MSS to segment by, bytes
 * @csum_start:	Checksum covers from here to the end, bytes from the frame's
 * start
 * @csum_offset: Where the checksum field is, bytes from @csum_start
 */
struct port_offload {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

/**
 * struct port_frame - One frame that the guest transmits, in place
 * @iov:	Its bytes, from the Ethernet header on
 * @iov_count:	Segments used
 * @length:	Sum of the segments, bytes, at most PORT_FRAME_MAX
 * @offload:	Untrusted, as everything in @iov
 * @token:	The port's, for tx_done
 * @reassembled: The NAT's: it was put together of fragments. Ports leave it.
 */
struct port_frame {
	struct iovec iov[PORT_IOV_MAX];
	unsigned int iov_count;
	size_t length;
	struct port_offload offload;
	uint32_t token;
	bool reassembled;
};

/**
 * struct port_space - Receive space reserved in the guest's buffers
 * @iov:	Where the frame goes, from the Ethernet header on
 * @iov_count:	Segments used
 * @length:	Sum of the segments, bytes: at least what was asked for
 * @first, @count: The port's own
 */
struct port_space {
	struct iovec iov[PORT_IOV_MAX];
	unsigned int iov_count;
	size_t length;
	uint32_t first;
	uint32_t count;
};

/**
 * struct port_features - What the guest's driver takes, since its last reset
 * @active:	The queue pair runs; otherwise rx_reserve gives nothing, and
 *		tx_take only what was queued before
 * @rx_csum:	Takes PORT_NEEDS_CSUM
 * @rx_tso4, @rx_tso6: Takes PORT_GSO_TCPV4 / V6 up to PORT_FRAME_MAX
 * @rx_frame_max: Longest frame that rx_reserve can ever give, bytes
 * @mtu:	Of the guest's interface, bytes of IP packet
 * @rx_steers_tx: The transport itself sends a flow's frames by the queue that
 *		the flow's last frame came from (Linux's TUN does): frames to
 *		the guest go by their flow's owner's queue, which draws the
 *		flow there. Otherwise by the one that the guest chose.
 */
struct port_features {
	bool active;
	bool rx_csum;
	bool rx_tso4;
	bool rx_tso6;
	size_t rx_frame_max;
	unsigned int mtu;
	bool rx_steers_tx;
};

struct port;

/**
 * struct port_ops - The interface between a transport and a shard
 * @features:	What the driver takes at this moment
 * @kick_fd:	A descriptor that becomes readable when the guest may have
 *		transmitted, or may have posted buffers after rx_reserve
 *		failed. Watched edge-triggered, not read by the shard, the
 *		same one for the port's life.
 * @disarm:	The shard is awake: the guest need not notify
 * @arm:	The shard is about to sleep: ask for notifications (of
 *transmitted frames; of posted buffers too if an rx_reserve failed since the
 *last arm). Return: true if work is there already, so that sleeping would lose
 *it
 * @has_work:	Would arm say so? Asks for nothing, and makes no system call:
 *		for a shard that spins. False where only kick_fd tells.
 * @tx_take:	Next transmitted frame. Return: 1 with @frame filled, 0 if
 *		there is none. Malformed ones are dropped inside and counted.
 * @tx_done:	Give a taken frame's buffer back; in any order
 * @rx_reserve:	Receive space for a frame of up to @length bytes (1 to
 *		rx_frame_max). Several may be reserved at once. Return: 0, or
 *		-ENOBUFS while the guest has not posted enough
 * @rx_commit:	The frame's @length bytes (at most space->length, at least 1)
 *		are written; @offload may be NULL for none. Frames appear to
 *		the guest in the order of commits.
 * @rx_cancel:	Give reserved space back unused
 * @flush:	Make all that was committed and done visible to the guest,
 *		with at most one interrupt for each direction. One that only
 *		tells of transmitted frames may be put off: a guest that is
 *		interrupted for a received frame looks after both.
 * @put_off:	Is there an interrupt that flush has put off? Then the shard
 *		sleeps for PORT_PUT_OFF_US at most before it calls settle
 * @settle:	Send it, if the guest still wants it
 */
struct port_ops {
	void (*features)(struct port *port, struct port_features *features);
	int (*kick_fd)(struct port *port);
	void (*disarm)(struct port *port);
	bool (*arm)(struct port *port);
	bool (*has_work)(struct port *port);
	int (*tx_take)(struct port *port, struct port_frame *frame);
	void (*tx_done)(struct port *port, uint32_t token);
	int (*rx_reserve)(struct port *port, size_t length,
			  struct port_space *space);
	void (*rx_commit)(struct port *port, struct port_space *space,
			  size_t length, const struct port_offload *offload);
	void (*rx_cancel)(struct port *port, struct port_space *space);
	void (*flush)(struct port *port);
	bool (*put_off)(struct port *port);
	void (*settle)(struct port *port);
};

/* How long an interrupt for transmitted frames may wait, microseconds. */
#define PORT_PUT_OFF_US 1000

/**
 * struct port - Embedded as first member of an implementation
 * @ops:	Its operations
 * @syscalls:	System calls that they have made; the shard's thread's
 */
struct port {
	const struct port_ops *ops;
	uint64_t syscalls;
};

#endif
