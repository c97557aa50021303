/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "slirp/nat.h"
#include "slirp/protocols.h"
#include "slirp/udp_internal.h"

/*
 * Theory of operation
 *
 * A forward's socket is a flow whose key no frame can have (a listener): it is
 * read like any other (udp_pull.c). Each client that writes to it gets a flow
 * of its own, without a socket, whose key is how the guest sees it; what the
 * guest answers there leaves by the forward's socket. So two forwards may lead
 * to one port of the guest's, and what that port says to others is no business
 * of theirs, except that it goes out by a forward's socket which can reach the
 * destination: a port that was forwarded is seen from outside as that port.
 *
 * Clients that the guest would see alike (behind the gateway's address, or of
 * two forwards) get different ports there. The kernel gives a client's
 * datagrams to one shard, but which it is may change, and the guest may have
 * written first, on any: a shard that does not own the client's flow delivers
 * to the guest all the same, if the owner's flow says that it is that client.
 *
 * Limits: UDP_CLIENTS_MAX clients for each socket; the one that was silent for
 * longest gives way. All end with their forward.
 */

#define UDP_CLIENTS_MAX   4096
#define UDP_CLIENT_TRIES  64 /* ports tried where the guest sees another */
#define UDP_UNANSWERED_MS 30000

/**
 * struct udp_client - Who wrote to a forward, or was written to through it
 * @listener:	Ends after its clients
 * @host:	The client's own address
 * @at:		The forward's: the same in all shards
 * @ready:	Stored last, when other shards may read @host and @at: pairs
 *		with the load in client_is()
 * @local:	Which of the host's addresses it last wrote to, :: if unknown
 * @invited:	It wrote first: no policy forbids to answer
 * @node:	In the listener's list, the longest silent first
 */
struct udp_client {
	struct flow flow;
	struct udp_flow *listener;
	struct slirp_endpoint host;
	struct slirp_endpoint at;
	uint32_t ready;
	struct in6_addr local;
	bool invited;
	TAILQ_ENTRY(udp_client) node;
};

_Static_assert(sizeof(struct udp_client) <= FLOW_SLOT_SIZE, "it fits its slot");

static const struct flow_ops udp_client_ops;

static struct udp_client *client_of(struct flow *flow)
{
	return (struct udp_client *)flow;
}

static struct slirp_endpoint listener_address(const struct udp_flow *listener)
{
	return (struct slirp_endpoint) { .address = listener->flow.key.peer,
					 .port = listener->flow.key.peer_port };
}

/* Is a flow, perhaps another shard's, this client's of this forward? */
static bool client_is(const struct flow *flow, const struct udp_flow *listener,
		      const struct slirp_endpoint *host)
{
	const struct udp_client *client = (const struct udp_client *)flow;
	struct slirp_endpoint at = listener_address(listener);

	/* Pairs with the release in client_make(). */
	return flow->ops == &udp_client_ops &&
	       __atomic_load_n(&client->ready, __ATOMIC_ACQUIRE) &&
	       endpoint_equal(&client->host, host) &&
	       endpoint_equal(&client->at, &at);
}

static void client_end(struct shard *shard, struct flow *flow)
{
	struct udp_client *client = client_of(flow);

	TAILQ_REMOVE(&client->listener->clients, client, node);
	client->listener->client_count--;
	flow_free(shard, flow);
}

static void client_touch(struct shard *shard, struct udp_client *client,
			 uint64_t idle_ms)
{
	TAILQ_REMOVE(&client->listener->clients, client, node);
	TAILQ_INSERT_TAIL(&client->listener->clients, client, node);
	timer_set(shard_timers(shard), &client->flow.timer,
		  shard_now_ms(shard) + idle_ms);
}

