/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/fake_shard.h"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/dns_cache.h"
#include "slirp/nat.h"
#include "slirp/resolvers.h"

#define FAKE_EVENTS_MAX 64
#define FAKE_WAIT_US    2000000
#define DNS_PORT        53

/* shard.h */

struct shard_counters *shard_counters(struct shard *shard)
{
	return &shard->counters;
}

const struct slirp_config *shard_config(const struct shard *shard)
{
	return &shard->config;
}

const struct slirp_policy *shard_policy(const struct shard *shard)
{
	return &shard->config.policy;
}

uint64_t shard_now_ms(const struct shard *shard)
{
	return shard->now_us / 1000;
}

uint64_t shard_now_us(const struct shard *shard)
{
	return shard->now_us;
}

const struct port_features *shard_features(const struct shard *shard)
{
	return &shard->features;
}

/* Another list than last time takes the place of that. */
struct resolvers *shard_resolvers(const struct shard *shard)
{
	struct resolvers *known = shard->resolvers, now;

	resolvers_init(&now, &shard->config);
	resolvers_set_search(&now, "");
	if (!resolvers_equal(known, &now)) {
		now.version = known->version + 1;
		*known = now;
	}
	return known;
}

struct dns_cache *shard_dns_cache(struct shard *shard)
{
	return shard->config.dns_cache ? shard->dns_cache : NULL;
}

struct udp_filter *shard_udp_filter(struct shard *shard)
{
	return shard->udp_filter;
}

struct timer_wheel *shard_timers(struct shard *shard)
{
	return &shard->timers;
}

struct engine *shard_engine(struct shard *shard)
{
	return shard->engine;
}

unsigned int shard_index(const struct shard *shard)
{
	(void)shard;
	return 0;
}

unsigned int shard_input_queue(const struct shard *shard)
{
	return shard->input_queue;
}

int outgoing_begin(struct shard *shard, unsigned int queue, size_t length,
		   struct outgoing *out)
{
	size_t at = 0;
	uint8_t *data;

	if (shard->rx_frames_left == 0)
		return -ENOBUFS;
	if (shard->rx_frames_left > 0)
		shard->rx_frames_left--;
	shard->reserved++;
	assert_in_range(length, 1, shard->features.rx_frame_max);
	data = malloc(length);
	assert_non_null(data);
	out->queue = queue;
	out->handoff = NULL;
	out->space.iov_count = 0;
	for (; at < length; at += FAKE_SEGMENT) {
		struct iovec *iov = &out->space.iov[out->space.iov_count++];

		iov->iov_base = data + at;
		iov->iov_len =
			length - at < FAKE_SEGMENT ? length - at : FAKE_SEGMENT;
	}
	out->space.length = length;
	return 0;
}

void outgoing_commit(struct shard *shard, struct outgoing *out, size_t length,
		     const struct port_offload *offload)
{
	struct fake_frame *frame = &shard->sent[shard->sent_count];

	assert_in_range(length, 1, out->space.length);
	assert_in_range(shard->sent_count, 0, FAKE_FRAMES_MAX - 1);
	shard->sent_count++;
	shard->reserved--;
	frame->data = out->space.iov[0].iov_base;
	frame->length = length;
	frame->queue = out->queue;
	frame->offload = offload ? *offload : (struct port_offload) { 0 };
}

void outgoing_cancel(struct shard *shard, struct outgoing *out)
{
	shard->reserved--;
	if (shard->rx_frames_left >= 0)
		shard->rx_frames_left++;
	free(out->space.iov[0].iov_base);
}

int outgoing_send(struct shard *shard, unsigned int queue, const void *frame,
		  size_t length, const struct port_offload *offload)
{
	struct outgoing out;
	int ret = outgoing_begin(shard, queue, length, &out);

	if (ret)
		return ret;
	iov_write(out.space.iov, out.space.iov_count, 0, frame, length);
	outgoing_commit(shard, &out, length, offload);
	return 0;
}

