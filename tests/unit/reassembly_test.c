/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/reassembly.h"
#include "unit/guest6.h"

#define ID       0x4d2U
#define FAR4     0xc0000201U /* 192.0.2.1 */
#define FAR6     "2001:db8::1"
#define DATA_MAX 65536

/* Datagrams of either family; each test runs with both. */
struct reassembly_test {
	struct shard *shard;
	struct reassembly *reassembly;
	bool is4;
	uint32_t id;
	uint8_t protocol;
	uint8_t ttl;
	uint8_t data[DATA_MAX];
};

static int setup(void **state, bool is4)
{
	struct reassembly_test *test = calloc(1, sizeof(*test));

	test->shard = fake_shard_create();
	test->reassembly = reassembly_create();
	assert_non_null(test->reassembly);
	test->is4 = is4;
	test->id = ID;
	test->protocol = IPPROTO_UDP;
	test->ttl = 64;
	for (size_t i = 0; i < sizeof(test->data); i++)
		test->data[i] = (uint8_t)(i * 7 + i / 251);
	*state = test;
	return 0;
}

static int setup4(void **state)
{
	return setup(state, true);
}

static int setup6(void **state)
{
	return setup(state, false);
}

static int teardown(void **state)
{
	struct reassembly_test *test = *state;

	timer_cancel(&test->shard->timers, reassembly_timer(test->reassembly));
	fake_shard_destroy(test->shard);
	reassembly_destroy(test->reassembly);
	free(test);
	return 0;
}

/* Making fragments */

static size_t make4(const struct reassembly_test *test, uint8_t *frame,
		    size_t start, size_t size, bool more)
{
	size_t length = guest_make_ip4(frame, FAR4, test->protocol,
				       test->data + start, size);
	struct iphdr ip;

	memcpy(&ip, frame + 14, sizeof(ip));
	ip.id = htons((uint16_t)test->id);
	ip.frag_off = htons((uint16_t)(start / 8 | (more ? 0x2000 : 0)));
	ip.ttl = test->ttl;
	ip.check = 0;
	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame + 14, &ip, sizeof(ip));
	return length;
}

static size_t make6(const struct reassembly_test *test, uint8_t *frame,
		    size_t start, size_t size, bool more)
{
	static uint8_t payload[8 + DATA_MAX];
	struct ip6_frag fragment = {
		.ip6f_nxt = test->protocol,
		.ip6f_offlg = htons((uint16_t)(start | more)),
		.ip6f_ident = htonl(test->id),
	};
	size_t length;

	memcpy(payload, &fragment, sizeof(fragment));
	memcpy(payload + 8, test->data + start, size);
	length = guest6_make(frame, GUEST6, FAR6, IPPROTO_FRAGMENT, payload,
			     size + 8, 0);
	/* That was to be a checksum. */
	memcpy(frame + GUEST6_L4, payload, 8);
	frame[14 + 7] = test->ttl;
	return length;
}

/* Bytes @start to @start + @size are sent as a fragment. */
static const struct port_frame *send_part(struct reassembly_test *test,
					  size_t start, size_t size, bool more)
{
	static uint8_t frame[DATA_MAX + 128];
	size_t length = test->is4 ? make4(test, frame, start, size, more)
				  : make6(test, frame, start, size, more);
	struct packet packet;

	if (test->shard->input_count == FAKE_INPUTS_MAX)
		fake_turn(test->shard);
	fake_parse(test->shard, frame, length, 40, NULL, &packet);
	return reassembly_add(test->shard, test->reassembly, &packet);
}

static void expect_whole(struct reassembly_test *test,
			 const struct port_frame *frame, size_t size)
{
	struct packet packet;
	static uint8_t got[DATA_MAX];

	assert_non_null(frame);
	assert_true(frame->length <= REASSEMBLY_FRAME_MAX);
	assert_true(packet_parse_ether(&packet, frame));
	assert_true(test->is4 ? packet_parse_ip4(&packet)
			      : packet_parse_ip6(&packet));
	assert_int_equal(packet.fragment & ~IP_DF, 0);
	assert_int_equal(packet.protocol, test->protocol);
	assert_int_equal(packet.l4.left, size);
	assert_true(cursor_take(&packet.l4, got, size));
	assert_memory_equal(got, test->data, size);
}

static uint64_t failed(const struct reassembly_test *test)
{
	return test->shard->counters.reassembly_failed;
}

static void expect_nothing(struct reassembly_test *test)
{
	assert_null(fake_next(test->shard));
}

