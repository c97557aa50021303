/* SPDX-License-Identifier: BSD-3-Clause */
/* The network device as a whole: making, configuration, pairs and resets. */
#include "device/net_rig.h"

#include <errno.h>
#include <string.h>

static const struct virtio_net_hdr_v1 plain;

static void bad_configurations_are_refused_with_a_sentence(void **state)
{
	static const struct virtio_net_config bad[] = {
		{ 0, 256, { 2 }, 1500 },   { 1025, 256, { 2 }, 1500 },
		{ 1, 100, { 2 }, 1500 },   { 1, 0, { 2 }, 1500 },
		{ 1, 65535, { 2 }, 1500 }, { 1, 256, { 2 }, 67 },
		{ 1, 256, { 2 }, 65536 },  { 1, 256, { 1 }, 1500 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct guest_memory memory = { 0 };
		struct virtio_net *net = NULL;
		struct fail fail = { 0 };

		assert_int_equal(
			virtio_net_create(&bad[i], &memory, &net, &fail),
			-EINVAL);
		assert_null(net);
		assert_string_not_equal(fail.text, "");
	}
}

static void configuration_space_says_what_was_configured(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	struct rig *rig =
		rig_make(&(struct rig_options) { .pairs = 3, .mtu = 4000 });
	const struct virtio_device_ops *ops = rig->device->ops;
	uint8_t bytes[6], beyond[8];
	uint16_t word;

	(void)state;
	ops->config_read(rig->device, 0, bytes, 6);
	assert_memory_equal(bytes, mac, 6);
	ops->config_read(rig->device, 6, &word, 2);
	assert_int_equal(word, VIRTIO_NET_S_LINK_UP);
	ops->config_read(rig->device, 8, &word, 2);
	assert_int_equal(word, 3);
	ops->config_read(rig->device, 10, &word, 2);
	assert_int_equal(word, 4000);
	memset(beyond, 0xff, sizeof(beyond));
	ops->config_read(rig->device, UINT32_MAX - 3, beyond, 8);
	assert_memory_equal(beyond, (uint8_t[8]) { 0 }, 8);
	rig_free(rig);
}

static void mq_is_offered_with_several_pairs_only(void **state)
{
	struct rig *one = rig_make(&(struct rig_options) { .pairs = 1 });
	struct rig *two = rig_make(&(struct rig_options) { .pairs = 2 });

	(void)state;
	assert_false(one->device->features & RIG_MQ);
	assert_true(two->device->features & RIG_MQ);
	assert_int_equal(one->device->queue_count, 3);
	assert_int_equal(two->device->queue_count, 5);
	rig_free(one);
	rig_free(two);
}

static void a_driver_without_version_1_is_refused(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });

	(void)state;
	rig_stop(rig);
	rig->features &= ~RIG_FEATURE(32);
	assert_int_equal(rig_start(rig), -EINVAL);
	rig_free(rig);
}

static void rings_outside_ram_are_refused(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { 0 });
	struct virtio_queue_setup setup[3] = { 0 };

	(void)state;
	rig_stop(rig);
	setup[0] = rig->rx[0].setup;
	setup[1] = rig->tx[0].setup;
	setup[2] = rig->control.setup;
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t used = setup[i].used;

		setup[i].used = 0xd0000000;
		assert_int_equal(rig->device->ops->start(rig->device,
							 &rig->transport,
							 rig->features, setup),
				 -EFAULT);
		rig_stop(rig);
		setup[i].used = used;
	}
	assert_int_equal(rig->device->ops->start(rig->device, &rig->transport,
						 rig->features, setup),
			 0);
	rig_free(rig);
}

static void both_queues_of_a_pair_share_an_eventfd(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	const struct virtio_device_ops *ops = rig->device->ops;
	struct port *port = rig_port(rig, 1);

	(void)state;
	assert_true(ops->kick_fd(rig->device, 0) >= 0);
	assert_int_equal(ops->kick_fd(rig->device, 2),
			 ops->kick_fd(rig->device, 3));
	assert_int_not_equal(ops->kick_fd(rig->device, 0),
			     ops->kick_fd(rig->device, 2));
	assert_int_equal(port->ops->kick_fd(port),
			 ops->kick_fd(rig->device, 2));
	assert_int_equal(ops->kick_fd(rig->device, 4), -1);
	rig_free(rig);
}

static bool is_active(struct rig *rig, unsigned int pair)
{
	struct port *port = rig_port(rig, pair);
	struct port_features features;

	port->ops->features(port, &features);
	return features.active;
}

