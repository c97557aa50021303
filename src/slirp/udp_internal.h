/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_UDP_INTERNAL_H
#define MQVMM_SLIRP_UDP_INTERNAL_H

#include <netinet/udp.h>
#include <sys/queue.h>

#include "slirp/hop.h"
#include "slirp/host_error.h"
#include "slirp/shard.h"
#include "slirp/udp_filter.h"

/*
 * What the files of UDP share: udp.c (the mapping), udp_pull.c (host to guest,
 * in place), udp_deliver.c (the same from plain memory), udp_forward.c (who
 * writes to forwards), dns.c.
 */

#define UDP_DNS_IDLE_MS 10000 /* RFC 4787, REQ-5 a: a well-known short one */
#define UDP_DATA_MAX    65507 /* bytes of payload */

/* Bytes before a datagram's payload that udp_deliver() writes its header to. */
#define UDP_HEADROOM 16

struct udp_client;

/**
 * struct udp_flow - A mapping: one port of the guest's, one socket
 * @idle_ms:	Ends after so long without a datagram from the guest
 * @fragment_id: Of the next datagram that the guest gets in fragments
 * @df:		What the socket does with datagrams above the path's MTU
 * @pulls:	Receives that are queued
 * @burst:	Receives to queue next time
 * @listener:	A forward's socket, not a mapping: @flow.key.peer is where it
 *		listens
 * @permits:	Of a mapping: who may write to it, or some of these
 * @client_count: Of @clients
 * @clients:	Flows that go through a listener, the longest silent first
 */
struct udp_flow {
	struct flow flow;
	uint32_t idle_ms;
	uint16_t fragment_id;
	enum hop_df df;
	uint8_t pulls;
	uint8_t burst;
	bool listener;
	struct udp_permits permits;
	unsigned int client_count;
	TAILQ_HEAD(, udp_client) clients;
};

_Static_assert(sizeof(struct udp_flow) <= FLOW_SLOT_SIZE, "it fits its slot");

static inline struct udp_flow *udp_of(struct flow *flow)
{
	return (struct udp_flow *)flow;
}

/**
 * udp_take_header() - Take the UDP header (RFC 768)
 *
 * @packet->l4 then is the payload.
 *
 * Return: true, false if the lengths do not fit
 */
bool udp_take_header(struct packet *packet, struct udphdr *header);

/**
 * udp_make_socket() - A socket with errors told, not yet bound
 * @family:	AF_INET, or AF_INET6, which takes IPv4 as mapped addresses too
 *
 * Return: descriptor or negative errno
 */
int udp_make_socket(struct shard *shard, int family);

/* A flow that has a socket begins: its first readiness is to come. */
void udp_begin(struct shard *shard, struct flow *flow, int sock);

/* The family of a flow's socket; a listener's may differ from the guest's. */
static inline int udp_family(const struct flow *flow)
{
	return address_is4(flow->key.protocol == FLOW_LISTENER
				   ? &flow->key.peer
				   : &flow->key.guest)
		       ? AF_INET
		       : AF_INET6;
}

/**
 * udp_send() - Queue a datagram of the guest's for sending
 * @flow:	Whose it is: told what comes of it
 * @by:		Whose socket it leaves by
 * @payload:	Behind the UDP header
 *
 * Return: the operation
 */
struct shard_op *udp_send(struct shard *shard, struct flow *flow,
			  struct flow *by, struct packet *payload,
			  const struct slirp_endpoint *to);

/* How long a flow lasts without a datagram from the guest, milliseconds. */
uint32_t udp_idle_ms(const struct shard *shard);

/* What all flows with a socket do when it is ready, and at a turn's end. */
void udp_event(struct shard *shard, struct flow *flow, unsigned int ready);
void udp_resume(struct shard *shard, struct flow *flow);

/* The guest's end of a flow. */
struct slirp_endpoint udp_guest(const struct flow *flow);

/* Set where an operation sends to, on a socket of @family. */
void udp_set_name(struct shard_op *op, int family,
		  const struct slirp_endpoint *to);

/**
 * udp_tell() - Tell the guest of an error, as ICMP
 * @peer:	Where its datagram went to, as it sees it
 */
void udp_tell(struct shard *shard, const struct flow *flow,
	      const struct slirp_endpoint *peer,
	      const struct host_error *error);

/* Tell a guest why a datagram of its is not carried: nat_admit()'s error.
 */
void udp_refuse(struct shard *shard, const struct packet *packet, int err);

/* udp_local.c */

/* Have a socket's datagrams tell which address they came to. */
void udp_local_enable(int sock, int family);

/* Which one it was, of a receive that had room for it; :: if it is not told. */
struct in6_addr udp_local_take(const struct shard_op *op);

/**
 * udp_local_set() - Have a datagram leave from an address of the host's
 * @family:	Of the socket
 * @local:	Nothing is set for :: and for addresses of many
 * @scope:	Interface of a link-local one, else 0
 */
void udp_local_set(struct shard_op *op, int family,
		   const struct in6_addr *local, uint32_t scope);

/* udp_forward.c */

/**
 * udp_client_arrived() - A datagram came in by a forward's socket
 * @from:	Whose it is; becomes how the guest sees him
 * @op:		That received it
 *
 * Return: false if there is no room for another client: drop it
 */
bool udp_client_arrived(struct shard *shard, struct udp_flow *listener,
			struct slirp_endpoint *from, const struct shard_op *op);

/* How the guest sees the host's @peer. Return: false if it does not know him */
bool udp_client_seen(struct shard *shard, const struct udp_flow *listener,
		     struct slirp_endpoint *peer);

/**
 * udp_client_open() - A guest's port writes to somebody new: by a forward's
 *		socket, if one leads to that port and reaches him
 * @mapping:	Key of the mapping there would be otherwise
 * @host:	Where it leads
 * @owner:	Set as the return value of udp_open()
 *
 * Return: false if there is no such forward; then nothing was done
 */
bool udp_client_open(struct shard *shard, const struct flow_key *mapping,
		     struct packet *packet, const struct slirp_endpoint *host,
		     int *owner);

/* udp_pull.c */

/* Queue receives for up to @burst datagrams. */
void udp_pull(struct shard *shard, struct udp_flow *udp, unsigned int burst);

#define UDP_BURST_FIRST                                      \
	2 /* one datagram, and the news that it was the last \
	   */

/* udp_deliver.c */

/**
 * udp_deliver() - Send the guest a datagram, in fragments if need be (RFC 791)
 * @data:	Its payload; UDP_HEADROOM bytes before it are overwritten
 * @id:		Identification of the fragments
 *
 * Dropped, and counted, where the guest has no space for all of it.
 */
void udp_deliver(struct shard *shard, unsigned int queue,
		 const struct slirp_endpoint *from,
		 const struct slirp_endpoint *to, uint8_t *data, size_t size,
		 uint16_t id);

#endif