/* What arrives */

static void fragments_in_order_are_put_together(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 0, 1480, true));
	assert_null(send_part(test, 1480, 1480, true));
	expect_whole(test, send_part(test, 2960, 41, false), 3001);
	assert_int_equal(test->shard->counters.reassembled, 1);
}

static void last_fragment_may_come_first(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 2960, 41, false));
	assert_null(send_part(test, 1480, 1480, true));
	expect_whole(test, send_part(test, 0, 1480, true), 3001);
}

struct cut {
	size_t start[64];
	size_t size[64];
	unsigned int count;
};

static void cut_at_random(struct cut *cut, size_t whole)
{
	size_t at = 0;

	cut->count = 0;
	while (at < whole) {
		size_t size = 8 * (1 + (size_t)rand() % 185);

		if (size > whole - at || cut->count == 63)
			size = whole - at;
		cut->start[cut->count] = at;
		cut->size[cut->count++] = size;
		at += size;
	}
}

static void shuffle(struct cut *cut)
{
	for (unsigned int i = cut->count - 1; i; i--) {
		unsigned int j = (unsigned int)rand() % (i + 1);
		size_t start = cut->start[i], size = cut->size[i];

		cut->start[i] = cut->start[j];
		cut->size[i] = cut->size[j];
		cut->start[j] = start;
		cut->size[j] = size;
	}
}

static void fragments_come_in_any_order(void **state)
{
	struct reassembly_test *test = *state;
	struct cut cut;

	srand(4);
	for (int round = 0; round < 300; round++) {
		size_t whole = 9 + (size_t)rand() % 20000;
		const struct port_frame *frame = NULL;

		cut_at_random(&cut, whole);
		shuffle(&cut);
		test->id++;
		for (unsigned int i = 0; i < cut.count; i++) {
			assert_null(frame);
			frame = send_part(test, cut.start[i], cut.size[i],
					  cut.start[i] + cut.size[i] < whole);
		}
		expect_whole(test, frame, whole);
		reassembly_release(test->reassembly);
	}
	assert_int_equal(failed(test), 0);
}

static void exact_duplicates_are_ignored(void **state)
{
	struct reassembly_test *test = *state;

	for (int i = 0; i < 3; i++) {
		assert_null(send_part(test, 0, 800, true));
		assert_null(send_part(test, 1600, 24, false));
	}
	expect_whole(test, send_part(test, 800, 800, true), 1624);
	assert_int_equal(failed(test), 0);
}

static void datagrams_are_told_apart_by_identification(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 0, 800, true));
	test->id = ID + 1;
	assert_null(send_part(test, 800, 8, false));
	test->id = ID;
	expect_whole(test, send_part(test, 800, 80, false), 880);
	test->id = ID + 1;
	expect_whole(test, send_part(test, 0, 800, true), 808);
}

static void only_ip4_tells_datagrams_apart_by_protocol(void **state)
{
	struct reassembly_test *test = *state;
	const struct port_frame *frame;

	assert_null(send_part(test, 0, 800, true));
	test->protocol = IPPROTO_TCP;
	frame = send_part(test, 800, 80, false);
	test->protocol = IPPROTO_UDP;
	if (test->is4)
		assert_null(frame);
	else
		expect_whole(test, frame, 880);
}

static void headers_are_the_first_fragments(void **state)
{
	struct reassembly_test *test = *state;
	const struct port_frame *frame;
	const uint8_t *bytes;

	test->ttl = 9;
	assert_null(send_part(test, 800, 80, false));
	test->ttl = 5;
	frame = send_part(test, 0, 800, true);
	expect_whole(test, frame, 880);
	bytes = frame->iov[0].iov_base;
	assert_int_equal(bytes[14 + (test->is4 ? 8 : 7)], 5);
}

static void longest_datagram_is_put_together(void **state)
{
	struct reassembly_test *test = *state;
	size_t whole = test->is4 ? 65515 : 65535, at = 0;

	for (; at + 1480 < whole; at += 1480)
		assert_null(send_part(test, at, 1480, true));
	expect_whole(test, send_part(test, at, whole - at, false), whole);
}

/* What does not */

static void overlap_drops_the_datagram(struct reassembly_test *test,
				       size_t start, size_t size, bool more)
{
	uint64_t before = failed(test);

	test->id++;
	assert_null(send_part(test, 80, 80, true));
	assert_null(send_part(test, start, size, more));
	assert_int_equal(failed(test), before + 1);
	/* ... with what comes after it. */
	assert_null(send_part(test, 0, 80, true));
	assert_null(send_part(test, 160, 40, false));
	assert_int_equal(failed(test), before + 1);
}

