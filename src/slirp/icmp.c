/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/icmp.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "slirp/header.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * An echo request goes out through an unprivileged ICMP socket, one per guest
 * address, peer and identifier; the kernel puts an identifier of its own, so
 * that the guest's is put back into answers. Where the host forbids such
 * sockets (net.ipv4.ping_group_range) only our own addresses, gateway and DNS,
 * answer; anything else is reported as filtered rather than answered with a
 * lie.
 */

#define ICMP_IDLE_MS      60000 /* RFC 5508, REQ-1 */
#define ICMP_RECEIVES_MAX 8     /* answers taken in a row */
#define ICMP_QUOTE        28    /* bytes of the original: IP header and 8 */

static struct in_addr icmp_peer(const struct flow *flow)
{
	return (struct in_addr) { flow->key.peer.s6_addr32[3] };
}

static void icmp_touch(struct shard *shard, struct flow *flow)
{
	timer_set(shard_timers(shard), &flow->timer,
		  shard_now_ms(shard) + ICMP_IDLE_MS);
}

/* Errors */

static void icmp_send_quote(struct shard *shard, unsigned int queue,
			    struct in_addr to, const uint8_t *quote,
			    uint8_t type, uint8_t code, uint16_t mtu)
{
	uint8_t frame[HEADER_L4 + sizeof(struct icmphdr) + ICMP_QUOTE];
	struct icmphdr icmp = { .type = type, .code = code };
	struct header_ip4 ip = {
		.source = shard_config(shard)->gateway,
		.destination = to,
		.protocol = IPPROTO_ICMP,
		.length = sizeof(icmp) + ICMP_QUOTE,
	};
	uint32_t sum;

	icmp.un.frag.mtu = htons(mtu);
	sum = checksum_add(&icmp, sizeof(icmp), 0);
	icmp.checksum = checksum_fold(checksum_add(quote, ICMP_QUOTE, sum));
	header_write_ip4(shard_config(shard), &ip, frame);
	memcpy(frame + HEADER_L4, &icmp, sizeof(icmp));
	memcpy(frame + HEADER_L4 + sizeof(icmp), quote, ICMP_QUOTE);
	outgoing_send(shard, queue, frame, sizeof(frame), NULL);
}

void icmp_send_error(struct shard *shard, const struct packet *packet,
		     uint8_t type, uint8_t code, uint16_t mtu)
{
	struct in_addr to = { packet->ip.saddr };
	struct cursor at = packet->l4;
	uint8_t quote[ICMP_QUOTE];

	memcpy(quote, &packet->ip, sizeof(packet->ip));
	/* The options are not quoted. */
	((struct iphdr *)quote)->ihl = sizeof(struct iphdr) / 4;
	if (!cursor_take(&at, quote + sizeof(packet->ip), 8))
		return;
	icmp_send_quote(shard, shard_input_queue(shard), to, quote, type, code,
			mtu);
}

void icmp_send_udp_error(struct shard *shard, unsigned int queue,
			 const struct sockaddr_in *guest,
			 const struct sockaddr_in *peer, uint8_t type,
			 uint8_t code, uint16_t mtu)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tot_len = htons(ICMP_QUOTE),
		.ttl = IPDEFTTL,
		.protocol = IPPROTO_UDP,
		.saddr = guest->sin_addr.s_addr,
		.daddr = peer->sin_addr.s_addr,
	};
	struct udphdr udp = {
		.uh_sport = guest->sin_port,
		.uh_dport = peer->sin_port,
		.uh_ulen = htons(sizeof(udp)),
	};
	uint8_t quote[ICMP_QUOTE];

	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(quote, &ip, sizeof(ip));
	memcpy(quote + sizeof(ip), &udp, sizeof(udp));
	icmp_send_quote(shard, queue, guest->sin_addr, quote, type, code, mtu);
}

/* Echo */

static void icmp_send(struct shard *shard, struct flow *flow,
		      struct packet *packet)
{
	struct engine_op op = { .kind = ENGINE_SEND, .fd = flow->sock };
	struct engine_op *batch = &op;
	struct sockaddr_in to;
	int ret = nat_translate(shard_config(shard), IPPROTO_ICMP,
				icmp_peer(flow), 0, &to);

	if (ret) {
		icmp_send_error(shard, packet, ICMP_DEST_UNREACH,
				ret == -EACCES ? ICMP_PKT_FILTERED
					       : ICMP_HOST_UNREACH,
				0);
		return;
	}
	memcpy(&op.address, &to, sizeof(to));
	op.message.msg_name = &op.address;
	op.message.msg_namelen = sizeof(to);
	op.message.msg_iovlen = cursor_slice(&packet->l4, packet->l4.left,
					     op.iov, PORT_IOV_MAX);
	engine_run(shard_engine(shard), &batch, 1);
	if (op.result == -ENETUNREACH || op.result == -EHOSTUNREACH)
		icmp_send_error(shard, packet, ICMP_DEST_UNREACH,
				ICMP_NET_UNREACH, 0);
}

static void icmp_input(struct shard *shard, struct flow *flow,
		       struct packet *packet)
{
	icmp_touch(shard, flow);
	icmp_send(shard, flow, packet);
}