static void only_pair_0_runs_at_first(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 4 });
	struct port *port = rig_port(rig, 1);
	struct port_frame frame;
	struct port_space space;

	(void)state;
	assert_int_equal(rig->steered, 1);
	assert_true(is_active(rig, 0));
	assert_false(is_active(rig, 1));
	rig_post_many(rig, 1, 4, 1536);
	rig_send(rig, 1, &plain, 60, 1, 0);
	assert_int_equal(port->ops->tx_take(port, &frame), 0);
	assert_int_equal(port->ops->rx_reserve(port, 60, &space), -ENOBUFS);
	assert_false(port->ops->arm(port));
	rig_free(rig);
}

static void the_driver_sets_how_many_pairs_run(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 4 });

	(void)state;
	for (unsigned int count = 4; count >= 1; count--) {
		assert_int_equal(rig_set_pairs(rig, count), VIRTIO_NET_OK);
		assert_int_equal(rig->steered, count);
		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(is_active(rig, i), i < count);
	}
	rig_free(rig);
}

static void impossible_pair_counts_are_refused(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 4 });
	uint8_t half = 2;

	(void)state;
	assert_int_equal(rig_set_pairs(rig, 2), VIRTIO_NET_OK);
	assert_int_equal(rig_set_pairs(rig, 0), VIRTIO_NET_ERR);
	assert_int_equal(rig_set_pairs(rig, 5), VIRTIO_NET_ERR);
	assert_int_equal(rig_set_pairs(rig, 0x8000), VIRTIO_NET_ERR);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_MQ, 0, &half, 1),
			 VIRTIO_NET_ERR);
	assert_int_equal(rig->steered, 2);
	rig_free(rig);
}

/* Frames on both sides of a pair that goes down come through it or wait. */
static void pairs_lose_nothing_up_and_down(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	struct port *port = rig_port(rig, 1);
	struct port_space space;

	(void)state;
	assert_int_equal(rig_set_pairs(rig, 2), VIRTIO_NET_OK);
	rig_post_many(rig, 1, 8, 1536);
	assert_int_equal(port->ops->rx_reserve(port, 5000, &space), 0);
	rig_commit(rig, 1, &space, 100, 1, NULL);
	port->ops->flush(port);
	rig_send(rig, 1, &plain, 60, 2, 0);
	assert_int_equal(rig_set_pairs(rig, 1), VIRTIO_NET_OK);
	assert_int_equal(port->ops->rx_reserve(port, 60, &space), -ENOBUFS);
	port->ops->tx_done(port, rig_expect(rig, 1, 60, 2, NULL));
	port->ops->flush(port);
	assert_true(driver_take(&rig->tx[1], NULL) >= 0);
	assert_int_equal(rig_receive(rig, 1, 100, 1, NULL), 1);
	assert_int_equal(rig_set_pairs(rig, 2), VIRTIO_NET_OK);
	assert_int_equal(rig_deliver(rig, 1, 7 * 1536 - RIG_HEADER, 3), 0);
	port->ops->flush(port);
	assert_int_equal(rig_receive(rig, 1, 7 * 1536 - RIG_HEADER, 3, NULL),
			 7);
	rig_free(rig);
}

static void other_commands(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	const uint8_t on = 1;
	const uint8_t none[8] = { 0 };

	(void)state;
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_RX,
				     VIRTIO_NET_CTRL_RX_PROMISC, &on, 1),
			 VIRTIO_NET_OK);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_RX,
				     VIRTIO_NET_CTRL_RX_ALLMULTI, &on, 1),
			 VIRTIO_NET_OK);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_RX,
				     VIRTIO_NET_CTRL_RX_NOBCAST, &on, 1),
			 VIRTIO_NET_ERR);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_MAC,
				     VIRTIO_NET_CTRL_MAC_TABLE_SET, none, 8),
			 VIRTIO_NET_OK);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_MAC,
				     VIRTIO_NET_CTRL_MAC_ADDR_SET, none, 6),
			 VIRTIO_NET_ERR);
	assert_int_equal(rig_command(rig, VIRTIO_NET_CTRL_MQ, 1, none, 8),
			 VIRTIO_NET_ERR);
	assert_int_equal(rig_command(rig, 77, 0, none, 8), VIRTIO_NET_ERR);
	assert_int_equal(rig_stat(rig, "control", "frames"), 7);
	rig_free(rig);
}

static void commands_are_answered_with_an_interrupt(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });

	(void)state;
	rig_set_pairs(rig, 2);
	assert_int_equal(rig->interrupts[4], 1);
	rig_free(rig);
}

