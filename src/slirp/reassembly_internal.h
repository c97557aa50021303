/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_REASSEMBLY_INTERNAL_H
#define MQVMM_SLIRP_REASSEMBLY_INTERNAL_H

#include <urcu/list.h>

#include "slirp/header.h"
#include "slirp/reassembly.h"
#include "slirp/shard.h"

/*
 * What reassembly.c (places, time, what the guest is told) and
 * reassembly_datagram.c (the parts of one datagram) share.
 */

#define DATAGRAM_ROOM 54 /* bytes before the payload, for both headers */

/* Of a datagram's fragments, network byte order; compared as bytes. */
struct datagram_key {
	struct in6_addr source;
	struct in6_addr destination;
	uint32_t id;
	uint32_t protocol; /* IPv6 does without (RFC 8200, 4.5) */
};

struct datagram_part {
	uint16_t start; /* bytes, both */
	uint16_t end;
};

/**
 * struct datagram - One place
 * @node:	On one of the lists
 * @first:	The first fragment's headers; its @frame and @l4 mean nothing
 * @queue:	That its latest fragment came on
 * @deadline_ms: When it is given up
 * @abandoned:	Fragments contradict each other: only here to drop the rest
 * @size:	Of the whole, bytes; 0 until the last fragment has come
 * @filled:	Bytes that are there
 * @part, @parts: What is there, in order
 * @data:	Room for headers, then the payload
 */
struct datagram {
	struct cds_list_head node;
	struct datagram_key key;
	struct packet first;
	unsigned int queue;
	uint64_t deadline_ms;
	bool abandoned;
	size_t size;
	size_t filled;
	unsigned int parts;
	struct datagram_part part[REASSEMBLY_FRAGMENTS_MAX];
	uint8_t data[DATAGRAM_ROOM + 65535];
};

/**
 * datagram_add() - Add a fragment to its datagram
 * @part:	Where its bytes belong
 * @packet:	The fragment
 *
 * One that contradicts another makes the datagram abandoned, which is counted.
 *
 * Return: true if the datagram is whole now
 */
bool datagram_add(struct shard *shard, struct datagram *datagram,
		  const struct datagram_part *part,
		  const struct packet *packet);

/**
 * datagram_write_headers() - Put Ethernet and IP header before a whole datagram
 *
 * They are the first fragment's, as if nobody had cut it up.
 *
 * Return: the frame's first byte, in @datagram->data
 */
uint8_t *datagram_write_headers(struct datagram *datagram);

#endif
