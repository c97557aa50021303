/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * The guest may send what the host socket's send buffer can take, so that
 * nothing has to be dropped. The kernel is asked for the buffer's state
 * (SO_MEMINFO) once the guest has used half of what the last answer granted,
 * that is never for a short exchange, and grants what is free once that is a
 * third, as the kernel does that calls a socket writable. The right edge does
 * not move back, except that a socket which took less than it promised closes
 * the window until it is writable again.
 *
 * The kernel counts its own overhead in the buffer: little where it sends in
 * large pieces, up to half where the peer's window is small. What is in the
 * buffer tells how much of what is free will be payload.
 *
 * Limits: a nearly empty buffer tells nothing, and is taken for that of a fast
 * peer. A flow that was granted too much then sees the window closed and its
 * segments sent again.
 */

#define WINDOW_FIRST 65535U /* what a SYN can tell, bytes */
#define WINDOW_TELLS 16384U /* with less a buffer tells nothing, bytes */

/* Payload in 256 bytes of a send buffer, at the most and at the least. */
#define WINDOW_DENSE  224U
#define WINDOW_SPARSE 64U

/* What is left of a send buffer's bytes for payload. */
static uint32_t window_payload(uint32_t bytes, uint32_t density)
{
	return (uint32_t)((uint64_t)bytes * density / 256);
}

void tcp_window_init(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t most =
		window_payload(shard_flow_memory(shard) / 2, WINDOW_DENSE);
	uint32_t first = most && most < WINDOW_FIRST ? most : WINDOW_FIRST;

	tcp->rcv_edge = tcp->rcv_nxt + first;
	tcp->rcv_granted = first;
}

static uint32_t window_max(const struct tcp_flow *tcp)
{
	return 65535U << tcp->rcv_scale;
}

/*
 * Payload in the send buffer, bytes. To be asked for before the buffer's size:
 * what the peer acknowledges in between then makes it look denser, not sparser.
 */
static uint32_t window_queued(struct shard *shard, const struct tcp_flow *tcp)
{
	int bytes = 0;

	SHARD_COUNT(shard, syscalls, 1);
	if (ioctl(tcp->flow.sock, SIOCOUTQ, &bytes) || bytes < 0)
		return 0;
	return (uint32_t)bytes;
}

static uint32_t window_density(uint32_t queued, uint32_t used)
{
	uint64_t density = WINDOW_DENSE;

	/* Later pieces may be somewhat smaller than those that are there. */
	if (used >= WINDOW_TELLS)
		density = (uint64_t)queued * WINDOW_DENSE / used;
	if (density < WINDOW_SPARSE)
		return WINDOW_SPARSE;
	return density < WINDOW_DENSE ? (uint32_t)density : WINDOW_DENSE;
}

void tcp_window_query(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	uint32_t queued = tcp->local ? 0 : window_queued(shard, tcp);
	socklen_t size = sizeof(info);
	uint32_t used, free, space;

	SHARD_COUNT(shard, syscalls, 1);
	if (getsockopt(tcp->flow.sock, SOL_SOCKET, SO_MEMINFO, info, &size))
		return;
	used = info[tcp->local ? SK_MEMINFO_WMEM_ALLOC
			       : SK_MEMINFO_WMEM_QUEUED];
	free = info[SK_MEMINFO_SNDBUF] > used ? info[SK_MEMINFO_SNDBUF] - used
					      : 0;
	space = window_payload(free, tcp->local ? WINDOW_DENSE
						: window_density(queued, used));
	if (space > window_max(tcp))
		space = window_max(tcp);
	if (free >= used / 2 &&
	    tcp_seq_diff(tcp->rcv_nxt + space, tcp->rcv_edge) > 0) {
		tcp->rcv_edge = tcp->rcv_nxt + space;
		tcp->rcv_granted = space;
	}
	/* The kernel's rule for "writable", so the event is still to come. */
	if (free < (tcp->local ? used * 3 : used / 2))
		tcp_watch(shard, tcp, ENGINE_READABLE | ENGINE_WRITABLE);
}

void tcp_window_refresh(struct shard *shard, struct tcp_flow *tcp)
{
	uint32_t left = tcp->rcv_edge - tcp->rcv_nxt;

	if (left <= tcp->rcv_granted / 2 && !tcp->writable_watched &&
	    !tcp->broken)
		tcp_window_query(shard, tcp);
}

/*
 * RFC 9293, 3.8.6.2.2: not for a little, which is less than two segments, or
 * than half of a window that holds no four; and not while enough is left.
 */
bool tcp_window_worth_telling(const struct tcp_flow *tcp)
{
	int32_t left = tcp_seq_diff(tcp->rcv_told, tcp->rcv_nxt);
	int32_t more = tcp_seq_diff(tcp->rcv_edge, tcp->rcv_told);
	int32_t little = (int32_t)tcp->rcv_granted / 2;

	if (little > 2 * (int32_t)tcp->mss)
		little = 2 * (int32_t)tcp->mss;
	if (tcp->blocked || more < little)
		return false;
	return left < little || left < more;
}

uint16_t tcp_window_tell(struct tcp_flow *tcp, bool syn)
{
	uint32_t left = tcp->blocked ? 0 : tcp->rcv_edge - tcp->rcv_nxt;
	uint32_t scale = syn ? 0 : tcp->rcv_scale;
	uint32_t window = left >> scale;

	if (window > UINT16_MAX)
		window = UINT16_MAX;
	tcp->rcv_told = tcp->rcv_nxt + (window << scale);
	return (uint16_t)window;
}
