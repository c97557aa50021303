/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of UDP forwards. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/datagram.h"
#include "unit/forward_rig.h"

/* The guest answers, from GUEST_PORT to a port of the gateway's. */
static void guest_answer(struct forward_rig *f, unsigned int queue,
			 uint16_t port, uint32_t number)
{
	uint8_t frame[DATAGRAM_HEADERS + sizeof(number)];
	size_t size = datagram_make(&f->config, frame, GUEST_PORT, port,
				    &number, sizeof(number));

	fake_port_transmit(f->fake[queue], frame, size);
}

/* A datagram on any of the queues. Return: the number in it */
static uint32_t guest_take(struct forward_rig *f, unsigned int *queue,
			   uint16_t *port)
{
	uint8_t frame[PORT_FRAME_MAX];
	uint32_t number = UINT32_MAX;
	struct udphdr udp;

	for (int tries = 0; tries < WAIT_MS; tries++) {
		*queue = (unsigned int)tries % SHARDS;
		if (fake_port_receive(f->fake[*queue], frame, 1) !=
		    DATAGRAM_HEADERS + sizeof(number))
			continue;
		memcpy(&udp, frame + 34, sizeof(udp));
		*port = ntohs(udp.uh_sport);
		memcpy(&number, frame + DATAGRAM_HEADERS, sizeof(number));
		break;
	}
	return number;
}

static int udp_client(const char *to, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock = rig_make_socket(to, port, SOCK_DGRAM, &name, &size);

	assert_return_code(connect(sock, (struct sockaddr *)&name, size),
			   errno);
	return sock;
}

static void ask(struct forward_rig *f, int sock, uint32_t number,
		unsigned int *queue, uint16_t *port)
{
	assert_int_equal(send(sock, &number, sizeof(number), 0),
			 sizeof(number));
	assert_int_equal(guest_take(f, queue, port), number);
}

static void hear(int sock, uint32_t number)
{
	uint32_t got = UINT32_MAX;

	assert_int_equal(recv(sock, &got, sizeof(got), 0), sizeof(got));
	assert_int_equal(got, number);
}

static void udp_answers_find_their_client_from_any_queue(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_UDP, "::", 0);
	unsigned int id, queue;
	uint16_t port = rig_add(f, &forward, &id), seen;
	uint32_t used = 0;

	for (uint32_t i = 0; i < 40; i++) {
		int sock = udp_client(i % 2 ? "::1" : "127.0.0.1", port);

		ask(f, sock, i, &queue, &seen);
		used |= 1U << queue;
		guest_answer(f, (queue + i) % SHARDS, seen, i + 1000);
		hear(sock, i + 1000);
		close(sock);
	}
	assert_int_equal(used, (1U << SHARDS) - 1);
}

/* A connected client takes answers from the address alone that it wrote to. */
static void udp_answers_come_from_the_address_that_was_written_to(void **state)
{
	static const char *const listen[] = { "::", "0.0.0.0" };
	static const char *const to[] = { "127.9.9.9", "127.0.0.1" };
	struct forward_rig *f = *state;
	unsigned int id, queue;
	uint16_t seen;

	for (uint32_t i = 0; i < 8; i++) {
		struct slirp_forward forward =
			rig_rule(IPPROTO_UDP, listen[i / 4], 0);
		uint16_t port = rig_add(f, &forward, &id);
		int sock = udp_client(to[i % 2], port);

		ask(f, sock, i, &queue, &seen);
		guest_answer(f, queue, seen, i + 1000);
		hear(sock, i + 1000);
		close(sock);
	}
}

static void udp_clients_stay_who_they_are_when_queues_change(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_UDP, "127.0.0.1", 0);
	unsigned int id, queue;
	uint16_t port = rig_add(f, &forward, &id), before, after;

	for (uint32_t i = 0; i < 16; i++) {
		int sock = udp_client("127.0.0.1", port);

		slirp_set_queues(f->slirp, SHARDS);
		rig_pass_turn(f);
		ask(f, sock, 1, &queue, &before);
		slirp_set_queues(f->slirp, 1 + i % 3);
		rig_pass_turn(f);
		ask(f, sock, 2, &queue, &after);
		assert_int_equal(before, after);
		guest_answer(f, 0, after, 3);
		hear(sock, 3);
		close(sock);
	}
}

static void one_client_of_two_udp_forwards_gets_both_answers(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_UDP, "127.0.0.1", 0);
	unsigned int id, queue;
	uint16_t port[2], seen[2];
	struct sockaddr_storage name;
	socklen_t size;
	int sock = rig_make_socket("127.0.0.1", 0, SOCK_DGRAM, &name, &size);
	uint32_t number;

	for (int i = 0; i < 2; i++) {
		struct slirp_endpoint at = { .address =
						     rig_address("127.0.0.1") };

		at.port = port[i] = rig_add(f, &forward, &id);
		size = endpoint_to_sockaddr(&at, AF_UNSPEC, &name);
		number = (uint32_t)i;
		sendto(sock, &number, sizeof(number), 0,
		       (struct sockaddr *)&name, size);
		assert_int_equal(guest_take(f, &queue, &seen[i]), i);
	}
	assert_int_not_equal(seen[0], seen[1]);
	for (int i = 1; i >= 0; i--) {
		guest_answer(f, 0, seen[i], 7);
		assert_int_equal(recvfrom(sock, &number, sizeof(number), 0,
					  (struct sockaddr *)&name, &size),
				 sizeof(number));
		assert_int_equal(endpoint_from_sockaddr(&name).port, port[i]);
	}
	close(sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(udp_answers_find_their_client_from_any_queue),
		BOTH(udp_answers_come_from_the_address_that_was_written_to),
		BOTH(udp_clients_stay_who_they_are_when_queues_change),
		BOTH(one_client_of_two_udp_forwards_gets_both_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
