/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "slirp/header.h"
#include "slirp/icmp_internal.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * Echo requests go out through an unprivileged ICMP socket (icmp(7)), one for
 * each identifier and destination of the guest's. The host's kernel gives the
 * socket an identifier of its own, and the guest's is put back into replies.
 *
 * The gateway's echo is the host's loopback's. It is answered here, as the DNS
 * address's is, where ping sockets are forbidden; for others the guest is told
 * that the host forbids it, since a made-up answer would be a lie.
 *
 * Limits: only echo; replies above the guest's MTU are dropped.
 */

#define ICMP_IDLE_MS 60000 /* RFC 5508, REQ-2 */

/**
 * struct icmp_flow - A ping
 * @header:	Of the reply that is being received
 * @pulling:	A receive is queued
 */
struct icmp_flow {
	struct flow flow;
	struct icmphdr header;
	bool pulling;
};

_Static_assert(sizeof(struct icmp_flow) <= FLOW_SLOT_SIZE, "it fits its slot");

static struct icmp_flow *icmp_of(struct flow *flow)
{
	return (struct icmp_flow *)flow;
}

static bool icmp_flow_is4(const struct flow *flow)
{
	return address_is4(&flow->key.guest);
}

/* Change two bytes that a checksum covers (RFC 1624). */
static void icmp_adjust(uint16_t *checksum, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint16_t) ~*checksum + (uint32_t)(uint16_t)~from + to;

	*checksum = checksum_fold(sum);
}

/* An echo request whose checksum is right (RFC 1122, 3.2.2; RFC 4443, 2.3). */
static bool icmp_is_sound(const struct packet *packet, struct icmphdr *icmp)
{
	const struct port_frame *frame = packet->frame;
	struct cursor at = packet->l4;

	if (!cursor_take(&at, icmp, sizeof(*icmp)) || icmp->code)
		return false;
	if (!packet->is4)
		return icmp->type == ICMP6_ECHO_REQUEST &&
		       packet_checksum_ok(packet);
	return icmp->type == ICMP_ECHO &&
	       checksum_fold(iov_checksum(frame->iov, frame->iov_count,
					  packet->l4_offset, packet->l4.left,
					  0)) == 0;
}

/* Answers of our own */

static bool icmp_is_ours(const struct slirp_config *config,
			 const struct packet *packet)
{
	return nat_is_gateway(config, &packet->destination) ||
	       nat_is_router6(&packet->destination) ||
	       nat_is_dns(config, &packet->destination);
}

static void icmp_answer(struct shard *shard, const struct packet *packet)
{
	uint8_t *frame = shard_scratch(shard);
	size_t size = packet->l4.left, start = header_l4(&packet->source);
	struct cursor at = packet->l4;
	struct icmphdr icmp;
	struct header_ip ip = {
		.source = packet->destination,
		.destination = packet->source,
		.protocol = packet->protocol,
		.length = size,
	};

	if (start + size > HEADER_IP + shard_features(shard)->mtu ||
	    !cursor_take(&at, frame + start, size)) {
		SHARD_COUNT(shard, rx_dropped, 1);
		return;
	}
	memcpy(&icmp, frame + start, sizeof(icmp));
	icmp.type = packet->is4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	icmp.checksum = 0;
	memcpy(frame + start, &icmp, sizeof(icmp));
	icmp_finish(shard, shard_input_queue(shard), &ip, frame);
}

/* @err: EACCES, EPERM (the policy) or EHOSTUNREACH */
static void icmp_refuse(struct shard *shard, const struct packet *packet,
			int err)
{
	struct host_error error;

	if (err != EPERM && icmp_is_ours(shard_config(shard), packet)) {
		icmp_answer(shard, packet);
		return;
	}
	SHARD_COUNT(shard, flows_refused, 1);
	if (host_error_of_send(err, packet->is4, &error))
		icmp_send_error(shard, packet, &error);
}

/* Replies */

static void icmp_pull(struct shard *shard, struct icmp_flow *ping);

/* What ICMPv6 sums up beside the message is another's addresses: sum anew. */
static uint16_t icmp_reply_checksum(const struct header_ip *ip,
				    const struct port_space *space,
				    const struct icmphdr *icmp)
{
	size_t at = header_l4(&ip->destination) + sizeof(*icmp);
	uint32_t sum = checksum_pseudo(&ip->source, &ip->destination,
				       ip->protocol, ip->length);

	sum = checksum_add(icmp, sizeof(*icmp), sum);
	return checksum_fold(iov_checksum(space->iov, space->iov_count, at,
					  ip->length - sizeof(*icmp), sum));
}

