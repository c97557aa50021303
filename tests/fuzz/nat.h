/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_FUZZ_NAT_H
#define MQVMM_FUZZ_NAT_H

#include "fuzz/queue.h"
#include "slirp/shard_internal.h"

/*
 * The whole NAT, real but for its threads: the caller is all of them in turn,
 * so that an input does the same each time. Time is world.h's.
 */

#define NAT_SHARDS_MAX 2
#define NAT_PORTS      16 /* of the guest's that sequence numbers are kept for */

/* What nat_transmit() puts right in a frame. */
#define NAT_FIX_CHECKSUM 1 /* of the IPv4 header */
#define NAT_FIX_ACK      2 /* TCP: count it from what the guest was sent last */

/**
 * struct nat - A NAT and its guest
 * @expected:	Per guest port: the TCP sequence number that follows what the
 *		guest was sent last; it cannot be guessed
 */
struct nat {
	struct slirp *slirp;
	struct queue queue[NAT_SHARDS_MAX];
	unsigned int shards;
	uint32_t expected[NAT_PORTS];
};

/* A configuration that is the same on every host. */
void nat_config_init(struct slirp_config *config);

void nat_begin(struct nat *nat, const struct slirp_config *config);
void nat_end(struct nat *nat);

/* Let the shards do all that is to be done now. */
void nat_run(struct nat *nat);

/* Have the guest transmit a frame; @fix: NAT_FIX_* */
void nat_transmit(struct nat *nat, unsigned int queue, const uint8_t *frame,
		  size_t length, const struct port_offload *offload,
		  unsigned int fix);

/**
 * nat_transmit_datagram() - The guest sends a UDP datagram, all of it right
 * @address:	10.0.2.N, or fec0::N
 * @from, @to:	Ports
 */
void nat_transmit_datagram(struct nat *nat, bool is4, uint8_t address,
			   uint16_t from, uint16_t to, const uint8_t *data,
			   size_t size);

#endif
