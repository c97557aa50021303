/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random operations of a driver and of a shard, each frame checked against a
 * model: what goes in on one side comes out on the other, in order, unchanged.
 */
#include "device/net_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE  32
#define ROOM  4096
#define STEPS 30000

/* Frames that were sent and not yet seen: their seeds and lengths. */
struct expected {
	unsigned int seed[4 * SIZE];
	size_t length[4 * SIZE];
	unsigned int head, tail;
};

static void expect_add(struct expected *expected, unsigned int seed,
		       size_t length)
{
	unsigned int slot = expected->tail++ % (4 * SIZE);

	assert_true(expected->tail - expected->head <= 4 * SIZE);
	expected->seed[slot] = seed;
	expected->length[slot] = length;
}

struct model {
	struct rig *rig;
	struct port *port;
	unsigned int random;
	unsigned int seed;
	struct expected tx;
	struct expected rx;
	uint32_t taken[SIZE];
	unsigned int taken_count;
	struct port_space space[4];
	unsigned int space_count;
	size_t asked[4];
};

static unsigned int pick(struct model *model, unsigned int below)
{
	return (unsigned int)rand_r(&model->random) % below;
}

static void driver_sends(struct model *model)
{
	const struct virtio_net_hdr_v1 header = { 0 };
	size_t length = pick(model, 2000) + 1;
	size_t cut = pick(model, 2) ? 0 : length / 5 + 1 + pick(model, 500);
	struct driver_queue *queue = &model->rig->tx[0];

	model->rig->tx[0].indirect = pick(model, 2);
	if (queue->free_count < 8)
		return;
	assert_true(rig_send(model->rig, 0, &header, length, ++model->seed,
			     cut) >= 0);
	expect_add(&model->tx, model->seed, length);
}

static void driver_posts(struct model *model)
{
	uint32_t lengths[5] = { 0 };
	unsigned int count = pick(model, 4) ? 1 : pick(model, 4) + 1;

	for (unsigned int i = 0; i < count; i++)
		lengths[i] = RIG_HEADER + pick(model, 900);
	if (model->rig->rx[0].free_count >= count)
		rig_post(model->rig, 0, lengths);
}

static void driver_collects(struct model *model)
{
	struct expected *rx = &model->rx;

	while (driver_take(&model->rig->tx[0], NULL) >= 0)
		;
	while (rx->head != rx->tail) {
		unsigned int slot = rx->head % (4 * SIZE);

		if (!rig_receive(model->rig, 0, rx->length[slot],
				 rx->seed[slot], NULL))
			return;
		rx->head++;
	}
}

static void shard_takes(struct model *model)
{
	struct expected *tx = &model->tx;
	unsigned int slot = tx->head % (4 * SIZE);
	struct port_frame frame;

	if (model->taken_count == SIZE)
		return;
	if (tx->head == tx->tail) {
		assert_int_equal(model->port->ops->tx_take(model->port, &frame),
				 0);
		return;
	}
	model->taken[model->taken_count++] = rig_expect(
		model->rig, 0, tx->length[slot], tx->seed[slot], NULL);
	tx->head++;
}

static void shard_gives_back(struct model *model)
{
	unsigned int slot;

	if (!model->taken_count)
		return;
	slot = pick(model, model->taken_count);
	model->port->ops->tx_done(model->port, model->taken[slot]);
	model->taken[slot] = model->taken[--model->taken_count];
}

static void shard_reserves(struct model *model)
{
	unsigned int slot = model->space_count;
	size_t length = pick(model, 6000) + 1;
	int ret;

	if (slot == 4)
		return;
	ret = model->port->ops->rx_reserve(model->port, length,
					   &model->space[slot]);
	if (ret) {
		assert_int_equal(ret, -ENOBUFS);
		return;
	}
	assert_true(model->space[slot].length >= length);
	model->asked[slot] = length;
	model->space_count++;
}

/* Commit (in part or whole) or cancel any one of the reservations. */
static void shard_settles(struct model *model, bool commit)
{
	unsigned int slot, last;
	size_t length;

	if (!model->space_count)
		return;
	slot = pick(model, model->space_count);
	if (commit) {
		length = pick(model, model->asked[slot]) + 1;
		rig_commit(model->rig, 0, &model->space[slot], length,
			   ++model->seed, NULL);
		expect_add(&model->rx, model->seed, length);
	} else {
		model->port->ops->rx_cancel(model->port, &model->space[slot]);
	}
	last = --model->space_count;
	model->space[slot] = model->space[last];
	model->asked[slot] = model->asked[last];
}

static void step(struct model *model)
{
	switch (pick(model, 10)) {
	case 0:
	case 1:
		driver_sends(model);
		break;
	case 2:
	case 3:
		driver_posts(model);
		break;
	case 4:
		driver_collects(model);
		break;
	case 5:
		shard_takes(model);
		break;
	case 6:
		shard_gives_back(model);
		break;
	case 7:
		shard_reserves(model);
		break;
	case 8:
		shard_settles(model, pick(model, 3) != 0);
		break;
	default:
		model->port->ops->flush(model->port);
	}
}

/* At the end nothing is left on either side. */
static void settle(struct model *model)
{
	struct rig *rig = model->rig;

	while (model->space_count)
		shard_settles(model, true);
	while (model->tx.head != model->tx.tail) {
		shard_takes(model);
		shard_gives_back(model);
	}
	while (model->taken_count)
		shard_gives_back(model);
	model->port->ops->flush(model->port);
	driver_collects(model);
	assert_int_equal(model->rx.head, model->rx.tail);
	assert_int_equal(rig->tx[0].free_count, SIZE);
	assert_int_equal(rig->broken, 0);
	assert_int_equal(rig_stat(rig, "tx0", "frames"), model->tx.tail);
	assert_int_equal(rig_stat(rig, "rx0", "frames"), model->rx.tail);
	assert_true(model->tx.tail > 100);
	assert_true(model->rx.tail > 100);
}

static void check(uint64_t without, unsigned int random)
{
	struct model model = { .random = random };

	model.rig = rig_make(&(struct rig_options) {
		.size = SIZE, .room = ROOM, .without = without });
	model.port = rig_port(model.rig, 0);
	for (unsigned int i = 0; i < STEPS; i++)
		step(&model);
	settle(&model);
	rig_free(model.rig);
}

static void frames_survive_random_operations(void **state)
{
	(void)state;
	for (unsigned int random = 1; random <= 4; random++)
		check(0, random);
}

static void frames_survive_without_event_idx(void **state)
{
	(void)state;
	check(RIG_EVENT_IDX, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_survive_random_operations),
		cmocka_unit_test(frames_survive_without_event_idx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