/* Our own addresses answer even where the host allows no ICMP sockets. */
static void icmp_answer_self(struct shard *shard, const struct packet *packet)
{
	size_t size = packet->l4.left;
	struct header_ip4 ip = {
		.source = { packet->ip.daddr },
		.destination = { packet->ip.saddr },
		.protocol = IPPROTO_ICMP,
		.length = size,
	};
	uint8_t *data = shard_scratch(shard);
	uint8_t header[HEADER_L4];
	struct cursor at = packet->l4;
	struct icmphdr icmp;
	struct outgoing out;

	if (HEADER_L4 + size > shard_features(shard)->rx_frame_max ||
	    !cursor_take(&at, data, size) ||
	    outgoing_begin(shard, shard_input_queue(shard), HEADER_L4 + size,
			   &out))
		return;
	memcpy(&icmp, data, sizeof(icmp));
	icmp.type = ICMP_ECHOREPLY;
	icmp.checksum = 0;
	memcpy(data, &icmp, sizeof(icmp));
	icmp.checksum = checksum_fold(checksum_add(data, size, 0));
	memcpy(data, &icmp, sizeof(icmp));
	header_write_ip4(shard_config(shard), &ip, header);
	iov_write(out.space.iov, out.space.iov_count, 0, header,
		  sizeof(header));
	iov_write(out.space.iov, out.space.iov_count, HEADER_L4, data, size);
	outgoing_commit(shard, &out, HEADER_L4 + size, NULL);
}

static void icmp_open_forbidden(struct shard *shard, struct packet *packet)
{
	const struct slirp_config *config = shard_config(shard);

	if (packet->ip.daddr == config->gateway.s_addr ||
	    packet->ip.daddr == config->dns.s_addr) {
		icmp_answer_self(shard, packet);
		return;
	}
	SHARD_COUNT(shard, flows_refused, 1);
	icmp_send_error(shard, packet, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, 0);
}

int icmp_open(struct shard *shard, const struct flow_key *key,
	      struct packet *packet)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  IPPROTO_ICMP);
	unsigned int owner;
	struct flow *flow;

	SHARD_COUNT(shard, syscalls, 1);
	if (sock < 0) {
		icmp_open_forbidden(shard, packet);
		return -1;
	}
	flow = flow_create(shard, key, &icmp_flow_ops, &owner);
	if (!flow) {
		close(sock);
		return owner == shard_index(shard) ? -1 : (int)owner;
	}
	flow->sock = sock;
	engine_watch(shard_engine(shard), sock, ENGINE_READABLE,
		     flow_token(flow));
	SHARD_COUNT(shard, icmp_flows, 1);
	icmp_input(shard, flow, packet);
	return -1;
}

/* Put the guest's identifier back (RFC 1624 for the checksum), and send. */
static void icmp_commit(struct shard *shard, struct flow *flow,
			struct outgoing *out, struct icmphdr *icmp, size_t size)
{
	struct header_ip4 ip = {
		.source = icmp_peer(flow),
		.destination = { flow->key.guest.s6_addr32[3] },
		.protocol = IPPROTO_ICMP,
		.length = size,
	};
	uint16_t id = htons(flow->key.guest_port);
	uint8_t header[HEADER_L4];

	icmp->checksum = checksum_fold((uint32_t)(uint16_t)~icmp->checksum +
				       (uint16_t)~icmp->un.echo.id + id);
	icmp->un.echo.id = id;
	header_write_ip4(shard_config(shard), &ip, header);
	iov_write(out->space.iov, out->space.iov_count, 0, header,
		  sizeof(header));
	iov_write(out->space.iov, out->space.iov_count, HEADER_L4, icmp,
		  sizeof(*icmp));
	outgoing_commit(shard, out, HEADER_L4 + size, NULL);
}

/* Return: true if there may be more */
static bool icmp_receive(struct shard *shard, struct flow *flow)
{
	struct engine_op op = { .kind = ENGINE_RECV, .fd = flow->sock };
	struct engine_op *batch = &op;
	size_t room = shard_features(shard)->mtu - sizeof(struct iphdr);
	struct icmphdr icmp = { 0 };
	struct outgoing out;

	if (outgoing_begin(shard, flow->rx_queue, HEADER_L4 + room, &out)) {
		shard_stall_flow(shard, flow);
		return false;
	}
	op.iov[0].iov_base = &icmp;
	op.iov[0].iov_len = sizeof(icmp);
	op.message.msg_iovlen =
		1 + iov_slice(out.space.iov, out.space.iov_count,
			      HEADER_L4 + sizeof(icmp), room - sizeof(icmp),
			      &op.iov[1], PORT_IOV_MAX - 1);
	engine_run(shard_engine(shard), &batch, 1);
	if (op.result < (int)sizeof(icmp) || icmp.type != ICMP_ECHOREPLY) {
		outgoing_cancel(shard, &out);
		return op.result >= 0;
	}
	icmp_commit(shard, flow, &out, &icmp, (size_t)op.result);
	return true;
}

static void icmp_resume(struct shard *shard, struct flow *flow)
{
	for (int i = 0; i < ICMP_RECEIVES_MAX; i++)
		if (!icmp_receive(shard, flow))
			return;
	shard_queue_ack(shard, flow);
}

static void icmp_event(struct shard *shard, struct flow *flow,
		       unsigned int ready)
{
	(void)ready;
	icmp_resume(shard, flow);
}

static void icmp_end(struct shard *shard, struct flow *flow)
{
	flow_free(shard, flow);
}

const struct flow_ops icmp_flow_ops = {
	.input = icmp_input,
	.event = icmp_event,
	.timer = icmp_end,
	.resume = icmp_resume,
	.abort = icmp_end,
};