static void icmp_reply(struct shard *shard, struct icmp_flow *ping,
		       struct outgoing *out, size_t size)
{
	const struct flow_key *key = &ping->flow.key;
	struct header_ip ip = {
		.source = key->peer,
		.destination = key->guest,
		.protocol = key->protocol,
		.length = size,
	};
	struct icmphdr *icmp = &ping->header;
	uint16_t id = htons(key->guest_port);
	uint8_t header[HEADER_L4_MAX];
	size_t at = header_write_ip(shard_config(shard), &ip, header);

	icmp_adjust(&icmp->checksum, icmp->un.echo.id, id);
	icmp->un.echo.id = id;
	if (key->protocol == IPPROTO_ICMPV6) {
		icmp->checksum = 0;
		icmp->checksum = icmp_reply_checksum(&ip, &out->space, icmp);
	}
	iov_write(out->space.iov, out->space.iov_count, 0, header, at);
	iov_write(out->space.iov, out->space.iov_count, at, icmp,
		  sizeof(*icmp));
	shard_carried_rx(shard, &ping->flow, size);
	outgoing_commit(shard, out, at + size, NULL);
}

static void icmp_pulled(struct shard *shard, struct shard_op *op)
{
	struct icmp_flow *ping = icmp_of(op->flow);
	size_t size = op->op.result < 0 ? 0 : (size_t)op->op.result;
	uint8_t type =
		icmp_flow_is4(op->flow) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	ping->pulling = false;
	if (size < sizeof(ping->header) || ping->header.type != type ||
	    op->op.message.msg_flags & MSG_TRUNC)
		outgoing_cancel(shard, &op->out);
	else
		icmp_reply(shard, ping, &op->out, size);
	if (op->op.result >= 0)
		shard_queue_ack(shard, op->flow);
}

static void icmp_pull(struct shard *shard, struct icmp_flow *ping)
{
	size_t length = HEADER_IP + shard_features(shard)->mtu;
	size_t skip = header_l4(&ping->flow.key.guest) + sizeof(ping->header);
	struct outgoing out;
	struct shard_op *op;

	if (ping->pulling)
		return;
	if (length <= skip ||
	    outgoing_begin(shard, ping->flow.rx_queue, length, &out)) {
		shard_stall_flow(shard, &ping->flow);
		return;
	}
	op = shard_queue_op(shard, &ping->flow, ENGINE_RECV, icmp_pulled);
	op->out = out;
	op->has_out = true;
	op->op.iov[0].iov_base = &ping->header;
	op->op.iov[0].iov_len = sizeof(ping->header);
	op->op.message.msg_iovlen =
		1 + iov_slice(op->out.space.iov, op->out.space.iov_count, skip,
			      length - skip, &op->op.iov[1], PORT_IOV_MAX - 1);
	ping->pulling = true;
}

/* Errors */

static void icmp_tell(struct shard *shard, struct flow *flow,
		      struct host_error *error)
{
	const struct slirp_config *config = shard_config(shard);
	uint8_t data[64] = { 0 };
	struct icmphdr icmp;
	struct icmp_quote quote = {
		.error = error,
		.source = flow->key.guest,
		.destination = flow->key.peer,
		.protocol = flow->key.protocol,
		.length = error->size,
		.data = data,
	};

	if (error->size < sizeof(icmp))
		return;
	quote.size = error->size < sizeof(data) ? error->size : sizeof(data);
	memcpy(data, error->data, quote.size);
	memcpy(&icmp, data, sizeof(icmp));
	icmp_adjust(&icmp.checksum, icmp.un.echo.id,
		    htons(flow->key.guest_port));
	icmp.un.echo.id = htons(flow->key.guest_port);
	memcpy(data, &icmp, sizeof(icmp));
	error->offender =
		nat_translate_peer(config, &error->offender, &flow->key.guest);
	icmp_send_quote(shard, flow->rx_queue, &quote);
}

static void icmp_told(struct shard *shard, struct shard_op *op)
{
	struct host_error error;

	if (!host_error_take(op, &error))
		return;
	if (error.type != HOST_ERROR_NONE)
		icmp_tell(shard, op->flow, &error);
	host_error_queue(shard, op->flow, icmp_told);
}

