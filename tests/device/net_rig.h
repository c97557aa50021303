/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DEVICE_NET_RIG_H
#define MQVMM_TESTS_DEVICE_NET_RIG_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "slirp/port.h"
#include "support/driver.h"
#include "virtio/net.h"

/* The kernel's idea of the formats, under a name that is not taken. */
#define virtio_net_config linux_virtio_net_config
#include <linux/virtio_net.h>
#undef virtio_net_config

/*
 * The network device with a driver on one side and a shard's calls on the
 * other; both are made by the test.
 */

#define RIG_PAIRS_MAX    4
#define RIG_HEADER       12 /* virtio 1.2, 5.1.6.1, bytes */
#define RIG_FEATURE(bit) (1ULL << (bit))
#define RIG_EVENT_IDX    RIG_FEATURE(29)
#define RIG_INDIRECT     RIG_FEATURE(28)
#define RIG_MRG          RIG_FEATURE(VIRTIO_NET_F_MRG_RXBUF)
#define RIG_MQ           RIG_FEATURE(VIRTIO_NET_F_MQ)

/**
 * struct rig_options - What is to be made; 0 is a default
 * @pairs:	Queue pairs of the device
 * @size:	Entries of each ring
 * @without:	Offered features that the driver does not take
 * @mtu:	Offered
 * @room:	Bytes of RAM per ring entry for its buffers
 */
struct rig_options {
	unsigned int pairs;
	uint16_t size;
	uint64_t without;
	unsigned int mtu;
	size_t room;
};

/**
 * struct rig_posted - A receive chain as it was posted, by its head
 */
struct rig_posted {
	unsigned int count;
	struct driver_segment segment[DRIVER_SEGMENTS_MAX];
};

/**
 * struct rig - Device, driver and what they told each other
 * @transport:	Counts into @interrupts (by queue) and @broken
 * @control_index: Where the control queue is under @features
 * @steered:	Last count that the backend was told, 0 for never
 * @calls:	Calls that the backend ran
 * @arena:	Buffers of each ring, guest physical; entry i has @room bytes
 */
struct rig {
	struct virtio_transport transport;
	struct rig_options options;
	struct driver_memory memory;
	struct virtio_net *net;
	struct virtio_device *device;
	uint64_t features;
	struct driver_queue rx[RIG_PAIRS_MAX];
	struct driver_queue tx[RIG_PAIRS_MAX];
	struct driver_queue control;
	unsigned int control_index;
	unsigned int interrupts[2 * RIG_PAIRS_MAX + 1];
	unsigned int broken;
	unsigned int steered;
	unsigned int calls;
	uint64_t rx_arena[RIG_PAIRS_MAX];
	uint64_t tx_arena[RIG_PAIRS_MAX];
	uint64_t control_buffer;
	struct rig_posted posted[RIG_PAIRS_MAX][DRIVER_QUEUE_MAX];
};

/* Make a device and start it with all rings set up. */
struct rig *rig_make(const struct rig_options *options);
void rig_free(struct rig *rig);
/* Empty rings and DRIVER_OK. Return: what the device's start returned. */
int rig_start(struct rig *rig);
/* The same with a transport of the test's own. */
int rig_start_on(struct rig *rig, struct virtio_transport *transport);
void rig_stop(struct rig *rig);
struct port *rig_port(struct rig *rig, unsigned int pair);

/* Show a data queue's chains to the device, with a doorbell if it wants one. */
void rig_publish(struct rig *rig, struct driver_queue *queue);

/* Bytes that tell frames apart. */
void rig_fill(uint8_t *data, size_t length, unsigned int seed);

/*
 * Transmit @length bytes of pattern @seed behind @header, cut into segments of
 * @cut bytes (0: in one piece). Return: the head, -1 if the ring is full.
 */
int rig_send(struct rig *rig, unsigned int pair,
	     const struct virtio_net_hdr_v1 *header, size_t length,
	     unsigned int seed, size_t cut);
/* The same without showing it to the device yet. */
int rig_queue(struct rig *rig, unsigned int pair,
	      const struct virtio_net_hdr_v1 *header, size_t length,
	      unsigned int seed, size_t cut);
/* Take a frame at the port, check it is pattern @seed. Return: its token. */
uint32_t rig_expect(struct rig *rig, unsigned int pair, size_t length,
		    unsigned int seed, struct port_offload *offload);
void rig_check(const struct iovec *iov, unsigned int count, size_t length,
	       unsigned int seed);

/* Post a receive chain of segments of these lengths, ended by 0. */
int rig_post(struct rig *rig, unsigned int pair, const uint32_t *lengths);
void rig_post_many(struct rig *rig, unsigned int pair, unsigned int count,
		   uint32_t length);
/* Write pattern @seed into reserved space and commit it. */
void rig_commit(struct rig *rig, unsigned int pair, struct port_space *space,
		size_t length, unsigned int seed,
		const struct port_offload *offload);
/* Reserve, fill and commit one frame. Return: as rx_reserve. */
int rig_deliver(struct rig *rig, unsigned int pair, size_t length,
		unsigned int seed);
/*
 * Collect one frame at the driver, check that it is pattern @seed.
 * Return: the chains it came in, 0 if there is none.
 */
unsigned int rig_receive(struct rig *rig, unsigned int pair, size_t length,
			 unsigned int seed, struct virtio_net_hdr_v1 *header);

/* A command on the control queue. Return: the answer, -1 for none. */
int rig_command(struct rig *rig, uint8_t class, uint8_t command,
		const void *data, uint32_t length);
int rig_set_pairs(struct rig *rig, uint16_t pairs);

/* A counter of one queue ("rx0") from the device's JSON. */
unsigned long rig_stat(struct rig *rig, const char *queue, const char *name);

#endif
