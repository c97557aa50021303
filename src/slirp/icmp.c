/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "slirp/fragment.h"
#include "slirp/header.h"
#include "slirp/hop.h"
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
 * Limits: only echo. What a guest says by ICMP about datagrams that it was sent
 * ends here: an unprivileged socket cannot pass it on.
 */

#define ICMP_IDLE_MS 60000 /* RFC 5508, REQ-2 */

/**
 * struct icmp_flow - A ping
 * @last:	Header of the latest request
 * @fragment_id: Of the next reply
 * @df:		What the socket does with requests above the path's MTU
 * @pulling:	A receive is queued
 */
struct icmp_flow {
	struct flow flow;
	struct icmphdr last;
	uint16_t fragment_id;
	enum hop_df df;
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
	uint8_t *message = shard_scratch(shard);
	struct cursor at = packet->l4;
	struct header_ip ip = {
		.source = packet->destination,
		.destination = packet->source,
		.protocol = packet->protocol,
		.length = packet->l4.left,
		.id = (uint16_t)packet->fragment_id,
	};

	if (!cursor_take(&at, message, ip.length))
		return;
	message[0] = packet->is4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	icmp_send_message(shard, shard_input_queue(shard), &ip, message);
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

/* The host's kernel has judged its checksum, and given it an identifier. */
static void icmp_reply(struct shard *shard, struct icmp_flow *ping,
		       uint8_t *message, size_t size)
{
	const struct flow_key *key = &ping->flow.key;
	struct header_ip ip = {
		.source = key->peer,
		.destination = key->guest,
		.protocol = key->protocol,
		.length = size,
		.id = ping->fragment_id++,
	};
	uint8_t type =
		icmp_flow_is4(&ping->flow) ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	struct icmphdr icmp;

	if (size < sizeof(icmp))
		return;
	memcpy(&icmp, message, sizeof(icmp));
	if (icmp.type != type)
		return;
	icmp.un.echo.id = htons(key->guest_port);
	memcpy(message, &icmp, sizeof(icmp));
	shard_carried_rx(shard, &ping->flow, size);
	icmp_send_message(shard, ping->flow.rx_queue, &ip, message);
}

static void icmp_pulled(struct shard *shard, struct shard_op *op)
{
	struct icmp_flow *ping = icmp_of(op->flow);

	ping->pulling = false;
	outgoing_cancel(shard, &op->out);
	if (op->op.result < 0)
		return;
	icmp_reply(shard, ping, op->op.iov[0].iov_base, (size_t)op->op.result);
	shard_queue_ack(shard, op->flow);
}

/* Space for a frame is only held meanwhile, so that a reply waits for it. */
static void icmp_pull(struct shard *shard, struct icmp_flow *ping)
{
	size_t length = HEADER_IP + fragment_mtu(shard);
	struct outgoing out;
	struct shard_op *op;

	if (ping->pulling)
		return;
	if (outgoing_begin(shard, ping->flow.rx_queue, length, &out)) {
		shard_stall_flow(shard, &ping->flow);
		return;
	}
	op = shard_queue_op(shard, &ping->flow, ENGINE_RECV, icmp_pulled);
	op->out = out;
	op->has_out = true;
	op->op.iov[0].iov_base = shard_op_buffer(shard, op);
	op->op.iov[0].iov_len = SHARD_OP_BUFFER_SIZE;
	op->op.message.msg_iovlen = 1;
	ping->pulling = true;
}

/* Errors */

/* The request that an error is about; the latest, where it does not say. */
static size_t icmp_quote_request(const struct icmp_flow *ping,
				 const struct host_error *error, uint8_t *data,
				 size_t most)
{
	size_t size = error->size < most ? error->size : most;
	struct icmphdr icmp;

	if (size < sizeof(icmp)) {
		memcpy(data, &ping->last, sizeof(ping->last));
		return sizeof(ping->last);
	}
	memcpy(data, error->data, size);
	memcpy(&icmp, data, sizeof(icmp));
	icmp_adjust(&icmp.checksum, icmp.un.echo.id,
		    htons(ping->flow.key.guest_port));
	icmp.un.echo.id = htons(ping->flow.key.guest_port);
	memcpy(data, &icmp, sizeof(icmp));
	return size;
}

static void icmp_tell(struct shard *shard, const struct icmp_flow *ping,
		      struct host_error *error)
{
	const struct flow_key *key = &ping->flow.key;
	uint8_t data[64] = { 0 };
	struct icmp_quote quote = {
		.error = error,
		.source = key->guest,
		.destination = key->peer,
		.protocol = key->protocol,
		.data = data,
	};

