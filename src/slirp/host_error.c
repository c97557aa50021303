/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/host_error.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define HOST_ERROR_DATA 576 /* bytes of the datagram that are worth having */

void host_error_enable(int sock)
{
	int one = 1;

	setsockopt(sock, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
}

void host_error_queue(struct shard *shard, struct flow *flow,
		      void (*done)(struct shard *shard, struct shard_op *op))
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
}

bool host_error_of_send(int err, struct host_error *error)
{
	*error = (struct host_error) { .type = ICMP_DEST_UNREACH };
	switch (err) {
	case EHOSTUNREACH:
	case EHOSTDOWN:
		error->code = ICMP_HOST_UNREACH;
		return true;
	case ENETUNREACH:
	case ENETDOWN:
		error->code = ICMP_NET_UNREACH;
		return true;
	case ECONNREFUSED:
		error->code = ICMP_PORT_UNREACH;
		return true;
	case EACCES:
	case EPERM:
		error->code = ICMP_PKT_FILTERED;
		return true;
	default:
		return false;
	}
}

/* An error of the host's own stack has no ICMP message: make one up. */
static bool host_error_read(const struct sock_extended_err *from,
			    struct host_error *error)
{
	if (from->ee_origin == SO_EE_ORIGIN_ICMP) {
		error->type = from->ee_type;
		error->code = from->ee_code;
	} else if (from->ee_errno == EMSGSIZE) {
		error->type = ICMP_DEST_UNREACH;
		error->code = ICMP_FRAG_NEEDED;
	} else if (!host_error_of_send((int)from->ee_errno, error)) {
		return false;
	}
	if (from->ee_errno == EMSGSIZE)
		error->mtu = (uint16_t)from->ee_info;
	return true;
}

bool host_error_take(struct shard_op *op, struct host_error *error)
{
	struct msghdr *message = &op->op.message;
	struct cmsghdr *control;
	/* The kernel puts the offender's address behind it. */
	struct {
		struct sock_extended_err error;
		struct sockaddr_in offender;
	} found;

	*error = (struct host_error) { .type = HOST_ERROR_NONE };
	if (op->op.result < 0)
		return false;
	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != IPPROTO_IP ||
		    control->cmsg_type != IP_RECVERR ||
		    control->cmsg_len < CMSG_LEN(sizeof(found)))
			continue;
		memcpy(&found, CMSG_DATA(control), sizeof(found));
		if (!host_error_read(&found.error, error)) {
			error->type = HOST_ERROR_NONE;
			return true;
		}
		memcpy(&error->destination, &op->op.address,
		       sizeof(error->destination));
		error->offender = found.offender.sin_addr;
		error->data = op->op.iov[0].iov_base;
		error->size = (size_t)op->op.result;
	}
	return true;
}