/* Return: the flow; NULL with *owner as of flow_create() */
static struct udp_client *client_make(struct shard *shard,
				      struct udp_flow *listener,
				      const struct flow_key *key,
				      const struct slirp_endpoint *host,
				      unsigned int *owner)
{
	struct udp_client *client;

	if (listener->client_count == UDP_CLIENTS_MAX)
		client_end(shard, &TAILQ_FIRST(&listener->clients)->flow);
	client = client_of(flow_create(shard, key, &udp_client_ops, owner));
	if (!client)
		return NULL;
	client->listener = listener;
	client->host = *host;
	client->at = listener_address(listener);
	TAILQ_INSERT_TAIL(&listener->clients, client, node);
	listener->client_count++;
	timer_set(shard_timers(shard), &client->flow.timer,
		  shard_now_ms(shard) + UDP_UNANSWERED_MS);
	SHARD_COUNT(shard, udp_flows, 1);
	/* Pairs with the acquire in client_is(). */
	__atomic_store_n(&client->ready, 1, __ATOMIC_RELEASE);
	return client;
}

static void client_key(const struct shard *shard,
		       const struct udp_flow *listener,
		       const struct slirp_endpoint *host, struct flow_key *key)
{
	const struct flow_key *at = &listener->flow.key;

	*key = (struct flow_key) {
		.guest = at->guest,
		.peer = nat_translate_client(shard_config(shard),
					     &host->address, &at->guest),
		.guest_port = at->guest_port,
		.peer_port = host->port,
		.protocol = IPPROTO_UDP,
	};
}

static void client_next_port(struct flow_key *key)
{
	key->peer_port++;
	if (!key->peer_port)
		key->peer_port = IPPORT_RESERVED;
}

/* Return: the flow of a key, of whichever shard */
static const struct flow *client_look(struct shard *shard,
				      const struct flow_key *key)
{
	const struct flow *flow = flow_find(shard, key);

	return flow ? flow : flow_look_up(shard, key);
}

/*
 * Look for a client's flow in the places where it can be. Return: the flow,
 * with @key its; NULL with @key the first place that is free, if one is (*free)
 */
static const struct flow *client_find(struct shard *shard,
				      const struct udp_flow *listener,
				      const struct slirp_endpoint *host,
				      struct flow_key *key, bool *free)
{
	const struct flow *flow;

	client_key(shard, listener, host, key);
	for (int i = 0; i < UDP_CLIENT_TRIES; i++) {
		flow = client_look(shard, key);
		*free = !flow;
		if (!flow || client_is(flow, listener, host))
			return flow;
		client_next_port(key);
	}
	return NULL;
}

static struct slirp_endpoint client_seen(const struct flow_key *key)
{
	return (struct slirp_endpoint) { .address = key->peer,
					 .port = key->peer_port };
}

bool udp_client_seen(struct shard *shard, const struct udp_flow *listener,
		     struct slirp_endpoint *peer)
{
	struct flow_key key;
	bool free;

	if (!client_find(shard, listener, peer, &key, &free))
		return false;
	*peer = client_seen(&key);
	return true;
}

/* One that has written to its forward before, or was written to. */
static void client_returned(struct shard *shard, const struct flow *found,
			    const struct shard_op *op)
{
	struct flow *flow = (struct flow *)found;

	/* Another shard's keeps its own account. */
	if (found->owner != shard_index(shard))
		return;
	shard_carried_rx(shard, flow, (uint64_t)op->op.result);
	client_of(flow)->local = udp_local_take(op);
	if (!client_of(flow)->invited)
		flow_settle(shard, flow);
}

bool udp_client_arrived(struct shard *shard, struct udp_flow *listener,
			struct slirp_endpoint *from, const struct shard_op *op)
{
	struct udp_client *client;
	const struct flow *flow;
	struct flow_key key;
	unsigned int owner;
	bool free;

	flow = client_find(shard, listener, from, &key, &free);
	if (flow) {
		client_returned(shard, flow, op);
	} else {
		client = free ? client_make(shard, listener, &key, from, &owner)
			      : NULL;
		if (!client)
			return false;
		client->invited = true;
		client->local = udp_local_take(op);
		shard_carried_rx(shard, &client->flow, (uint64_t)op->op.result);
	}
	*from = client_seen(&key);
	return true;
}

/* Guest to host */

static int client_route(struct shard *shard, const struct udp_client *client,
			const struct packet *packet,
			struct slirp_endpoint *host)
{
	int ret = 0;

	if (!client->invited)
		ret = nat_admit(shard, IPPROTO_UDP, &packet->destination,
				client->flow.key.peer_port, host);
	*host = client->host;
	return ret;
}