struct shard_op *shard_queue_op(struct shard *shard, struct flow *flow,
				enum engine_op_kind kind,
				void (*done)(struct shard *shard,
					     struct shard_op *op))
{
	unsigned int which = shard->queueing;
	struct shard_op *op = &shard->op[which][shard->batch_count[which]];

	assert_in_range(shard->batch_count[which], 0, FAKE_OPS_MAX - 1);
	assert_false(flow->dead);
	memset(op, 0, sizeof(*op));
	op->index = shard->batch_count[which]++;
	op->op.kind = kind;
	op->op.fd = flow->sock;
	op->flow = flow;
	op->by = flow;
	op->done = done;
	return op;
}

static void fake_run_op(struct shard *shard, struct shard_op *op)
{
	struct engine_op *one = &op->op;

	shard->op_count[op->op.kind]++;
	if (shard->hook && shard->hook(shard, op))
		return;
	engine_run(shard->engine, &one, 1);
}

void shard_hand_over(struct shard *shard, int owner, struct packet *packet)
{
	(void)shard;
	(void)owner;
	(void)packet;
}

void shard_run_batch(struct shard *shard)
{
	unsigned int which, count;

	while ((count = shard->batch_count[shard->queueing])) {
		which = shard->queueing;
		shard->queueing ^= 1;
		for (unsigned int i = 0; i < count; i++)
			fake_run_op(shard, &shard->op[which][i]);
		for (unsigned int i = 0; i < count; i++) {
			struct shard_op *op = &shard->op[which][i];

			if (!op->flow->dead && op->flow->sock >= 0)
				op->done(shard, op);
			else if (op->has_out)
				outgoing_cancel(shard, &op->out);
		}
		shard->batch_count[which] = 0;
	}
}

void shard_stall_flow(struct shard *shard, struct flow *flow)
{
	shard->stalls++;
	if (flow->stalled || flow->dead)
		return;
	flow->stalled = true;
	flow->stall_next = NULL;
	*shard->stall_last = flow;
	shard->stall_last = &flow->stall_next;
}

void shard_queue_ack(struct shard *shard, struct flow *flow)
{
	if (flow->ack_queued || flow->dead)
		return;
	flow->ack_queued = true;
	flow->ack_next = NULL;
	*shard->ack_last = flow;
	shard->ack_last = &flow->ack_next;
}

uint32_t shard_flow_memory(const struct shard *shard)
{
	(void)shard;
	return 0;
}

void shard_limit_socket(struct shard *shard, int sock)
{
	(void)shard;
	(void)sock;
}

int shard_take_socket(struct shard *shard, int family,
		      struct shard_ports *ports)
{
	int one = 1;
	int sock;

