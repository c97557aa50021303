/* SPDX-License-Identifier: BSD-3-Clause */
/* Running shards, seen from the guest's queues and from the host's sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/slirp.h"
#include "slirp/wire.h"
#include "support/counts.h"
#include "support/datagram.h"
#include "support/fake_port.h"
#include "support/host.h"

#define SHARDS     2
#define WAIT_MS    5000 /* longest wait for anything that must come */
#define GUEST_PORT 4000

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	int host; /* a UDP socket on loopback */
	uint16_t host_port;
	unsigned int near_calls;
};

/* Shards are made in order, and then the thread goes back. */
static void go_near(void *context, unsigned int shard)
{
	struct fixture *f = context;

	if (shard == 0)
		f->near_calls = 0;
	assert_int_equal(shard, f->near_calls);
	f->near_calls++;
}

struct wish {
	bool rx_steers_tx;
	bool batch;
};

static int set_up_with(void **state, struct wish wish)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&f->config);
	f->config.shard_count = SHARDS;
	f->config.batch = wish.batch;
	f->config.near = go_near;
	f->config.near_context = f;
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
		if (wish.rx_steers_tx)
			fake_port_set_rx_steers_tx(f->fake[i]);
	}
	f->host = host_open(SOCK_DGRAM, WAIT_MS, &f->host_port);
	if (slirp_create(&f->config, port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail)) {
		fprintf(stderr, "%s\n", fail.text);
		return -1;
	}
	slirp_set_queues(f->slirp, SHARDS);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, (struct wish) { 0 });
}

static int set_up_rx_steers_tx(void **state)
{
	return set_up_with(state, (struct wish) { .rx_steers_tx = true });
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	close(f->host);
	free(f);
	return 0;
}

static void transmit(struct fixture *f, unsigned int queue, uint32_t number)
{
	uint8_t frame[128];
	size_t size = datagram_make(&f->config, frame, GUEST_PORT, f->host_port,
				    &number, sizeof(number));

	fake_port_transmit(f->fake[queue], frame, size);
}

/* The host's side takes one datagram. Return: the number in it */
static uint32_t host_take(struct fixture *f, struct sockaddr_in *from)
{
	socklen_t size = sizeof(*from);
	uint32_t number = UINT32_MAX;

	assert_int_equal(recvfrom(f->host, &number, sizeof(number), 0,
				  (struct sockaddr *)from, &size),
			 sizeof(number));
	return number;
}

static void host_answer(struct fixture *f, const struct sockaddr_in *to,
			uint32_t number)
{
	assert_int_equal(sendto(f->host, &number, sizeof(number), 0,
				(const struct sockaddr *)to, sizeof(*to)),
			 sizeof(number));
}

/* The guest takes a datagram from a queue. Return: the number in it */
static uint32_t guest_take(struct fixture *f, unsigned int queue)
{
	uint8_t frame[PORT_FRAME_MAX];
	uint32_t number = UINT32_MAX;

	if (fake_port_receive(f->fake[queue], frame, WAIT_MS) ==
	    DATAGRAM_HEADERS + sizeof(number))
		memcpy(&number, frame + DATAGRAM_HEADERS, sizeof(number));
	return number;
}

static void answers_come_on_the_queue_of_the_flow(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;

	transmit(f, 1, 7);
	assert_int_equal(host_take(f, &from), 7);
	host_answer(f, &from, 8);
	assert_int_equal(guest_take(f, 1), 8);
}

static void receive_queue_follows_the_last_transmit_queue(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from, again;

	transmit(f, 0, 1);
	assert_int_equal(host_take(f, &from), 1);
	transmit(f, 1, 2);
	assert_int_equal(host_take(f, &again), 2);
	assert_int_equal(from.sin_port, again.sin_port);
	host_answer(f, &from, 3);
	assert_int_equal(guest_take(f, 1), 3);
	transmit(f, 0, 4);
	assert_int_equal(host_take(f, &again), 4);
	host_answer(f, &from, 5);
	assert_int_equal(guest_take(f, 0), 5);
	assert_true(counts_stat(f->slirp, -1, "handoffs_out") >= 2);
}

static void receive_queue_is_the_owners_where_it_steers(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from, again;

	transmit(f, 0, 1);
	assert_int_equal(host_take(f, &from), 1);
	transmit(f, 1, 2);
	assert_int_equal(host_take(f, &again), 2);
	host_answer(f, &from, 3);
	assert_int_equal(guest_take(f, 0), 3);
}

static void no_queue_above_the_set_count_is_used(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;

	transmit(f, 1, 1);
	assert_int_equal(host_take(f, &from), 1);
	slirp_set_queues(f->slirp, 1);
	host_answer(f, &from, 2);
	assert_int_equal(guest_take(f, 0), 2);
}

