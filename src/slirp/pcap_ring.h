/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_PCAP_RING_H
#define MQVMM_SLIRP_PCAP_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "slirp/pcapng.h"

/*
 * Packet blocks on their way from a shard to the thread that writes them: one
 * producer, one consumer, no lock. A block lies in one piece; where it does not
 * fit before the memory's end, it begins anew at its start.
 */

#define PCAP_RING_SIZE (4U << 20) /* bytes; holds 60 of the longest frames */

/**
 * struct pcap_ring - Of one queue
 * @memory:	PCAP_RING_SIZE bytes
 * @interface:	The queue's number
 * @snap:	Bytes of a frame that are kept
 * @wake_fd:	Written to when the ring becomes half full
 * @head:	Bytes ever put in; stored by the producer
 * @seen, @dropped: Frames; the producer's, read by anybody
 * @tail:	Bytes ever taken out; stored by the consumer
 */
struct pcap_ring {
	uint8_t *memory;
	uint32_t interface;
	uint32_t snap;
	int wake_fd;
	uint64_t head __attribute__((aligned(64)));
	uint64_t seen;
	uint64_t dropped;
	uint64_t tail __attribute__((aligned(64)));
};

/* Return: 0 or -ENOMEM */
int pcap_ring_setup(struct pcap_ring *ring);
void pcap_ring_teardown(struct pcap_ring *ring);

/**
 * pcap_ring_put() - Note a frame, or count that there was no room for it
 * @iov:	Its bytes, @length of them
 *
 * Context: the producer's thread; does not sleep.
 */
void pcap_ring_put(struct pcap_ring *ring, const struct iovec *iov,
		   unsigned int count, size_t length,
		   enum pcapng_direction direction);

/* Where the ring ends at this moment, for pcap_ring_peek(). */
uint64_t pcap_ring_end(const struct pcap_ring *ring);

/**
 * pcap_ring_peek() - The next block
 * @end:	Blocks from here on are left alone
 *
 * Return: the block, NULL if there is none before @end
 *
 * Context: the consumer's thread.
 */
const uint8_t *pcap_ring_peek(struct pcap_ring *ring, uint64_t end,
			      size_t *size);

/* The block that was peeked at is done with. */
void pcap_ring_take(struct pcap_ring *ring, size_t size);

#endif
