/* SPDX-License-Identifier: BSD-3-Clause */
/* Where forwards lead, seen from the host's sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/forward_rig.h"

/* The next SYN of a queue; its destination port and its sender's. */
static void take_syn(struct forward_rig *f, unsigned int queue, uint16_t *port)
{
	uint8_t frame[PORT_FRAME_MAX];
	struct tcphdr tcp;
	size_t size;

	do
		size = fake_port_receive(f->fake[queue], frame, WAIT_MS);
	while (size && frame[12] == 0x86); /* the router's advertisements */
	assert_true(size >= 54);
	memcpy(&tcp, frame + 34, sizeof(tcp));
	assert_int_equal(tcp.th_flags, TH_SYN);
	*port = ntohs(tcp.th_dport);
}

static void connections_are_spread_over_the_queues(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t port = rig_add(f, &forward, &id);

	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(rig_try_connect(f, "127.0.0.1", port), 0);
	rig_wait_for_flows(f, CONNECTIONS);
	for (int i = 0; i < SHARDS; i++)
		assert_in_range(counts_stat(f->slirp, i, "tcp_flows"),
				CONNECTIONS / SHARDS / 3, CONNECTIONS / 2);
}

static void queues_out_of_use_get_no_connections(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "::", 0);
	unsigned int id;
	uint16_t port = rig_add(f, &forward, &id);

	slirp_set_queues(f->slirp, 2);
	rig_pass_turn(f);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(
			rig_try_connect(f, i % 2 ? "::1" : "127.0.0.1", port),
			0);
	rig_wait_for_flows(f, CONNECTIONS);
	assert_in_range(counts_stat(f->slirp, 0, "tcp_flows"), CONNECTIONS / 5,
			CONNECTIONS);
	assert_in_range(counts_stat(f->slirp, 1, "tcp_flows"), CONNECTIONS / 5,
			CONNECTIONS);
	assert_int_equal(counts_stat(f->slirp, 2, "tcp_flows"), 0);
	assert_int_equal(counts_stat(f->slirp, 3, "tcp_flows"), 0);
}

/* One client, from one port, to two forwards; of two shards, mostly. */
static void one_client_port_of_two_forwards_makes_two_flows(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t first = rig_add(f, &forward, &id),
		 second = rig_add(f, &forward, &id);
	uint16_t from;

	for (unsigned int i = 0; i < 20; i++) {
		slirp_set_queues(f->slirp, SHARDS);
		rig_pass_turn(f);
		from = rig_connect_from(f, 0, first);
		rig_wait_for_flows(f, 2 * i + 1);
		slirp_set_queues(f->slirp, 1 + i % 3);
		rig_pass_turn(f);
		rig_connect_from(f, from, second);
		rig_wait_for_flows(f, 2 * i + 2);
	}
}

static void no_host_address_is_all_of_both_families(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "::", 0);
	unsigned int id;
	uint16_t port = rig_add(f, &forward, &id);

	assert_int_equal(rig_try_connect(f, "127.0.0.1", port), 0);
	assert_int_equal(rig_try_connect(f, "127.9.9.9", port), 0);
	assert_int_equal(rig_try_connect(f, "::1", port), 0);
	rig_wait_for_flows(f, 3);
}

static void host_address_is_the_only_one(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.2", 0);
	unsigned int id;
	uint16_t port = rig_add(f, &forward, &id);

	assert_int_equal(rig_try_connect(f, "127.0.0.2", port), 0);
	assert_int_equal(rig_try_connect(f, "127.0.0.1", port), -ECONNREFUSED);
	assert_int_equal(rig_try_connect(f, "::1", port), -ECONNREFUSED);
}

static void range_leads_to_the_guests_ports_in_order(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward =
		rig_rule(IPPROTO_TCP, "127.0.0.1", rig_free_ports(10));
	uint16_t port;
	unsigned int id;

	slirp_set_queues(f->slirp, 1);
	forward.count = 10;
	rig_add(f, &forward, &id);
	for (unsigned int i = 0; i < 10; i++) {
		port = (uint16_t)(forward.host.port + i);
		assert_int_equal(rig_try_connect(f, "127.0.0.1", port), 0);
		take_syn(f, 0, &port);
		assert_int_equal(port, GUEST_PORT + i);
	}
	assert_int_equal(
		slirp_forward_list(f->slirp,
				   (struct slirp_forward_entry[64]) { 0 }),
		1);
}

static void wanted_ports_come_before_chosen_ones(void **state)
{
	struct forward_rig *f = rig_make(SLIRP_ENGINE_AUTO);
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];

	*state = f;
	f->config.forward[0] = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	f->config.forward[1] =
		rig_rule(IPPROTO_TCP, "127.0.0.1", rig_free_ports(1));
	f->config.forward_count = 2;
	rig_start(f);
	assert_int_equal(slirp_forward_list(f->slirp, entry), 2);
	assert_int_equal(entry[0].id, 1);
	assert_int_not_equal(entry[0].forward.host.port, 0);
	assert_int_equal(entry[1].forward.host.port,
			 f->config.forward[1].host.port);
	assert_int_equal(
		rig_try_connect(f, "127.0.0.1", entry[0].forward.host.port), 0);
	assert_int_equal(
		rig_try_connect(f, "127.0.0.1", entry[1].forward.host.port), 0);
	rig_wait_for_flows(f, 2);
	rig_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(connections_are_spread_over_the_queues),
		BOTH(queues_out_of_use_get_no_connections),
		BOTH(one_client_port_of_two_forwards_makes_two_flows),
		BOTH(no_host_address_is_all_of_both_families),
		BOTH(host_address_is_the_only_one),
		BOTH(range_leads_to_the_guests_ports_in_order),
		cmocka_unit_test(wanted_ports_come_before_chosen_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
