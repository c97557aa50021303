/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Driver and shards on threads of their own, which sleep whenever they may: a
 * lost doorbell or interrupt, or a data race, shows here.
 */
#include "device/net_rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PAIRS       2
#define SIZE        16
#define FRAMES      6000
#define PATIENCE_MS 20000

/**
 * struct shard - Echoes each frame of its port
 * @epoll:	Watches the port's eventfd and @wake, edge-triggered
 */
struct shard {
	struct port *port;
	pthread_t thread;
	int epoll;
	int wake;
	bool stop;
	void (*call)(void *argument);
	void *argument;
	sem_t called;
};

struct threads {
	struct rig *rig;
	struct shard shard[PAIRS];
};

/* Interrupts reach the driver through one eventfd. */
struct interrupts {
	const struct virtio_transport_ops *ops;
	int fd;
};

static void ring_bell(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort(); /* cmocka's asserts are for the main thread */
}

static void shard_echo(struct port *port, struct port_frame *frame,
		       struct port_space *space)
{
	uint8_t data[2048];
	size_t at = 0;

	for (unsigned int i = 0; i < frame->iov_count; i++) {
		memcpy(data + at, frame->iov[i].iov_base,
		       frame->iov[i].iov_len);
		at += frame->iov[i].iov_len;
	}
	at = 0;
	for (unsigned int i = 0; at < frame->length; i++) {
		size_t part = frame->length - at;

		if (part > space->iov[i].iov_len)
			part = space->iov[i].iov_len;
		memcpy(space->iov[i].iov_base, data + at, part);
		at += part;
	}
	port->ops->rx_commit(port, space, frame->length, NULL);
	port->ops->tx_done(port, frame->token);
}

static void shard_turn(struct port *port)
{
	struct port_frame frame;
	struct port_space space;

	port->ops->disarm(port);
	while (port->ops->rx_reserve(port, 1500, &space) == 0) {
		if (port->ops->tx_take(port, &frame) == 0) {
			port->ops->rx_cancel(port, &space);
			break;
		}
		shard_echo(port, &frame, &space);
	}
	port->ops->flush(port);
}

static void *shard_main(void *context)
{
	struct shard *shard = context;
	struct epoll_event event;

	/* Pairs with the release in threads_stop(). */
	while (!__atomic_load_n(&shard->stop, __ATOMIC_ACQUIRE)) {
		void (*call)(void *argument);

		shard_turn(shard->port);
		/* Pairs with the release in call_shard(). */
		call = __atomic_load_n(&shard->call, __ATOMIC_ACQUIRE);
		if (call) {
			call(shard->argument);
			__atomic_store_n(&shard->call, NULL, __ATOMIC_RELAXED);
			sem_post(&shard->called);
		} else if (!shard->port->ops->arm(shard->port)) {
			epoll_wait(shard->epoll, &event, 1, -1);
		}
	}
	return NULL;
}

static void call_shard(void *context, unsigned int queue,
		       void (*call)(void *argument), void *argument)
{
	struct shard *shard = &((struct threads *)context)->shard[queue];

	shard->argument = argument;
	/* Release pairs with the acquire in shard_main(). */
	__atomic_store_n(&shard->call, call, __ATOMIC_RELEASE);
	ring_bell(shard->wake);
	while (sem_wait(&shard->called))
		;
}

static void set_queue_pairs(void *context, unsigned int count)
{
	(void)context;
	assert_in_range(count, 1, PAIRS);
}

static void interrupt(struct virtio_transport *transport, unsigned int queue)
{
	(void)queue;
	ring_bell(((struct interrupts *)transport)->fd);
}

static void broken(struct virtio_transport *transport)
{
	(void)transport;
	abort();
}

static const struct virtio_transport_ops interrupt_ops = {
	.queue_interrupt = interrupt,
	.device_broken = broken,
};

static void shard_start(struct shard *shard, struct port *port)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	shard->port = port;
	shard->epoll = epoll_create1(0);
	shard->wake = eventfd(0, 0);
	sem_init(&shard->called, 0, 0);
	epoll_ctl(shard->epoll, EPOLL_CTL_ADD, shard->wake, &event);
	epoll_ctl(shard->epoll, EPOLL_CTL_ADD, port->ops->kick_fd(port),
		  &event);
	assert_int_equal(
		pthread_create(&shard->thread, NULL, shard_main, shard), 0);
}

static void threads_start(struct threads *threads, struct rig *rig,
			  struct interrupts *interrupts)
{
	const struct virtio_net_backend backend = { call_shard, set_queue_pairs,
						    threads };

	memset(threads, 0, sizeof(*threads));
	threads->rig = rig;
	rig_stop(rig);
	interrupts->ops = &interrupt_ops;
	interrupts->fd = eventfd(0, 0);
	for (unsigned int i = 0; i < PAIRS; i++)
		shard_start(&threads->shard[i], rig_port(rig, i));
	virtio_net_attach(rig->net, &backend);
	assert_int_equal(
		rig_start_on(rig, (struct virtio_transport *)interrupts), 0);
}

