/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_FORWARD_INTERNAL_H
#define MQVMM_SLIRP_FORWARD_INTERNAL_H

#include "slirp/shard_internal.h"

/*
 * What the files of forwards share: forward.c (the table of them, changed by
 * the front end's threads), forward_listen.c (sockets), forward_serve.c (what a
 * shard does with its own).
 */

/**
 * struct forward_port - A port of a forward, as one shard serves it
 * @sock:	Its listener, of the whole group of them; -1 if none
 * @flow:	UDP: the flow that the socket has become, which closes it
 * @starved:	Connections wait for descriptors to accept them
 */
struct forward_port {
	int sock;
	bool starved;
	struct flow *flow;
};

/**
 * struct forward - One that works; does not change, but for each shard's ports
 * @id:		Names it at run time
 * @rule:	Complete, with the host port that was chosen
 * @shards:	How many serve it
 * @port:	@rule.count of the first shard, then of the next
 */
struct forward {
	unsigned int id;
	struct slirp_forward rule;
	unsigned int shards;
	struct forward_port port[];
};

static inline struct forward_port *forward_ports(struct forward *forward,
						 unsigned int shard)
{
	return &forward->port[(size_t)shard * forward->rule.count];
}

/* forward_listen.c */

/**
 * forward_listen() - Open all sockets of a forward
 * @forward:	@rule, @shards are set; host address and port become those that
 *		were got
 * @fail:	The cause, as a sentence; then nothing is open
 *
 * Context: any thread.
 */
int forward_listen(struct forward *forward, struct fail *fail);

/* Close those that no flow has taken over. */
void forward_unlisten(struct forward *forward);

/* Have the kernel give connections to the first @queues shards alone. */
void forward_steer(const struct forward *forward, unsigned int queues);

/* forward_serve.c, on the shard's thread */

/* Begin, and end, to serve the forward in a place of shard->forward. */
void forward_begin(struct shard *shard, unsigned int place);
void forward_end(struct shard *shard, unsigned int place);

#endif
