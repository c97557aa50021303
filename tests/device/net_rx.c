/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive space in the guest's buffers, and the frames put into it. */
#include "device/net_rig.h"

#include <errno.h>
#include <string.h>

static void a_frame_is_written_in_place(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct virtio_net_hdr_v1 header;
	struct port_space space;

	(void)state;
	rig_post_many(rig, 0, 1, 1600);
	assert_int_equal(port->ops->rx_reserve(port, 1000, &space), 0);
	assert_int_equal(space.length, 1588);
	assert_int_equal(space.iov_count, 1);
	assert_ptr_equal(
		space.iov[0].iov_base,
		driver_at(&rig->memory, rig->rx_arena[0] + RIG_HEADER, 1));
	rig_commit(rig, 0, &space, 1000, 1, NULL);
	assert_int_equal(rig_receive(rig, 0, 1000, 1, NULL), 0);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 0, 1000, 1, &header), 1);
	assert_int_equal(header.flags, 0);
	assert_int_equal(header.gso_type, 0);
	assert_int_equal(rig->interrupts[0], 1);
	rig_free(rig);
}

static void the_offload_becomes_the_header(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	const struct port_offload offload = {
		.flags = PORT_NEEDS_CSUM,
		.gso_type = PORT_GSO_TCPV6,
		.header_len = 74,
		.gso_size = 1428,
		.csum_start = 54,
		.csum_offset = 16,
	};
	struct virtio_net_hdr_v1 header;
	struct port_space space;

	(void)state;
	rig_post_many(rig, 0, 1, 1600);
	assert_int_equal(port->ops->rx_reserve(port, 1500, &space), 0);
	rig_commit(rig, 0, &space, 1500, 1, &offload);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 0, 1500, 1, &header), 1);
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header.gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
	assert_int_equal(header.hdr_len, 74);
	assert_int_equal(header.gso_size, 1428);
	assert_int_equal(header.csum_start, 54);
	assert_int_equal(header.csum_offset, 16);
	rig_free(rig);
}

static void a_frame_spreads_over_merged_buffers(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .size = 64 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	rig_post_many(rig, 0, 64, 1536);
	assert_int_equal(rig_deliver(rig, 0, PORT_FRAME_MAX, 1), 0);
	port->ops->flush(port);
	/* 43 buffers: 65549 bytes and a header of 12, by 1536 */
	assert_int_equal(rig_receive(rig, 0, PORT_FRAME_MAX, 1, NULL), 43);
	rig_free(rig);
}

static void tiny_buffers_hold_the_header_alone(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	rig_post_many(rig, 0, 16, RIG_HEADER);
	assert_int_equal(rig_deliver(rig, 0, 50, 1), 0);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 0, 50, 1, NULL), 6);
	rig_free(rig);
}

/* The header in pieces of every kind, with and without merging. */
static void check_split_headers(uint64_t without)
{
	static const uint32_t shape[][5] = {
		{ 12, 1600, 0 },    { 1, 1600, 0 },       { 5, 6, 1600, 0 },
		{ 11, 1, 1600, 0 }, { 4, 4, 4, 1600, 0 }, { 13, 1600, 0 },
	};
	struct rig *rig =
		rig_make(&(struct rig_options) { .without = without });
	struct port *port = rig_port(rig, 0);

	for (unsigned int i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		rig_post(rig, 0, shape[i]);
		assert_int_equal(rig_deliver(rig, 0, 900 + i, i), 0);
		port->ops->flush(port);
		assert_int_equal(rig_receive(rig, 0, 900 + i, i, NULL), 1);
	}
	rig_free(rig);
}

static void the_header_may_be_split(void **state)
{
	(void)state;
	check_split_headers(0);
}

static void the_header_may_be_split_without_merging(void **state)
{
	(void)state;
	check_split_headers(RIG_MRG);
}

static void too_little_space_is_refused_and_kept(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_space space;

	(void)state;
	rig_post_many(rig, 0, 3, 1536);
	assert_int_equal(port->ops->rx_reserve(port, 9000, &space), -ENOBUFS);
	assert_int_equal(rig_stat(rig, "rx0", "stalls"), 1);
	rig_post_many(rig, 0, 3, 1536);
	assert_int_equal(rig_deliver(rig, 0, 9000, 1), 0);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 0, 9000, 1, NULL), 6);
	rig_free(rig);
}

