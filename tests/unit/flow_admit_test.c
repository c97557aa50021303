/* SPDX-License-Identifier: BSD-3-Clause */
/* Who gets a flow and who gives way, on a shard whose clock the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "slirp/shard_internal.h"
#include "support/fake_port.h"

#define SLOTS      256
#define SHARDS_MAX 2
#define START_US   1000000000ULL

struct fixture {
	struct slirp *slirp;
	struct shard *shard;
	struct fake_port *port;
};

static void end_flow(struct shard *shard, struct flow *flow)
{
	flow_free(shard, flow);
}

static const struct flow_ops ops = { .abort = end_flow };

static struct fixture *start_shards(struct slirp_limits limits,
				    unsigned int slots, unsigned int shards)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct slirp_config config;
	struct fail fail = { 0 };
	struct port *port[SHARDS_MAX];

	f->port = fake_port_create();
	for (unsigned int i = 0; i < SHARDS_MAX; i++)
		port[i] = fake_port_port(f->port);
	slirp_config_init(&config);
	config.shard_count = shards;
	config.flows_max = slots;
	config.limits = limits;
	if (slirp_create(&config, port, &f->slirp, &fail))
		fail_msg("%s", fail.text);
	f->shard = f->slirp->shard[0];
	for (unsigned int i = 0; i < shards; i++)
		f->slirp->shard[i]->now_us = START_US;
	return f;
}

static struct fixture *start(struct slirp_limits limits, unsigned int slots)
{
	return start_shards(limits, slots, 1);
}

static void finish_shard(struct shard *shard)
{
	flow_abort_all(shard);
	assert_int_equal(shard->live, 0);
	for (unsigned int class = 0; class < FLOW_CLASSES; class ++)
		assert_int_equal(shard->idle[class].count, 0);
	limits_settle(&shard->slirp->limits, &shard->share);
}

static void finish(struct fixture *f)
{
	for (unsigned int i = 0; i < f->slirp->config.shard_count; i++)
		finish_shard(f->slirp->shard[i]);
	/* Every place was given back. */
	for (unsigned int kind = 0; kind < LIMITS_KINDS; kind++)
		assert_int_equal(f->slirp->limits.pool[kind].left,
				 f->slirp->limits.pool[kind].most);
	slirp_destroy(f->slirp);
	fake_port_destroy(f->port);
	free(f);
}

static void pass_ms(struct fixture *f, uint64_t ms)
{
	f->shard->now_us += ms * 1000;
}

static struct flow *create(struct fixture *f, uint8_t protocol)
{
	struct flow_key key = { .protocol = protocol };
	unsigned int owner;
	struct flow *flow;

	key.guest.s6_addr32[0] = f->shard->counters.flows_made;
	key.guest.s6_addr32[1] = f->shard->index;
	flow = flow_create(f->shard, &key, &ops, &owner);
	assert_int_equal(owner, f->shard->index);
	return flow;
}

/* A datagram flow that somebody has answered. */
static struct flow *answer(struct fixture *f, uint8_t protocol)
{
	struct flow *flow = create(f, protocol);

	assert_non_null(flow);
	flow_hear(f->shard, flow);
	return flow;
}

static struct flow *establish(struct fixture *f)
{
	struct flow *flow = create(f, IPPROTO_TCP);

	assert_non_null(flow);
	flow_settle(f->shard, flow);
	return flow;
}

static void set_files(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void oldest_idle_datagrams_go_first(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *stream = establish(f), *half = create(f, IPPROTO_TCP);
	struct flow *first = answer(f, IPPROTO_UDP), *second;

	(void)state;
	pass_ms(f, 5000);
	second = answer(f, IPPROTO_ICMP);
	pass_ms(f, 600000);
	assert_true(flow_evict(f->shard));
	assert_true(first->dead);
	assert_true(flow_evict(f->shard));
	assert_true(second->dead);
	assert_true(flow_evict(f->shard));
	assert_true(half->dead);
	assert_false(stream->dead);
	assert_true(flow_evict(f->shard));
	assert_true(stream->dead);
	assert_false(flow_evict(f->shard));
	assert_int_equal(f->shard->counters.flows_evicted, 4);
	finish(f);
}

static void flows_in_use_do_not_give_way(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *used = answer(f, IPPROTO_UDP), *stream = establish(f);
	struct flow *idle = answer(f, IPPROTO_UDP);

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		pass_ms(f, 1000);
		flow_touch(f->shard, used);
		flow_touch(f->shard, stream);
	}
	assert_true(flow_evict(f->shard));
	assert_true(idle->dead);
	assert_false(flow_evict(f->shard));
	assert_false(used->dead);
	assert_false(stream->dead);
	finish(f);
}

static void ended_flows_need_no_place_and_go_first(void **state)
{
	struct fixture *f =
		start((struct slirp_limits) { .tcp_flows = 1 }, SLOTS);
	struct flow *idle = create(f, IPPROTO_UDP), *ended = establish(f);

	(void)state;
	assert_null(create(f, IPPROTO_TCP));
	pass_ms(f, 600000);
	flow_close_socket(f->shard, ended);
	assert_non_null(create(f, IPPROTO_TCP));
	assert_null(create(f, IPPROTO_TCP));
	assert_true(flow_evict(f->shard));
	assert_true(ended->dead);
	assert_false(idle->dead);
	assert_null(create(f, IPPROTO_TCP));
	finish(f);
}

