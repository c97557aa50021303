/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "slirp/dns.h"
#include "slirp/header.h"
#include "slirp/icmp.h"
#include "slirp/nat.h"
#include "slirp/protocols.h"

/*
 * Theory of operation
 *
 * A guest's port has one host socket, whatever it talks to, and takes answers
 * from anybody (endpoint-independent mapping and filtering, RFC 4787, REQ-1 and
 * 8). Datagrams go from the guest's buffers to the socket and from the socket
 * into the guest's buffers, one copy each way.
 *
 * What a datagram to the DNS address was sent to is a host resolver; answers
 * from a resolver to such a flow bear the DNS address again. A query that the
 * guest repeats goes to the next resolver.
 *
 * Limits: the guest's own IP fragments are not put together. Datagrams for the
 * guest above its MTU are sent in fragments.
 */

#define UDP_RECEIVES_MAX 16    /* datagrams taken from one socket in a row */
#define UDP_DNS_IDLE_S   10    /* a mapping that only carried queries */
#define UDP_ERRORS_MAX   8     /* taken from one error queue in a row */
#define UDP_TAIL_MAX     65536 /* bytes of a datagram beyond the first frame */

struct udp_flow {
	struct flow flow;
	uint64_t active_ms;
	uint16_t dns_id;  /* of the last query */
	uint8_t resolver; /* that the last query went to */
	bool dns;         /* queries were sent */
	bool other;       /* something else was sent, too */
	bool forward;     /* of a forward: does not end by itself */
	uint16_t ip_id;
};

_Static_assert(sizeof(struct udp_flow) <= FLOW_SLOT_SIZE,
	       "a UDP flow fits its slot");

static struct udp_flow *udp_of(struct flow *flow)
{
	return (struct udp_flow *)flow;
}

static struct sockaddr_in udp_guest(const struct flow *flow)
{
	struct sockaddr_in guest = { .sin_family = AF_INET,
				     .sin_port = htons(flow->key.guest_port) };

	guest.sin_addr.s_addr = flow->key.guest.s6_addr32[3];
	return guest;
}

static uint64_t udp_deadline(const struct shard *shard,
			     const struct udp_flow *udp)
{
	uint64_t idle_s = udp->dns && !udp->other
				  ? UDP_DNS_IDLE_S
				  : shard_config(shard)->udp_idle_s;

	return udp->active_ms + idle_s * 1000;
}

static void udp_touch(struct shard *shard, struct udp_flow *udp)
{
	udp->active_ms = shard_now_ms(shard);
	if (!udp->forward)
		timer_set(shard_timers(shard), &udp->flow.timer,
			  udp_deadline(shard, udp));
}

/* Guest to host */

static void udp_sent(struct shard *shard, struct shard_op *op)
{
	struct engine_op *again = &op->op;

	/*
	 * An error that the error queue holds for an earlier datagram fails the
	 * next send once: send again.
	 */
	if (op->op.result == -ECONNREFUSED || op->op.result == -EHOSTUNREACH ||
	    op->op.result == -ENETUNREACH)
		engine_run(shard_engine(shard), &again, 1);
}

static void udp_send(struct shard *shard, struct flow *flow,
		     const struct cursor *payload, const struct sockaddr_in *to)
{
	struct shard_op *op =
		shard_queue_op(shard, flow, ENGINE_SEND, udp_sent);

	memcpy(&op->op.address, to, sizeof(*to));
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen = sizeof(*to);
	op->op.message.msg_iovlen =
		cursor_slice(payload, payload->left, op->op.iov, PORT_IOV_MAX);
}

/* Which resolver a query goes to: the next one if the guest asks again. */
static void udp_choose_resolver(struct shard *shard, struct udp_flow *udp,
				struct cursor payload, struct sockaddr_in *to)
{
	const struct slirp_config *config = shard_config(shard);
	uint16_t id;

	SHARD_COUNT(shard, dns_queries, 1);
	if (cursor_take(&payload, &id, sizeof(id))) {
		if (udp->dns && udp->dns_id == id)
			udp->resolver++;
		udp->dns_id = id;
	}
	udp->resolver %= config->resolver_count;
	*to = config->resolver[udp->resolver];
	udp->dns = true;
}

