/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slirp/nat.h"
#include "slirp/resolvers.h"
#include "slirp/siphash.h"
#include "slirp/tcp_internal.h"

/*
 * How flows begin: by a guest's SYN, which waits for the host's connect(), or
 * by a connection to a forward's listener, for which the guest gets a SYN.
 */

#define TCP_MSS_MIN      64 /* bytes; a guest that asks for less gets this */
#define TCP_ISN_TICK_US  4  /* RFC 6528 */
#define TCP_ACCEPT_TRIES 64 /* peer ports tried where the flow exists */

static uint32_t tcp_choose_isn(const struct shard *shard,
			       const struct flow_key *key)
{
	uint64_t secret[2] = { shard_secret(shard, 2), shard_secret(shard, 3) };

	return (uint32_t)(siphash13(secret, key, sizeof(*key)) +
			  shard_now_us(shard) / TCP_ISN_TICK_US);
}

static void tcp_init(struct shard *shard, struct tcp_flow *tcp)
{
	tcp->queue = tcp->flow.rx_queue;
	tcp->iss = tcp_choose_isn(shard, &tcp->flow.key);
	tcp->snd_una = tcp->iss;
	tcp->snd_nxt = tcp->iss;
	tcp->snd_max = tcp->iss;
	tcp->recover = tcp->iss;
	tcp->sock_seq = tcp->iss + 1;
	tcp->peek_seq = tcp->iss + 1;
	tcp->hint = TCP_HINT_MIN;
	tcp->mss = TCP_MSS_DEFAULT;
	tcp->rto_ms = TCP_RTO_FIRST_MS;
	SHARD_COUNT(shard, tcp_flows, 1);
}

void tcp_negotiate(struct shard *shard, struct tcp_flow *tcp,
		   const struct tcp_segment *syn)
{
	unsigned int most = shard_features(shard)->mtu - tcp_ip_headers(tcp);
	unsigned int mss = syn->mss ? syn->mss : TCP_MSS_DEFAULT;

	if (mss > most)
		mss = most;
	tcp->mss = (uint16_t)(mss < TCP_MSS_MIN ? TCP_MSS_MIN : mss);
	tcp->rcv_scale = syn->scale < 0 ? 0 : TCP_SCALE;
	tcp->snd_scale = syn->scale < 0 ? 0 : (uint8_t)syn->scale;
	tcp->snd_wnd = syn->window;
	tcp->snd_wnd_max = syn->window;
	tcp->irs = syn->seq;
	tcp->rcv_nxt = syn->seq + 1;
	tcp->rcv_queued = tcp->rcv_nxt;
	tcp->rcv_acked = tcp->rcv_nxt;
	tcp_window_init(shard, tcp);
}

static void tcp_connected(struct shard *shard, struct tcp_flow *tcp)
{
	tcp_dns_answered(shard, tcp);
	tcp->writable_watched = false;
	tcp_watch(shard, tcp, ENGINE_READABLE);
	tcp_set_state(shard, tcp, TCP_STATE_SYN_RECEIVED);
	tcp->syn_due = true;
	tcp_output(shard, tcp);
}

/*
 * A connection to a port of the host's own where nobody listens meets itself if
 * its source port is that port (RFC 9293, 3.5: both ends open at once). The
 * guest would see a port that is open.
 */
static bool tcp_has_met_itself(struct shard *shard, const struct tcp_flow *tcp,
			       const struct shard_op *op)
{
	struct sockaddr_storage own = { 0 };
	struct slirp_endpoint from, to;
	socklen_t size = sizeof(own);

	if (!tcp->may_meet_itself)
		return false;
	SHARD_COUNT(shard, syscalls, 1);
	getsockname(tcp->flow.sock, (struct sockaddr *)&own, &size);
	from = endpoint_from_sockaddr(&own);
	to = endpoint_from_sockaddr(&op->op.address);
	return endpoint_equal(&from, &to);
}

static void tcp_refuse_itself(struct shard *shard, struct tcp_flow *tcp)
{
	/* Its port is free again. */
	tcp_linger(shard, tcp->flow.sock);
	tcp_refuse_connect(shard, tcp, ECONNREFUSED);
}

static bool tcp_ports_have(const struct shard_ports *ports, uint16_t port)
{
	return port >= ports->first && port <= ports->last;
}

static bool tcp_connect_elsewhere(struct shard *shard, struct tcp_flow *tcp);