static void fragments_that_overlap_drop_the_datagram(void **state)
{
	struct reassembly_test *test = *state;

	overlap_drops_the_datagram(test, 72, 16, true);
	overlap_drops_the_datagram(test, 0, 88, true);
	overlap_drops_the_datagram(test, 80, 72, true);
	overlap_drops_the_datagram(test, 80, 88, true);
	overlap_drops_the_datagram(test, 88, 8, true);
	overlap_drops_the_datagram(test, 152, 80, true);
	overlap_drops_the_datagram(test, 72, 96, true);
	expect_nothing(test);
}

static void fragments_that_disagree_on_the_end_drop_the_datagram(void **state)
{
	struct reassembly_test *test = *state;

	/* An end before what is there, and something behind the end. */
	overlap_drops_the_datagram(test, 40, 8, false);
	test->id++;
	assert_null(send_part(test, 800, 9, false));
	assert_null(send_part(test, 816, 8, true));
	assert_null(send_part(test, 0, 800, true));
	test->id++;
	assert_null(send_part(test, 800, 9, false));
	assert_null(send_part(test, 816, 8, false));
	assert_null(send_part(test, 0, 800, true));
	assert_int_equal(failed(test), 3);
}

static void expire(struct reassembly_test *test)
{
	struct timer *timer;

	while ((timer = timer_expire(&test->shard->timers,
				     shard_now_ms(test->shard)))) {
		assert_ptr_equal(timer, reassembly_timer(test->reassembly));
		reassembly_expire(test->shard, test->reassembly);
	}
}

/* The next frame tells of a datagram whose transport header it quotes. */
static void expect_error(struct reassembly_test *test, uint8_t type,
			 uint8_t code)
{
	const uint8_t *l4;
	size_t size;

	if (test->is4) {
		l4 = guest_take_error(test->shard, type, code, FAR4);
	} else {
		l4 = guest6_take(test->shard, GATEWAY6, GUEST6, IPPROTO_ICMPV6,
				 &size);
		assert_true(size >= 8 + 40 + 8 && size <= 1240);
		assert_int_equal(l4[0], type);
		assert_int_equal(l4[1], code);
		l4 += 8 + 40;
	}
	assert_memory_equal(l4, test->data, 8);
}

static void datagram_that_is_not_whole_in_time_is_told_of(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 0, 800, true));
	assert_null(send_part(test, 1600, 80, false));
	test->shard->now_us += 29999000;
	expire(test);
	expect_nothing(test);
	test->shard->now_us += 2000;
	expire(test);
	expect_error(test, test->is4 ? 11 : 3, 1);
	assert_int_equal(failed(test), 1);
	assert_null(send_part(test, 800, 800, true));
	expect_nothing(test);
}

static void time_out_without_the_first_fragment_is_silent(void **state)
{
	struct reassembly_test *test = *state;

	/* An earlier datagram's place is taken again. */
	assert_null(send_part(test, 0, 800, true));
	expect_whole(test, send_part(test, 800, 8, false), 808);
	reassembly_release(test->reassembly);
	assert_null(send_part(test, 800, 800, true));
	test->id++;
	overlap_drops_the_datagram(test, 72, 16, true);
	test->shard->now_us += 30001000;
	expire(test);
	expect_nothing(test);
	assert_int_equal(failed(test), 2);
}

static void each_datagram_has_its_own_time(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 0, 800, true));
	test->shard->now_us += 20000000;
	test->id++;
	assert_null(send_part(test, 0, 800, true));
	test->shard->now_us += 20000000;
	expire(test);
	assert_int_equal(failed(test), 1);
	expect_whole(test, send_part(test, 800, 8, false), 808);
}

static void tiny_fragments_are_bounded(void **state)
{
	struct reassembly_test *test = *state;
	size_t at = 0;

	for (; at < 8 * (REASSEMBLY_FRAGMENTS_MAX - 1); at += 8)
		assert_null(send_part(test, at, 8, true));
	expect_whole(test, send_part(test, at, 5, false), at + 5);
	test->id++;
	for (at = 0; at < 8 * REASSEMBLY_FRAGMENTS_MAX; at += 8)
		assert_null(send_part(test, at, 8, true));
	assert_null(send_part(test, at, 5, false));
	assert_int_equal(failed(test), 1);
}

