/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver that breaks its rings breaks its device, and nobody else. */
#include "device/net_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEXT     1
#define WRITE    2
#define INDIRECT 4

static const struct virtio_net_hdr_v1 plain;

static void loop(struct driver_queue *queue, uint16_t flags)
{
	driver_desc(queue, 0, 0x8000, 64, NEXT | flags, 1);
	driver_desc(queue, 1, 0x8000, 64, NEXT | flags, 0);
	driver_add_head(queue, 0);
	driver_publish(queue);
}

static void a_broken_transmit_ring_is_reported_once(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	struct port *port = rig_port(rig, 0);
	struct port_frame frame;

	(void)state;
	loop(&rig->tx[0], 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(port->ops->tx_take(port, &frame), 0);
	assert_false(port->ops->arm(port)); /* the shard may sleep */
	assert_int_equal(rig->broken, 1);
	assert_int_equal(rig_stat(rig, "tx0", "broken"), 1);
	rig_free(rig);
}

static void a_broken_receive_ring_is_reported_once(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);

	(void)state;
	loop(&rig->rx[0], WRITE);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_deliver(rig, 0, 60, i), -ENOBUFS);
	assert_false(port->ops->arm(port));
	assert_int_equal(rig->broken, 1);
	assert_int_equal(rig_stat(rig, "rx0", "broken"), 1);
	rig_free(rig);
}

static void a_broken_control_ring_is_reported_once(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });

	(void)state;
	loop(&rig->control, 0);
	for (unsigned int i = 0; i < 3; i++)
		rig->device->ops->notify(rig->device, 2);
	assert_int_equal(rig->broken, 1);
	assert_int_equal(rig_stat(rig, "control", "broken"), 1);
	rig_free(rig);
}

static void other_queues_go_on_beside_a_broken_one(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	struct port *port = rig_port(rig, 0);
	struct port_frame frame;

	(void)state;
	assert_int_equal(rig_set_pairs(rig, 2), VIRTIO_NET_OK);
	loop(&rig->tx[0], 0);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	rig_send(rig, 1, &plain, 60, 1, 0);
	rig_expect(rig, 1, 60, 1, NULL);
	rig_post_many(rig, 0, 1, 1536);
	assert_int_equal(rig_deliver(rig, 0, 60, 1), 0);
	rig_free(rig);
}

static void a_reset_heals_a_broken_ring(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_frame frame;

	(void)state;
	loop(&rig->tx[0], 0);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	rig_stop(rig);
	assert_int_equal(rig_start(rig), 0);
	rig_send(rig, 0, &plain, 60, 1, 0);
	rig_expect(rig, 0, 60, 1, NULL);
	loop(&rig->tx[0], 0);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	assert_int_equal(rig->broken, 2);
	rig_free(rig);
}

/* Space that was reserved is committed after its descriptors were rewritten. */
static void descriptors_may_change_under_a_reservation(void **state)
{
	static const uint32_t split[] = { 4, 8, 1600, 0 };
	static const struct {
		uint64_t gpa;
		uint32_t length;
		unsigned int broken;
	} cases[] = {
		{ 0x9000, 1, 0 },          /* still enough */
		{ 0xd0000000, 1600, 1 },   /* not RAM any more */
		{ UINT64_MAX - 9, 20, 1 }, /* wraps */
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_make(&(struct rig_options) { 0 });
		struct port *port = rig_port(rig, 0);
		struct port_space space;
		uint16_t third = 2;

		assert_int_equal(rig_post(rig, 0, split), 0);
		assert_int_equal(port->ops->rx_reserve(port, 1000, &space), 0);
		driver_desc(&rig->rx[0], third, cases[i].gpa, cases[i].length,
			    WRITE, 0);
		rig_commit(rig, 0, &space, 1000, 1, NULL);
		port->ops->flush(port);
		assert_int_equal(rig->broken, cases[i].broken);
		rig_free(rig);
	}
}

static void cancelled_space_may_have_shrunk(void **state)
{
	static const uint32_t split[] = { 12, 1600, 0 };
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_space space;

	(void)state;
	rig_post(rig, 0, split);
	assert_int_equal(port->ops->rx_reserve(port, 1000, &space), 0);
	port->ops->rx_cancel(port, &space);
	driver_desc(&rig->rx[0], 1, rig->rx_arena[0] + 12, 100, WRITE, 0);
	assert_int_equal(port->ops->rx_reserve(port, 1000, &space), -ENOBUFS);
	assert_int_equal(port->ops->rx_reserve(port, 100, &space), 0);
	assert_int_equal(space.length, 100);
	rig_free(rig);
}

