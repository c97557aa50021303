/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/pcapng.h"

#include <string.h>

#define BLOCK_SECTION    0x0a0d0d0aU
#define BLOCK_INTERFACE  1U
#define BLOCK_STATISTICS 5U
#define BLOCK_PACKET     6U

#define BYTE_ORDER_MAGIC  0x1a2b3c4dU
#define LINKTYPE_ETHERNET 1

/* Options (3.5) */
#define OPTION_END     0
#define SHB_USERAPPL   4
#define IF_NAME        2
#define IF_TSRESOL     9
#define EPB_FLAGS      2
#define ISB_IFRECV     4
#define ISB_IFDROP     5
#define TSRESOL_NS     9  /* a power of ten */
#define OPTION_HEADER  4  /* bytes */
#define PACKET_HEADER  28 /* bytes, before the frame */
#define PACKET_TRAILER 16 /* bytes, behind the frame and its padding */

static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
	return put(to, &value, sizeof(value));
}

/* Times are two words, the higher one first, whatever the byte order. */
static uint8_t *put_time(uint8_t *to, uint64_t time_ns)
{
	to = put32(to, (uint32_t)(time_ns >> 32));
	return put32(to, (uint32_t)time_ns);
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static uint8_t *put_option(uint8_t *to, uint16_t code, const void *value,
			   size_t size)
{
	uint16_t header[2] = { code, (uint16_t)size };

	to = put(to, header, sizeof(header));
	memset(to, 0, padded(size));
	put(to, value, size);
	return to + padded(size);
}

/* The end of options, the length behind the block, and before its body. */
static size_t put_end(uint8_t *block, uint8_t *to)
{
	uint32_t length;

	to = put32(to, OPTION_END);
	length = (uint32_t)(to + sizeof(length) - block);
	put32(to, length);
	put32(block + PCAPNG_LENGTH_AT, length);
	return length;
}

size_t pcapng_write_section(uint8_t *to)
{
	static const char name[] = "mqvmm";
	const uint16_t version[2] = { 1, 0 };
	const uint64_t length = UINT64_MAX; /* not known */
	uint8_t *at = put32(to, BLOCK_SECTION);

	at = put32(at, 0);
	at = put32(at, BYTE_ORDER_MAGIC);
	at = put(at, version, sizeof(version));
	at = put(at, &length, sizeof(length));
	at = put_option(at, SHB_USERAPPL, name, sizeof(name) - 1);
	return put_end(to, at);
}

size_t pcapng_write_interface(uint8_t *to, const char *name, uint32_t snap)
{
	const uint16_t link[2] = { LINKTYPE_ETHERNET, 0 };
	const uint8_t resolution = TSRESOL_NS;
	uint8_t *at = put32(to, BLOCK_INTERFACE);

	at = put32(at, 0);
	at = put(at, link, sizeof(link));
	at = put32(at, snap);
	at = put_option(at, IF_NAME, name, strlen(name));
	at = put_option(at, IF_TSRESOL, &resolution, sizeof(resolution));
	return put_end(to, at);
}

size_t pcapng_write_statistics(uint8_t *to, uint32_t interface,
			       uint64_t time_ns, uint64_t seen,
			       uint64_t dropped)
{
	uint8_t *at = put32(to, BLOCK_STATISTICS);

	at = put32(at, 0);
	at = put32(at, interface);
	at = put_time(at, time_ns);
	at = put_option(at, ISB_IFRECV, &seen, sizeof(seen));
	at = put_option(at, ISB_IFDROP, &dropped, sizeof(dropped));
	return put_end(to, at);
}

size_t pcapng_packet_size(size_t captured)
{
	return PACKET_HEADER + padded(captured) + PACKET_TRAILER;
}

static uint8_t *put_frame(uint8_t *to, size_t size, const struct iovec *iov,
			  unsigned int count)
{
	uint8_t *end = to + padded(size);

	for (unsigned int i = 0; i < count && size; i++) {
		size_t part = iov[i].iov_len < size ? iov[i].iov_len : size;

		to = put(to, iov[i].iov_base, part);
		size -= part;
	}
	memset(to, 0, (size_t)(end - to));
	return end;
}

void pcapng_write_packet(uint8_t *to, const struct pcapng_packet *packet,
			 const struct iovec *iov, unsigned int count)
{
	uint32_t flags = packet->direction;
	uint8_t *at = put32(to, BLOCK_PACKET);

	at = put32(at, 0);
	at = put32(at, packet->interface);
	at = put_time(at, packet->time_ns);
	at = put32(at, packet->captured);
	at = put32(at, packet->length);
	at = put_frame(at, packet->captured, iov, count);
	at = put_option(at, EPB_FLAGS, &flags, sizeof(flags));
	put_end(to, at);
}

uint64_t pcapng_packet_time_ns(const uint8_t *block)
{
	uint32_t time[2];

	memcpy(time, block + 12, sizeof(time));
	return (uint64_t)time[0] << 32 | time[1];
}
