/* SPDX-License-Identifier: BSD-3-Clause */
/* Running shards that refuse: what the guest is told, segment by segment. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/slirp.h"
#include "slirp/wire.h"
#include "support/datagram.h"
#include "support/fake_port.h"

#define SHARDS     2
#define WAIT_MS    5000 /* longest wait for anything that must come */
#define GUEST_PORT 4000
#define SYN_ACK    (TH_SYN | TH_ACK)
#define RST_ACK    (TH_RST | TH_ACK)

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	int listener;
	uint16_t port;
};

static int open_listener(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(sock, (struct sockaddr *)&address, size),
			   errno);
	assert_return_code(listen(sock, 100), errno);
	getsockname(sock, (struct sockaddr *)&address, &size);
	*port = ntohs(address.sin_port);
	return sock;
}

static struct fixture *start(struct slirp_limits limits)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&f->config);
	f->config.shard_count = SHARDS;
	f->config.limits = limits;
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	f->listener = open_listener(&f->port);
	if (slirp_create(&f->config, port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail))
		fail_msg("%s", fail.text);
	slirp_set_queues(f->slirp, SHARDS);
	return f;
}

static void finish(struct fixture *f)
{
	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	close(f->listener);
	free(f);
}

static void send_syn(struct fixture *f, unsigned int queue, uint16_t from_port)
{
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct in6_addr from = address_from4(f->config.guest);
	struct in6_addr to = address_from4(f->config.gateway);
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(ip) + sizeof(struct tcphdr)),
		.saddr = f->config.guest.s_addr,
		.daddr = f->config.gateway.s_addr,
	};
	struct tcphdr tcp = {
		.th_sport = htons(from_port),
		.th_dport = htons(f->port),
		.th_off = 5,
		.th_flags = TH_SYN,
		.th_win = htons(1000),
	};
	uint8_t frame[sizeof(ether) + sizeof(ip) + sizeof(tcp)];

	memcpy(ether.ether_shost, f->config.guest_mac, ETH_ALEN);
	memcpy(ether.ether_dhost, f->config.gateway_mac, ETH_ALEN);
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	tcp.th_sum = checksum_fold(checksum_add(
		&tcp, sizeof(tcp),
		checksum_pseudo(&from, &to, IPPROTO_TCP, sizeof(tcp))));
	memcpy(frame, &ether, sizeof(ether));
	memcpy(frame + sizeof(ether), &ip, sizeof(ip));
	memcpy(frame + sizeof(ether) + sizeof(ip), &tcp, sizeof(tcp));
	fake_port_transmit(f->fake[queue], frame, sizeof(frame));
}

/* The next segment for the guest must be this one. */
static void expect_segment(struct fixture *f, unsigned int queue,
			   uint16_t to_port, uint8_t flags)
{
	uint8_t frame[PORT_FRAME_MAX];
	size_t at = sizeof(struct ether_header) + sizeof(struct iphdr);
	struct tcphdr tcp;

	assert_true(fake_port_receive(f->fake[queue], frame, WAIT_MS) >=
		    at + sizeof(tcp));
	assert_int_equal(frame[23], IPPROTO_TCP);
	memcpy(&tcp, frame + at, sizeof(tcp));
	assert_int_equal(ntohs(tcp.th_dport), to_port);
	assert_int_equal(tcp.th_flags, flags);
}

/* Open one, or be refused. */
static void try_syn(struct fixture *f, unsigned int queue, uint16_t port,
		    uint8_t flags)
{
	send_syn(f, queue, port);
	expect_segment(f, queue, port, flags);
}

static void tcp_rate_limit_emits_rst(void **state)
{
	struct fixture *f = start((struct slirp_limits) { .flow_rate = 1 });

	(void)state;
	try_syn(f, 0, 1, SYN_ACK);
	try_syn(f, 0, 2, RST_ACK);
	try_syn(f, 1, 3, RST_ACK);
	finish(f);
}

static void tcp_max_concurrent_emits_rst(void **state)
{
	struct fixture *f = start((struct slirp_limits) { .tcp_flows = 2 });

	(void)state;
	try_syn(f, 0, 1, SYN_ACK);
	try_syn(f, 1, 2, SYN_ACK);
	try_syn(f, 0, 3, RST_ACK);
	try_syn(f, 1, 4, RST_ACK);
	/* A copy of a SYN begins no flow: it is not refused. */
	try_syn(f, 0, 1, SYN_ACK);
	finish(f);
}

static void raised_limit_lets_the_next_connection_in(void **state)
{
	struct slirp_limits limits = { .tcp_flows = 1 };
	struct fixture *f = start(limits);

	(void)state;
	try_syn(f, 0, 1, SYN_ACK);
	try_syn(f, 1, 2, RST_ACK);
	limits.tcp_flows = 2;
	slirp_set_limits(f->slirp, &limits);
	try_syn(f, 1, 2, SYN_ACK);
	try_syn(f, 0, 3, RST_ACK);
	finish(f);
}