static void client_input(struct shard *shard, struct flow *flow,
			 struct packet *packet)
{
	struct udp_client *client = client_of(flow);
	struct flow *by = &client->listener->flow;
	struct packet whole = *packet;
	struct slirp_endpoint host;
	struct udphdr header;
	struct shard_op *op;
	int ret;

	if (!udp_take_header(packet, &header)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	ret = client_route(shard, client, &whole, &host);
	if (ret) {
		udp_refuse(shard, &whole, ret);
		return;
	}
	op = udp_send(shard, flow, by, packet, &host);
	udp_local_set(op, udp_family(by), &client->local, host.scope);
	client_touch(shard, client, udp_idle_ms(shard));
	if (client->invited)
		flow_settle(shard, flow);
}

static void client_inspect(struct flow *flow, struct slirp_flow *info)
{
	(void)flow;
	info->state = "forward";
}

static const struct flow_ops udp_client_ops = {
	/* Neither event nor resume: they have no socket. */
	.input = client_input,
	.timer = client_end,
	.abort = client_end,
	.inspect = client_inspect,
};

/* Can the forward's socket write to this address? */
static bool listener_reaches(const struct udp_flow *listener,
			     const struct in6_addr *host)
{
	const struct in6_addr *at = &listener->flow.key.peer;

	if (address_is_any(at))
		return !address_is4(at) || address_is4(host);
	return address_is4(at) == address_is4(host) &&
	       address_is_loopback(at) == address_is_loopback(host);
}

static struct udp_flow *listener_for(struct shard *shard,
				     const struct flow_key *key,
				     const struct in6_addr *host)
{
	unsigned int place = 0;
	struct flow *flow;

	while ((flow = shard_next_listener(shard, &key->guest, key->guest_port,
					   &place)))
		if (listener_reaches(udp_of(flow), host))
			return udp_of(flow);
	return NULL;
}

bool udp_client_open(struct shard *shard, const struct flow_key *mapping,
		     struct packet *packet, const struct slirp_endpoint *host,
		     int *owner)
{
	struct udp_flow *listener =
		listener_for(shard, mapping, &host->address);
	struct flow_key key = *mapping;
	struct packet payload = *packet;
	struct udp_client *client;
	struct udphdr header;
	unsigned int other;

	if (!listener || !udp_take_header(&payload, &header))
		return false;
	key.peer = packet->destination;
	key.peer_port = ntohs(header.uh_dport);
	client = client_make(shard, listener, &key, host, &other);
	*owner = client || other == shard_index(shard) ? -1 : (int)other;
	if (client)
		client_input(shard, &client->flow, packet);
	return true;
}

/* The listener's life */

static void listener_end(struct shard *shard, struct flow *flow)
{
	struct udp_flow *listener = udp_of(flow);

	while (!TAILQ_EMPTY(&listener->clients))
		client_end(shard, &TAILQ_FIRST(&listener->clients)->flow);
	flow_free(shard, flow);
}

static const struct flow_ops udp_listener_ops = {
	/* Neither input nor timer: no frame has its key, and it ends never. */
	.event = udp_event,
	.resume = udp_resume,
	.abort = listener_end,
};

struct flow *udp_listen(struct shard *shard, int sock,
			const struct slirp_endpoint *host,
			const struct slirp_endpoint *guest)
{
	struct flow_key key = { .guest = guest->address,
				.peer = host->address,
				.guest_port = guest->port,
				.peer_port = host->port,
				.protocol = FLOW_LISTENER,
				.shard = (uint16_t)shard_index(shard) };
	unsigned int owner;
	struct flow *flow = flow_create(shard, &key, &udp_listener_ops, &owner);

	if (!flow) {
		close(sock);
		return NULL;
	}
	udp_of(flow)->listener = true;
	TAILQ_INIT(&udp_of(flow)->clients);
	flow->rx_queue = (uint16_t)shard_index(shard);
	flow_pin(shard, flow);
	host_error_enable(sock, endpoint_family(host));
	if (address_is_any(&host->address))
		udp_local_enable(sock, endpoint_family(host));
	udp_begin(shard, flow, sock);
	return flow;
}
