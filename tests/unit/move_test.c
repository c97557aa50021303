/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows that change shards, seen from the guest's queues and from the host's
 * sockets. Every test runs with each engine. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/slirp.h"
#include "slirp/wire.h"
#include "support/counts.h"
#include "support/datagram.h"
#include "support/fake_port.h"
#include "support/host.h"
#include "support/pseudo4.h"

#define SHARDS     3
#define WAIT_MS    5000 /* longest wait for anything that must come */
#define GUEST_PORT 4000
#define HEADERS    54 /* Ethernet, IPv4, TCP without options, bytes */
#define AGAIN_MS \
	100 /* a flow stays for so long at least, docs/moving-flows.md */

/* The guest's end of a TCP connection. */
struct connection {
	uint16_t port, peer_port;
	uint32_t seq, ack;
	int host;
};

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	int udp, listener; /* the host's, on loopback */
	uint16_t udp_port, tcp_port;
};

static int set_up_filtered(void **state, enum slirp_engine engine,
			   unsigned int slots, enum slirp_udp_filter filter)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&f->config);
	f->config.engine = engine;
	f->config.udp_filter = filter;
	f->config.shard_count = SHARDS;
	f->config.ipv6 = false; /* no router advertisements between frames */
	if (slots)
		f->config.flows_max = slots;
	f->config.forward_count = 1;
	f->config.forward[0] = (struct slirp_forward) {
		.protocol = IPPROTO_TCP,
		.guest.port = GUEST_PORT,
	};
	f->config.forward[0].host.address =
		address_from4((struct in_addr) { htonl(INADDR_LOOPBACK) });
	assert_int_equal(
		slirp_forward_check(&f->config, &f->config.forward[0], &fail),
		0);
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	f->udp = host_open(SOCK_DGRAM, WAIT_MS, &f->udp_port);
	f->listener = host_open(SOCK_STREAM, WAIT_MS, &f->tcp_port);
	if (slirp_create(&f->config, port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail)) {
		fprintf(stderr, "%s\n", fail.text);
		return -1;
	}
	slirp_set_queues(f->slirp, SHARDS);
	*state = f;
	return 0;
}

static int set_up_with(void **state, enum slirp_engine engine,
		       unsigned int slots)
{
	return set_up_filtered(state, engine, slots, SLIRP_UDP_FILTER_OFF);
}

static int set_up_filter(void **state)
{
	return set_up_filtered(state, SLIRP_ENGINE_AUTO, 0,
			       SLIRP_UDP_FILTER_PORT);
}

static int set_up_uring(void **state)
{
	return set_up_with(state, SLIRP_ENGINE_AUTO, 0);
}

static int set_up_epoll(void **state)
{
	return set_up_with(state, SLIRP_ENGINE_EPOLL, 0);
}

