/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows that do not move (docs/moving-flows.md), used on another queue than
 * their shard's for as long as others would need to move. */
#include <arpa/inet.h>
#include <errno.h>
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

#define SHARDS      2
#define WAIT_MS     5000 /* longest wait for anything that must come */
#define GUEST_PORT  4000
#define SERVER_PORT 5000 /* the guest's, that the forward leads to */
#define ROUNDS      100
#define BURST       8 /* under way at a time */

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	int host; /* the resolver; a forward's client */
};

static void configure(struct slirp_config *config)
{
	slirp_config_init(config);
	config->shard_count = SHARDS;
	config->ipv6 = false; /* no router advertisements between frames */
	config->dns_cache = false;
	config->resolver_count = 1;
	config->forward_count = 1;
	config->forward[0] = (struct slirp_forward) {
		.protocol = IPPROTO_UDP,
		.host.address = address_from4(
			(struct in_addr) { htonl(INADDR_LOOPBACK) }),
		.guest = { .address = address_from4(config->guest),
			   .port = SERVER_PORT },
		.count = 1,
	};
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	configure(&f->config);
	f->host = host_open(SOCK_DGRAM, WAIT_MS, &f->config.resolver[0].port);
	f->config.resolver[0].address =
		address_from4((struct in_addr) { htonl(INADDR_LOOPBACK) });
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	if (slirp_create(&f->config, port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail)) {
		fprintf(stderr, "%s\n", fail.text);
		return -1;
	}
	slirp_set_queues(f->slirp, SHARDS);
	*state = f;
	return 0;
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

static struct slirp_flow only_flow(struct fixture *f)
{
	struct slirp_flow_cursor at = { 0 };
	struct slirp_flow flow, none;

	assert_int_equal(slirp_list_flows(f->slirp, &at, &flow, 1), 1);
	assert_int_equal(slirp_list_flows(f->slirp, &at, &none, 1), 0);
	return flow;
}

static void it_has_stayed(struct fixture *f, unsigned int shard)
{
	assert_int_equal(only_flow(f).shard, shard);
	assert_int_equal(counts_stat(f->slirp, -1, "flows_moved_out"), 0);
	assert_int_equal(counts_stat(f->slirp, -1, "tx_dropped"), 0);
	assert_true(counts_stat(f->slirp, 1 - (int)shard, "handoffs_out") >=
		    (uint64_t)ROUNDS * BURST);
}

/* DNS */

#define QUERY_SIZE 19 /* "a", A, IN */

static void query(struct fixture *f, unsigned int queue, uint16_t id)
{
	uint8_t frame[128], message[QUERY_SIZE] = {
		(uint8_t)(id >> 8),
		(uint8_t)id,
		1,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		1,
		'a',
		0,
		0,
		1,
		0,
		1,
	};
	struct slirp_config to = f->config;

	to.gateway = f->config.dns;
	fake_port_transmit(f->fake[queue], frame,
			   datagram_make(&to, frame, GUEST_PORT, 53, message,
					 sizeof(message)));
}

static void resolve(struct fixture *f, uint16_t id)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint8_t message[512];

	assert_int_equal(recvfrom(f->host, message, sizeof(message), 0,
				  (struct sockaddr *)&from, &size),
			 QUERY_SIZE);
	assert_int_equal(message[0] << 8 | message[1], id);
	message[2] |= 0x80; /* QR, RFC 1035, 4.1.1 */
	assert_int_equal(sendto(f->host, message, QUERY_SIZE, 0,
				(struct sockaddr *)&from, size),
			 QUERY_SIZE);
}

static void take_answer(struct fixture *f, unsigned int queue, uint16_t id)
{
	uint8_t frame[PORT_FRAME_MAX];

	assert_int_equal(fake_port_receive(f->fake[queue], frame, WAIT_MS),
			 DATAGRAM_HEADERS + QUERY_SIZE);
	assert_int_equal(
		frame[DATAGRAM_HEADERS] << 8 | frame[DATAGRAM_HEADERS + 1], id);
}

static void queries_of_a_port_are_answered_on_the_queue_they_come_on(
	void **state)
{
	struct fixture *f = *state;
	uint16_t id = 0;

	query(f, 0, id);
	resolve(f, id);
	take_answer(f, 0, id++);
	for (int i = 0; i < ROUNDS; i++, id = (uint16_t)(id + BURST)) {
		for (uint16_t n = 0; n < BURST; n++)
			query(f, 1, (uint16_t)(id + n));
		for (uint16_t n = 0; n < BURST; n++)
			resolve(f, (uint16_t)(id + n));
		for (uint16_t n = 0; n < BURST; n++)
			take_answer(f, 1, (uint16_t)(id + n));
	}
	it_has_stayed(f, 0);
}

/* Clients of UDP forwards */

static void what_the_guest_tells_a_client_goes_out_from_any_queue(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(host_forwarded_port(f->slirp)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint32_t number = 0, got;
	struct slirp_flow flow;
	uint8_t frame[128];

	assert_return_code(connect(f->host, (struct sockaddr *)&to, sizeof(to)),
			   errno);
	assert_int_equal(send(f->host, "x", 1, 0), 1);
	for (unsigned int i = 0;
	     !fake_port_receive(f->fake[i % SHARDS], frame, 1); i++)
		assert_true(i < WAIT_MS);
	flow = only_flow(f);
	for (int i = 0; i < ROUNDS; i++) {
		for (uint32_t n = 0; n < BURST; n++, number++)
			fake_port_transmit(
				f->fake[1 - flow.shard], frame,
				datagram_make(&f->config, frame, SERVER_PORT,
					      flow.peer.port, &number,
					      sizeof(number)));
		for (uint32_t n = 0; n < BURST; n++) {
			assert_int_equal(recv(f->host, &got, sizeof(got), 0),
					 sizeof(got));
			assert_int_equal(got, number - BURST + n);
		}
	}
	it_has_stayed(f, flow.shard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queries_of_a_port_are_answered_on_the_queue_they_come_on),
		TEST(what_the_guest_tells_a_client_goes_out_from_any_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