static void handed_over_frames_stay_in_order(void **state)
{
	enum { COUNT = 500 };
	struct fixture *f = *state;
	struct sockaddr_in from;

	transmit(f, 0, 0);
	assert_int_equal(host_take(f, &from), 0);
	for (uint32_t i = 1; i <= COUNT; i++) {
		transmit(f, 1, i);
		assert_int_equal(host_take(f, &from), i);
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		host_answer(f, &from, i);
		assert_int_equal(guest_take(f, 1), i);
	}
}

/* Send a part of a datagram's IP payload on its own. */
static void transmit_fragment(struct fixture *f, unsigned int queue,
			      const uint8_t *datagram, size_t start,
			      size_t size, bool more)
{
	uint8_t frame[2048];
	struct iphdr ip;

	memcpy(frame, datagram, 34);
	memcpy(&ip, frame + 14, sizeof(ip));
	ip.id = htons(77);
	ip.tot_len = htons((uint16_t)(20 + size));
	ip.frag_off = htons((uint16_t)(start / 8 | (more ? 0x2000 : 0)));
	ip.check = 0;
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + 34, datagram + 34 + start, size);
	fake_port_transmit(f->fake[queue], frame, 34 + size);
}

static void fragments_from_several_queues_make_one_datagram(void **state)
{
	enum { SIZE = 60000, PART = 1480 };
	struct fixture *f = *state;
	static uint8_t data[SIZE], datagram[DATAGRAM_HEADERS + SIZE],
		got[SIZE + 1];
	size_t whole = SIZE + 8, at;
	unsigned int queue = 0;

	for (at = 0; at < SIZE; at++)
		data[at] = (uint8_t)(at * 7 + at / 251);
	datagram_make(&f->config, datagram, GUEST_PORT, f->host_port, data,
		      SIZE);
	for (at = 0; at < whole; at += PART, queue = (queue + 1) % SHARDS)
		transmit_fragment(f, queue, datagram, at,
				  whole - at < PART ? whole - at : PART,
				  at + PART < whole);
	assert_int_equal(recv(f->host, got, sizeof(got), 0), SIZE);
	assert_memory_equal(got, data, SIZE);
	assert_int_equal(counts_stat(f->slirp, -1, "reassembled"), 1);
}

/* UDP's part of a datagram from the guest to the gateway by IPv6. Return: its
 * size */
static size_t make_datagram6(const struct slirp_config *config, uint8_t *packet,
			     uint16_t from_port, uint16_t port, size_t size)
{
	struct {
		struct in6_addr source, destination;
		uint32_t length, next;
	} pseudo = { .source = config->guest6,
		     .destination = config->gateway6,
		     .length = htonl((uint32_t)(8 + size)),
		     .next = htonl(IPPROTO_UDP) };
	struct udphdr udp = { .uh_sport = htons(from_port),
			      .uh_dport = htons(port),
			      .uh_ulen = htons((uint16_t)(8 + size)) };

	memset(packet + 8, 'x', size);
	memcpy(packet, &udp, 8);
	udp.uh_sum = checksum_fold(checksum_add(
		packet, 8 + size, checksum_add(&pseudo, sizeof(pseudo), 0)));
	memcpy(packet, &udp, 8);
	return 8 + size;
}

static void transmit6(struct fixture *f, unsigned int queue, uint8_t next,
		      const struct ip6_frag *fragment, const uint8_t *data,
		      size_t size)
{
	size_t extra = fragment ? sizeof(*fragment) : 0;
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IPV6) };
	struct ip6_hdr ip = { .ip6_src = f->config.guest6,
			      .ip6_dst = f->config.gateway6 };
	uint8_t frame[2048];

	ip.ip6_vfc = 6 << 4;
	ip.ip6_nxt = next;
	ip.ip6_hlim = 64;
	ip.ip6_plen = htons((uint16_t)(extra + size));
	memcpy(frame, &ether, 14);
	memcpy(frame + 14, &ip, 40);
	if (fragment)
		memcpy(frame + 54, fragment, sizeof(*fragment));
	memcpy(frame + 54 + extra, data, size);
	fake_port_transmit(f->fake[queue], frame, 54 + extra + size);
}

static void transmit6_in_fragments(struct fixture *f, const uint8_t *datagram,
				   size_t size, uint32_t id)
{
	enum { PART = 1448 };

	for (size_t at = 0; at < size; at += PART) {
		bool more = at + PART < size;
		struct ip6_frag fragment = {
			.ip6f_nxt = IPPROTO_UDP,
			.ip6f_offlg = htons((uint16_t)(at | more)),
			.ip6f_ident = htonl(id),
		};

		transmit6(f, 0, IPPROTO_FRAGMENT, &fragment, datagram + at,
			  more ? PART : size - at);
	}
}