/* The outcome of a connect() that was begun before. */
static void tcp_connect_done(struct shard *shard, struct shard_op *op)
{
	struct tcp_flow *tcp = tcp_of(op->flow);

	if (tcp->state != TCP_STATE_CONNECTING)
		return;
	switch (op->op.result) {
	case 0:
	case -EISCONN:
		if (tcp_has_met_itself(shard, tcp, op))
			tcp_refuse_itself(shard, tcp);
		else
			tcp_connected(shard, tcp);
		break;
	case -EINPROGRESS:
	case -EALREADY:
		tcp_watch(shard, tcp, ENGINE_READABLE | ENGINE_WRITABLE);
		tcp_timer_arm(shard, tcp);
		break;
	default:
		if (!tcp_connect_elsewhere(shard, tcp))
			tcp_refuse_connect(shard, tcp, -op->op.result);
	}
}

/* The first of two: its successor tells what came of it. */
static void tcp_connect_begun(struct shard *shard, struct shard_op *op)
{
	(void)shard;
	(void)op;
}

static void tcp_queue_connect(struct shard *shard, struct tcp_flow *tcp,
			      const struct slirp_endpoint *host,
			      void (*done)(struct shard *shard,
					   struct shard_op *op))
{
	struct shard_op *op =
		shard_queue_op(shard, &tcp->flow, ENGINE_CONNECT, done);

	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen =
		endpoint_to_sockaddr(host, AF_UNSPEC, &op->op.address);
}

/* Try the next resolver, with another socket. Return: false if there is none */
static bool tcp_connect_elsewhere(struct shard *shard, struct tcp_flow *tcp)
{
	struct slirp_endpoint host;
	struct shard_ports ports;
	int sock;

	if (!tcp_dns_next(shard, tcp, &host))
		return false;
	sock = shard_take_socket(shard, endpoint_family(&host), &ports);
	if (sock < 0)
		return false;
	tcp->may_meet_itself = tcp_ports_have(&ports, host.port);
	engine_close(shard_engine(shard), tcp->flow.sock,
		     flow_token(&tcp->flow));
	tcp->flow.sock = sock;
	tcp->watched = false;
	tcp->writable_watched = false;
	tcp_dns_begin(shard, tcp, &host);
	tcp_queue_connect(shard, tcp, &host, tcp_connect_done);
	return true;
}

void tcp_open_hurry(struct shard *shard, struct tcp_flow *tcp)
{
	tcp->resend_due = 0;
	tcp_connect_elsewhere(shard, tcp);
}

/* Where a guest's connection leads: to a path, or to an endpoint. */
struct tcp_target {
	const char *path;
	struct slirp_endpoint host;
};

/* Guest forwards come first, whatever the policy. Return: true if it is one */
static bool tcp_route_forward(const struct slirp_config *config,
			      const struct flow_key *key,
			      struct tcp_target *target)
{
	const struct slirp_guest_forward *to = config->guest_forward;

	for (unsigned int i = 0; i < config->guest_forward_count; i++, to++) {
		if (to->server.port != key->peer_port ||
		    !address_equal(&to->server.address, &key->peer))
			continue;
		target->path = *to->path ? to->path : NULL;
		target->host = to->host;
		return true;
	}
	return false;
}

/* Return: 0, or negative errno if it leads nowhere */
static int tcp_route(struct shard *shard, const struct flow_key *key,
		     struct tcp_target *target)
{
	int ret;

	target->path = NULL;
	if (tcp_route_forward(shard_config(shard), key, target))
		return 0;
	ret = nat_admit(shard, IPPROTO_TCP, &key->peer, key->peer_port,
			&target->host);
	if (!ret && tcp_dns_is(shard, key) &&
	    !tcp_dns_choose(shard, 0, &target->host))
		return -EHOSTUNREACH;
	return ret;
}

static int tcp_open_socket(struct shard *shard, const struct tcp_target *target,
			   struct shard_ports *ports)
{
	if (target->path)
		return tcp_local_connect(shard, target->path);
	return shard_take_socket(shard, endpoint_family(&target->host), ports);
}

static void tcp_open_connect(struct shard *shard, struct tcp_flow *tcp,
			     const struct slirp_endpoint *host)
{
	tcp_dns_begin(shard, tcp, host);
	/* On loopback the outcome is there at once, but only the second call
	 * tells it. */
	tcp_queue_connect(shard, tcp, host, tcp_connect_begun);
	tcp_queue_connect(shard, tcp, host, tcp_connect_done);
}

