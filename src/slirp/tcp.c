/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include "slirp/tcp_internal.h"

/*
 * Theory of operation
 *
 * A guest's connection ends here, and a second one, of the host's kernel, goes
 * on to the peer: a splice of two TCP connections. The guest's side speaks TCP
 * over memory, which hardly loses anything: there is no congestion control, but
 * sequence numbers, windows and retransmission are complete (RFC 9293).
 *
 * Data flow, guest to host (tcp_push.c): payload goes from the guest's frame to
 * the host socket in one send per turn; what the socket took is acknowledged.
 * Host to guest (tcp_pull.c): receives go into the guest's buffers; data stays
 * in the host socket, or in a small buffer, until the guest acknowledges it.
 *
 * A short transaction costs three frames to the guest: connect() is asked for
 * its outcome in the same batch, so SYN-ACK or RST answers in the same turn;
 * the reply carries the request's acknowledgement; one FIN carries that of the
 * guest's. See tcp_output.c.
 *
 * Errors keep their meaning: what resets one side resets the other, what ends
 * orderly on one side ends so on the other, each direction on its own.
 *
 * Limits: no SACK, no timestamps; urgent data arrives in line, its pointer does
 * not; a guest that goes away without a word is forgotten after the state's
 * limit below, or when it does not answer after a long silence.
 *
 * Context: everything runs on the owner shard's thread, inside a turn.
 */

struct tcp_state_info {
	const char *name;
	unsigned int limit_s; /* without traffic; 0: config->tcp_idle_s */
};

#define TCP_TRANSITORY_S 240 /* RFC 5382, REQ-5; RFC 7857, 2 */

/* One direction that is closed may stay so for long: a half-closed connection
 * is a working one. */
static const struct tcp_state_info tcp_states[] = {
	[TCP_STATE_CONNECTING] = { "connecting", TCP_TRANSITORY_S },
	[TCP_STATE_SYN_RECEIVED] = { "SYN received", TCP_TRANSITORY_S },
	[TCP_STATE_SYN_SENT] = { "SYN sent", TCP_TRANSITORY_S },
	[TCP_STATE_ESTABLISHED] = { "established", 0 },
	[TCP_STATE_CLOSE_WAIT] = { "close wait", 0 },
	[TCP_STATE_FIN_WAIT_1] = { "FIN wait 1", TCP_TRANSITORY_S },
	[TCP_STATE_FIN_WAIT_2] = { "FIN wait 2", 0 },
	[TCP_STATE_CLOSING] = { "closing", TCP_TRANSITORY_S },
	[TCP_STATE_LAST_ACK] = { "last ACK", TCP_TRANSITORY_S },
	[TCP_STATE_TIME_WAIT] = { "time wait", 2 },
	[TCP_STATE_RESET] = { "reset", 60 },
};

_Static_assert(sizeof(tcp_states) / sizeof(*tcp_states) == TCP_STATES,
	       "every state has a name and a limit");

const char *tcp_state_name(enum tcp_state state)
{
	return tcp_states[state].name;
}

void tcp_touch(struct shard *shard, struct tcp_flow *tcp)
{
	uint64_t limit_s = tcp_states[tcp->state].limit_s;

	if (!limit_s)
		limit_s = shard_config(shard)->tcp_idle_s;
	tcp->life_due = shard_now_ms(shard) + limit_s * 1000;
	tcp->asked = 0;
}

bool tcp_may_idle(const struct tcp_flow *tcp)
{
	return !tcp_states[tcp->state].limit_s;
}

void tcp_set_state(struct shard *shard, struct tcp_flow *tcp,
		   enum tcp_state state)
{
	tcp->state = (uint8_t)state;
	if (state >= TCP_STATE_ESTABLISHED)
		flow_settle(shard, &tcp->flow);
	tcp_touch(shard, tcp);
}

void tcp_watch(struct shard *shard, struct tcp_flow *tcp, unsigned int ready)
{
	struct engine *engine = shard_engine(shard);
	uint64_t token = flow_token(&tcp->flow);

	if (ready & ENGINE_WRITABLE) {
		if (tcp->writable_watched)
			return;
		tcp->writable_watched = true;
	}
	if (tcp->watched)
		engine_rewatch(engine, tcp->flow.sock, ready, token);
	else
		engine_watch(engine, tcp->flow.sock, ready, token);
	tcp->watched = true;
}

/* The rest of the table */

static void tcp_event(struct shard *shard, struct flow *flow,
		      unsigned int ready)
{
	struct tcp_flow *tcp = tcp_of(flow);

	if (tcp->state == TCP_STATE_CONNECTING)
		tcp_open_event(shard, tcp);
	if (tcp->state == TCP_STATE_CONNECTING || tcp_is_over(tcp))
		return;
	if (ready & (ENGINE_READABLE | ENGINE_ERROR))
		tcp->readable = true;
	if (ready & (ENGINE_DRAIN | ENGINE_ERROR))
		tcp->drain = true;
	if (ready & (ENGINE_WRITABLE | ENGINE_ERROR))
		tcp_push_writable(shard, tcp);
	tcp_output(shard, tcp);
}

static void tcp_resume(struct shard *shard, struct flow *flow)
{
	tcp_output(shard, tcp_of(flow));
}

static void tcp_inspect(struct flow *flow, struct slirp_flow *info)
{
	const struct tcp_flow *tcp = tcp_of(flow);

	info->state = tcp_state_name(tcp->state);
	info->rtt_us = tcp->srtt_us;
	/* SYN and FIN take a sequence number each, and are no payload. */
	info->rx_bytes -= tcp->snd_max != tcp->iss;
	info->rx_bytes -= tcp_fin_sent(tcp);
}

static bool tcp_movable(struct shard *shard, const struct flow *flow)
{
	const struct tcp_flow *tcp = (const struct tcp_flow *)flow;

	(void)shard;
	/* Segments that are held are in this shard's memory. */
	return tcp->state >= TCP_STATE_ESTABLISHED && !tcp->held &&
	       !tcp->held_sent && !tcp->send_op && !tcp->keep_op &&
	       !tcp->pulls && !tcp->discarding;
}

static unsigned int tcp_arrive(struct shard *shard, struct flow *flow)
{
	struct tcp_flow *tcp = tcp_of(flow);
	unsigned int ready = ENGINE_READABLE;

	if (tcp->writable_watched)
		ready |= ENGINE_WRITABLE;
	tcp->writable_watched = false;
	tcp->watched = false;
	if (flow->sock >= 0)
		tcp_watch(shard, tcp, ready);
	shard_queue_ack(shard, flow);
	return tcp->keep != NULL;
}

const struct flow_ops tcp_flow_ops = {
	.input = tcp_input,
	.event = tcp_event,
	.timer = tcp_timer,
	.resume = tcp_resume,
	.abort = tcp_abort,
	.inspect = tcp_inspect,
	.movable = tcp_movable,
	.arrive = tcp_arrive,
};
