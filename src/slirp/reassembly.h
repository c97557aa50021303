/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_REASSEMBLY_H
#define MQVMM_SLIRP_REASSEMBLY_H

#include <stdint.h>

#include "slirp/port.h"
#include "slirp/timer.h"
#include "slirp/wire.h"

struct shard;
struct reassembly;

#define REASSEMBLY_DATAGRAMS     64 /* that one shard puts together at a time */
#define REASSEMBLY_FRAGMENTS_MAX 256 /* of one datagram */
#define REASSEMBLY_TIMEOUT_MS    30000

/* Longest frame that comes of it: an IPv6 payload, its header, Ethernet. */
#define REASSEMBLY_FRAME_MAX (65535 + 40 + 14) /* bytes */

/**
 * reassembly_create() - Memory for a shard's datagrams
 *
 * Return: NULL without memory
 */
struct reassembly *reassembly_create(void);
void reassembly_destroy(struct reassembly *reassembly);

/**
 * reassembly_shard() - Which shard puts a fragment's datagram together
 * @secret:	Keys the choice, so that a guest cannot make it
 * @count:	Shards
 *
 * The same for all that one address sends another, so that datagrams which
 * come in fragments stay in order among themselves.
 *
 * Return: index
 */
unsigned int reassembly_shard(const uint64_t secret[2],
			      const struct packet *packet, unsigned int count);

/**
 * reassembly_add() - Take a fragment in (RFC 791, 3.2; RFC 8200, 4.5)
 * @packet:	A fragment, @packet->l4 at its part of the datagram
 *
 * A datagram is dropped whole, with whatever is still to come of it, when
 * fragments overlap or contradict each other (RFC 5722); exact duplicates are
 * ignored. Where all places are taken, the oldest datagram that is not whole
 * gives way. May run the batch, as shard_run_batch().
 *
 * Return: a frame with the whole datagram, when this was its last missing part;
 * the bytes stay until reassembly_release(), the frame until the next call;
 * otherwise NULL
 *
 * Context: the shard's thread, inside a turn.
 */
const struct port_frame *reassembly_add(struct shard *shard,
					struct reassembly *reassembly,
					const struct packet *packet);

/* The turn ends, and with it the use of whole datagrams. */
void reassembly_release(struct reassembly *reassembly);

/* Runs out when a datagram has waited for REASSEMBLY_TIMEOUT_MS. */
struct timer *reassembly_timer(struct reassembly *reassembly);

/**
 * reassembly_expire() - The timer has run out: drop what waited too long
 *
 * The guest is told by ICMP where it had sent the first fragment (RFC 792;
 * RFC 4443, 3.3).
 */
void reassembly_expire(struct shard *shard, struct reassembly *reassembly);

#endif
