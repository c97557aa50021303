/* SPDX-License-Identifier: BSD-3-Clause */
#include "device/net_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void rig_interrupt(struct virtio_transport *transport,
			  unsigned int queue)
{
	struct rig *rig = (struct rig *)transport;

	assert_in_range(queue, 0, 2 * RIG_PAIRS_MAX);
	__atomic_fetch_add(&rig->interrupts[queue], 1, __ATOMIC_RELAXED);
}

static void rig_config_interrupt(struct virtio_transport *transport)
{
	(void)transport;
}

static void rig_broken(struct virtio_transport *transport)
{
	((struct rig *)transport)->broken++;
}

static const struct virtio_transport_ops rig_transport_ops = {
	.queue_interrupt = rig_interrupt,
	.config_interrupt = rig_config_interrupt,
	.device_broken = rig_broken,
};

static void rig_call(void *context, unsigned int queue,
		     void (*call)(void *argument), void *argument)
{
	struct rig *rig = context;

	assert_in_range(queue, 0, rig->options.pairs - 1);
	rig->calls++;
	call(argument);
}

static void rig_steer(void *context, unsigned int count)
{
	((struct rig *)context)->steered = count;
}

static void rig_default(struct rig_options *options)
{
	if (!options->pairs)
		options->pairs = 1;
	if (!options->size)
		options->size = 16;
	if (!options->mtu)
		options->mtu = 1500;
	if (!options->room)
		options->room = 2048;
}

struct rig *rig_make(const struct rig_options *options)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct virtio_net_config config = {
		.mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
	};
	struct virtio_net_backend backend = { rig_call, rig_steer, rig };
	struct fail fail = { 0 };

	assert_non_null(rig);
	rig->options = *options;
	rig_default(&rig->options);
	config.queue_pairs = rig->options.pairs;
	config.queue_size = rig->options.size;
	config.mtu = rig->options.mtu;
	rig->transport.ops = &rig_transport_ops;
	driver_memory_init(&rig->memory, (1 << 20) + 2UL * config.queue_pairs *
							     config.queue_size *
							     rig->options.room *
							     2);
	assert_int_equal(virtio_net_create(&config, &rig->memory.memory,
					   &rig->net, &fail),
			 0);
	virtio_net_attach(rig->net, &backend);
	rig->device = virtio_net_device(rig->net);
	rig->features = rig->device->features & ~rig->options.without;
	assert_int_equal(rig_start(rig), 0);
	return rig;
}

void rig_free(struct rig *rig)
{
	rig_stop(rig);
	virtio_net_destroy(rig->net);
	driver_memory_destroy(&rig->memory);
	free(rig);
}

static void rig_ring(struct rig *rig, struct driver_queue *queue,
		     struct virtio_queue_setup *setup, uint64_t *arena)
{
	size_t room = rig->options.size * rig->options.room;

	driver_queue_init(queue, &rig->memory, rig->options.size,
			  rig->features & RIG_EVENT_IDX);
	queue->indirect = rig->features & RIG_INDIRECT;
	*setup = queue->setup;
	driver_alloc(&rig->memory, room, 64, arena);
}

int rig_start(struct rig *rig)
{
	return rig_start_on(rig, &rig->transport);
}

int rig_start_on(struct rig *rig, struct virtio_transport *transport)
{
	struct virtio_queue_setup setup[2 * RIG_PAIRS_MAX + 1] = { 0 };
	unsigned int pairs = rig->features & RIG_MQ ? rig->options.pairs : 1;

	rig->memory.next = 4096;
	for (unsigned int i = 0; i < 2; i++)
		memset(rig->memory.memory.region[i].host, 0,
		       rig->memory.memory.region[i].size);
	for (unsigned int i = 0; i < pairs; i++) {
		rig_ring(rig, &rig->rx[i], &setup[2UL * i], &rig->rx_arena[i]);
		rig->rx[i].indirect = false;
		rig_ring(rig, &rig->tx[i], &setup[2 * i + 1],
			 &rig->tx_arena[i]);
	}
	rig->control_index = 2 * pairs;
	rig_ring(rig, &rig->control, &setup[2UL * pairs], &rig->control_buffer);
	return rig->device->ops->start(rig->device, transport, rig->features,
				       setup);
}

void rig_stop(struct rig *rig)
{
	rig->device->ops->stop(rig->device);
}

struct port *rig_port(struct rig *rig, unsigned int pair)
{
	return virtio_net_port(rig->net, pair);
}

