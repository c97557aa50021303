/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/dns_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/datagram_guest.h"
#include "unit/dns_make.h"

size_t rig_make_query(uint8_t *query, uint16_t id)
{
	static const uint8_t rest[] = { 1, 0, 0,   1,   0, 0, 0, 0, 0,
					0, 2, 'a', 'b', 0, 0, 1, 0, 1 };

	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
	memcpy(query + 2, rest, sizeof(rest));
	return 2 + sizeof(rest);
}

int rig_set_up(void **state)
{
	struct dns_rig *test = calloc(1, sizeof(*test));
	uint16_t port;

	test->shard = fake_shard_create();
	for (int i = 0; i < 2; i++) {
		test->resolver[i] = host_bind(&port);
		test->shard->config.resolver[i] = (struct slirp_endpoint) {
			.address = guest_address(INADDR_LOOPBACK),
			.port = port,
		};
	}
	test->shard->config.resolver_count = 2;
	*state = test;
	return 0;
}

int rig_tear_down(void **state)
{
	struct dns_rig *test = *state;

	fake_shard_destroy(test->shard);
	for (int i = 0; i < 2; i++)
		if (test->resolver[i] >= 0)
			close(test->resolver[i]);
	free(test);
	return 0;
}

void rig_ask(struct dns_rig *test, uint16_t id)
{
	uint8_t query[QUERY_MAX];
	size_t size = rig_make_query(query, id);

	guest_send_udp(test->shard, PORT, DNS, 53, query, size);
	fake_turn(test->shard);
}

struct sockaddr_in rig_expect_query(struct dns_rig *test, int resolver,
				    uint16_t id)
{
	uint8_t query[QUERY_MAX], got[QUERY_MAX];
	size_t size = rig_make_query(query, id);
	struct sockaddr_in from;

	assert_int_equal(
		host_take(test->resolver[resolver], got, sizeof(got), &from),
		size);
	assert_memory_equal(got, query, size);
	return from;
}

void rig_expect_no_query(struct dns_rig *test, int resolver)
{
	uint8_t got[QUERY_MAX];

	assert_true(recv(test->resolver[resolver], got, sizeof(got),
			 MSG_DONTWAIT) < 0);
}

void rig_answer(struct dns_rig *test, int resolver,
		const struct sockaddr_in *to, uint16_t id, uint8_t rcode,
		size_t extra)
{
	uint8_t response[8192] = { 0 };
	size_t size = rig_make_query(response, id);

	response[2] |= 0x80;
	response[3] = 0x80 | rcode;
	host_send(test->resolver[resolver], to, response, size + extra);
	assert_true(fake_wait(test->shard));
}

void rig_expect_answer(struct dns_rig *test, uint16_t id, uint8_t rcode)
{
	struct dns_header header;
	uint16_t from_port, to_port;
	uint32_t from;
	size_t size;
	const uint8_t *payload =
		guest_take_udp(test->shard, &from, &from_port, &to_port, &size);

	assert_int_equal(from, DNS);
	assert_int_equal(from_port, 53);
	assert_int_equal(to_port, PORT);
	assert_true(dns_header_parse(payload, size, &header));
	assert_true(header.response);
	assert_int_equal(header.id, id);
	assert_int_equal(header.rcode, rcode);
	assert_int_equal(header.questions, 1);
}

void rig_answer_address(struct dns_rig *test, const struct sockaddr_in *to,
			uint16_t id, uint32_t ttl)
{
	struct dns_made query = dns_make_query(id, "ab", TYPE_A);
	struct dns_made made = dns_make_answer(&query, DNS_NOERROR);

	dns_make_record(&made, DNS_ANSWER, TYPE_A, ttl, "\xc0\0\2\7", 4);
	host_send(test->resolver[0], to, made.data, made.size);
	assert_true(fake_wait(test->shard));
	rig_expect_answer(test, id, DNS_NOERROR);
}
