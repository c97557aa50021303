/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_HOP_H
#define MQVMM_SLIRP_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "slirp/shard.h"

/*
 * The NAT as a router: what of a datagram's IP header holds beyond it. A path
 * is traced, and its MTU found, as if the guest were on the host's own wire.
 */

/**
 * hop_enter() - May a packet go on from here? (RFC 1812, 5.3.1; RFC 8200, 3)
 *
 * Those for this link may, whatever their time to live.
 *
 * Return: false if its time to live is used up, which the guest has been told
 */
bool hop_enter(struct shard *shard, const struct packet *packet);

/**
 * hop_set_ttl() - Have a datagram leave with one less than the guest's time to
 *		live
 * @op:		Sends it; its ancillary data is used
 *
 * Only for small ones, HOP_TTL_MAX at the most: they are meant to end on the
 * way. Others get the host's, which is as good.
 */
void hop_set_ttl(const struct shard *shard, struct shard_op *op,
		 const struct packet *packet);

#define HOP_TTL_MAX 32

/* What a socket does with what is too big for the path; hop_set_df(). */
enum hop_df {
	HOP_DF_HOST, /* what the host's system does */
	HOP_DF_OFF,  /* routers may fragment it */
	HOP_DF_ON,   /* it comes back as an error */
};

/**
 * hop_set_df() - Have a socket do as a packet's "don't fragment" says, which
 *		every IPv6 packet says that the guest has not fragmented itself
 * @sock:	Datagram socket of @packet's family
 * @df:		What it does now, updated
 *
 * Nothing is done for packets so small that they pass everywhere. What is
 *queued for the socket already goes by the new rule, too.
 *
 * Return: true if it had to be changed, a system call
 */
bool hop_set_df(int sock, enum hop_df *df, const struct packet *packet);

#endif