void rig_publish(struct rig *rig, struct driver_queue *queue)
{
	const uint64_t one = 1;
	unsigned int pair = 0;

	while (queue != &rig->rx[pair] && queue != &rig->tx[pair])
		assert_true(++pair < RIG_PAIRS_MAX);
	if (driver_publish(queue))
		assert_int_equal(
			write(rig->device->ops->kick_fd(rig->device, 2 * pair),
			      &one, sizeof(one)),
			sizeof(one));
}

static uint8_t pattern(size_t at, unsigned int seed)
{
	return (uint8_t)(at * 7 + (at >> 8) + seed * 31UL);
}

void rig_fill(uint8_t *data, size_t length, unsigned int seed)
{
	for (size_t i = 0; i < length; i++)
		data[i] = pattern(i, seed);
}

int rig_queue(struct rig *rig, unsigned int pair,
	      const struct virtio_net_hdr_v1 *header, size_t length,
	      unsigned int seed, size_t cut)
{
	struct driver_queue *queue = &rig->tx[pair];
	uint64_t gpa = rig->tx_arena[pair] + queue->free * rig->options.room;
	struct driver_segment segment[DRIVER_SEGMENTS_MAX];
	size_t total = length + RIG_HEADER;
	unsigned int count = 0;
	uint8_t *data;

	assert_true(total <= rig->options.room);
	if (!queue->free_count)
		return -1;
	data = driver_at(&rig->memory, gpa, total);
	memcpy(data, header, RIG_HEADER);
	rig_fill(data + RIG_HEADER, length, seed);
	for (size_t at = 0; at < total; at += segment[count++].length) {
		size_t part = cut && total - at > cut ? cut : total - at;

		assert_true(count < DRIVER_SEGMENTS_MAX);
		segment[count] = (struct driver_segment) { gpa + at, part, 0 };
	}
	return driver_add(queue, segment, count);
}

int rig_send(struct rig *rig, unsigned int pair,
	     const struct virtio_net_hdr_v1 *header, size_t length,
	     unsigned int seed, size_t cut)
{
	int head = rig_queue(rig, pair, header, length, seed, cut);

	rig_publish(rig, &rig->tx[pair]);
	return head;
}

void rig_check(const struct iovec *iov, unsigned int count, size_t length,
	       unsigned int seed)
{
	size_t at = 0;

	for (unsigned int i = 0; i < count; i++) {
		const uint8_t *data = iov[i].iov_base;

		assert_true(iov[i].iov_len > 0);
		for (size_t j = 0; j < iov[i].iov_len; j++, at++)
			if (data[j] != pattern(at, seed))
				fail_msg("frame %u differs at %zu", seed, at);
	}
	assert_int_equal(at, length);
}

uint32_t rig_expect(struct rig *rig, unsigned int pair, size_t length,
		    unsigned int seed, struct port_offload *offload)
{
	struct port *port = rig_port(rig, pair);
	struct port_frame frame;

	assert_int_equal(port->ops->tx_take(port, &frame), 1);
	assert_int_equal(frame.length, length);
	rig_check(frame.iov, frame.iov_count, length, seed);
	if (offload)
		*offload = frame.offload;
	return frame.token;
}

int rig_post(struct rig *rig, unsigned int pair, const uint32_t *lengths)
{
	struct driver_queue *queue = &rig->rx[pair];
	uint16_t head = queue->free;
	uint64_t gpa = rig->rx_arena[pair] + head * rig->options.room;
	struct rig_posted *posted = &rig->posted[pair][head];
	unsigned int count = 0;
	size_t used = 0;

	if (!queue->free_count)
		return -1;
	for (; lengths[count]; used += lengths[count++])
		posted->segment[count] =
			(struct driver_segment) { gpa + used, lengths[count],
						  true };
	assert_true(used <= rig->options.room);
	posted->count = count;
	assert_int_not_equal(driver_add(queue, posted->segment, count), -1);
	rig_publish(rig, queue);
	return head;
}

void rig_post_many(struct rig *rig, unsigned int pair, unsigned int count,
		   uint32_t length)
{
	const uint32_t lengths[] = { length, 0 };

	for (unsigned int i = 0; i < count; i++)
		assert_int_not_equal(rig_post(rig, pair, lengths), -1);
}

