/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "slirp/icmp_internal.h"
#include "slirp/tcp_internal.h"

/*
 * How a guest is told that there is no connection: by RST if the peer, or the
 * policy, does not want it, by ICMP if the peer cannot be reached. Linux's
 * connect() fails at once in both cases, with the error that says which.
 */

void tcp_refuse(struct shard *shard, const struct flow_key *key,
		const struct tcp_segment *segment)
{
	uint8_t header[TCP_HEADERS_MAX + TCP_OPTIONS_MAX];
	struct tcp_frame frame = { .key = key, .flags = TH_RST };
	struct port_offload offload;
	size_t size;

	if (segment->flags & TH_ACK) {
		frame.seq = segment->ack;
	} else {
		frame.flags |= TH_ACK;
		frame.ack = segment->seq + segment->length +
			    !!(segment->flags & TH_SYN) +
			    !!(segment->flags & TH_FIN);
	}
	SHARD_COUNT(shard, tcp_resets, 1);
	size = tcp_frame_write(shard, &frame, header, &offload);
	outgoing_send(shard, shard_input_queue(shard), header, size, &offload);
}

static bool refuse_is_unreachable(int err)
{
	return err == EHOSTUNREACH || err == EHOSTDOWN || err == ENETUNREACH ||
	       err == ENETDOWN;
}

void tcp_refuse_open(struct shard *shard, const struct flow_key *key,
		     const struct tcp_segment *syn, const struct packet *packet,
		     int err)
{
	struct host_error error;

	SHARD_COUNT(shard, flows_refused, 1);
	if (refuse_is_unreachable(err) &&
	    host_error_of_send(err, address_is4(&key->guest), &error))
		icmp_send_error(shard, packet, &error);
	else
		tcp_refuse(shard, key, syn);
}

/* The guest's SYN is what the error is about (RFC 5927, 4.1). */
static void refuse_quote(struct shard *shard, const struct tcp_flow *tcp,
			 const struct host_error *error)
{
	const struct flow_key *key = &tcp->flow.key;
	struct tcphdr syn = {
		.th_sport = htons(key->guest_port),
		.th_dport = htons(key->peer_port),
		.th_seq = htonl(tcp->irs),
		.th_off = sizeof(syn) / 4,
		.th_flags = TH_SYN,
	};
	struct icmp_quote quote = {
		.error = error,
		.source = key->guest,
		.destination = key->peer,
		.protocol = IPPROTO_TCP,
		.length = sizeof(syn),
		.data = &syn,
		.size = sizeof(syn),
	};

	icmp_send_quote(shard, tcp->queue, &quote);
}

void tcp_refuse_connect(struct shard *shard, struct tcp_flow *tcp, int err)
{
	bool is4 = address_is4(&tcp->flow.key.guest);
	struct host_error error;

	if (err == ETIMEDOUT) {
		/* Nobody has said anything, so nor do we. */
		tcp_drop(shard, tcp);
	} else if (err != ECONNREFUSED &&
		   host_error_of_send(err, is4, &error)) {
		refuse_quote(shard, tcp, &error);
		tcp_drop(shard, tcp);
	} else {
		tcp_reset_guest(shard, tcp);
	}
}