static void a_short_commit_keeps_the_rest_for_later(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_space space;

	(void)state;
	rig_post_many(rig, 0, 16, 1536);
	for (unsigned int i = 0; i < 7; i++) {
		assert_int_equal(port->ops->rx_reserve(port, 15000, &space), 0);
		rig_commit(rig, 0, &space, 100, i, NULL);
	}
	/* 9 are left, which do not hold 15000 bytes, but 13000 */
	assert_int_equal(port->ops->rx_reserve(port, 15000, &space), -ENOBUFS);
	assert_int_equal(rig_deliver(rig, 0, 13000, 7), 0);
	port->ops->flush(port);
	for (unsigned int i = 0; i < 7; i++)
		assert_int_equal(rig_receive(rig, 0, 100, i, NULL), 1);
	assert_int_equal(rig_receive(rig, 0, 13000, 7, NULL), 9);
	rig_free(rig);
}

static void frames_appear_in_the_order_of_commits(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_space space[4];

	(void)state;
	rig_post_many(rig, 0, 16, 1536);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(port->ops->rx_reserve(port, 4000, &space[i]),
				 0);
	rig_commit(rig, 0, &space[2], 4000, 2, NULL);
	port->ops->rx_cancel(port, &space[0]);
	rig_commit(rig, 0, &space[3], 2000, 3, NULL);
	rig_commit(rig, 0, &space[1], 4000, 1, NULL);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 0, 4000, 2, NULL), 3);
	assert_int_equal(rig_receive(rig, 0, 2000, 3, NULL), 2);
	assert_int_equal(rig_receive(rig, 0, 4000, 1, NULL), 3);
	assert_int_equal(rig->interrupts[0], 1);
	/* 8 of 16 are used; the cancelled ones are among the other 8 */
	assert_int_equal(rig_deliver(rig, 0, 8 * 1536 - RIG_HEADER, 9), 0);
	rig_free(rig);
}

static void without_merging_a_frame_takes_one_chain(void **state)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .without = RIG_MRG, .room = 70000 });
	struct port *port = rig_port(rig, 0);
	const uint32_t big[] = { 40000, 26000, 0 };
	uint32_t used;
	int small;

	(void)state;
	small = rig_post(rig, 0, (uint32_t[]) { 1000, 0 });
	rig_post(rig, 0, big);
	assert_int_equal(rig_deliver(rig, 0, PORT_FRAME_MAX, 1), 0);
	port->ops->flush(port);
	/* what is too small for the frame comes back empty */
	assert_int_equal(driver_take(&rig->rx[0], &used), small);
	assert_int_equal(used, 0);
	assert_int_equal(rig_receive(rig, 0, PORT_FRAME_MAX, 1, NULL), 1);
	assert_int_equal(rig_stat(rig, "rx0", "malformed"), 1);
	rig_free(rig);
}