static int set_up_small(void **state)
{
	return set_up_with(state, SLIRP_ENGINE_AUTO, 16);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	close(f->udp);
	close(f->listener);
	free(f);
	return 0;
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Return: false if a counter has not come to @count in time */
static bool wait_for(struct fixture *f, const char *name, uint64_t count)
{
	uint64_t end = clock_ms() + WAIT_MS;

	while (counts_stat(f->slirp, -1, name) < count && clock_ms() < end)
		usleep(200);
	return counts_stat(f->slirp, -1, name) >= count;
}

/* Let a flow be allowed to move again. */
static void rest(void)
{
	uint64_t end = clock_ms() + AGAIN_MS + 20;

	while (clock_ms() < end)
		usleep(1000);
}

/* UDP */

static void udp_transmit_to(struct fixture *f, unsigned int queue,
			    uint16_t port, uint16_t to, uint32_t number)
{
	uint8_t frame[128];
	size_t size = datagram_make(&f->config, frame, port, to, &number,
				    sizeof(number));

	fake_port_transmit(f->fake[queue], frame, size);
}

static void udp_transmit(struct fixture *f, unsigned int queue, uint16_t port,
			 uint32_t number)
{
	udp_transmit_to(f, queue, port, f->udp_port, number);
}

static uint32_t udp_take(struct fixture *f, struct sockaddr_in *from)
{
	socklen_t size = sizeof(*from);
	uint32_t number = UINT32_MAX;

	recvfrom(f->udp, &number, sizeof(number), 0, (struct sockaddr *)from,
		 &size);
	return number;
}

/* One datagram there, its answer back on the same queue. */
static void udp_exchange(struct fixture *f, unsigned int queue, uint32_t number,
			 struct sockaddr_in *from)
{
	uint8_t frame[PORT_FRAME_MAX];
	uint32_t got = UINT32_MAX;

	udp_transmit(f, queue, GUEST_PORT, number);
	assert_int_equal(udp_take(f, from), number);
	assert_int_equal(sendto(f->udp, &number, sizeof(number), 0,
				(struct sockaddr *)from, sizeof(*from)),
			 sizeof(number));
	assert_int_equal(fake_port_receive(f->fake[queue], frame, WAIT_MS),
			 DATAGRAM_HEADERS + sizeof(number));
	memcpy(&got, frame + DATAGRAM_HEADERS, sizeof(got));
	assert_int_equal(got, number);
}

/* Exchange on @queue until the flow is there. Return: the next number */
static uint32_t udp_draw(struct fixture *f, unsigned int queue, uint32_t number)
{
	uint64_t moved = counts_stat(f->slirp, -1, "flows_moved_in");
	uint64_t end = clock_ms() + WAIT_MS;
	struct sockaddr_in from;

	while (counts_stat(f->slirp, -1, "flows_moved_in") == moved) {
		assert_true(clock_ms() < end);
		udp_exchange(f, queue, number++, &from);
	}
	return number;
}

static void a_mapping_moves_to_the_queue_that_it_is_used_on(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in before, after;
	uint64_t handoffs;
	uint32_t number;

	udp_exchange(f, 0, 0, &before);
	number = udp_draw(f, 1, 1);
	handoffs = counts_stat(f->slirp, -1, "handoffs_out");
	for (int i = 0; i < 100; i++)
		udp_exchange(f, 1, number++, &after);
	assert_int_equal(counts_stat(f->slirp, -1, "handoffs_out"), handoffs);
	assert_int_equal(before.sin_port, after.sin_port);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_live"), 1);
}

static void a_mapping_moves_back_and_on(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint32_t number = 1;

	udp_exchange(f, 0, 0, &from);
	for (unsigned int i = 1; i <= 4; i++) {
		number = udp_draw(f, i % SHARDS, number);
		rest();
	}
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_in"), 4);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_out"), 4);
	udp_exchange(f, 0, number, &from);
}

static void datagrams_stay_in_order_while_their_flow_moves(void **state)
{
	enum { COUNT = 4000 };
	struct fixture *f = *state;
	struct sockaddr_in from;

	udp_exchange(f, 0, 0, &from);
	for (uint32_t i = 1; i <= COUNT; i++) {
		udp_transmit(f, 1, GUEST_PORT, i);
		/* Some ahead, so that frames are under way. */
		if (i > 16)
			assert_int_equal(udp_take(f, &from), i - 16);
	}
	for (uint32_t i = COUNT - 15; i <= COUNT; i++)
		assert_int_equal(udp_take(f, &from), i);
	assert_true(wait_for(f, "flows_moved_in", 1));
	assert_int_equal(counts_stat(f->slirp, -1, "tx_dropped"), 0);
}

static void a_flow_that_bounces_stays(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;

	for (uint32_t i = 0; i < 200; i++)
		udp_exchange(f, i / 4 % SHARDS, i, &from);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_in"), 0);
}