	quote.size = icmp_quote_request(ping, error, data, sizeof(data));
	quote.length = error->size > quote.size ? error->size : quote.size;
	error->offender = nat_translate_peer(shard_config(shard),
					     &error->offender, &key->guest);
	icmp_send_quote(shard, ping->flow.rx_queue, &quote);
}

static void icmp_told(struct shard *shard, struct shard_op *op)
{
	struct host_error error;

	if (!host_error_take(op, &error))
		return;
	if (error.type != HOST_ERROR_NONE)
		icmp_tell(shard, icmp_of(op->flow), &error);
	host_error_queue(shard, op->flow, icmp_told);
}

/* Requests */

static void icmp_sent(struct shard *shard, struct shard_op *op)
{
	struct icmp_flow *ping = icmp_of(op->flow);
	struct host_error error;

	if (op->op.result >= 0 || host_error_send_again(shard, op))
		return;
	SHARD_COUNT(shard, tx_dropped, 1);
	if (!host_error_of_send(-op->op.result, icmp_flow_is4(op->flow),
				&error))
		return;
	icmp_tell(shard, ping, &error);
}

static void icmp_send(struct shard *shard, struct icmp_flow *ping,
		      struct packet *packet, const struct slirp_endpoint *to)
{
	struct flow *flow = &ping->flow;
	struct shard_op *op;

	if (hop_set_df(flow->sock, &ping->df, packet))
		SHARD_COUNT(shard, syscalls, 1);
	op = shard_queue_op(shard, flow, ENGINE_SEND, icmp_sent);
	op->op.message.msg_iovlen = cursor_slice(&packet->l4, packet->l4.left,
						 op->op.iov, PORT_IOV_MAX);
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen =
		endpoint_to_sockaddr(to, AF_UNSPEC, &op->op.address);
	hop_set_ttl(shard, op, packet);
	shard_carried_tx(shard, flow, packet->l4.left);
}

static void icmp_input(struct shard *shard, struct flow *flow,
		       struct packet *packet)
{
	struct icmp_flow *ping = icmp_of(flow);
	struct slirp_endpoint host;
	int ret;

	if (!icmp_is_sound(packet, &ping->last)) {
		SHARD_COUNT(shard, tx_malformed, 1);
		return;
	}
	ret = nat_admit(shard, flow->key.protocol, &flow->key.peer, 0, &host);
	if (ret) {
		icmp_refuse(shard, packet, -ret);
		return;
	}
	icmp_send(shard, ping, packet, &host);
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

static bool icmp_movable(struct shard *shard, const struct flow *flow)
{
	(void)shard;
	return !((const struct icmp_flow *)flow)->pulling;
}

static unsigned int icmp_arrive(struct shard *shard, struct flow *flow)
{
	engine_watch(shard_engine(shard), flow->sock, ENGINE_READABLE,
		     flow_token(flow));
	shard_queue_ack(shard, flow);
	return 0;
}

const struct flow_ops icmp_flow_ops = {
	.input = icmp_input,
	.event = icmp_event,
	.timer = flow_free,
	.resume = icmp_resume,
	.abort = flow_free,
	.inspect = icmp_inspect,
	.movable = icmp_movable,
	.arrive = icmp_arrive,
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
