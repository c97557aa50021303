/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "slirp/fragment.h"
#include "slirp/header.h"
#include "slirp/nat.h"
#include "slirp/udp_internal.h"

/*
 * Host to guest. A receive scatters into the guest's own buffers, behind room
 * for the headers; what does not fit a frame goes on into the operation's
 * buffer, so that a long datagram is not lost but costs a copy, and fragments.
 *
 * A socket is read until it is empty, a few receives in one batch, the number
 * growing while they are all of use; when a turn has had its rounds, other
 * flows come first.
 */

static void udp_commit(struct shard *shard, const struct flow *flow,
		       struct outgoing *out, const struct slirp_endpoint *from,
		       size_t size)
{
	const struct slirp_config *config = shard_config(shard);
	struct slirp_endpoint to = udp_guest(flow);
	struct port_offload offload = { 0 };
	size_t headers = header_udp(&to.address);
	uint8_t header[HEADER_UDP_MAX];
	uint32_t sum;

	if (shard_features(shard)->rx_csum) {
		header_write_udp(config, from, &to, size, 0, &offload, header);
	} else {
		sum = iov_checksum(out->space.iov, out->space.iov_count,
				   headers, size, 0);
		header_write_udp(config, from, &to, size, sum, NULL, header);
	}
	iov_write(out->space.iov, out->space.iov_count, 0, header, headers);
	outgoing_commit(shard, out, headers + size, &offload);
}

/* Put the part that is in the guest's space before the part in the buffer. */
static void udp_commit_long(struct shard *shard, struct udp_flow *udp,
			    struct shard_op *op,
			    const struct slirp_endpoint *from)
{
	uint8_t *data = shard_op_buffer(shard, op) + UDP_HEADROOM;
	struct slirp_endpoint to = udp_guest(&udp->flow);
	struct cursor at;

	cursor_init(&at, op->op.iov, (unsigned int)op->op.message.msg_iovlen,
		    op->context);
	cursor_take(&at, data, op->context);
	outgoing_cancel(shard, &op->out);
	udp_deliver(shard, udp->flow.rx_queue, from, &to, data,
		    (size_t)op->op.result, udp->fragment_id++);
}

/* Return: false if it is not for the guest, or nobody can tell who it is from
 */
static bool udp_see_sender(struct shard *shard, struct udp_flow *udp,
			   struct slirp_endpoint *from,
			   const struct shard_op *op)
{
	if (udp->listener)
		return udp_client_arrived(shard, udp, from, op);
	if (!udp_filter_allows(shard_udp_filter(shard), &udp->flow,
			       &udp->permits, from, shard_now_ms(shard))) {
		SHARD_COUNT(shard, rx_filtered, 1);
		return false;
	}
	shard_carried_rx(shard, &udp->flow, (uint64_t)op->op.result);
	from->address = nat_translate_peer(shard_config(shard), &from->address,
					   &udp->flow.key.guest);
	return true;
}

static void udp_received(struct shard *shard, struct udp_flow *udp,
			 struct shard_op *op)
{
	size_t size = (size_t)op->op.result;
	struct slirp_endpoint from = endpoint_from_sockaddr(&op->op.address);

	if (!udp_see_sender(shard, udp, &from, op)) {
		outgoing_cancel(shard, &op->out);
		SHARD_COUNT(shard, rx_dropped, 1);
	} else if (size <= op->context) {
		udp_commit(shard, &udp->flow, &op->out, &from, size);
	} else {
		udp_commit_long(shard, udp, op, &from);
	}
}

static void udp_pulled(struct shard *shard, struct shard_op *op)
{
	struct udp_flow *udp = udp_of(op->flow);
	bool received = op->op.result >= 0;

	udp->pulls--;
	if (received)
		udp_received(shard, udp, op);
	else
		outgoing_cancel(shard, &op->out);
	if (udp->pulls || !received)
		return;
	/* The last one was of use: there may be more. */
	udp->burst = FLOW_OPS_MAX;
	shard_queue_ack(shard, &udp->flow);
}

/* Segments of the guest's space for @room bytes of payload. Return: their bytes
 */
static size_t udp_pull_space(struct shard_op *op, size_t headers, size_t room)
{
	unsigned int count =
		iov_slice(op->out.space.iov, op->out.space.iov_count, headers,
			  room, op->op.iov, PORT_IOV_MAX - 1);
	size_t size = 0;

	for (unsigned int i = 0; i < count; i++)
		size += op->op.iov[i].iov_len;
	op->op.message.msg_iovlen = count;
	return size;
}

static bool udp_pull_one(struct shard *shard, struct udp_flow *udp)
{
	size_t headers = header_udp(&udp->flow.key.guest);
	size_t length = HEADER_IP + fragment_mtu(shard), size;
	struct outgoing out;
	struct shard_op *op;
	struct iovec *rest;

	if (length > headers + UDP_DATA_MAX)
		length = headers + UDP_DATA_MAX;
	if (length <= headers ||
	    outgoing_begin(shard, udp->flow.rx_queue, length, &out)) {
		shard_stall_flow(shard, &udp->flow);
		return false;
	}
	op = shard_queue_op(shard, &udp->flow, ENGINE_RECV, udp_pulled);
	op->out = out;
	op->has_out = true;
	size = udp_pull_space(op, headers, length - headers);
	rest = &op->op.iov[op->op.message.msg_iovlen++];
	rest->iov_base = shard_op_buffer(shard, op) + UDP_HEADROOM + size;
	rest->iov_len = UDP_DATA_MAX - size;
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen = sizeof(op->op.address);
	if (udp->listener) {
		op->op.message.msg_control = op->op.control;
		op->op.message.msg_controllen = sizeof(op->op.control);
	}
	op->context = size;
	udp->pulls++;
	return true;
}

void udp_pull(struct shard *shard, struct udp_flow *udp, unsigned int burst)
{
	if (udp->pulls)
		return;
	while (udp->pulls < burst && udp_pull_one(shard, udp))
		;
}