static bool udp_is_dns(const struct slirp_config *config,
		       const struct packet *packet, const struct udphdr *header)
{
	return packet->ip.daddr == config->dns.s_addr &&
	       ntohs(header->uh_dport) == DNS_PORT;
}

static void udp_refuse(struct shard *shard, struct packet *packet,
		       const struct udphdr *header, struct cursor payload,
		       int err)
{
	SHARD_COUNT(shard, flows_refused, 1);
	if (udp_is_dns(shard_config(shard), packet, header) &&
	    err == -EHOSTUNREACH)
		dns_send_failure(shard, packet, header, payload);
	else
		icmp_send_error(shard, packet, ICMP_DEST_UNREACH,
				err == -EACCES ? ICMP_PKT_FILTERED
					       : ICMP_HOST_UNREACH,
				0);
}

/* Return: true with @payload behind the header; false if malformed */
static bool udp_parse(struct shard *shard, struct packet *packet,
		      struct udphdr *header, struct cursor *payload)
{
	*payload = packet->l4;
	if (cursor_take(payload, header, sizeof(*header)) &&
	    ntohs(header->uh_ulen) >= sizeof(*header) &&
	    ntohs(header->uh_ulen) - sizeof(*header) <= payload->left &&
	    header->uh_dport) {
		payload->left = ntohs(header->uh_ulen) - sizeof(*header);
		return true;
	}
	SHARD_COUNT(shard, tx_malformed, 1);
	return false;
}

static void udp_input(struct shard *shard, struct flow *flow,
		      struct packet *packet)
{
	struct udp_flow *udp = udp_of(flow);
	struct in_addr peer = { packet->ip.daddr };
	struct sockaddr_in to;
	struct cursor payload;
	struct udphdr header;
	int ret;

	if (!udp_parse(shard, packet, &header, &payload))
		return;
	ret = nat_translate(shard_config(shard), IPPROTO_UDP, peer,
			    ntohs(header.uh_dport), &to);
	if (ret) {
		udp_refuse(shard, packet, &header, payload, ret);
		return;
	}
	if (udp_is_dns(shard_config(shard), packet, &header))
		udp_choose_resolver(shard, udp, payload, &to);
	else
		udp->other = true;
	udp_touch(shard, udp);
	udp_send(shard, flow, &payload, &to);
}

int udp_open(struct shard *shard, const struct flow_key *key,
	     struct packet *packet)
{
	unsigned int owner;
	struct flow *flow = flow_create(shard, key, &udp_flow_ops, &owner);
	int one = 1;