/* Requests */

static void icmp_sent(struct shard *shard, struct shard_op *op)
{
	struct host_error error;
	struct icmphdr icmp;
	struct cursor at;

	if (op->op.result >= 0)
		return;
	SHARD_COUNT(shard, tx_dropped, 1);
	cursor_init(&at, op->op.iov, (unsigned int)op->op.message.msg_iovlen,
		    sizeof(icmp));
	if (!host_error_of_send(-op->op.result, icmp_flow_is4(op->flow),
				&error) ||
	    !cursor_take(&at, &icmp, sizeof(icmp)))
		return;
	error.data = (uint8_t *)&icmp;
	error.size = sizeof(icmp);
	icmp_tell(shard, op->flow, &error);
}

static void icmp_input(struct shard *shard, struct flow *flow,
		       struct packet *packet)
{
	struct slirp_endpoint host;
	struct icmphdr icmp;
	struct shard_op *op;
	int ret;

	if (!icmp_is_sound(packet, &icmp)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	ret = nat_admit(shard, flow->key.protocol, &flow->key.peer, 0, &host);
	if (ret) {
		icmp_refuse(shard, packet, -ret);
		return;
	}
	op = shard_queue_op(shard, flow, ENGINE_SEND, icmp_sent);
	op->op.message.msg_iovlen = cursor_slice(&packet->l4, packet->l4.left,
						 op->op.iov, PORT_IOV_MAX);
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen =
		endpoint_to_sockaddr(&host, AF_UNSPEC, &op->op.address);
	shard_carried_tx(shard, flow, packet->l4.left);
	timer_set(shard_timers(shard), &flow->timer,
		  shard_now_ms(shard) + ICMP_IDLE_MS);
}

static void icmp_event(struct shard *shard, struct flow *flow,
		       unsigned int ready)
{
	if (ready & ENGINE_ERROR)
		host_error_queue(shard, flow, icmp_told);
	icmp_pull(shard, icmp_of(flow));
}

static void icmp_resume(struct shard *shard, struct flow *flow)
{
	icmp_pull(shard, icmp_of(flow));
}

static void icmp_inspect(struct flow *flow, struct slirp_flow *info)
{
	(void)flow;
	info->state = "echo";
}

const struct flow_ops icmp_flow_ops = {
	.input = icmp_input,
	.event = icmp_event,
	.timer = flow_free,
	.resume = icmp_resume,
	.abort = flow_free,
	.inspect = icmp_inspect,
};

static int icmp_make_socket(struct shard *shard, bool is4)
{
	int family = is4 ? AF_INET : AF_INET6;
	int sock = shard_open_socket(shard, family, SOCK_DGRAM,
				     is4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (sock >= 0) {
		SHARD_COUNT(shard, syscalls, 1);
		host_error_enable(sock, family);
		return sock;
	}
	if (sock != -EMFILE && sock != -ENFILE &&
	    shard_first_notice(shard, SHARD_NOTICE_PING))
		log_line("the guest cannot ping beyond this host (%s): allow "
			 "it with sysctl net.ipv4.ping_group_range=\"0 "
			 "2147483647\"",
			 strerror(-sock));
	return sock;
}

int icmp_open(struct shard *shard, const struct flow_key *key,
	      struct packet *packet)
{
	struct slirp_endpoint host;
	struct icmphdr icmp;
	unsigned int owner;
	struct flow *flow;
	int ret, sock;

	if (!icmp_is_sound(packet, &icmp)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return -1;
	}
	ret = nat_admit(shard, key->protocol, &key->peer, 0, &host);
	if (ret) {
		icmp_refuse(shard, packet, -ret);
		return -1;
	}
	flow = flow_create(shard, key, &icmp_flow_ops, &owner);
	if (!flow && owner != shard_index(shard))
		return (int)owner;
	sock = flow ? icmp_make_socket(shard, packet->is4) : -1;
	if (sock < 0) {
		if (flow)
			flow_free(shard, flow);
		icmp_refuse(shard, packet, EACCES);
		return -1;
	}
	flow->sock = sock;
	SHARD_COUNT(shard, icmp_flows, 1);
	engine_watch(shard_engine(shard), sock, ENGINE_READABLE,
		     flow_token(flow));
	icmp_input(shard, flow, packet);
	return -1;
}