static void features_follow_what_was_agreed(void **state)
{
	static const struct {
		uint64_t without;
		size_t frame_max;
		unsigned int mtu;
		bool csum, tso4, tso6;
	} cases[] = {
		{ 0, PORT_FRAME_MAX, 9000, true, true, true },
		{ RIG_MRG, PORT_FRAME_MAX, 9000, true, true, true },
		{ RIG_FEATURE(VIRTIO_NET_F_GUEST_TSO4), PORT_FRAME_MAX, 9000,
		  true, false, true },
		{ RIG_FEATURE(VIRTIO_NET_F_GUEST_CSUM), PORT_FRAME_MAX, 9000,
		  false, false, false },
		{ RIG_MRG | RIG_FEATURE(VIRTIO_NET_F_GUEST_TSO4) |
			  RIG_FEATURE(VIRTIO_NET_F_GUEST_TSO6),
		  9014, 9000, true, false, false },
		{ ~RIG_FEATURE(32), 1514, 1500, false, false, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_make(&(struct rig_options) {
			.size = 64, .mtu = 9000, .without = cases[i].without });
		struct port *port = rig_port(rig, 0);
		struct port_features features;

		port->ops->features(port, &features);
		assert_true(features.active);
		assert_int_equal(features.rx_csum, cases[i].csum);
		assert_int_equal(features.rx_tso4, cases[i].tso4);
		assert_int_equal(features.rx_tso6, cases[i].tso6);
		assert_int_equal(features.rx_frame_max, cases[i].frame_max);
		assert_int_equal(features.mtu, cases[i].mtu);
		rig_free(rig);
	}
}

static void check_kicks(uint64_t without)
{
	struct rig *rig =
		rig_make(&(struct rig_options) { .without = without });
	struct port *port = rig_port(rig, 0);
	const uint32_t lengths[] = { 1536, 0 };
	struct driver_segment segment = { rig->rx_arena[0], 1536, true };

	/* Nobody waits for buffers: no kick. */
	port->ops->disarm(port);
	assert_false(port->ops->arm(port));
	driver_add(&rig->rx[0], &segment, 1);
	assert_false(driver_publish(&rig->rx[0]));
	/* A reservation failed: one kick, if not there already. */
	port->ops->disarm(port);
	assert_int_equal(rig_deliver(rig, 0, 2000, 1), -ENOBUFS);
	assert_false(port->ops->arm(port));
	driver_add(&rig->rx[0], &segment, 1);
	assert_true(driver_publish(&rig->rx[0]));
	port->ops->disarm(port);
	assert_int_equal(rig_deliver(rig, 0, 6000, 1), -ENOBUFS);
	rig_post(rig, 0, lengths);
	assert_true(port->ops->arm(port));
	rig_free(rig);
}

static void kicks_come_only_when_space_was_short(void **state)
{
	(void)state;
	check_kicks(0);
}

static void kicks_without_event_idx_too(void **state)
{
	(void)state;
	check_kicks(RIG_EVENT_IDX);
}

static void chains_that_cannot_hold_a_frame_come_back_empty(void **state)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .size = 128, .without = RIG_INDIRECT });
	struct port *port = rig_port(rig, 0);
	struct driver_segment readable = { rig->rx_arena[0], 1536, false };
	uint32_t scattered[66] = { 0 };
	uint32_t used;
	int head[3];

	(void)state;
	for (unsigned int i = 0; i < 65; i++)
		scattered[i] = 24;
	head[0] = driver_add(&rig->rx[0], &readable, 1);
	head[1] = rig_post(rig, 0, (uint32_t[]) { 11, 0 });
	head[2] = rig_post(rig, 0, scattered);
	rig_post_many(rig, 0, 1, 1536);
	assert_int_equal(rig_deliver(rig, 0, 1000, 1), 0);
	port->ops->flush(port);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(driver_take(&rig->rx[0], &used), head[i]);
		assert_int_equal(used, 0);
	}
	assert_int_equal(rig_receive(rig, 0, 1000, 1, NULL), 1);
	assert_int_equal(rig_stat(rig, "rx0", "malformed"), 3);
	assert_int_equal(rig->broken, 0);
	rig_free(rig);
}

static void rings_wrap(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .size = 8 });
	struct port *port = rig_port(rig, 0);
	unsigned int seed = 0;

	(void)state;
	while (seed < 35000) {
		while (rig->rx[0].free_count)
			rig_post_many(rig, 0, 1, 256);
		for (unsigned int i = 0; i < 3; i++)
			assert_int_equal(rig_deliver(rig, 0, 400, seed + i), 0);
		port->ops->flush(port);
		for (unsigned int i = 0; i < 3; i++)
			assert_int_equal(
				rig_receive(rig, 0, 400, seed + i, NULL), 2);
		seed += 3;
	}
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_written_in_place),
		cmocka_unit_test(the_offload_becomes_the_header),
		cmocka_unit_test(a_frame_spreads_over_merged_buffers),
		cmocka_unit_test(tiny_buffers_hold_the_header_alone),
		cmocka_unit_test(the_header_may_be_split),
		cmocka_unit_test(the_header_may_be_split_without_merging),
		cmocka_unit_test(too_little_space_is_refused_and_kept),
		cmocka_unit_test(a_short_commit_keeps_the_rest_for_later),
		cmocka_unit_test(frames_appear_in_the_order_of_commits),
		cmocka_unit_test(without_merging_a_frame_takes_one_chain),
		cmocka_unit_test(features_follow_what_was_agreed),
		cmocka_unit_test(kicks_come_only_when_space_was_short),
		cmocka_unit_test(kicks_without_event_idx_too),
		cmocka_unit_test(
			chains_that_cannot_hold_a_frame_come_back_empty),
		cmocka_unit_test(rings_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