	if (!flow)
		return owner == shard_index(shard) ? -1 : (int)owner;
	flow->sock =
		socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	SHARD_COUNT(shard, syscalls, 2);
	if (flow->sock < 0) {
		SHARD_COUNT(shard, flows_refused, 1);
		flow_free(shard, flow);
		return -1;
	}
	setsockopt(flow->sock, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	engine_watch(shard_engine(shard), flow->sock, ENGINE_READABLE,
		     flow_token(flow));
	SHARD_COUNT(shard, udp_flows, 1);
	udp_touch(shard, udp_of(flow));
	udp_input(shard, flow, packet);
	return -1;
}

void udp_forward(struct shard *shard, int sock, const struct sockaddr_in *guest)
{
	struct flow_key key = { .guest_port = ntohs(guest->sin_port),
				.protocol = IPPROTO_UDP };
	unsigned int owner;
	struct flow *flow;

	key.guest.s6_addr32[2] = htonl(0xffff);
	key.guest.s6_addr32[3] = guest->sin_addr.s_addr;
	flow = flow_create(shard, &key, &udp_flow_ops, &owner);
	if (!flow) {
		close(sock);
		return;
	}
	flow->sock = sock;
	udp_of(flow)->forward = true;
	engine_watch(shard_engine(shard), sock, ENGINE_READABLE,
		     flow_token(flow));
	SHARD_COUNT(shard, udp_flows, 1);
}

/* Host to guest */

/* Who the guest believes to hear from. */
static struct sockaddr_in udp_peer(const struct shard *shard,
				   const struct udp_flow *udp,
				   const struct sockaddr_in *host)
{
	const struct slirp_config *config = shard_config(shard);
	struct sockaddr_in peer = *host;

	for (unsigned int i = 0; udp->dns && i < config->resolver_count; i++) {
		if (host->sin_addr.s_addr !=
			    config->resolver[i].sin_addr.s_addr ||
		    host->sin_port != config->resolver[i].sin_port)
			continue;
		peer.sin_addr = config->dns;
		peer.sin_port = htons(DNS_PORT);
		return peer;
	}
	peer.sin_addr = nat_translate_peer(config, host->sin_addr);
	return peer;
}

/* Payload of the first frame: the rest must begin at a multiple of 8 bytes. */
static size_t udp_room(const struct shard *shard)
{
	size_t mtu = shard_features(shard)->mtu;

	return ((mtu - sizeof(struct iphdr)) & ~(size_t)7) -
	       sizeof(struct udphdr);
}

static void udp_commit(struct shard *shard, const struct sockaddr_in *peer,
		       const struct sockaddr_in *guest, struct outgoing *out,
		       size_t size)
{
	bool partial = shard_features(shard)->rx_csum;
	struct port_offload offload;
	uint8_t header[HEADER_UDP];
	uint32_t sum = 0;

	if (!partial)
		sum = iov_checksum(out->space.iov, out->space.iov_count,
				   HEADER_UDP, size, 0);
	header_write_udp(shard_config(shard), peer, guest, size, sum,
			 partial ? &offload : NULL, header);
	iov_write(out->space.iov, out->space.iov_count, 0, header,
		  sizeof(header));
	outgoing_commit(shard, out, HEADER_UDP + size,
			partial ? &offload : NULL);
}

/* The first fragment: in place, with the whole datagram's UDP header. */
static void udp_commit_first(struct shard *shard, struct header_ip4 *ip,
			     struct outgoing *out, uint32_t sum, size_t size,
			     const struct sockaddr_in *peer,
			     const struct sockaddr_in *guest)
{
	size_t room = udp_room(shard);
	uint8_t header[HEADER_UDP];

	header_write_udp(shard_config(shard), peer, guest, size, sum, NULL,
			 header);
	ip->length = sizeof(struct udphdr) + room;
	ip->fragment = HEADER_MORE_FRAGMENTS;
	header_write_ip4(shard_config(shard), ip, header);
	iov_write(out->space.iov, out->space.iov_count, 0, header,
		  sizeof(header));
	outgoing_commit(shard, out, HEADER_UDP + room, NULL);
}

/* Fragments behind the first (RFC 791, 3.2). Lost when there is no space. */
static void udp_send_tail(struct shard *shard, struct flow *flow,
			  struct header_ip4 *ip, const uint8_t *tail,
			  size_t left)
{
	size_t part_max = (shard_features(shard)->mtu - sizeof(struct iphdr)) &
			  ~(size_t)7;
	size_t offset = sizeof(struct udphdr) + udp_room(shard);
	struct outgoing out;
	uint8_t header[HEADER_L4];

	while (left) {
		size_t part = left < part_max ? left : part_max;

		if (outgoing_begin(shard, flow->rx_queue, HEADER_L4 + part,
				   &out))
			return;
		ip->length = part;
		ip->fragment =
			(uint16_t)(offset / 8 |
				   (left > part ? HEADER_MORE_FRAGMENTS : 0));
		header_write_ip4(shard_config(shard), ip, header);
		iov_write(out.space.iov, out.space.iov_count, 0, header,
			  sizeof(header));
		iov_write(out.space.iov, out.space.iov_count, HEADER_L4, tail,
			  part);
		outgoing_commit(shard, &out, HEADER_L4 + part, NULL);
		tail += part;
		offset += part;
		left -= part;
	}
}

static void udp_commit_fragments(struct shard *shard, struct flow *flow,
				 const struct sockaddr_in *peer,
				 struct outgoing *out, size_t size)
{
	struct sockaddr_in guest = udp_guest(flow);
	size_t room = udp_room(shard);
	const uint8_t *tail = shard_scratch(shard);
	struct header_ip4 ip = {
		.source = peer->sin_addr,
		.destination = guest.sin_addr,
		.protocol = IPPROTO_UDP,
		.id = ++udp_of(flow)->ip_id,
	};
	uint32_t sum = iov_checksum(out->space.iov, out->space.iov_count,
				    HEADER_UDP, room, 0);

