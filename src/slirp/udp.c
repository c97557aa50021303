/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "slirp/hop.h"
#include "slirp/icmp_internal.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"
#include "slirp/udp_internal.h"

/*
 * Theory of operation
 *
 * A flow is a port of the guest's with one unconnected host socket, whatever
 * it talks to (endpoint-independent mapping, RFC 4787, REQ-1), also through the
 * host to itself (REQ-9). Whoever learns the socket's port may write to the
 * guest (endpoint-independent filtering, REQ-8), as with other user-mode
 * networks, unless udp_filter.c knows better. Datagrams go out straight from
 * the guest's frame, and come in straight into its buffers (udp_pull.c).
 *
 * Only what the guest sends keeps a mapping alive (REQ-6). What the network
 * says about a datagram comes back as ICMP.
 *
 * Limits: type of service is the host's. What the guest says by ICMP about
 * datagrams that it was sent ends here: no socket can pass it on.
 */

#define DNS_PORT 53

bool udp_take_header(struct packet *packet, struct udphdr *header)
{
	size_t length;

	if (!cursor_take(&packet->l4, header, sizeof(*header)))
		return false;
	length = ntohs(header->uh_ulen);
	if (length < sizeof(*header) ||
	    length - sizeof(*header) > packet->l4.left)
		return false;
	packet->l4.left = length - sizeof(*header);
	return true;
}

int udp_make_socket(struct shard *shard, int family)
{
	int sock = shard_open_socket(shard, family, SOCK_DGRAM, 0);

	if (sock < 0) {
		if (shard_first_notice(shard, SHARD_NOTICE_SOCKETS))
			log_line("cannot open a UDP socket for the guest (%s): "
				 "raise the limit with ulimit -n",
				 strerror(-sock));
		return sock;
	}
	SHARD_COUNT(shard, syscalls, 1);
	host_error_enable(sock, family);
	return sock;
}

struct slirp_endpoint udp_guest(const struct flow *flow)
{
	return (struct slirp_endpoint) { .address = flow->key.guest,
					 .port = flow->key.guest_port };
}

void udp_set_name(struct shard_op *op, int family,
		  const struct slirp_endpoint *to)
{
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen =
		endpoint_to_sockaddr(to, family, &op->op.address);
}

void udp_tell(struct shard *shard, const struct flow *flow,
	      const struct slirp_endpoint *peer, const struct host_error *error)
{
	struct {
		struct udphdr header;
		uint8_t data[512];
	} quoted;
	size_t size = error->size < sizeof(quoted.data) ? error->size
							: sizeof(quoted.data);
	size_t length = sizeof(quoted.header) + error->size;
	struct icmp_quote quote = {
		.error = error,
		.source = flow->key.guest,
		.destination = peer->address,
		.protocol = IPPROTO_UDP,
		.length = length,
		.data = &quoted,
		.size = sizeof(quoted.header) + size,
	};

	quoted.header = (struct udphdr) {
		.uh_sport = htons(flow->key.guest_port),
		.uh_dport = htons(peer->port),
		.uh_ulen = htons((uint16_t)length),
	};
	if (size)
		memcpy(quoted.data, error->data, size);
	icmp_send_quote(shard, flow->rx_queue, &quote);
}

void udp_refuse(struct shard *shard, const struct packet *packet, int err)
{
	struct host_error error;

	SHARD_COUNT(shard, flows_refused, 1);
	if (host_error_of_send(-err, packet->is4, &error))
		icmp_send_error(shard, packet, &error);
}

/* Sending */

static void udp_tell_of_send(struct shard *shard, const struct shard_op *op)
{
	const struct flow_key *key = &op->flow->key;
	struct slirp_endpoint peer = endpoint_from_sockaddr(&op->op.address);
	struct host_error error;

	if (!host_error_of_send(-op->op.result, address_is4(&key->guest),
				&error))
		return;
	peer.address = nat_translate_peer(shard_config(shard), &peer.address,
					  &key->guest);
	/* Only a forward's client has its peer in the key. */
	if (key->peer_port)
		peer = (struct slirp_endpoint) { .address = key->peer,
						 .port = key->peer_port };
	udp_tell(shard, op->flow, &peer, &error);
}

static void udp_told(struct shard *shard, struct shard_op *op);

static void udp_sent(struct shard *shard, struct shard_op *op)
{
	if (op->op.result >= 0 || host_error_send_again(shard, op))
		return;
	SHARD_COUNT(shard, tx_dropped, 1);
	/* Only the error queue knows what would fit, only we the port. */
	if (op->op.result == -EMSGSIZE)
		host_error_queue(shard, op->by, udp_told)->context =
			endpoint_from_sockaddr(&op->op.address).port;
	else if (op->op.result != -ECONNREFUSED) /* which is another's */
		udp_tell_of_send(shard, op);
}

struct shard_op *udp_send(struct shard *shard, struct flow *flow,
			  struct flow *by, struct packet *payload,
			  const struct slirp_endpoint *to)
{
	struct shard_op *op;

	if (hop_set_df(by->sock, &udp_of(by)->df, payload))
		SHARD_COUNT(shard, syscalls, 1);
	op = shard_queue_op(shard, flow, ENGINE_SEND, udp_sent);
	shard_carried_tx(shard, flow, payload->l4.left);
	op->by = by;
	op->op.fd = by->sock;
	op->op.message.msg_iovlen = cursor_slice(&payload->l4, payload->l4.left,
						 op->op.iov, PORT_IOV_MAX);
	hop_set_ttl(shard, op, payload);
	udp_set_name(op, udp_family(by), to);
	return op;
}