/* Whichever shard puts them together, one of the two mappings is the other's.
 */
static void what_came_in_fragments_may_go_on_so(void **state)
{
	enum { SIZE = 65507 }; /* with headers, more than loopback's MTU */
	static uint8_t datagram[SIZE + 8], got[SIZE + 1];
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
				   .sin6_addr = in6addr_loopback };
	struct timeval timeout = { .tv_sec = WAIT_MS / 1000 };
	socklen_t length = sizeof(at);
	struct fixture *f = *state;
	int host = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t size;

	if (host < 0 || bind(host, (struct sockaddr *)&at, length))
		skip();
	setsockopt(host, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_return_code(getsockname(host, (struct sockaddr *)&at, &length),
			   errno);
	for (unsigned int i = 0; i < SHARDS; i++) {
		size = make_datagram6(&f->config, datagram,
				      (uint16_t)(GUEST_PORT + i),
				      ntohs(at.sin6_port), 4);
		transmit6(f, i, IPPROTO_UDP, NULL, datagram, size);
		assert_int_equal(recv(host, got, sizeof(got), 0), 4);
		size = make_datagram6(&f->config, datagram,
				      (uint16_t)(GUEST_PORT + i),
				      ntohs(at.sin6_port), SIZE);
		transmit6_in_fragments(f, datagram, size, i);
		assert_int_equal(recv(host, got, sizeof(got), 0), SIZE);
	}
	close(host);
}

static void answers_wait_for_receive_space(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;

	transmit(f, 0, 1);
	assert_int_equal(host_take(f, &from), 1);
	fake_port_set_space(f->fake[0], 0);
	host_answer(f, &from, 2);
	while (counts_stat(f->slirp, -1, "rx_stalls") == 0)
		usleep(100);
	fake_port_set_space(f->fake[0], 10);
	assert_int_equal(guest_take(f, 0), 2);
}

static void handed_over_answers_wait_for_receive_space(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;

	transmit(f, 0, 1);
	assert_int_equal(host_take(f, &from), 1);
	transmit(f, 1, 2);
	assert_int_equal(host_take(f, &from), 2);
	fake_port_set_space(f->fake[1], 0);
	host_answer(f, &from, 3);
	while (counts_stat(f->slirp, -1, "rx_stalls") == 0)
		usleep(100);
	fake_port_set_space(f->fake[1], 10);
	assert_int_equal(guest_take(f, 1), 3);
}

struct call {
	pthread_t thread;
	unsigned int outstanding;
	struct fake_port *fake;
};

static void note_call(void *context)
{
	struct call *call = context;

	call->thread = pthread_self();
	call->outstanding = fake_port_outstanding(call->fake);
}

static void calls_run_on_the_shards_own_thread(void **state)
{
	struct fixture *f = *state;
	struct call first = { .fake = f->fake[0] };
	struct call second = { .fake = f->fake[1] };

	slirp_call_shard(f->slirp, 0, note_call, &first);
	slirp_call_shard(f->slirp, 1, note_call, &second);
	assert_false(pthread_equal(first.thread, pthread_self()));
	assert_false(pthread_equal(first.thread, second.thread));
	assert_int_equal(first.outstanding, 0);
}

static int set_up_batch(void **state)
{
	return set_up_with(state, (struct wish) { .batch = true });
}

static void note_policy(void *context)
{
	*(int *)context = sched_getscheduler(0);
}

static void shards_are_scheduled_as_asked(void **state)
{
	struct fixture *f = *state;
	int policy = -1;

	slirp_call_shard(f->slirp, 1, note_policy, &policy);
	assert_int_equal(policy, f->config.batch ? SCHED_BATCH : SCHED_OTHER);
}

static void arp_for_the_gateway_is_answered(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[PORT_FRAME_MAX] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34,
		0x56, 0x08, 0x06, 0,    1,    8,    0,    6,    4, 0,    1,
		0x52, 0x54, 0,    0x12, 0x34, 0x56, 10,   0,    2, 15,   0,
		0,    0,    0,    0,    0,    10,   0,    2,    2,
	};

	fake_port_transmit(f->fake[1], frame, 42);
	assert_true(fake_port_receive(f->fake[1], frame, WAIT_MS) >= 42);
	assert_int_equal(frame[21], 2);
	assert_memory_equal(frame + 22, f->config.gateway_mac, 6);
}