	sum = checksum_add(tail, size - room, sum);
	udp_commit_first(shard, &ip, out, sum, size, peer, &guest);
	udp_send_tail(shard, flow, &ip, tail, size - room);
}

/* Return: true if there may be more, false if not or not now */
static bool udp_receive(struct shard *shard, struct flow *flow)
{
	struct engine_op op = { .kind = ENGINE_RECV, .fd = flow->sock };
	struct engine_op *batch = &op;
	struct sockaddr_in *from = (struct sockaddr_in *)&op.address;
	struct sockaddr_in peer, guest = udp_guest(flow);
	size_t room = udp_room(shard);
	struct outgoing out;
	unsigned int count;

	if (outgoing_begin(shard, flow->rx_queue, HEADER_UDP + room, &out)) {
		shard_stall_flow(shard, flow);
		return false;
	}
	count = iov_slice(out.space.iov, out.space.iov_count, HEADER_UDP, room,
			  op.iov, PORT_IOV_MAX - 1);
	op.iov[count].iov_base = shard_scratch(shard);
	op.iov[count].iov_len = UDP_TAIL_MAX;
	op.message.msg_iovlen = count + 1;
	op.message.msg_name = &op.address;
	op.message.msg_namelen = sizeof(*from);
	engine_run(shard_engine(shard), &batch, 1);
	if (op.result < 0) {
		outgoing_cancel(shard, &out);
		return op.result != -EAGAIN;
	}
	peer = udp_peer(shard, udp_of(flow), from);
	if ((size_t)op.result <= room)
		udp_commit(shard, &peer, &guest, &out, (size_t)op.result);
	else
		udp_commit_fragments(shard, flow, &peer, &out,
				     (size_t)op.result);
	udp_touch(shard, udp_of(flow));
	return true;
}

static void udp_resume(struct shard *shard, struct flow *flow)
{
	for (int i = 0; i < UDP_RECEIVES_MAX; i++)
		if (!udp_receive(shard, flow))
			return;
	shard_queue_ack(shard, flow);
}

/* One error from the socket's error queue. Return: false if there is none. */
static bool udp_take_error(struct shard *shard, struct flow *flow)
{
	union {
		uint8_t data[256];
		struct cmsghdr align;
	} control;
	struct sockaddr_in to = { 0 };
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_control = control.data,
		.msg_controllen = sizeof(control.data),
	};
	struct sockaddr_in peer, guest = udp_guest(flow);
	struct cmsghdr *at;

	SHARD_COUNT(shard, syscalls, 1);
	if (recvmsg(flow->sock, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	peer = udp_peer(shard, udp_of(flow), &to);
	for (at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
		struct sock_extended_err error;

		if (at->cmsg_level != IPPROTO_IP || at->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&error, CMSG_DATA(at), sizeof(error));
		if (error.ee_origin == SO_EE_ORIGIN_ICMP)
			icmp_send_udp_error(shard, flow->rx_queue, &guest,
					    &peer, error.ee_type, error.ee_code,
					    (uint16_t)error.ee_info);
		else if (error.ee_errno == EMSGSIZE)
			icmp_send_udp_error(shard, flow->rx_queue, &guest,
					    &peer, ICMP_DEST_UNREACH,
					    ICMP_FRAG_NEEDED,
					    (uint16_t)error.ee_info);
	}
	return true;
}

static void udp_event(struct shard *shard, struct flow *flow,
		      unsigned int ready)
{
	if (ready & ENGINE_ERROR)
		for (int i = 0; i < UDP_ERRORS_MAX; i++)
			if (!udp_take_error(shard, flow))
				break;
	udp_resume(shard, flow);
}

static void udp_timer(struct shard *shard, struct flow *flow)
{
	if (udp_deadline(shard, udp_of(flow)) > shard_now_ms(shard))
		udp_touch(shard, udp_of(flow));
	else
		flow_free(shard, flow);
}

static void udp_abort(struct shard *shard, struct flow *flow)
{
	flow_free(shard, flow);
}

const struct flow_ops udp_flow_ops = {
	.input = udp_input,
	.event = udp_event,
	.timer = udp_timer,
	.resume = udp_resume,
	.abort = udp_abort,
};