	if (shard->sockets_left == 0)
		return -EMFILE;
	if (shard->sockets_left > 0)
		shard->sockets_left--;
	*ports = (struct shard_ports) { .first = 1, .last = UINT16_MAX };
	sock = shard->next_socket;
	shard->next_socket = -1;
	if (sock < 0)
		sock = socket(family,
			      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(sock >= 0);
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	return sock;
}

int shard_open_socket(struct shard *shard, int family, int type, int protocol)
{
	int sock;

	if (shard->sockets_left == 0)
		return -EMFILE;
	if (shard->sockets_left > 0)
		shard->sockets_left--;
	sock = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return sock < 0 ? -errno : sock;
}

void *shard_take_keep(struct shard *shard)
{
	if (shard->keeps_left == 0)
		return NULL;
	if (shard->keeps_left > 0)
		shard->keeps_left--;
	return malloc(SHARD_KEEP_SIZE);
}

void shard_put_keep(struct shard *shard, void *keep)
{
	if (shard->keeps_left >= 0)
		shard->keeps_left++;
	free(keep);
}

void *shard_take_hold(struct shard *shard)
{
	if (shard->holds_left == 0)
		return NULL;
	if (shard->holds_left > 0)
		shard->holds_left--;
	return malloc(SHARD_HOLD_SIZE);
}

void shard_put_hold(struct shard *shard, void *hold)
{
	if (shard->holds_left >= 0)
		shard->holds_left++;
	free(hold);
}

void *shard_scratch(struct shard *shard)
{
	return shard->scratch;
}

uint8_t *shard_op_buffer(struct shard *shard, const struct shard_op *op)
{
	return shard->op_memory + (size_t)op->index * SHARD_OP_BUFFER_SIZE;
}

bool shard_first_notice(struct shard *shard, enum shard_notice notice)
{
	bool first = !(shard->noticed >> notice & 1);

	shard->noticed |= 1U << notice;
	return first;
}

uint64_t shard_secret(const struct shard *shard, unsigned int which)
{
	(void)shard;
	return 0x9e3779b97f4a7c15ULL * (which + 1);
}

/* flow.h */

struct flow *flow_find(struct shard *shard, const struct flow_key *key)
{
	for (unsigned int i = 0; i < shard->flow_count; i++) {
		struct flow *flow = shard->flow[i];

		if (!flow->dead && !memcmp(&flow->key, key, sizeof(*key)))
			return flow;
	}
	return NULL;
}

const struct flow *flow_look_up(struct shard *shard, const struct flow_key *key)
{
	return flow_find(shard, key);
}

struct flow *shard_next_listener(struct shard *shard,
				 const struct in6_addr *guest,
				 unsigned int port, unsigned int *place)
{
	while (*place < shard->flow_count) {
		struct flow *flow = shard->flow[(*place)++];

		if (!flow->dead && flow->key.protocol == FLOW_LISTENER &&
		    flow->key.guest_port == port &&
		    address_equal(&flow->key.guest, guest))
			return flow;
	}
	return NULL;
}

struct flow *flow_create(struct shard *shard, const struct flow_key *key,
			 const struct flow_ops *ops, unsigned int *owner)
{
	struct flow *flow;

	*owner = 0;
	if (shard->foreign_owner >= 0) {
		*owner = (unsigned int)shard->foreign_owner;
		return NULL;
	}
	if (shard->flow_count == FAKE_FLOWS_MAX) {
		return NULL;
	}
	assert_null(flow_find(shard, key));
	flow = calloc(1, FLOW_SLOT_SIZE);
	assert_non_null(flow);
	flow->key = *key;
	flow->slot = shard->flow_count;
	flow->rx_queue = (uint16_t)shard->input_queue;
	flow->sock = -1;
	flow->ops = ops;
	shard->flow[shard->flow_count++] = flow;
	SHARD_COUNT(shard, flows_made, 1);
	return flow;
}

void flow_close_socket(struct shard *shard, struct flow *flow)
{
	if (flow->sock >= 0)
		engine_close(shard->engine, flow->sock, flow_token(flow));
	flow->sock = -1;
}

void flow_free(struct shard *shard, struct flow *flow)
{
	if (flow->dead)
		return;
	flow->dead = true;
	timer_cancel(&shard->timers, &flow->timer);
	flow_close_socket(shard, flow);
	SHARD_COUNT(shard, flows_ended, 1);
}

void flow_settle(struct shard *shard, struct flow *flow)
{
	(void)shard;
	flow->class =
		flow->key.protocol == IPPROTO_TCP ? FLOW_STREAM : FLOW_DATAGRAM;
}

void flow_pin(struct shard *shard, struct flow *flow)
{
	(void)shard;
	flow->class = FLOW_PINNED;
}

uint64_t flow_token(const struct flow *flow)
{
	return flow->slot;
}

/* The turn */

static void fake_run_round(struct shard *shard)
{
	struct flow *flow = shard->ack_first;

	shard->ack_first = NULL;
	shard->ack_last = &shard->ack_first;
	while (flow) {
		struct flow *next = flow->ack_next;

		flow->ack_queued = false;
		if (!flow->dead)
			flow->ops->resume(shard, flow);
		flow = next;
	}
	shard_run_batch(shard);
}

static void fake_run_acks(struct shard *shard)
{
	for (int i = 0; i < FAKE_ROUNDS_MAX && shard->ack_first; i++)
		fake_run_round(shard);
}

static void fake_run_stalled(struct shard *shard)
{
	struct flow *flow = shard->stall_first;

	shard->stall_first = NULL;
	shard->stall_last = &shard->stall_first;
	while (flow) {
		struct flow *next = flow->stall_next;

		flow->stalled = false;
		if (!flow->dead)
			flow->ops->resume(shard, flow);
		flow = next;
	}
}

static void fake_run_events(struct shard *shard,
			    const struct engine_event *event,
			    unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct flow *flow = shard->flow[event[i].token];

		if (!flow->dead)
			flow->ops->event(shard, flow, event[i].ready);
	}
}