static void idle_flows_leave_queues_that_are_given_up(void **state)
{
	enum { FLOWS = 100 };
	struct fixture *f = *state;
	uint8_t frame[PORT_FRAME_MAX];
	struct sockaddr_in from[FLOWS];

	for (uint32_t i = 0; i < FLOWS; i++) {
		udp_transmit(f, 2, (uint16_t)(GUEST_PORT + i), i);
		assert_int_equal(udp_take(f, &from[i]), i);
	}
	slirp_set_queues(f->slirp, 2);
	assert_true(wait_for(f, "flows_moved_in", FLOWS));
	for (uint32_t i = 0; i < FLOWS; i++) {
		sendto(f->udp, &i, sizeof(i), 0, (struct sockaddr *)&from[i],
		       sizeof(from[i]));
		assert_int_equal(fake_port_receive(f->fake[0], frame, WAIT_MS),
				 DATAGRAM_HEADERS + sizeof(i));
	}
	assert_int_equal(counts_stat(f->slirp, -1, "flows_live"), FLOWS);
}

static void a_shard_that_is_full_refuses(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint32_t number = 0;

	for (uint16_t i = 1; i <= 15; i++) {
		udp_transmit(f, 1, (uint16_t)(GUEST_PORT + i), i);
		assert_int_equal(udp_take(f, &from), i);
	}
	udp_exchange(f, 0, 0, &from);
	while (counts_stat(f->slirp, -1, "moves_refused") == 0 &&
	       number < 10000)
		udp_exchange(f, 1, ++number, &from);
	assert_in_range(number, 1, 9999);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_in"), 0);
	udp_exchange(f, 1, ++number, &from);
}

/* A stranger writes to the mapping of @to. */
static void write_unasked(const struct sockaddr_in *to)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(sendto(sock, "x", 1, 0, (const struct sockaddr *)to,
				sizeof(*to)),
			 1);
	close(sock);
}

static void whom_a_mapping_has_permitted_goes_along(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint8_t frame[PORT_FRAME_MAX];
	uint32_t number;

	udp_exchange(f, 0, 0, &from);
	number = udp_draw(f, 1, 1);
	/* Not asked again: nothing goes out that would permit it anew. */
	assert_int_equal(sendto(f->udp, &number, sizeof(number), 0,
				(struct sockaddr *)&from, sizeof(from)),
			 sizeof(number));
	assert_int_equal(fake_port_receive(f->fake[1], frame, WAIT_MS),
			 DATAGRAM_HEADERS + sizeof(number));
	write_unasked(&from);
	assert_true(wait_for(f, "rx_filtered", 1));
	assert_int_equal(counts_stat(f->slirp, 1, "rx_filtered"), 1);
}

static void a_mapping_that_has_permitted_many_stays(void **state)
{
	enum { PEERS = 20 };
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint16_t port[PEERS];
	int peer[PEERS];
	uint32_t number = 0;

	for (int i = 0; i < PEERS; i++) {
		peer[i] = host_open(SOCK_DGRAM, WAIT_MS, &port[i]);
		udp_transmit_to(f, 0, GUEST_PORT, port[i], number);
		assert_int_equal(recv(peer[i], &number, sizeof(number), 0),
				 sizeof(number));
	}
	for (number = 0; number < 100; number++)
		udp_exchange(f, 1, number, &from);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_in"), 0);
	for (int i = 0; i < PEERS; i++) {
		uint8_t frame[PORT_FRAME_MAX];

		sendto(peer[i], "x", 1, 0, (struct sockaddr *)&from,
		       sizeof(from));
		assert_int_equal(fake_port_receive(f->fake[1], frame, WAIT_MS),
				 DATAGRAM_HEADERS + 1);
		close(peer[i]);
	}
}

/* TCP */

