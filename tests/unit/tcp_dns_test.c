/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections to the DNS address: which resolver they lead to. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

/* The guest's connections go to port 53 of the DNS address. The first resolver
 * refuses, since nobody listens on its port; the second is the listener. */
struct dns_guest {
	struct guest *guest;
	int closed;
};

static struct slirp_endpoint endpoint_of(int sock)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(sock, (struct sockaddr *)&address, &size),
			 0);
	return endpoint_from_sockaddr(&address);
}

static int setup(void **state)
{
	struct dns_guest *test = calloc(1, sizeof(*test));
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct slirp_config *config;
	void *guest;

	guest_set_up(&guest);
	test->guest = guest;
	test->closed = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
		bind(test->closed, (struct sockaddr *)&any, sizeof(any)), 0);
	config = &test->guest->shard->config;
	config->dns = config->gateway;
	config->resolver[0] = endpoint_of(test->closed);
	config->resolver[1] = endpoint_of(test->guest->listener);
	config->resolver_count = 2;
	test->guest->peer_port = 53;
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct dns_guest *test = *state;
	void *guest = test->guest;

	guest_tear_down(&guest);
	close(test->closed);
	free(test);
	return 0;
}

static void expect_connected(struct guest *guest)
{
	struct heard heard;

	if (guest->shard->sent_read == guest->shard->sent_count)
		guest_wait(guest);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	guest_expect_silence(guest);
}

/* The guest's SYN, and the first connect() for it */
static void begin(struct guest *guest)
{
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
}

static void refusing_resolver_is_left_for_the_next(void **state)
{
	struct dns_guest *test = *state;

	begin(test->guest);
	expect_connected(test->guest);
}

static void resolver_that_refused_is_not_tried_first_again(void **state)
{
	struct dns_guest *test = *state;
	struct shard *shard = test->guest->shard;
	unsigned int connects;

	begin(test->guest);
	expect_connected(test->guest);
	connects = shard->op_count[ENGINE_CONNECT];
	test->guest->port++;
	begin(test->guest);
	expect_connected(test->guest);
	assert_int_equal(shard->op_count[ENGINE_CONNECT], connects + 2);
}

static void resolver_that_refused_is_tried_again_after_a_while(void **state)
{
	struct dns_guest *test = *state;
	struct shard *shard = test->guest->shard;

	begin(test->guest);
	expect_connected(test->guest);
	shard->now_us += 30000000;
	fake_turn(shard);
	fake_drop_frames(shard);
	assert_int_equal(listen(test->closed, 1), 0);
	close(test->guest->listener); /* only the first can be reached now */
	test->guest->listener = -1;
	test->guest->port++;
	begin(test->guest);
	expect_connected(test->guest);
}

static bool ignore_connects(struct shard *shard, struct shard_op *op)
{
	const struct slirp_endpoint *silent = shard->hook_context;
	struct slirp_endpoint to;

	if (op->op.kind != ENGINE_CONNECT)
		return false;
	to = endpoint_from_sockaddr(&op->op.address);
	op->op.result = -EALREADY;
	return endpoint_equal(&to, silent);
}

static void silent_resolver_is_left_after_two_seconds(void **state)
{
	struct dns_guest *test = *state;
	struct shard *shard = test->guest->shard;

	shard->hook = ignore_connects;
	shard->hook_context = &shard->config.resolver[0];
	begin(test->guest);
	fake_advance(shard, 1999);
	guest_expect_silence(test->guest);
	fake_advance(shard, 1);
	expect_connected(test->guest);
}

static void refusal_of_all_is_told(void **state)
{
	struct dns_guest *test = *state;
	struct heard heard;

	close(test->guest->listener);
	test->guest->listener = -1;
	begin(test->guest);
	guest_wait(test->guest);
	guest_expect(test->guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(test->guest->shard), 0);
}

static void without_a_resolver_it_is_unreachable(void **state)
{
	struct dns_guest *test = *state;
	const struct fake_frame *frame;

	test->guest->shard->config.resolver_count = 0;
	guest_send(test->guest, TH_SYN, NULL, 0);
	frame = fake_next(test->guest->shard);
	assert_non_null(frame);
	assert_int_equal(frame->data[14 + offsetof(struct iphdr, protocol)],
			 IPPROTO_ICMP);
	assert_int_equal(fake_flows_live(test->guest->shard), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refusing_resolver_is_left_for_the_next),
		TEST(resolver_that_refused_is_not_tried_first_again),
		TEST(resolver_that_refused_is_tried_again_after_a_while),
		TEST(silent_resolver_is_left_after_two_seconds),
		TEST(refusal_of_all_is_told),
		TEST(without_a_resolver_it_is_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