static void fake_run_timers(struct shard *shard)
{
	struct timer *timer;

	while ((timer = timer_expire(&shard->timers, shard_now_ms(shard)))) {
		struct flow *flow = caa_container_of(timer, struct flow, timer);

		flow->ops->timer(shard, flow);
	}
}

static void fake_finish(struct shard *shard, const struct engine_event *event,
			unsigned int count)
{
	shard_run_batch(shard);
	fake_run_events(shard, event, count);
	fake_run_stalled(shard);
	shard_run_batch(shard);
	fake_run_acks(shard);
	fake_run_timers(shard);
	shard_run_batch(shard);
	fake_run_acks(shard);
	while (shard->input_count)
		free(shard->input[--shard->input_count].data);
	assert_int_equal(shard->reserved, 0);
}

void fake_turn(struct shard *shard)
{
	struct engine_event event[FAKE_EVENTS_MAX];

	fake_finish(shard, event,
		    engine_wait(shard->engine, event, FAKE_EVENTS_MAX, 0));
}

bool fake_wait(struct shard *shard)
{
	struct engine_event event[FAKE_EVENTS_MAX];
	unsigned int count = engine_wait(shard->engine, event, FAKE_EVENTS_MAX,
					 FAKE_WAIT_US);

	fake_finish(shard, event, count);
	return count > 0;
}

void fake_advance(struct shard *shard, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		shard->now_us += 1000;
		fake_turn(shard);
	}
}

/* Frames */

void fake_parse(struct shard *shard, const void *data, size_t length,
		size_t split, const struct port_offload *offload,
		struct packet *packet)
{
	struct fake_input *input = &shard->input[shard->input_count];
	struct port_frame *frame = &input->frame;

	assert_in_range(shard->input_count, 0, FAKE_INPUTS_MAX - 1);
	shard->input_count++;
	input->data = malloc(length);
	assert_non_null(input->data);
	memcpy(input->data, data, length);
	memset(frame, 0, sizeof(*frame));
	if (split && split < length)
		frame->iov[frame->iov_count++] =
			(struct iovec) { .iov_base = input->data,
					 .iov_len = split };
	else
		split = 0;
	frame->iov[frame->iov_count++] =
		(struct iovec) { .iov_base = input->data + split,
				 .iov_len = length - split };
	frame->length = length;
	if (offload)
		frame->offload = *offload;
	assert_true(packet_parse_ether(packet, frame));
	assert_true(packet->ether.ether_type == htons(ETHERTYPE_IPV6)
			    ? packet_parse_ip6(packet)
			    : packet_parse_ip4(packet));
}

static void fake_key(struct shard *shard, const struct packet *packet,
		     struct flow_key *key)
{
	struct cursor at = packet->l4;
	struct icmphdr icmp;
	struct udphdr udp; /* TCP's ports are in the same place */