static void tcp_transmit(struct fixture *f, unsigned int queue,
			 struct connection *c, uint8_t flags, const void *data,
			 size_t length)
{
	uint8_t frame[2048] = { 0 };
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct tcphdr tcp = {
		.th_sport = htons(c->port),
		.th_dport = htons(c->peer_port),
		.th_seq = htonl(c->seq),
		.th_ack = htonl(c->ack),
		.th_win = htons(65535),
		.th_off = 5,
		.th_flags = flags,
	};
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(40 + length)),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = f->config.guest.s_addr,
		.daddr = f->config.gateway.s_addr,
	};

	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame, &ether, sizeof(ether));
	memcpy(frame + 14, &ip, sizeof(ip));
	if (length)
		memcpy(frame + HEADERS, data, length);
	memcpy(frame + 34, &tcp, sizeof(tcp));
	tcp.th_sum = checksum_fold(checksum_add(
		frame + 34, 20 + length,
		checksum_pseudo4(f->config.guest, f->config.gateway,
				 IPPROTO_TCP, 20 + length)));
	memcpy(frame + 34, &tcp, sizeof(tcp));
	fake_port_transmit(f->fake[queue], frame, HEADERS + length);
	c->seq += (uint32_t)length + !!(flags & (TH_SYN | TH_FIN));
}

/*
 * Take the next segment with payload, SYN, FIN or RST from any queue; copies of
 * what was taken already are skipped. Return: bytes of payload, at @data
 */
static size_t tcp_take(struct fixture *f, unsigned int queue,
		       struct connection *c, uint8_t *data, uint8_t *flags)
{
	uint64_t end = clock_ms() + WAIT_MS;
	uint8_t frame[PORT_FRAME_MAX];
	struct tcphdr tcp;
	size_t size, headers;

	while (clock_ms() < end) {
		size = fake_port_receive(f->fake[queue], frame, 1);
		queue = (queue + 1) % SHARDS;
		if (size < HEADERS)
			continue;
		memcpy(&tcp, frame + 34, sizeof(tcp));
		headers = 34 + 4U * tcp.th_off;
		*flags = tcp.th_flags;
		if (tcp.th_flags & TH_RST)
			return 0;
		if (tcp.th_flags & TH_SYN)
			c->ack = ntohl(tcp.th_seq) + 1;
		if (tcp.th_flags & TH_SYN)
			return 0;
		if (ntohl(tcp.th_seq) != c->ack)
			continue;
		size -= headers;
		memcpy(data, frame + headers, size);
		c->ack += (uint32_t)size + !!(tcp.th_flags & TH_FIN);
		if (size || tcp.th_flags & TH_FIN)
			return size;
	}
	*flags = 0;
	return 0;
}

static void tcp_connect(struct fixture *f, unsigned int queue,
			struct connection *c)
{
	uint8_t data[PORT_FRAME_MAX], flags;
	struct timeval timeout = { .tv_sec = WAIT_MS / 1000 };