/* A driver that makes one chain available again and again. */
static void one_head_twice_is_the_drivers_problem(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct port *port = rig_port(rig, 0);
	struct port_space space[2];

	(void)state;
	rig_post_many(rig, 0, 1, 1600);
	driver_add_head(&rig->rx[0], 0);
	driver_publish(&rig->rx[0]);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(port->ops->rx_reserve(port, 1000, &space[i]),
				 0);
	for (unsigned int i = 0; i < 2; i++)
		rig_commit(rig, 0, &space[i], 1000, i, NULL);
	port->ops->flush(port);
	assert_int_equal(driver_used_idx(&rig->rx[0]), 2);
	rig_free(rig);
}

/* Every word of a ring may hold anything at any time. */
static void scribble(struct rig *rig, struct driver_queue *queue,
		     unsigned int *seed)
{
	uint16_t index = rand_r(seed) % queue->setup.size;
	uint64_t gpa = rand_r(seed) % 8 ? rig->rx_arena[0] + rand_r(seed) % 4096
					: (uint64_t)rand_r(seed) << 40;
	uint64_t table = rig->control_buffer;

	driver_desc(queue, index, rand_r(seed) % 4 ? gpa : table,
		    rand_r(seed) % 8 ? rand_r(seed) % 2048 : rand_r(seed),
		    rand_r(seed) % 8, rand_r(seed) % (queue->setup.size + 1));
	driver_table(queue, table, rand_r(seed) % 8, gpa, rand_r(seed) % 2048,
		     rand_r(seed) % 4, rand_r(seed) % 9);
	if (rand_r(seed) % 4)
		driver_add_head(queue, rand_r(seed) % queue->setup.size);
	else if (rand_r(seed) % 16 == 0)
		queue->avail_next = rand_r(seed);
	driver_publish(queue);
}

/* One turn of a shard that uses everything it is given. */
static void use(struct rig *rig, unsigned int *seed)
{
	struct port *port = rig_port(rig, 0);
	uint8_t copy[PORT_FRAME_MAX];
	struct port_frame frame;
	struct port_space space;

	port->ops->disarm(port);
	for (unsigned int i = 0; i < 4 && port->ops->tx_take(port, &frame) == 1;
	     i++) {
		assert_in_range(frame.length, 1, PORT_FRAME_MAX);
		for (unsigned int j = 0; j < frame.iov_count; j++)
			memcpy(copy, frame.iov[j].iov_base,
			       frame.iov[j].iov_len);
		port->ops->tx_done(port, frame.token);
	}
	for (unsigned int i = 0; i < 3; i++) {
		size_t length = rand_r(seed) % 4000 + 1;

		if (port->ops->rx_reserve(port, length, &space))
			break;
		if (rand_r(seed) % 3)
			rig_commit(rig, 0, &space, length, i, NULL);
		else
			port->ops->rx_cancel(port, &space);
	}
	port->ops->flush(port);
	port->ops->arm(port);
	rig->device->ops->notify(rig->device, 2);
}

static void random_drivers_break_only_their_device(void **state)
{
	unsigned int seed = 7, broken = 0;
	unsigned long frames = 0;

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		struct rig *rig = rig_make(&(struct rig_options) {
			.without = round % 2 ? RIG_MRG : 0 });

		for (unsigned int step = 0; step < 200; step++) {
			scribble(rig, &rig->rx[0], &seed);
			scribble(rig, &rig->tx[0], &seed);
			scribble(rig, &rig->control, &seed);
			use(rig, &seed);
			if (rig->broken == 3) {
				rig_stop(rig);
				assert_int_equal(rig_start(rig), 0);
				broken += rig->broken;
				rig->broken = 0;
			}
		}
		frames += rig_stat(rig, "rx0", "frames") +
			  rig_stat(rig, "tx0", "frames");
		rig_free(rig);
	}
	assert_true(broken > 50);
	assert_true(frames > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_transmit_ring_is_reported_once),
		cmocka_unit_test(a_broken_receive_ring_is_reported_once),
		cmocka_unit_test(a_broken_control_ring_is_reported_once),
		cmocka_unit_test(other_queues_go_on_beside_a_broken_one),
		cmocka_unit_test(a_reset_heals_a_broken_ring),
		cmocka_unit_test(descriptors_may_change_under_a_reservation),
		cmocka_unit_test(cancelled_space_may_have_shrunk),
		cmocka_unit_test(one_head_twice_is_the_drivers_problem),
		cmocka_unit_test(random_drivers_break_only_their_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
