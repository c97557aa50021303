/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that the guest transmits, as the shard sees them. */
#include "device/net_rig.h"

#include <string.h>

static const struct virtio_net_hdr_v1 plain;

static void a_frame_arrives_in_place(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_frame frame;

	(void)state;
	rig_send(rig, 0, &plain, 100, 1, 0);
	assert_int_equal(port->ops->tx_take(port, &frame), 1);
	assert_int_equal(frame.iov_count, 1);
	assert_ptr_equal(
		frame.iov[0].iov_base,
		driver_at(&rig->memory, rig->tx_arena[0] + RIG_HEADER, 1));
	rig_check(frame.iov, frame.iov_count, 100, 1);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	rig_free(rig);
}

static void the_header_becomes_the_offload(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	const struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM | 0x80,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
		.hdr_len = 54,
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	struct port_offload offload;

	(void)state;
	rig_send(rig, 0, &header, 1000, 1, 0);
	rig_expect(rig, 0, 1000, 1, &offload);
	assert_int_equal(offload.flags, PORT_NEEDS_CSUM);
	assert_int_equal(offload.gso_type, PORT_GSO_TCPV4 | PORT_GSO_ECN);
	assert_int_equal(offload.header_len, 54);
	assert_int_equal(offload.gso_size, 1448);
	assert_int_equal(offload.csum_start, 34);
	assert_int_equal(offload.csum_offset, 16);
	rig_free(rig);
}

/* Cuts of every length: the header's end falls on, before and behind one. */
static void check_cuts(uint64_t without)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .without = without, .size = 64 });
	struct port *port = rig_port(rig, 0);

	for (size_t cut = 1; cut < 40; cut++) {
		size_t length = cut * 30; /* with the header 31 to 42 cuts */
		uint32_t token;

		rig_send(rig, 0, &plain, length, cut, cut);
		token = rig_expect(rig, 0, length, cut, NULL);
		port->ops->tx_done(port, token);
		port->ops->flush(port);
		assert_int_equal(driver_take(&rig->tx[0], NULL), token);
	}
	rig_free(rig);
}

static void frames_may_be_cut_anywhere(void **state)
{
	(void)state;
	check_cuts(RIG_INDIRECT);
}

static void frames_may_be_cut_anywhere_in_a_table(void **state)
{
	(void)state;
	check_cuts(0);
}

static void the_longest_frame_passes(void **state)
{
	struct rig *rig =
		rig_make(&(struct rig_options) { .size = 4, .room = 70000 });

	(void)state;
	rig_send(rig, 0, &plain, PORT_FRAME_MAX, 3, 4096);
	rig_expect(rig, 0, PORT_FRAME_MAX, 3, NULL);
	rig_free(rig);
}

static void done_in_any_order_is_seen_at_flush(void **state)
{
	static const unsigned int order[] = { 2, 0, 3, 1 };
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	uint32_t token[4];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		rig_send(rig, 0, &plain, 60 + i, i, 0);
	for (unsigned int i = 0; i < 4; i++)
		token[i] = rig_expect(rig, 0, 60 + i, i, NULL);
	for (unsigned int i = 0; i < 4; i++)
		port->ops->tx_done(port, token[order[i]]);
	assert_int_equal(driver_take(&rig->tx[0], NULL), -1);
	port->ops->flush(port);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(driver_take(&rig->tx[0], NULL),
				 token[order[i]]);
	rig_free(rig);
}

/* Send and complete @count frames in one turn. */
static void turn(struct rig *rig, unsigned int count)
{
	struct port *port = rig_port(rig, 0);

	for (unsigned int i = 0; i < count; i++)
		rig_send(rig, 0, &plain, 60, i, 0);
	port->ops->disarm(port);
	for (unsigned int i = 0; i < count; i++)
		port->ops->tx_done(port, rig_expect(rig, 0, 60, i, NULL));
	port->ops->flush(port);
	port->ops->settle(port);
	port->ops->settle(port);
}

static void check_interrupts(uint64_t without)
{
	struct rig *rig =
		rig_make(&(struct rig_options) { .without = without });

	turn(rig, 5);
	assert_int_equal(rig->interrupts[1], 1);
	while (driver_take(&rig->tx[0], NULL) >= 0)
		;
	driver_disable_interrupts(&rig->tx[0]);
	turn(rig, 5);
	assert_int_equal(rig->interrupts[1], 1);
	assert_int_equal(rig_stat(rig, "tx0", "interrupts"), 1);
	assert_int_equal(rig_stat(rig, "tx0", "suppressed"), 1);
	assert_int_equal(rig_stat(rig, "tx0", "frames"), 10);
	assert_int_equal(rig_stat(rig, "tx0", "bytes"), 600);
	assert_int_equal(rig->interrupts[0], 0);
	rig_free(rig);
}

static void one_interrupt_per_turn_if_wanted(void **state)
{
	(void)state;
	check_interrupts(0);
}

static void flags_suppress_the_interrupt_too(void **state)
{
	(void)state;
	check_interrupts(RIG_EVENT_IDX);
}