uint32_t udp_idle_ms(const struct shard *shard)
{
	uint32_t idle_s = shard_config(shard)->udp_idle_s;

	if (idle_s < SLIRP_UDP_IDLE_MIN_S)
		idle_s = SLIRP_UDP_IDLE_MIN_S;
	return idle_s * 1000;
}

static void udp_touch(struct shard *shard, struct udp_flow *udp,
		      unsigned int port)
{
	if (port != DNS_PORT || udp->idle_ms > UDP_DNS_IDLE_MS)
		udp->idle_ms = udp_idle_ms(shard);
	else
		udp->idle_ms = UDP_DNS_IDLE_MS;
	timer_set(shard_timers(shard), &udp->flow.timer,
		  shard_now_ms(shard) + udp->idle_ms);
}

static void udp_input(struct shard *shard, struct flow *flow,
		      struct packet *packet)
{
	struct packet whole = *packet;
	struct slirp_endpoint host;
	struct udphdr header;
	unsigned int port;
	int ret;

	if (!udp_take_header(packet, &header) || !header.uh_dport) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	port = ntohs(header.uh_dport);
	ret = nat_admit(shard, IPPROTO_UDP, &whole.destination, port, &host);
	if (ret) {
		udp_refuse(shard, &whole, ret);
		return;
	}
	udp_send(shard, flow, flow, packet, &host);
	udp_touch(shard, udp_of(flow), port);
	udp_filter_permit(shard_udp_filter(shard), flow, &udp_of(flow)->permits,
			  &host, flow->timer.deadline_ms);
}

/* The flow's life */

static void udp_tell_of_error(struct shard *shard, const struct flow *flow,
			      struct host_error *error)
{
	const struct slirp_config *config = shard_config(shard);
	const struct in6_addr *guest = &flow->key.guest;
	struct slirp_endpoint peer = error->destination;

	if (error->type == HOST_ERROR_NONE)
		return;
	if (!udp_of((struct flow *)flow)->listener)
		peer.address = nat_translate_peer(config, &peer.address, guest);
	else if (!udp_client_seen(shard, udp_of((struct flow *)flow), &peer))
		return;
	error->offender = nat_translate_peer(config, &error->offender, guest);
	udp_tell(shard, flow, &peer, error);
}

static void udp_told(struct shard *shard, struct shard_op *op)
{
	struct host_error error;

	if (!host_error_take(op, &error))
		return;
	if (!error.destination.port)
		error.destination.port = (uint16_t)op->context;
	udp_tell_of_error(shard, op->flow, &error);
	host_error_queue(shard, op->flow, udp_told)->context = op->context;
}

void udp_event(struct shard *shard, struct flow *flow, unsigned int ready)
{
	if (ready & ENGINE_ERROR)
		host_error_queue(shard, flow, udp_told);
	udp_of(flow)->burst = UDP_BURST_FIRST;
	udp_pull(shard, udp_of(flow), UDP_BURST_FIRST);
}

void udp_resume(struct shard *shard, struct flow *flow)
{
	udp_pull(shard, udp_of(flow), udp_of(flow)->burst);
}

static void udp_inspect(struct flow *flow, struct slirp_flow *info)
{
	(void)flow;
	info->state = "mapping";
}

static bool udp_movable(struct shard *shard, const struct flow *flow)
{
	const struct udp_flow *udp = (const struct udp_flow *)flow;

	/* What this shard's filter knows would stay here. */
	return !udp->pulls &&
	       udp_permits_are_all(&udp->permits, shard_now_ms(shard));
}

static unsigned int udp_arrive(struct shard *shard, struct flow *flow)
{
	engine_watch(shard_engine(shard), flow->sock, ENGINE_READABLE,
		     flow_token(flow));
	shard_queue_ack(shard, flow);
	return 0;
}

const struct flow_ops udp_flow_ops = {
	.input = udp_input,
	.event = udp_event,
	.timer = flow_free,
	.resume = udp_resume,
	.abort = flow_free,
	.inspect = udp_inspect,
	.movable = udp_movable,
	.arrive = udp_arrive,
};

void udp_begin(struct shard *shard, struct flow *flow, int sock)
{
	struct udp_flow *udp = udp_of(flow);

	flow->sock = sock;
	udp->burst = UDP_BURST_FIRST;
	/* Random enough: it only tells fragments apart. */
	udp->fragment_id = (uint16_t)(shard_secret(shard, 3) + flow->hash);
	SHARD_COUNT(shard, udp_flows, 1);
	engine_watch(shard_engine(shard), sock, ENGINE_READABLE,
		     flow_token(flow));
}

int udp_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet)
{
	struct packet payload = *packet;
	struct slirp_endpoint host;
	struct udphdr header;
	unsigned int owner;
	struct flow *flow;
	int ret, sock;

	if (!udp_take_header(&payload, &header) || !header.uh_dport) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return -1;
	}
	ret = nat_admit(shard, IPPROTO_UDP, &packet->destination,
			ntohs(header.uh_dport), &host);
	if (ret) {
		udp_refuse(shard, packet, ret);
		return -1;
	}
	if (udp_client_open(shard, key, packet, &host, &ret))
		return ret;
	flow = flow_create(shard, key, &udp_flow_ops, &owner);
	if (!flow && owner != shard_index(shard))
		return (int)owner;
	if (!flow) {
		udp_refuse(shard, packet, -EACCES);
		return -1;
	}
	sock = udp_make_socket(shard, packet->is4 ? AF_INET : AF_INET6);
	if (sock < 0) {
		flow_free(shard, flow);
		udp_refuse(shard, packet, -EACCES);
		return -1;
	}
	udp_begin(shard, flow, sock);
	udp_input(shard, flow, packet);
	return -1;
}