/* Its queue is at index 2 then, where queue pair 1's doorbell is. */
static void commands_work_without_mq(void **state)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .pairs = 3, .without = RIG_MQ });
	const uint8_t on = 1;

	(void)state;
	assert_int_equal(rig->control_index, 2);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(
			rig_command(rig, VIRTIO_NET_CTRL_RX, 0, &on, 1),
			VIRTIO_NET_OK);
	assert_int_equal(rig_set_pairs(rig, 1), VIRTIO_NET_ERR);
	assert_int_equal(rig->interrupts[2], 1);
	assert_false(is_active(rig, 1));
	assert_true(is_active(rig, 0));
	rig_free(rig);
}

static void one_pair_has_its_control_queue_behind_it(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 1 });

	(void)state;
	assert_int_equal(rig->control_index, 2);
	assert_int_equal(rig_set_pairs(rig, 1), VIRTIO_NET_ERR); /* no MQ */
	rig_free(rig);
}

static void commands_without_an_answers_room_come_back_empty(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 1 });
	struct driver_segment segment[] = {
		{ rig->control_buffer, 64, false },
		{ rig->control_buffer, 1, false },
		{ rig->control_buffer, 1, true },
	};
	uint32_t length;

	(void)state;
	driver_add(&rig->control, &segment[0], 1);
	driver_add(&rig->control, &segment[1], 2);
	driver_add(&rig->control, &segment[2], 1);
	driver_publish(&rig->control);
	rig->device->ops->notify(rig->device, 2);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(driver_take(&rig->control, &length) >= 0);
		assert_int_equal(length, 0);
	}
	assert_int_equal(rig_stat(rig, "control", "malformed"), 3);
	assert_int_equal(rig->broken, 0);
	rig_free(rig);
}

/* A reset takes all rings away, whatever is in them, and starts afresh. */
static void a_reset_forgets_all_rings(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	struct port *port = rig_port(rig, 1);
	struct port_frame frame;
	struct port_space space;
	uint16_t used;

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(rig_set_pairs(rig, 2), VIRTIO_NET_OK);
		rig_post_many(rig, 1, 8, 1536);
		rig_send(rig, 1, &plain, 60, i, 0);
		rig_send(rig, 1, &plain, 60, i, 0);
		port->ops->tx_done(port, rig_expect(rig, 1, 60, i, NULL));
		assert_int_equal(port->ops->rx_reserve(port, 5000, &space), 0);
		port->ops->rx_cancel(port, &space);
		used = driver_used_idx(&rig->tx[1]);
		rig_stop(rig);
		assert_int_equal(port->ops->tx_take(port, &frame), 0);
		assert_int_equal(port->ops->rx_reserve(port, 60, &space),
				 -ENOBUFS);
		port->ops->flush(port);
		assert_int_equal(driver_used_idx(&rig->tx[1]), used);
		assert_false(is_active(rig, 1));
		assert_int_equal(rig_start(rig), 0);
		assert_int_equal(rig->steered, 1);
	}
	rig_free(rig);
}

static void stopping_twice_does_nothing(void **state)
{
	struct rig *rig = rig_make(&(struct rig_options) { .pairs = 2 });
	unsigned int calls;

	(void)state;
	rig_stop(rig);
	calls = rig->calls;
	rig_stop(rig);
	assert_int_equal(rig->calls, calls);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			bad_configurations_are_refused_with_a_sentence),
		cmocka_unit_test(configuration_space_says_what_was_configured),
		cmocka_unit_test(mq_is_offered_with_several_pairs_only),
		cmocka_unit_test(a_driver_without_version_1_is_refused),
		cmocka_unit_test(rings_outside_ram_are_refused),
		cmocka_unit_test(both_queues_of_a_pair_share_an_eventfd),
		cmocka_unit_test(only_pair_0_runs_at_first),
		cmocka_unit_test(the_driver_sets_how_many_pairs_run),
		cmocka_unit_test(impossible_pair_counts_are_refused),
		cmocka_unit_test(pairs_lose_nothing_up_and_down),
		cmocka_unit_test(other_commands),
		cmocka_unit_test(commands_are_answered_with_an_interrupt),
		cmocka_unit_test(commands_work_without_mq),
		cmocka_unit_test(one_pair_has_its_control_queue_behind_it),
		cmocka_unit_test(
			commands_without_an_answers_room_come_back_empty),
		cmocka_unit_test(a_reset_forgets_all_rings),
		cmocka_unit_test(stopping_twice_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