static void flood_of_first_fragments_lets_others_pass(void **state)
{
	struct reassembly_test *test = *state;

	for (int i = 0; i < 1000; i++) {
		test->id++;
		assert_null(send_part(test, 0, 800, true));
		if (i % 100)
			continue;
		test->id++;
		assert_null(send_part(test, 0, 800, true));
		expect_whole(test, send_part(test, 800, 8, false), 808);
		reassembly_release(test->reassembly);
	}
	assert_int_equal(test->shard->counters.reassembled, 10);
	assert_true(failed(test) >= 1000 - REASSEMBLY_DATAGRAMS);
}

static void one_turn_takes_more_datagrams_than_there_are_places(void **state)
{
	struct reassembly_test *test = *state;

	for (int i = 0; i < 3 * REASSEMBLY_DATAGRAMS; i++) {
		test->id++;
		assert_null(send_part(test, 0, 800, true));
		expect_whole(test, send_part(test, 800, 8, false), 808);
	}
	assert_int_equal(failed(test), 0);
}

/* RFC 8200, 4.5: the sender is told where the mistake is; IPv4 has no such
 * message. */
static void expect_parameter_problem(struct reassembly_test *test,
				     uint8_t pointer)
{
	const uint8_t at[] = { 0, 0, 0, pointer };
	const uint8_t *l4;
	size_t size;

	if (test->is4) {
		expect_nothing(test);
		return;
	}
	l4 = guest6_take(test->shard, GATEWAY6, GUEST6, IPPROTO_ICMPV6, &size);
	assert_memory_equal(l4, "\4\0", 2);
	assert_memory_equal(l4 + 4, at, sizeof(at));
}

static void fragment_behind_the_longest_datagram_is_malformed(void **state)
{
	struct reassembly_test *test = *state;

	test->data[65528] = 0xff;
	assert_null(send_part(test, 65528, 8, false));
	assert_int_equal(test->shard->counters.tx_malformed, 1);
	assert_int_equal(failed(test), 0);
	expect_parameter_problem(test, 42);
}

static void only_the_last_fragment_has_an_odd_size(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 0, 801, true));
	assert_int_equal(test->shard->counters.tx_malformed, 1);
	expect_parameter_problem(test, 4);
}

static void empty_fragment_is_malformed(void **state)
{
	struct reassembly_test *test = *state;

	assert_null(send_part(test, 800, 0, false));
	assert_null(send_part(test, 800, 0, true));
	assert_int_equal(test->shard->counters.tx_malformed, 2);
}

/* Who puts together */

static void one_shard_sees_all_fragments_of_a_pair(void **state)
{
	struct packet packet = { .source = guest_address(GUEST) };
	static const uint64_t secret[2] = { 1, 2 };
	unsigned int used = 0;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		unsigned int shard;

		packet.destination = guest_address(FAR4 + i);
		packet.fragment_id = i;
		packet.fragment = 0x2000;
		shard = reassembly_shard(secret, &packet, 4);
		packet.fragment = (uint16_t)i;
		packet.fragment_id = 0;
		assert_int_equal(reassembly_shard(secret, &packet, 4), shard);
		assert_true(shard < 4);
		used |= 1U << shard;
	}
	assert_int_equal(used, 15);
}

#define TEST(name)                                       \
	{ #name "_4", name, setup4, teardown, NULL },    \
	{                                                \
#name "_6", name, setup6, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fragments_in_order_are_put_together),
		TEST(last_fragment_may_come_first),
		TEST(fragments_come_in_any_order),
		TEST(exact_duplicates_are_ignored),
		TEST(datagrams_are_told_apart_by_identification),
		TEST(only_ip4_tells_datagrams_apart_by_protocol),
		TEST(headers_are_the_first_fragments),
		TEST(longest_datagram_is_put_together),
		TEST(fragments_that_overlap_drop_the_datagram),
		TEST(fragments_that_disagree_on_the_end_drop_the_datagram),
		TEST(datagram_that_is_not_whole_in_time_is_told_of),
		TEST(time_out_without_the_first_fragment_is_silent),
		TEST(each_datagram_has_its_own_time),
		TEST(tiny_fragments_are_bounded),
		TEST(flood_of_first_fragments_lets_others_pass),
		TEST(one_turn_takes_more_datagrams_than_there_are_places),
		TEST(fragment_behind_the_longest_datagram_is_malformed),
		TEST(only_the_last_fragment_has_an_odd_size),
		TEST(empty_fragment_is_malformed),
		cmocka_unit_test(one_shard_sees_all_fragments_of_a_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