static void young_answered_datagrams_do_not_give_way(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);

	(void)state;
	answer(f, IPPROTO_UDP);
	pass_ms(f, 9999);
	assert_false(flow_evict(f->shard));
	pass_ms(f, 1);
	assert_true(flow_evict(f->shard));
	finish(f);
}

static void pinned_flows_never_give_way(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *flow = create(f, IPPROTO_UDP);

	(void)state;
	flow_pin(f->shard, flow);
	pass_ms(f, 100000000);
	flow_touch(f->shard, flow);
	assert_false(flow_evict(f->shard));
	finish(f);
}

static void idle_order_is_kept_over_the_clocks_wrap(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *before, *after;

	(void)state;
	f->shard->now_us = (UINT32_MAX - 1000ULL) * 1000;
	before = answer(f, IPPROTO_UDP);
	pass_ms(f, 5000);
	after = answer(f, IPPROTO_UDP);
	pass_ms(f, 5000);
	assert_true(flow_evict(f->shard));
	assert_true(before->dead);
	assert_false(flow_evict(f->shard));
	assert_false(after->dead);
	finish(f);
}

static void flood_of_half_open_flows_eats_its_own(void **state)
{
	enum { CAP = 50, FLOOD = 400, SLOTS_ENOUGH = 1024 };
	struct fixture *f =
		start((struct slirp_limits) { .half_open = CAP }, SLOTS_ENOUGH);
	struct flow *stream = establish(f), *udp = answer(f, IPPROTO_UDP);
	struct flow *last = NULL;

	(void)state;
	pass_ms(f, 5000);
	for (unsigned int i = 0; i < FLOOD; i++) {
		last = create(f, IPPROTO_TCP);
		assert_non_null(last);
		assert_in_range(f->shard->idle[FLOW_HALF_OPEN].count, 1, CAP);
	}
	assert_false(last->dead);
	assert_false(stream->dead);
	assert_false(udp->dead);
	assert_int_equal(f->shard->counters.flows_evicted, FLOOD - CAP);
	assert_int_equal(f->shard->counters.flows_refused, 0);
	finish(f);
}

static void flood_of_datagrams_eats_its_own(void **state)
{
	enum { FILES = 200, FLOOD = 1000, SLOTS_ENOUGH = 4096 };
	struct flow *stream, *half, *udp;
	struct rlimit before;
	struct fixture *f;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	set_files(FILES);
	f = start((struct slirp_limits) { 0 }, SLOTS_ENOUGH);
	stream = establish(f);
	half = create(f, IPPROTO_TCP);
	udp = answer(f, IPPROTO_UDP);
	for (unsigned int i = 0; i < FLOOD; i++)
		assert_non_null(create(f, IPPROTO_UDP));
	assert_non_null(create(f, IPPROTO_TCP));
	assert_false(stream->dead);
	assert_false(half->dead);
	assert_false(udp->dead);
	finish(f);
	set_files(before.rlim_cur);
}

static void established_flows_do_not_count_as_half_open(void **state)
{
	enum { CAP = 4 };
	struct fixture *f =
		start((struct slirp_limits) { .half_open = CAP }, SLOTS);

	(void)state;
	for (unsigned int i = 0; i < 10 * CAP; i++)
		establish(f);
	assert_int_equal(f->shard->counters.flows_evicted, 0);
	finish(f);
}

static void full_slots_leave_used_flows_alone(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *stream = establish(f);
	unsigned int made = 1;

	(void)state;
	for (; made < SLOTS; made++)
		answer(f, IPPROTO_UDP);
	assert_null(create(f, IPPROTO_UDP));
	assert_null(create(f, IPPROTO_TCP));
	assert_false(stream->dead);
	assert_int_equal(f->shard->counters.refused_full, 2);
	assert_int_equal(f->shard->counters.flows_evicted, 0);
	finish(f);
}

static void idle_flows_give_way_before_slots_run_out(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct flow *oldest = answer(f, IPPROTO_UDP);

	(void)state;
	pass_ms(f, 20000);
	while (!oldest->dead)
		answer(f, IPPROTO_UDP);
	/* A place was left for the next, since freed slots are not free yet. */
	assert_non_null(create(f, IPPROTO_UDP));
	assert_int_equal(f->shard->counters.flows_refused, 0);
	finish(f);
}

static void descriptors_pass_from_idle_flows_to_new_ones(void **state)
{
	enum { FILES = 200 };
	struct fixture *f;
	struct flow *oldest;
	struct rlimit before;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	set_files(FILES);
	f = start((struct slirp_limits) { 0 }, SLOTS);
	oldest = answer(f, IPPROTO_UDP);
	/* At least half of what the process may open is for flows. */
	for (unsigned int i = 1; i < FILES / 2; i++)
		answer(f, IPPROTO_UDP);
	assert_null(create(f, IPPROTO_UDP));
	assert_int_equal(f->shard->counters.refused_full, 1);
	pass_ms(f, 20000);
	assert_non_null(create(f, IPPROTO_TCP));
	assert_true(oldest->dead);
	finish(f);
	set_files(before.rlim_cur);
}

