/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/host_error.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define HOST_ERROR_DATA 576 /* bytes of the datagram that are worth having */

void host_error_enable(int sock, int family)
{
	int one = 1;

	if (family == AF_INET6)
		setsockopt(sock, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	/* An IPv6 socket may send to IPv4 addresses, too. */
	setsockopt(sock, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
}

struct shard_op *host_error_queue(struct shard *shard, struct flow *flow,
				  void (*done)(struct shard *shard,
					       struct shard_op *op))
{
	struct shard_op *op = shard_queue_op(shard, flow, ENGINE_RECV, done);

	op->op.flags = MSG_ERRQUEUE;
	op->op.iov[0].iov_base = shard_op_buffer(shard, op);
	op->op.iov[0].iov_len = HOST_ERROR_DATA;
	op->op.message.msg_iovlen = 1;
	op->op.message.msg_name = &op->op.address;
	op->op.message.msg_namelen = sizeof(op->op.address);
	op->op.message.msg_control = op->op.control;
	op->op.message.msg_controllen = sizeof(op->op.control);
	return op;
}

/*
 * In a burst to closed ports every other send of a batch fails with the error
 * of the one before it. Each further batch halves what is left of them, so
 * these tries are enough for SHARD_OPS_MAX.
 */
#define SEND_REFUSED_TRIES 8

/* How often to try what ended so. */
static unsigned int host_error_tries(int result)
{
	if (result == -EAGAIN)
		return 1;
	/* What has not been sent has not been refused. */
	return result == -ECONNREFUSED ? SEND_REFUSED_TRIES : 2;
}

/* A frame's bytes stay in place until the turn ends. */
bool host_error_send_again(struct shard *shard, struct shard_op *op)
{
	unsigned int tries = (unsigned int)op->context + 1;
	struct shard_op *again;

	if (tries >= host_error_tries(op->op.result))
		return false;
	again = shard_queue_op(shard, op->flow, ENGINE_SEND, op->done);
	again->by = op->by;
	again->op.fd = op->op.fd;
	again->op.message = op->op.message;
	memcpy(again->op.iov, op->op.iov,
	       op->op.message.msg_iovlen * sizeof(op->op.iov[0]));
	again->op.address = op->op.address;
	again->op.message.msg_name = &again->op.address;
	memcpy(again->op.control, op->op.control,
	       op->op.message.msg_controllen);
	again->op.message.msg_control = again->op.control;
	again->context = tries;
	return true;
}

/* What each error is in ICMP and in ICMPv6, both destination unreachable. */
struct host_error_code {
	int err;
	uint8_t code4;
	uint8_t code6;
};

static const struct host_error_code host_error_codes[] = {
	{ EHOSTUNREACH, ICMP_HOST_UNREACH, ICMP6_DST_UNREACH_ADDR },
	{ EHOSTDOWN, ICMP_HOST_UNREACH, ICMP6_DST_UNREACH_ADDR },
	{ ENETUNREACH, ICMP_NET_UNREACH, ICMP6_DST_UNREACH_NOROUTE },
	{ ENETDOWN, ICMP_NET_UNREACH, ICMP6_DST_UNREACH_NOROUTE },
	{ ECONNREFUSED, ICMP_PORT_UNREACH, ICMP6_DST_UNREACH_NOPORT },
	{ EACCES, ICMP_PKT_FILTERED, ICMP6_DST_UNREACH_ADMIN },
	{ EPERM, ICMP_PKT_FILTERED, ICMP6_DST_UNREACH_ADMIN },
};

bool host_error_of_send(int err, bool is4, struct host_error *error)
{
	const struct host_error_code *code = host_error_codes;
	const struct host_error_code *end =
		code + sizeof(host_error_codes) / sizeof(*host_error_codes);

	*error = (struct host_error) { .is4 = is4 };
	error->type = is4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH;
	while (code < end && code->err != err)
		code++;
	if (code == end)
		return false;
	error->code = is4 ? code->code4 : code->code6;
	return true;
}

static void host_error_too_big(struct host_error *error)
{
	error->type = error->is4 ? ICMP_DEST_UNREACH : ICMP6_PACKET_TOO_BIG;
	error->code = error->is4 ? ICMP_FRAG_NEEDED : 0;
}

/* An error of the host's own stack has no ICMP message: make one up. */
static bool host_error_read(const struct sock_extended_err *from, bool is4,
			    struct host_error *error)
{
	uint8_t origin = is4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;

	error->is4 = is4;
	if (from->ee_origin == origin) {
		error->type = from->ee_type;
		error->code = from->ee_code;
	} else if (from->ee_errno == EMSGSIZE) {
		host_error_too_big(error);
	} else if (!host_error_of_send((int)from->ee_errno, is4, error)) {
		return false;
	}
	if (from->ee_errno == EMSGSIZE)
		error->mtu = from->ee_info > UINT16_MAX
				     ? UINT16_MAX
				     : (uint16_t)from->ee_info;
	return true;
}

/* The kernel puts the offender's address behind it, of family 0 if unknown. */
struct host_error_found {
	struct sock_extended_err error;
	struct sockaddr_in6 offender;
};

static bool host_error_find(struct msghdr *message, bool *is4,
			    struct host_error_found *found)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	size_t size;

	for (; control; control = CMSG_NXTHDR(message, control)) {
		*is4 = control->cmsg_level == IPPROTO_IP &&
		       control->cmsg_type == IP_RECVERR;
		if (!*is4 && (control->cmsg_level != IPPROTO_IPV6 ||
			      control->cmsg_type != IPV6_RECVERR))
			continue;
		size = control->cmsg_len - CMSG_LEN(0);
		if (size < sizeof(found->error))
			continue;
		memset(found, 0, sizeof(*found));
		memcpy(found, CMSG_DATA(control),
		       size < sizeof(*found) ? size : sizeof(*found));
		return true;
	}
	return false;
}

bool host_error_take(struct shard_op *op, struct host_error *error)
{
	struct host_error_found found;
	bool is4;

	*error = (struct host_error) { .type = HOST_ERROR_NONE };
	if (op->op.result < 0)
		return false;
	if (!host_error_find(&op->op.message, &is4, &found))
		return true;
	if (!host_error_read(&found.error, is4, error)) {
		error->type = HOST_ERROR_NONE;
		return true;
	}
	error->destination = endpoint_from_sockaddr(&op->op.address);
	error->offender = endpoint_from_sockaddr(&found.offender).address;
	error->data = op->op.iov[0].iov_base;
	error->size = (size_t)op->op.result;
	return true;
}