static void garbage_is_counted_and_survived(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in from;
	uint8_t frame[300];

	srandom(1);
	for (int i = 0; i < 2000; i++) {
		size_t size = (size_t)random() % sizeof(frame) + 1;

		for (size_t b = 0; b < size; b++)
			frame[b] = (uint8_t)random();
		if (size > 14 && i % 2) {
			frame[12] = 8;
			frame[13] = 0;
		}
		fake_port_transmit(f->fake[i % SHARDS], frame, size);
	}
	transmit(f, 0, 1);
	transmit(f, 1, 1);
	assert_int_equal(host_take(f, &from), 1);
	assert_int_equal(host_take(f, &from), 1);
	assert_true(counts_stat(f->slirp, -1, "tx_malformed") > 0);
	assert_true(counts_stat(f->slirp, -1, "tx_unsupported") > 0);
}

static void new_policy_holds_from_the_next_datagram_on(void **state)
{
	struct fixture *f = *state;
	struct slirp_policy policy = { .deny_rest = true }, got;
	uint8_t frame[PORT_FRAME_MAX];
	struct sockaddr_in from;

	transmit(f, 0, 1);
	assert_int_equal(host_take(f, &from), 1);
	assert_int_equal(slirp_set_policy(f->slirp, &policy), 0);
	slirp_get_policy(f->slirp, &got);
	assert_true(got.deny_rest);
	transmit(f, 0, 2);
	assert_true(fake_port_receive(f->fake[0], frame, WAIT_MS) > 34);
	assert_int_equal(frame[23], IPPROTO_ICMP);
	assert_int_equal(counts_stat(f->slirp, -1, "policy_denied"), 1);
	policy.deny_rest = false;
	assert_int_equal(slirp_set_policy(f->slirp, &policy), 0);
	transmit(f, 0, 3);
	assert_int_equal(host_take(f, &from), 3);
}

static void policies_change_under_traffic(void **state)
{
	enum { ROUNDS = 100 };
	struct fixture *f = *state;
	struct slirp_policy policy = { 0 };
	struct sockaddr_in from;

	assert_int_equal(policy_add(&policy, true, "10.0.2.2"), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		transmit(f, i % SHARDS, i);
		policy.deny_rest = i % 2;
		assert_int_equal(slirp_set_policy(f->slirp, &policy), 0);
		assert_int_equal(host_take(f, &from), i);
	}
}

static void nothing_stays_open_after_the_end(void **state)
{
	unsigned int before = counts_descriptors();
	void *inner = NULL;
	struct sockaddr_in from;

	(void)state;
	assert_int_equal(set_up(&inner), 0);
	transmit(inner, 0, 1);
	host_take(inner, &from);
	tear_down(&inner);
	assert_int_equal(counts_descriptors(), before);
}

static void forward_to_a_port_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	struct slirp_config config = f->config;
	struct port *port[SHARDS] = { fake_port_port(f->fake[0]),
				      fake_port_port(f->fake[1]) };
	struct slirp *other = NULL;
	struct fail fail = { 0 };
	struct sockaddr_in taken = { .sin_family = AF_INET };
	socklen_t size = sizeof(taken);
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	taken.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(sock, (struct sockaddr *)&taken, size), errno);
	assert_return_code(listen(sock, 1), errno);
	getsockname(sock, (struct sockaddr *)&taken, &size);
	config.forward_count = 1;
	config.forward[0].protocol = IPPROTO_TCP;
	config.forward[0].host = endpoint_from_sockaddr(&taken);
	config.forward[0].guest.port = 22;
	assert_int_equal(slirp_create(&config, port, &other, &fail),
			 -EADDRINUSE);
	assert_non_null(strstr(fail.text, "hostfwd"));
	close(sock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void each_shard_is_made_near_its_cpu(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->near_calls, SHARDS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_shard_is_made_near_its_cpu),
		TEST(answers_come_on_the_queue_of_the_flow),
		TEST(receive_queue_follows_the_last_transmit_queue),
		cmocka_unit_test_setup_teardown(
			receive_queue_is_the_owners_where_it_steers,
			set_up_rx_steers_tx, tear_down),
		TEST(no_queue_above_the_set_count_is_used),
		TEST(handed_over_frames_stay_in_order),
		TEST(fragments_from_several_queues_make_one_datagram),
		TEST(what_came_in_fragments_may_go_on_so),
		TEST(answers_wait_for_receive_space),
		TEST(handed_over_answers_wait_for_receive_space),
		TEST(calls_run_on_the_shards_own_thread),
		TEST(shards_are_scheduled_as_asked),
		cmocka_unit_test_setup_teardown(shards_are_scheduled_as_asked,
						set_up_batch, tear_down),
		TEST(arp_for_the_gateway_is_answered),
		TEST(garbage_is_counted_and_survived),
		TEST(new_policy_holds_from_the_next_datagram_on),
		TEST(policies_change_under_traffic),
		TEST(forward_to_a_port_in_use_is_refused),
		cmocka_unit_test(nothing_stays_open_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