static void check_kicks(uint64_t without)
{
	struct rig *rig =
		rig_make(&(struct rig_options) { .without = without });
	struct port *port = rig_port(rig, 0);

	assert_false(port->ops->arm(port));
	rig_queue(rig, 0, &plain, 60, 0, 0);
	assert_true(driver_publish(&rig->tx[0]));
	assert_true(port->ops->arm(port)); /* not taken yet */
	port->ops->disarm(port);
	rig_queue(rig, 0, &plain, 60, 1, 0);
	assert_false(driver_publish(&rig->tx[0]));
	rig_expect(rig, 0, 60, 0, NULL);
	assert_true(port->ops->arm(port)); /* came while awake */
	rig_expect(rig, 0, 60, 1, NULL);
	assert_false(port->ops->arm(port));
	rig_queue(rig, 0, &plain, 60, 2, 0);
	assert_true(driver_publish(&rig->tx[0]));
	rig_free(rig);
}

static void kicks_are_asked_for_while_asleep_only(void **state)
{
	(void)state;
	check_kicks(0);
}

static void kicks_without_event_idx_too(void **state)
{
	(void)state;
	check_kicks(RIG_EVENT_IDX);
}

/* What cannot be a frame goes back at once, and the ring goes on. */
static void unusable_frames_are_dropped_and_counted(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) {
		.size = 128, .without = RIG_INDIRECT, .room = 70000 });
	struct port *port = rig_port(rig, 0);
	struct driver_segment bad[] = {
		{ rig->tx_arena[0], 11, false }, /* half a header */
		{ rig->tx_arena[0], 12, false }, /* nothing behind it */
		{ rig->tx_arena[0], 60, true },  /* not readable */
		{ rig->tx_arena[0], PORT_FRAME_MAX + 13, false },
	};
	struct port_frame frame;
	int head[5];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		head[i] = driver_add(&rig->tx[0], &bad[i], 1);
	head[4] = rig_queue(rig, 0, &plain, 1000, 1, 10);
	driver_publish(&rig->tx[0]);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	rig_send(rig, 0, &plain, 77, 2, 0);
	rig_expect(rig, 0, 77, 2, NULL);
	port->ops->flush(port);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(driver_take(&rig->tx[0], NULL), head[i]);
	assert_int_equal(rig_stat(rig, "tx0", "malformed"), 5);
	assert_int_equal(rig->broken, 0);
	rig_free(rig);
}

/* What a turn leaves: frames sent and completed, flushed, not settled. */
static void flush_turn(struct rig *rig, unsigned int count, unsigned int size)
{
	struct port *port = rig_port(rig, 0);

	for (unsigned int i = 0; i < count; i++)
		rig_send(rig, 0, &plain, size, i, 0);
	for (unsigned int i = 0; i < count; i++)
		port->ops->tx_done(port, rig_expect(rig, 0, size, i, NULL));
	port->ops->flush(port);
}

static void interrupt_for_few_frames_is_put_off(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	flush_turn(rig, 3, 60);
	assert_int_equal(rig->interrupts[1], 0);
	assert_true(port->ops->put_off(port));
	port->ops->settle(port);
	assert_int_equal(rig->interrupts[1], 1);
	assert_false(port->ops->put_off(port));
	rig_free(rig);
}

static void interrupt_for_many_bytes_is_not_put_off(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });

	(void)state;
	flush_turn(rig, 12, 1500);
	assert_int_equal(rig->interrupts[1], 1);
	rig_free(rig);
}

static void driver_that_polled_gets_no_interrupt(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	flush_turn(rig, 3, 60);
	while (driver_take(&rig->tx[0], NULL) >= 0)
		;
	driver_enable_interrupts(&rig->tx[0], 1);
	port->ops->flush(port);
	assert_false(port->ops->put_off(port));
	assert_int_equal(rig->interrupts[1], 0);
	rig_free(rig);
}

static void work_is_seen_without_asking_for_kicks(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	port->ops->disarm(port);
	assert_false(port->ops->has_work(port));
	rig_send(rig, 0, &plain, 60, 0, 0);
	assert_true(port->ops->has_work(port));
	port->ops->tx_done(port, rig_expect(rig, 0, 60, 0, NULL));
	assert_false(port->ops->has_work(port));
	rig_free(rig);
}

/* More frames than 16-bit indices count. */
static void rings_wrap(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .size = 8 });

	(void)state;
	for (unsigned int frames = 0; frames < 70000; frames += 7) {
		turn(rig, 7);
		while (driver_take(&rig->tx[0], NULL) >= 0)
			;
	}
	assert_int_equal(rig_stat(rig, "tx0", "frames"), 70000);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_arrives_in_place),
		cmocka_unit_test(the_header_becomes_the_offload),
		cmocka_unit_test(frames_may_be_cut_anywhere),
		cmocka_unit_test(frames_may_be_cut_anywhere_in_a_table),
		cmocka_unit_test(the_longest_frame_passes),
		cmocka_unit_test(done_in_any_order_is_seen_at_flush),
		cmocka_unit_test(one_interrupt_per_turn_if_wanted),
		cmocka_unit_test(flags_suppress_the_interrupt_too),
		cmocka_unit_test(kicks_are_asked_for_while_asleep_only),
		cmocka_unit_test(kicks_without_event_idx_too),
		cmocka_unit_test(unusable_frames_are_dropped_and_counted),
		cmocka_unit_test(interrupt_for_few_frames_is_put_off),
		cmocka_unit_test(interrupt_for_many_bytes_is_not_put_off),
		cmocka_unit_test(driver_that_polled_gets_no_interrupt),
		cmocka_unit_test(work_is_seen_without_asking_for_kicks),
		cmocka_unit_test(rings_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