static void threads_stop(struct threads *threads, struct interrupts *interrupts)
{
	const struct virtio_net_backend none = { 0 };

	rig_stop(threads->rig);
	for (unsigned int i = 0; i < PAIRS; i++) {
		struct shard *shard = &threads->shard[i];

		/* Pairs with the acquire in shard_main(). */
		__atomic_store_n(&shard->stop, true, __ATOMIC_RELEASE);
		ring_bell(shard->wake);
		pthread_join(shard->thread, NULL);
		close(shard->epoll);
		close(shard->wake);
		sem_destroy(&shard->called);
	}
	close(interrupts->fd);
	virtio_net_attach(threads->rig->net, &none);
}

/* The driver's progress on one pair. */
struct flow {
	unsigned int pair;
	unsigned int sent;
	unsigned int received;
};

static size_t frame_length(unsigned int seed)
{
	return seed * 37 % 1400 + 1;
}

/* Return: whether anything could be done. */
static bool flow_run(struct rig *rig, struct flow *flow)
{
	const struct virtio_net_hdr_v1 header = { 0 };
	const uint32_t lengths[] = { 700, 0 };
	bool progress = false;

	while (driver_take(&rig->tx[flow->pair], NULL) >= 0)
		progress = true;
	while (flow->received < flow->sent &&
	       rig_receive(rig, flow->pair, frame_length(flow->received),
			   flow->received, NULL)) {
		flow->received++;
		progress = true;
	}
	while (rig_post(rig, flow->pair, lengths) >= 0)
		progress = true;
	while (flow->sent < FRAMES &&
	       rig_send(rig, flow->pair, &header, frame_length(flow->sent),
			flow->sent, 0) >= 0) {
		flow->sent++;
		progress = true;
	}
	return progress;
}

static void wait_interrupt(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t count;

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		fail_msg("no interrupt in %d ms", PATIENCE_MS);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
}

/* Run until all flows are through, asleep whenever nothing is to be done. */
static void drive(struct rig *rig, struct flow *flow, unsigned int flows,
		  int irq_fd)
{
	bool done = false;

	while (!done) {
		bool progress = false, ready = false;

		done = true;
		for (unsigned int i = 0; i < flows; i++) {
			progress |= flow_run(rig, &flow[i]);
			done &= flow[i].received == FRAMES;
		}
		if (done || progress)
			continue;
		for (unsigned int i = 0; i < flows; i++) {
			unsigned int pair = flow[i].pair;

			ready |= driver_enable_interrupts(&rig->rx[pair], 1);
			ready |= driver_enable_interrupts(&rig->tx[pair], 1);
		}
		if (!ready)
			wait_interrupt(irq_fd);
	}
}

static void check_wakeups(uint64_t without)
{
	struct rig *rig = rig_make(&(struct rig_options) {
		.pairs = PAIRS, .size = SIZE, .without = without });
	struct flow flow[PAIRS] = { { .pair = 0 }, { .pair = 1 } };
	struct interrupts interrupts;
	struct threads threads;

	threads_start(&threads, rig, &interrupts);
	assert_int_equal(rig_set_pairs(rig, PAIRS), VIRTIO_NET_OK);
	drive(rig, flow, PAIRS, interrupts.fd);
	threads_stop(&threads, &interrupts);
	rig_free(rig);
}

static void no_wakeup_is_lost(void **state)
{
	(void)state;
	check_wakeups(0);
}

static void no_wakeup_is_lost_without_event_idx(void **state)
{
	(void)state;
	check_wakeups(RIG_EVENT_IDX);
}

static void pairs_go_up_and_down_under_traffic(void **state)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .pairs = PAIRS, .size = SIZE });
	struct flow flow = { .pair = 1 };
	struct interrupts interrupts;
	struct threads threads;

	(void)state;
	threads_start(&threads, rig, &interrupts);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(rig_set_pairs(rig, i % 2 + 1), VIRTIO_NET_OK);
		flow_run(rig, &flow);
	}
	assert_int_equal(rig_set_pairs(rig, PAIRS), VIRTIO_NET_OK);
	drive(rig, &flow, 1, interrupts.fd);
	threads_stop(&threads, &interrupts);
	rig_free(rig);
}

static void resets_under_traffic_end_it_cleanly(void **state)
{
	struct rig *rig = rig_make(
		&(struct rig_options) { .pairs = PAIRS, .size = SIZE });
	struct interrupts interrupts;
	struct threads threads;

	(void)state;
	threads_start(&threads, rig, &interrupts);
	for (unsigned int i = 0; i < 100; i++) {
		struct flow flow[PAIRS] = { { .pair = 0 }, { .pair = 1 } };

		assert_int_equal(rig_set_pairs(rig, PAIRS), VIRTIO_NET_OK);
		flow_run(rig, &flow[0]);
		flow_run(rig, &flow[1]);
		rig_stop(rig);
		assert_int_equal(
			rig_start_on(rig,
				     (struct virtio_transport *)&interrupts),
			0);
	}
	threads_stop(&threads, &interrupts);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wakeup_is_lost),
		cmocka_unit_test(no_wakeup_is_lost_without_event_idx),
		cmocka_unit_test(pairs_go_up_and_down_under_traffic),
		cmocka_unit_test(resets_under_traffic_end_it_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
