/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_PROTOCOL_H
#define MQVMM_LOAD_PROTOCOL_H

#include <stdint.h>

/*
 * What client and server say to each other. Both run on x86-64, so the words
 * are in its byte order. A TCP connection starts with a load_request:
 *
 * ECHO		the server answers with @bytes bytes of the pattern, and takes
 *		the next request (any but STREAM ones) on the same connection
 * SINK		the client sends the pattern until it half-closes; the server
 *		answers with a load_result and closes
 * SOURCE	the server sends @bytes bytes of the pattern and a load_result,
 *		then closes
 * STAMP	the server answers with a load_result whose @bytes is its
 *		CLOCK_MONOTONIC, ns, and takes the next request
 *
 * A connection that starts with "GET " gets an HTTP answer. A UDP datagram is
 * echoed.
 */
#define LOAD_MAGIC 0x314c514d /* "MQL1" */

enum load_op {
	LOAD_ECHO = 1,
	LOAD_SINK,
	LOAD_SOURCE,
	LOAD_STAMP,
};

#define LOAD_CHECKED 1u /* flag: sum up the stream, both ends */

/**
 * struct load_request - What a client asks for
 * @magic:	LOAD_MAGIC
 * @op:		enum load_op
 * @flags:	LOAD_CHECKED or 0
 * @bytes:	Length of the answer (ECHO: at most LOAD_ECHO_MAX)
 * @seed:	Seed of the pattern that this stream or answer is made of
 */
struct load_request {
	uint32_t magic;
	uint16_t op;
	uint16_t flags;
	uint64_t bytes;
	uint64_t seed;
};

/**
 * struct load_datagram - How each datagram of a UDP stream begins
 * @magic:	LOAD_MAGIC
 * @flow:	Number of the flow
 * @sequence:	From 0
 * @intended_ns: When it was to leave, by its sender's clock
 */
struct load_datagram {
	uint32_t magic;
	uint32_t flow;
	uint64_t sequence;
	uint64_t intended_ns;
};

#define LOAD_ECHO_MAX     65536u
#define LOAD_DATAGRAM_MAX 65507u
#define LOAD_UNLIMITED    UINT64_MAX

/**
 * struct load_result - What the server saw or sent in a stream; a stamp
 * @magic:	LOAD_MAGIC
 * @wrong:	Pieces that were not what the pattern has there
 * @bytes:	Length of the stream; of a stamp, the time
 * @checksum:	checksum_add() over it when LOAD_CHECKED, else CHECKSUM_START
 */
struct load_result {
	uint32_t magic;
	uint32_t wrong;
	uint64_t bytes;
	uint64_t checksum;
};

_Static_assert(sizeof(struct load_request) == 24, "wire layout");
_Static_assert(sizeof(struct load_result) == 24, "wire layout");
_Static_assert(sizeof(struct load_datagram) == 24, "wire layout");

#endif
