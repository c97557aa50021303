/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/pcap_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RING_SKIP 0U /* instead of a block's type: go on at the start */

int pcap_ring_setup(struct pcap_ring *ring)
{
	void *map = mmap(NULL, PCAP_RING_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return -ENOMEM;
	ring->memory = map;
	return 0;
}

void pcap_ring_teardown(struct pcap_ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, PCAP_RING_SIZE);
	ring->memory = NULL;
}

static void ring_count(uint64_t *counter)
{
	/* One writer; readers want a whole number, not an order. */
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static uint64_t ring_now_ns(void)
{
	struct timespec now;

	/* While a capture runs, each frame has a time of its own: the turn's
	 * would hide what happens within a turn. */
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Return: where @size bytes go, which then end at *end; NULL without room */
static uint8_t *ring_reserve(struct pcap_ring *ring, size_t size, uint64_t *end)
{
	/* Pairs with the release in pcap_ring_take(). */
	uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
	size_t room = PCAP_RING_SIZE - (size_t)(ring->head - tail);
	size_t at = ring->head % PCAP_RING_SIZE;
	size_t rest = PCAP_RING_SIZE - at, skip = size <= rest ? 0 : rest;
	const uint32_t mark = RING_SKIP;

	if (skip + size > room)
		return NULL;
	if (skip)
		memcpy(ring->memory + at, &mark, sizeof(mark));
	*end = ring->head + skip + size;
	return ring->memory + (skip ? 0 : at);
}

static void ring_publish(struct pcap_ring *ring, uint64_t end)
{
	uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
	bool was_half = ring->head - tail >= PCAP_RING_SIZE / 2;
	uint64_t one = 1;
	ssize_t ret;

	/* Pairs with the acquire in pcap_ring_end(). */
	__atomic_store_n(&ring->head, end, __ATOMIC_RELEASE);
	if (was_half || end - tail < PCAP_RING_SIZE / 2)
		return;
	ret = write(ring->wake_fd, &one, sizeof(one));
	/* Fails only when the count is full, and then it is readable. */
	(void)ret;
}

void pcap_ring_put(struct pcap_ring *ring, const struct iovec *iov,
		   unsigned int count, size_t length,
		   enum pcapng_direction direction)
{
	struct pcapng_packet packet = {
		.interface = ring->interface,
		.captured =
			(uint32_t)(length < ring->snap ? length : ring->snap),
		.length = (uint32_t)length,
		.direction = direction,
	};
	uint64_t end;
	uint8_t *to =
		ring_reserve(ring, pcapng_packet_size(packet.captured), &end);

	ring_count(&ring->seen);
	if (!to) {
		ring_count(&ring->dropped);
		return;
	}
	packet.time_ns = ring_now_ns();
	pcapng_write_packet(to, &packet, iov, count);
	ring_publish(ring, end);
}

uint64_t pcap_ring_end(const struct pcap_ring *ring)
{
	/* Pairs with the release in ring_publish(). */
	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}

void pcap_ring_take(struct pcap_ring *ring, size_t size)
{
	/* Pairs with the acquire in ring_reserve(). */
	__atomic_store_n(&ring->tail, ring->tail + size, __ATOMIC_RELEASE);
}

const uint8_t *pcap_ring_peek(struct pcap_ring *ring, uint64_t end,
			      size_t *size)
{
	uint32_t word;

	if (ring->tail == end)
		return NULL;
	memcpy(&word, ring->memory + ring->tail % PCAP_RING_SIZE, sizeof(word));
	if (word == RING_SKIP)
		pcap_ring_take(ring,
			       PCAP_RING_SIZE - ring->tail % PCAP_RING_SIZE);
	memcpy(&word,
	       ring->memory + ring->tail % PCAP_RING_SIZE + PCAPNG_LENGTH_AT,
	       sizeof(word));
	*size = word;
	return ring->memory + ring->tail % PCAP_RING_SIZE;
}