	memset(key, 0, sizeof(*key));
	key->protocol = packet->protocol;
	key->guest = packet->source;
	key->peer = packet->destination;
	if (key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6) {
		assert_true(cursor_take(&at, &icmp, sizeof(icmp)));
		key->guest_port = ntohs(icmp.un.echo.id);
		return;
	}
	assert_true(cursor_take(&at, &udp, sizeof(udp)));
	key->guest_port = ntohs(udp.uh_sport);
	key->peer_port = ntohs(udp.uh_dport);
	if (key->protocol == IPPROTO_TCP ||
	    (nat_is_dns(&shard->config, &packet->destination) &&
	     ntohs(udp.uh_dport) == DNS_PORT) ||
	    flow_find(shard, key))
		return;
	key->peer_port = 0;
	memset(&key->peer, 0, sizeof(key->peer));
}

int fake_input(struct shard *shard, const void *data, size_t length,
	       size_t split, const struct port_offload *offload,
	       int (*open)(struct shard *shard, const struct flow_key *key,
			   struct packet *packet))
{
	struct packet packet;
	struct flow_key key;
	struct flow *flow;

	fake_parse(shard, data, length, split, offload, &packet);
	fake_key(shard, &packet, &key);
	flow = flow_find(shard, &key);
	if (!flow)
		return open(shard, &key, &packet);
	flow->ops->input(shard, flow, &packet);
	return -1;
}

const struct fake_frame *fake_next(struct shard *shard)
{
	if (shard->sent_read == shard->sent_count)
		return NULL;
	return &shard->sent[shard->sent_read++];
}

void fake_drop_frames(struct shard *shard)
{
	while (shard->sent_count)
		free(shard->sent[--shard->sent_count].data);
	shard->sent_read = 0;
}

unsigned int fake_flows_live(const struct shard *shard)
{
	unsigned int live = 0;

	for (unsigned int i = 0; i < shard->flow_count; i++)
		live += !shard->flow[i]->dead;
	return live;
}

struct shard *fake_shard_create(void)
{
	struct shard *shard = calloc(1, sizeof(*shard));
	struct fail fail = { 0 };

	assert_non_null(shard);
	slirp_config_init(&shard->config);
	shard->features = (struct port_features) {
		.active = true,
		.rx_csum = true,
		.rx_tso4 = true,
		.rx_tso6 = true,
		.rx_frame_max = PORT_FRAME_MAX,
		.mtu = shard->config.mtu,
	};
	shard->op_memory = malloc((size_t)FAKE_OPS_MAX * SHARD_OP_BUFFER_SIZE);
	assert_non_null(shard->op_memory);
	shard->dns_cache = dns_cache_create((const uint64_t[]) { 1, 2 });
	assert_non_null(shard->dns_cache);
	shard->resolvers = calloc(1, sizeof(*shard->resolvers));
	assert_non_null(shard->resolvers);
	shard->now_us = 1000000;
	shard->rx_frames_left = -1;
	shard->foreign_owner = -1;
	shard->next_socket = -1;
	shard->sockets_left = -1;
	shard->keeps_left = -1;
	shard->holds_left = -1;
	shard->ack_last = &shard->ack_first;
	shard->stall_last = &shard->stall_first;
	timer_wheel_init(&shard->timers, shard_now_ms(shard));
	assert_int_equal(
		engine_create(SLIRP_ENGINE_EPOLL, &shard->engine, &fail), 0);
	return shard;
}

void fake_shard_destroy(struct shard *shard)
{
	for (unsigned int i = 0; i < shard->flow_count; i++)
		if (!shard->flow[i]->dead)
			shard->flow[i]->ops->abort(shard, shard->flow[i]);
	fake_finish(shard, NULL, 0);
	assert_int_equal(fake_flows_live(shard), 0);
	for (unsigned int i = 0; i < shard->flow_count; i++)
		free(shard->flow[i]);
	fake_drop_frames(shard);
	engine_destroy(shard->engine);
	dns_cache_destroy(shard->dns_cache);
	free(shard->resolvers);
	free(shard->op_memory);
	free(shard);
}
