/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/* What the guest has acknowledged of bulk data leaves the host's socket. */

#define DISCARD_MIN 32768  /* bytes to discard at once while more fly */
#define SCRATCH     65536U /* bytes of shard_scratch() */

static void discard_done(struct shard *shard, struct shard_op *op)
{
	struct tcp_flow *tcp = tcp_of(op->flow);

	tcp->discarding = false;
	if (op->op.result > 0)
		tcp->sock_seq += (uint32_t)op->op.result;
	/* Without SO_PEEK_OFF only an empty queue shows its end of file. */
	if (tcp->no_peek_off && tcp->drain)
		tcp->readable = true;
	shard_queue_ack(shard, &tcp->flow);
}

/* Return: bytes that are acknowledged and still in the socket */
static uint32_t discard_acked(const struct tcp_flow *tcp)
{
	uint32_t end = tcp_data_max(tcp);
	int32_t acked;

	if (tcp_seq_diff(tcp->snd_una, end) < 0)
		end = tcp->snd_una;
	acked = tcp_seq_diff(end, tcp->sock_seq);
	return acked > 0 ? (uint32_t)acked : 0;
}

unsigned int tcp_discard_iov(struct shard *shard, uint32_t bytes,
			     struct iovec *iov)
{
	unsigned int count = 0;

	for (; bytes; count++) {
		iov[count].iov_base = shard_scratch(shard);
		iov[count].iov_len = bytes < SCRATCH ? bytes : SCRATCH;
		bytes -= (uint32_t)iov[count].iov_len;
	}
	return count;
}

/* A unix socket cannot discard, only receive. */
static void discard_local(struct shard *shard, struct tcp_flow *tcp,
			  uint32_t acked)
{
	struct shard_op *op =
		shard_queue_op(shard, &tcp->flow, ENGINE_RECV, discard_done);

	if (acked > TCP_DISCARD_MAX)
		acked = TCP_DISCARD_MAX;
	op->op.message.msg_iovlen = tcp_discard_iov(shard, acked, op->op.iov);
	tcp->discarding = true;
}

void tcp_discard(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t acked = discard_acked(tcp);
	struct shard_op *op;

	if (!acked || tcp->discarding)
		return;
	if (acked < DISCARD_MIN &&
	    tcp_seq_diff(tcp_data_max(tcp), tcp->snd_una) > 0)
		return;
	if (tcp->local) {
		discard_local(shard, tcp, acked);
		return;
	}
	op = shard_queue_op(shard, &tcp->flow, ENGINE_DISCARD, discard_done);
	op->op.length = acked;
	tcp->discarding = true;
}

void tcp_discard_all(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t acked = discard_acked(tcp);
	ssize_t got;

	if (tcp->local && acked) {
		tcp_local_drain(shard, tcp, acked);
		return;
	}
	for (; acked; acked -= (uint32_t)got) {
		SHARD_COUNT(shard, syscalls, 1);
		got = engine_discard(tcp->flow.sock, acked);
		if (got <= 0)
			return;
		tcp->sock_seq += (uint32_t)got;
	}
}