/* Return: -1, or the shard that owns the key */
static int tcp_open_flow(struct shard *shard, const struct flow_key *key,
			 const struct tcp_segment *syn,
			 const struct packet *packet,
			 const struct tcp_target *target)
{
	unsigned int owner;
	struct flow *flow = flow_create(shard, key, &tcp_flow_ops, &owner);
	struct tcp_flow *tcp = tcp_of(flow);
	struct shard_ports ports = { 0 };
	int sock;

	if (!flow && owner != shard_index(shard))
		return (int)owner;
	if (!flow) {
		tcp_refuse_open(shard, key, syn, packet, ECONNREFUSED);
		return -1;
	}
	sock = tcp_open_socket(shard, target, &ports);
	if (sock < 0) {
		flow_free(shard, flow);
		/* A listener that is behind is asked again by the next SYN. */
		if (sock != -EAGAIN)
			tcp_refuse_open(shard, key, syn, packet, -sock);
		return -1;
	}
	flow->sock = sock;
	tcp_init(shard, tcp);
	tcp_negotiate(shard, tcp, syn);
	tcp_set_state(shard, tcp, TCP_STATE_CONNECTING);
	tcp->local = target->path != NULL;
	tcp->may_meet_itself = tcp_ports_have(&ports, target->host.port);
	if (tcp->local)
		tcp_connected(shard, tcp);
	else
		tcp_open_connect(shard, tcp, &target->host);
	return -1;
}

int tcp_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet)
{
	struct tcp_segment segment;
	struct tcp_target target;
	int ret;

	if (!tcp_segment_parse(packet, &segment)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return -1;
	}
	if (segment.flags & TH_RST)
		return -1;
	if ((segment.flags & (TH_SYN | TH_ACK | TH_FIN)) != TH_SYN) {
		tcp_refuse(shard, key, &segment);
		return -1;
	}
	ret = tcp_route(shard, key, &target);
	if (ret) {
		tcp_refuse_open(shard, key, &segment, packet, -ret);
		return -1;
	}
	return tcp_open_flow(shard, key, &segment, packet, &target);
}

/* Ask again: the socket says that something has come of it. */
void tcp_open_event(struct shard *shard, struct tcp_flow *tcp)
{
	struct tcp_target target;

	if (tcp_route(shard, &tcp->flow.key, &target)) {
		tcp_reset_guest(shard, tcp);
		return;
	}
	if (tcp->resolvers_tried)
		target.host = shard_resolvers(shard)->endpoint[tcp->resolver];
	tcp_queue_connect(shard, tcp, &target.host, tcp_connect_done);
}

/* Two peers may have one port, seen through one gateway address. */
static struct flow *tcp_accept_flow(struct shard *shard, struct flow_key *key)
{
	unsigned int owner;
	struct flow *flow;

	for (int i = 0; i < TCP_ACCEPT_TRIES; i++) {
		owner = shard_index(shard);
		if (!flow_find(shard, key)) {
			flow = flow_create(shard, key, &tcp_flow_ops, &owner);
			if (flow || owner == shard_index(shard))
				return flow;
		}
		key->peer_port++;
		if (!key->peer_port)
			key->peer_port = IPPORT_RESERVED;
	}
	return NULL;
}

static void tcp_accept_key(const struct shard *shard, int sock,
			   const struct slirp_endpoint *guest,
			   struct flow_key *key)
{
	struct sockaddr_storage from = { 0 };
	socklen_t size = sizeof(from);
	struct slirp_endpoint peer;

	getpeername(sock, (struct sockaddr *)&from, &size);
	peer = endpoint_from_sockaddr(&from);
	*key = (struct flow_key) {
		.guest = guest->address,
		.peer = nat_translate_client(shard_config(shard), &peer.address,
					     &guest->address),
		.guest_port = guest->port,
		.peer_port = peer.port,
		.protocol = IPPROTO_TCP,
	};
}

void tcp_accept(struct shard *shard, int sock,
		const struct slirp_endpoint *guest)
{
	struct flow_key key;
	struct flow *flow;
	struct tcp_flow *tcp;

	tcp_accept_key(shard, sock, guest, &key);
	flow = tcp_accept_flow(shard, &key);
	if (!flow) {
		SHARD_COUNT(shard, flows_refused, 1);
		tcp_linger(shard, sock);
		close(sock);
		return;
	}
	flow->sock = sock;
	flow->rx_queue = (uint16_t)shard_index(shard);
	tcp = tcp_of(flow);
	tcp_init(shard, tcp);
	tcp->rcv_scale = TCP_SCALE;
	tcp_window_init(shard, tcp);
	tcp_set_state(shard, tcp, TCP_STATE_SYN_SENT);
	tcp->syn_due = true;
	tcp_output(shard, tcp);
}