static void flood_on_one_shard_leaves_places_for_another(void **state)
{
	enum { FILES = 200, FLOOD = 1000, SLOTS_ENOUGH = 4096 };
	struct rlimit before;
	struct fixture *f;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	set_files(FILES);
	f = start_shards((struct slirp_limits) { 0 }, SLOTS_ENOUGH, 2);
	for (unsigned int i = 0; i < FLOOD; i++)
		assert_non_null(create(f, IPPROTO_UDP));
	/* It has nobody to evict. */
	f->shard = f->slirp->shard[1];
	assert_non_null(create(f, IPPROTO_TCP));
	assert_non_null(create(f, IPPROTO_UDP));
	finish(f);
	set_files(before.rlim_cur);
}

static void listeners_take_no_place_of_the_guests(void **state)
{
	struct fixture *f = start((struct slirp_limits) { .tcp_flows = 1,
							  .udp_flows = 1,
							  .icmp_flows = 1,
							  .flow_rate = 3 },
				  SLOTS);

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		assert_non_null(create(f, FLOW_LISTENER));
	assert_non_null(create(f, IPPROTO_TCP));
	assert_non_null(create(f, IPPROTO_UDP));
	assert_non_null(create(f, IPPROTO_ICMP));
	finish(f);
}

static void half_open_flows_leave_half_of_the_descriptors(void **state)
{
	enum { FILES = 200 };
	struct fixture *f;
	struct rlimit before;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	set_files(FILES);
	f = start((struct slirp_limits) { .half_open = FILES }, SLOTS);
	for (unsigned int i = 0; i < SLOTS / 2; i++)
		assert_non_null(create(f, IPPROTO_TCP));
	assert_int_equal(f->shard->idle[FLOW_HALF_OPEN].count, FILES / 4);
	finish(f);
	set_files(before.rlim_cur);
}

static void limits_refuse_and_say_why(void **state)
{
	struct fixture *f = start((struct slirp_limits) { .tcp_flows = 1,
							  .udp_flows = 1,
							  .icmp_flows = 1,
							  .flow_rate = 7 },
				  SLOTS);
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP,
					     IPPROTO_ICMP };
	struct flow *flow[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		flow[i] = create(f, protocols[i]);
		assert_non_null(flow[i]);
		assert_null(create(f, protocols[i]));
	}
	assert_int_equal(f->shard->counters.refused_limit, 3);
	for (unsigned int i = 0; i < 3; i++)
		flow_free(f->shard, flow[i]);
	assert_non_null(create(f, IPPROTO_ICMPV6));
	assert_null(create(f, IPPROTO_TCP));
	assert_int_equal(f->shard->counters.refused_rate, 1);
	pass_ms(f, 1000);
	assert_non_null(create(f, IPPROTO_TCP));
	finish(f);
}

static void limits_change_while_flows_live(void **state)
{
	struct fixture *f = start((struct slirp_limits) { 0 }, SLOTS);
	struct slirp_limits set = { .udp_flows = 3 }, got;
	struct flow *flow[5];

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		flow[i] = create(f, IPPROTO_UDP);
	slirp_set_limits(f->slirp, &set);
	slirp_get_limits(f->slirp, &got);
	assert_int_equal(got.udp_flows, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_null(create(f, IPPROTO_UDP));
		flow_free(f->shard, flow[i]);
	}
	assert_non_null(create(f, IPPROTO_UDP));
	assert_null(create(f, IPPROTO_UDP));
	finish(f);
}

static int group_set_up(void **state)
{
	(void)state;
	urcu_qsbr_register_thread();
	return 0;
}

static int group_tear_down(void **state)
{
	(void)state;
	urcu_qsbr_unregister_thread();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_idle_datagrams_go_first),
		cmocka_unit_test(flows_in_use_do_not_give_way),
		cmocka_unit_test(ended_flows_need_no_place_and_go_first),
		cmocka_unit_test(young_answered_datagrams_do_not_give_way),
		cmocka_unit_test(pinned_flows_never_give_way),
		cmocka_unit_test(idle_order_is_kept_over_the_clocks_wrap),
		cmocka_unit_test(flood_of_half_open_flows_eats_its_own),
		cmocka_unit_test(flood_of_datagrams_eats_its_own),
		cmocka_unit_test(established_flows_do_not_count_as_half_open),
		cmocka_unit_test(full_slots_leave_used_flows_alone),
		cmocka_unit_test(idle_flows_give_way_before_slots_run_out),
		cmocka_unit_test(descriptors_pass_from_idle_flows_to_new_ones),
		cmocka_unit_test(flood_on_one_shard_leaves_places_for_another),
		cmocka_unit_test(listeners_take_no_place_of_the_guests),
		cmocka_unit_test(half_open_flows_leave_half_of_the_descriptors),
		cmocka_unit_test(limits_refuse_and_say_why),
		cmocka_unit_test(limits_change_while_flows_live),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
