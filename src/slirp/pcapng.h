/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_PCAPNG_H
#define MQVMM_SLIRP_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the host's byte order,
 * with timestamps in nanoseconds. Pure functions over memory.
 */

/* Longest block that is not a packet, bytes. */
#define PCAPNG_BLOCK_MAX 128

/* A block's length is this many bytes behind its start. */
#define PCAPNG_LENGTH_AT 4

enum pcapng_direction {
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

/**
 * struct pcapng_packet - What an Enhanced Packet Block says (4.3)
 * @interface:	Counted from 0, in the order of their descriptions
 * @time_ns:	CLOCK_REALTIME
 * @captured:	Bytes that follow
 * @length:	Of the frame, bytes
 */
struct pcapng_packet {
	uint32_t interface;
	uint64_t time_ns;
	uint32_t captured;
	uint32_t length;
	enum pcapng_direction direction;
};

/* Section Header Block (4.1). Return: its bytes, as with all of these */
size_t pcapng_write_section(uint8_t *to);

/* Interface Description Block of an Ethernet interface (4.2); @snap 0 for whole
 * frames; @name has at most 32 characters. */
size_t pcapng_write_interface(uint8_t *to, const char *name, uint32_t snap);

/* Interface Statistics Block (4.6): frames seen, and dropped of these. */
size_t pcapng_write_statistics(uint8_t *to, uint32_t interface,
			       uint64_t time_ns, uint64_t seen,
			       uint64_t dropped);

/* Bytes of a packet's block, a multiple of 4. */
size_t pcapng_packet_size(size_t captured);

/* pcapng_packet_size() bytes, with the first packet->captured of @iov. */
void pcapng_write_packet(uint8_t *to, const struct pcapng_packet *packet,
			 const struct iovec *iov, unsigned int count);

/* A packet block's time. */
uint64_t pcapng_packet_time_ns(const uint8_t *block);

#endif