void rig_commit(struct rig *rig, unsigned int pair, struct port_space *space,
		size_t length, unsigned int seed,
		const struct port_offload *offload)
{
	struct port *port = rig_port(rig, pair);
	size_t at = 0;

	assert_true(length <= space->length);
	for (unsigned int i = 0; i < space->iov_count && at < length; i++) {
		uint8_t *data = space->iov[i].iov_base;

		for (size_t j = 0; j < space->iov[i].iov_len && at < length;
		     j++)
			data[j] = pattern(at++, seed);
	}
	assert_int_equal(at, length);
	port->ops->rx_commit(port, space, length, offload);
}

int rig_deliver(struct rig *rig, unsigned int pair, size_t length,
		unsigned int seed)
{
	struct port *port = rig_port(rig, pair);
	struct port_space space;
	int ret = port->ops->rx_reserve(port, length, &space);

	if (!ret)
		rig_commit(rig, pair, &space, length, seed, NULL);
	return ret;
}

/* Append @used bytes of a posted chain to @out. */
static void gather(struct rig *rig, const struct rig_posted *posted,
		   size_t used, uint8_t *out)
{
	for (unsigned int i = 0; i < posted->count && used; i++) {
		size_t length = posted->segment[i].length;
		size_t part = used < length ? used : length;

		memcpy(out,
		       driver_at(&rig->memory, posted->segment[i].gpa, part),
		       part);
		out += part;
		used -= part;
	}
	assert_int_equal(used, 0);
}

unsigned int rig_receive(struct rig *rig, unsigned int pair, size_t length,
			 unsigned int seed, struct virtio_net_hdr_v1 *header)
{
	static const size_t room = RIG_HEADER + PORT_FRAME_MAX;
	struct virtio_net_hdr_v1 first;
	uint8_t *data = malloc(room);
	unsigned int chains = 0;
	struct iovec iov;
	size_t total = 0;
	uint32_t used;
	int head;

	assert_non_null(data);
	do {
		head = driver_take(&rig->rx[pair], &used);
		if (head < 0 && chains == 0) {
			free(data);
			return 0;
		}
		assert_true(head >= 0); /* all of a frame's chains at once */
		assert_true(total + used <= room);
		gather(rig, &rig->posted[pair][head], used, data + total);
		total += used;
		chains++;
		memcpy(&first, data, sizeof(first));
	} while (chains < first.num_buffers);
	assert_int_equal(first.num_buffers, chains);
	assert_int_equal(total, length + RIG_HEADER);
	iov = (struct iovec) { data + RIG_HEADER, length };
	rig_check(&iov, 1, length, seed);
	free(data);
	if (header)
		*header = first;
	return chains;
}

int rig_command(struct rig *rig, uint8_t class, uint8_t command,
		const void *data, uint32_t length)
{
	uint64_t gpa = rig->control_buffer;
	uint8_t *bytes = driver_at(&rig->memory, gpa, 256);
	struct driver_segment segment[3] = {
		{ gpa, 2, false },
		{ gpa + 2, length, false },
		{ gpa + 255, 1, true },
	};
	int kick_fd =
		rig->device->ops->kick_fd(rig->device, rig->control_index);
	struct port *port =
		rig_port(rig, rig->control_index / 2 % rig->options.pairs);

	bytes[0] = class;
	bytes[1] = command;
	memcpy(bytes + 2, data, length);
	bytes[255] = 0xee;
	assert_int_not_equal(driver_add(&rig->control, segment, 3), -1);
	assert_true(driver_publish(&rig->control));
	if (kick_fd < 0)
		rig->device->ops->notify(rig->device, rig->control_index);
	else if (kick_fd == port->ops->kick_fd(port))
		port->ops->disarm(port); /* its shard wakes */
	if (driver_take(&rig->control, &length) < 0 || length != 1)
		return -1;
	return bytes[255];
}

int rig_set_pairs(struct rig *rig, uint16_t pairs)
{
	return rig_command(rig, VIRTIO_NET_CTRL_MQ,
			   VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs,
			   sizeof(pairs));
}

unsigned long rig_stat(struct rig *rig, const char *queue, const char *name)
{
	char *text = NULL, *at, key[32];
	unsigned long value;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	virtio_net_print_stats(rig->net, out);
	fclose(out);
	snprintf(key, sizeof(key), "\"%s\"", queue);
	at = strstr(text, key);
	assert_non_null(at);
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(at, key);
	assert_non_null(at);
	value = strtoul(at + strlen(key), NULL, 10);
	free(text);
	return value;
}