	*c = (struct connection) { .port = GUEST_PORT + 1,
				   .peer_port = f->tcp_port,
				   .seq = 1000 };
	tcp_transmit(f, queue, c, TH_SYN, NULL, 0);
	tcp_take(f, queue, c, data, &flags);
	assert_int_equal(flags & (TH_SYN | TH_ACK), TH_SYN | TH_ACK);
	tcp_transmit(f, queue, c, TH_ACK, NULL, 0);
	c->host = accept(f->listener, NULL, NULL);
	assert_return_code(c->host, errno);
	setsockopt(c->host, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

/* A request there, the answer back; it is acknowledged by the next request. */
static void tcp_exchange(struct fixture *f, unsigned int queue,
			 struct connection *c, uint32_t number)
{
	uint8_t data[PORT_FRAME_MAX], flags;
	uint32_t got = UINT32_MAX;

	tcp_transmit(f, queue, c, TH_ACK | TH_PUSH, &number, sizeof(number));
	assert_int_equal(recv(c->host, &got, sizeof(got), MSG_WAITALL),
			 sizeof(got));
	assert_int_equal(got, number);
	assert_int_equal(send(c->host, &number, sizeof(number), 0),
			 sizeof(number));
	assert_int_equal(tcp_take(f, queue, c, data, &flags), sizeof(number));
	assert_memory_equal(data, &number, sizeof(number));
}

static uint32_t tcp_draw(struct fixture *f, unsigned int queue,
			 struct connection *c, uint32_t number)
{
	uint64_t moved = counts_stat(f->slirp, -1, "flows_moved_in");
	uint64_t end = clock_ms() + WAIT_MS;

	while (counts_stat(f->slirp, -1, "flows_moved_in") == moved) {
		assert_true(clock_ms() < end);
		tcp_exchange(f, queue, c, number++);
	}
	return number;
}

static void a_connection_moves_to_the_queue_that_it_is_used_on(void **state)
{
	struct fixture *f = *state;
	struct connection c;
	uint64_t handoffs;
	uint32_t number;

	tcp_connect(f, 0, &c);
	number = tcp_draw(f, 1, &c, 0);
	for (int i = 0; i < 20; i++)
		tcp_exchange(f, 1, &c, number++);
	handoffs = counts_stat(f->slirp, -1, "handoffs_out");
	for (int i = 0; i < 100; i++)
		tcp_exchange(f, 1, &c, number++);
	assert_int_equal(counts_stat(f->slirp, -1, "handoffs_out"), handoffs);
	close(c.host);
}

static void a_connection_moves_back_and_on(void **state)
{
	struct fixture *f = *state;
	struct connection c;
	uint32_t number = 0;

	tcp_connect(f, 0, &c);
	for (unsigned int i = 1; i <= 4; i++) {
		number = tcp_draw(f, i % SHARDS, &c, number);
		rest();
	}
	assert_int_equal(counts_stat(f->slirp, -1, "flows_live"), 1);
	assert_int_equal(counts_stat(f->slirp, -1, "tcp_retransmits"), 0);
	close(c.host);
}

static void both_sides_close_a_connection_that_has_moved(void **state)
{
	struct fixture *f = *state;
	uint8_t data[PORT_FRAME_MAX], flags;
	struct connection c;

	tcp_connect(f, 0, &c);
	tcp_draw(f, 1, &c, 0);
	tcp_transmit(f, 1, &c, TH_ACK | TH_FIN, NULL, 0);
	assert_int_equal(recv(c.host, data, sizeof(data), 0), 0);
	close(c.host);
	assert_int_equal(tcp_take(f, 1, &c, data, &flags), 0);
	assert_true(flags & TH_FIN);
	tcp_transmit(f, 1, &c, TH_ACK, NULL, 0);
	assert_true(wait_for(f, "flows_ended", 1));
	assert_int_equal(counts_stat(f->slirp, -1, "flows_live"), 0);
}

static void a_reset_ends_a_connection_wherever_it_is(void **state)
{
	enum { ROUNDS = 60 };
	struct fixture *f = *state;
	struct connection c;

	for (int i = 0; i < ROUNDS; i++) {
		tcp_connect(f, 0, &c);
		/* At each stage of a move, some time. */
		for (int n = 0; n < 4 + i; n++)
			tcp_exchange(f, 1, &c, (uint32_t)n);
		tcp_transmit(f, 1, &c, TH_RST | TH_ACK, NULL, 0);
		assert_true(wait_for(f, "flows_ended", (uint64_t)i + 1));
		close(c.host);
	}
	assert_int_equal(counts_stat(f->slirp, -1, "flows_live"), 0);
}

static void a_connection_that_the_host_opened_moves(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval timeout = { .tv_sec = WAIT_MS / 1000 };
	struct connection c = { .port = GUEST_PORT, .seq = 77 };
	uint8_t data[PORT_FRAME_MAX], flags = 0;
	struct slirp_flow_cursor at = { 0 };
	struct slirp_flow flow;

	to.sin_port = htons(host_forwarded_port(f->slirp));
	c.host = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c.host, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_return_code(connect(c.host, (struct sockaddr *)&to, sizeof(to)),
			   errno);
	tcp_take(f, 0, &c, data, &flags);
	assert_int_equal(flags, TH_SYN);
	assert_int_equal(slirp_list_flows(f->slirp, &at, &flow, 1), 1);
	assert_int_equal(slirp_list_flows(f->slirp, &at, &flow, 1), 0);
	c.peer_port = flow.peer.port;
	tcp_transmit(f, flow.shard, &c, TH_SYN | TH_ACK, NULL, 0);
	/* Its answer says that the connection stands. */
	assert_int_equal(send(c.host, "x", 1, 0), 1);
	assert_int_equal(tcp_take(f, 0, &c, data, &flags), 1);
	tcp_draw(f, (flow.shard + 1) % SHARDS, &c, 0);
	close(c.host);
}

/* What the control socket does, while flows move. */
static void every_flow_is_listed_once_while_flows_move(void **state)
{
	enum { FLOWS = 40, LISTINGS = 5000, MOVES = 60 };
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint32_t number = 0;

	for (int i = 0; i < LISTINGS &&
			counts_stat(f->slirp, -1, "flows_moved_in") < MOVES;
	     i++) {
		struct slirp_flow_cursor at = { 0 };
		struct slirp_flow flow[8];
		unsigned int count, seen[FLOWS] = { 0 };

		for (unsigned int n = 0; n < FLOWS; n++) {
			for (int k = 0; k < 3; k++)
				udp_transmit(f, (unsigned int)i / 50 % SHARDS,
					     (uint16_t)(GUEST_PORT + n),
					     number++);
			udp_take(f, &from);
		}
		while ((count = slirp_list_flows(f->slirp, &at, flow, 8)))
			for (unsigned int n = 0; n < count; n++)
				seen[flow[n].guest.port - GUEST_PORT]++;
		for (int n = 0; n < FLOWS; n++)
			assert_int_equal(seen[n], 1);
	}
	assert_true(counts_stat(f->slirp, -1, "flows_moved_in") >= MOVES);
}

static void nothing_stays_open_when_the_end_comes_amid_moves(void **state)
{
	unsigned int before = counts_descriptors();
	struct sockaddr_in from;
	void *inner = NULL;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(set_up_uring(&inner), 0);
		assert_non_null(inner);
		if (!inner)
			break;
		udp_exchange(inner, 0, 0, &from);
		for (uint32_t n = 1; n < 8 + i; n++)
			udp_exchange(inner, 1, n, &from);
		tear_down(&inner);
	}
	assert_int_equal(counts_descriptors(), before);
}

#define TEST(name)                                                    \
	{ #name " (io_uring)", name, set_up_uring, tear_down, NULL }, \
	{                                                             \
#name " (epoll)", name, set_up_epoll, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mapping_moves_to_the_queue_that_it_is_used_on),
		TEST(a_mapping_moves_back_and_on),
		TEST(datagrams_stay_in_order_while_their_flow_moves),
		TEST(a_flow_that_bounces_stays),
		TEST(idle_flows_leave_queues_that_are_given_up),
		cmocka_unit_test_setup_teardown(a_shard_that_is_full_refuses,
						set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(
			whom_a_mapping_has_permitted_goes_along, set_up_filter,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_mapping_that_has_permitted_many_stays, set_up_filter,
			tear_down),
		TEST(a_connection_moves_to_the_queue_that_it_is_used_on),
		TEST(a_connection_moves_back_and_on),
		TEST(both_sides_close_a_connection_that_has_moved),
		TEST(a_reset_ends_a_connection_wherever_it_is),
		TEST(a_connection_that_the_host_opened_moves),
		TEST(every_flow_is_listed_once_while_flows_move),
		cmocka_unit_test(
			nothing_stays_open_when_the_end_comes_amid_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