static void datagram_above_the_limit_is_answered_by_icmp(void **state)
{
	struct fixture *f = start((struct slirp_limits) { .udp_flows = 1 });
	uint8_t frame[PORT_FRAME_MAX];
	size_t size;

	(void)state;
	for (uint16_t port = 1; port <= 2; port++) {
		size = datagram_make(&f->config, frame, port, 9, "x", 1);
		fake_port_transmit(f->fake[0], frame, size);
	}
	do
		assert_true(fake_port_receive(f->fake[0], frame, WAIT_MS) > 42);
	while (frame[35] != ICMP_PKT_FILTERED);
	assert_int_equal(frame[23], IPPROTO_ICMP);
	assert_int_equal(frame[34], ICMP_DEST_UNREACH);
	/* The source port of the datagram that it quotes. */
	assert_int_equal(frame[34 + 8 + 20 + 1], 2);
	finish(f);
}

static void policy_denies_the_next_connection(void **state)
{
	struct slirp_policy policy = { 0 };
	struct fixture *f = start((struct slirp_limits) { 0 });

	(void)state;
	try_syn(f, 0, 1, SYN_ACK);
	assert_int_equal(policy_add(&policy, false, "tcp:127.0.0.1"), 0);
	assert_int_equal(slirp_set_policy(f->slirp, &policy), 0);
	try_syn(f, 0, 2, RST_ACK);
	try_syn(f, 1, 3, RST_ACK);
	finish(f);
}

static int open_datagrams(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct timeval timeout = { .tv_sec = WAIT_MS / 1000 };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(sock, (struct sockaddr *)&address, size),
			   errno);
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	getsockname(sock, (struct sockaddr *)&address, &size);
	*port = ntohs(address.sin_port);
	return sock;
}

static void send_datagram(struct fixture *f, uint16_t from_port, uint16_t port)
{
	uint8_t frame[64];
	size_t size = datagram_make(&f->config, frame, from_port, port, "x", 1);

	fake_port_transmit(f->fake[0], frame, size);
}

/* The host's end hears from the guest, and answers. */
static void answer(int host, struct sockaddr_in *from)
{
	socklen_t size = sizeof(*from);
	uint8_t data[8];

	assert_int_equal(recvfrom(host, data, sizeof(data), 0,
				  (struct sockaddr *)from, &size),
			 1);
	assert_int_equal(
		sendto(host, data, 1, 0, (struct sockaddr *)from, size), 1);
}

static void expect_datagram(struct fixture *f, uint16_t to_port)
{
	uint8_t frame[PORT_FRAME_MAX];

	assert_int_equal(fake_port_receive(f->fake[0], frame, WAIT_MS),
			 DATAGRAM_HEADERS + 1);
	assert_int_equal(frame[23], IPPROTO_UDP);
	assert_int_equal(frame[36] << 8 | frame[37], to_port);
}

static void answered_datagrams_outlive_a_flood(void **state)
{
	enum { FILES = 400, FLOOD = 1000 };
	struct rlimit before, few = { .rlim_cur = FILES };
	struct sockaddr_in first, last;
	uint16_t port, sink_port;
	int host = open_datagrams(&port), sink = open_datagrams(&sink_port);
	struct fixture *f;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
	f = start((struct slirp_limits) { 0 });
	send_datagram(f, 1, port);
	answer(host, &first);
	expect_datagram(f, 1);
	for (uint16_t i = 0; i < FLOOD; i++)
		send_datagram(f, (uint16_t)(1000 + i), sink_port);
	/* One more flow can begin, and the first is where it was. */
	send_datagram(f, 2, port);
	answer(host, &last);
	expect_datagram(f, 2);
	assert_int_equal(sendto(host, "y", 1, 0, (struct sockaddr *)&first,
				sizeof(first)),
			 1);
	expect_datagram(f, 1);
	finish(f);
	setrlimit(RLIMIT_NOFILE, &before);
	close(host);
	close(sink);
}

static void nat_ends_while_a_grace_period_is_due(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct fixture *f = start((struct slirp_limits) { 0 });

		/* Nobody listens: the flow is freed as soon as it is made. */
		close(f->listener);
		f->listener = -1;
		try_syn(f, 0, 1, RST_ACK);
		finish(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_rate_limit_emits_rst),
		cmocka_unit_test(tcp_max_concurrent_emits_rst),
		cmocka_unit_test(raised_limit_lets_the_next_connection_in),
		cmocka_unit_test(datagram_above_the_limit_is_answered_by_icmp),
		cmocka_unit_test(policy_denies_the_next_connection),
		cmocka_unit_test(answered_datagrams_outlive_a_flood),
		cmocka_unit_test(nat_ends_while_a_grace_period_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
