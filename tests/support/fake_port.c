/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/fake_port.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct fake_frame {
	struct fake_frame *next;
	size_t length;
	uint8_t data[];
};

struct fake_queue {
	struct fake_frame *first;
	struct fake_frame **last;
};

#define FAKE_TOKENS 256

struct fake_port {
	struct port port;
	int kick_fd;
	pthread_mutex_t lock;
	pthread_cond_t received;
	struct fake_queue tx;
	struct fake_queue rx;
	unsigned int space;
	bool rx_steers_tx;
	bool starved;
	struct fake_frame *taken[FAKE_TOKENS];
	unsigned int outstanding;
	int bell;
	bool unheard; /* frames that the bell has not been rung for */
};

static struct fake_port *fake_of(struct port *port)
{
	return (struct fake_port *)port;
}

static void fake_put(struct fake_queue *queue, struct fake_frame *frame)
{
	frame->next = NULL;
	*queue->last = frame;
	queue->last = &frame->next;
}

static struct fake_frame *fake_get(struct fake_queue *queue)
{
	struct fake_frame *frame = queue->first;

	if (!frame)
		return NULL;
	queue->first = frame->next;
	if (!queue->first)
		queue->last = &queue->first;
	return frame;
}

static struct fake_frame *fake_frame_create(size_t length)
{
	struct fake_frame *frame = calloc(1, sizeof(*frame) + length);

	frame->length = length;
	return frame;
}

static void fake_kick(struct fake_port *fake)
{
	uint64_t one = 1;

	if (write(fake->kick_fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void fake_features(struct port *port, struct port_features *features)
{
	*features = (struct port_features) {
		.active = true,
		.rx_csum = true,
		.rx_tso4 = true,
		.rx_tso6 = true,
		.rx_frame_max = PORT_FRAME_MAX,
		.mtu = 1500,
		.rx_steers_tx = fake_of(port)->rx_steers_tx,
	};
}

static int fake_kick_fd(struct port *port)
{
	return fake_of(port)->kick_fd;
}

static void fake_disarm(struct port *port)
{
	(void)port;
}

static bool fake_is_waited_for(const struct fake_port *fake)
{
	return fake->tx.first || (fake->starved && fake->space);
}

static bool fake_arm(struct port *port)
{
	struct fake_port *fake = fake_of(port);
	bool work;

	pthread_mutex_lock(&fake->lock);
	work = fake_is_waited_for(fake);
	fake->starved = false;
	pthread_mutex_unlock(&fake->lock);
	return work;
}

static bool fake_has_work(struct port *port)
{
	struct fake_port *fake = fake_of(port);
	bool work;

	pthread_mutex_lock(&fake->lock);
	work = fake_is_waited_for(fake);
	pthread_mutex_unlock(&fake->lock);
	return work;
}

static int fake_tx_take(struct port *port, struct port_frame *frame)
{
	struct fake_port *fake = fake_of(port);
	struct fake_frame *next;
	uint32_t token = 0;

	pthread_mutex_lock(&fake->lock);
	next = fake_get(&fake->tx);
	pthread_mutex_unlock(&fake->lock);
	if (!next)
		return 0;
	while (fake->taken[token])
		token++;
	fake->taken[token] = next;
	*frame = (struct port_frame) { .iov_count = 1,
				       .length = next->length,
				       .token = token };
	frame->iov[0].iov_base = next->data;
	frame->iov[0].iov_len = next->length;
	frame->offload.flags = PORT_DATA_VALID;
	return 1;
}

static void fake_tx_done(struct port *port, uint32_t token)
{
	struct fake_port *fake = fake_of(port);

	free(fake->taken[token]);
	fake->taken[token] = NULL;
	__atomic_fetch_sub(&fake->outstanding, 1, __ATOMIC_RELEASE);
}

static int fake_rx_reserve(struct port *port, size_t length,
			   struct port_space *space)
{
	struct fake_port *fake = fake_of(port);
	struct fake_frame *frame;
	bool there;

	pthread_mutex_lock(&fake->lock);
	there = fake->space > 0;
	fake->space -= there;
	fake->starved |= !there;
	pthread_mutex_unlock(&fake->lock);
	if (!there)
		return -ENOBUFS;
	frame = fake_frame_create(length);
	/* The frame is found again from its data: see fake_frame_of(). */
	space->iov[0].iov_base = frame->data;
	space->iov[0].iov_len = length;
	space->iov_count = 1;
	space->length = length;
	return 0;
}

static struct fake_frame *fake_frame_of(const struct port_space *space)
{
	uint8_t *data = space->iov[0].iov_base;

	return (struct fake_frame *)(data - offsetof(struct fake_frame, data));
}

static void fake_rx_commit(struct port *port, struct port_space *space,
			   size_t length, const struct port_offload *offload)
{
	struct fake_port *fake = fake_of(port);
	struct fake_frame *frame = fake_frame_of(space);

	(void)offload;
	fake->unheard = true;
	frame->length = length;
	pthread_mutex_lock(&fake->lock);
	fake_put(&fake->rx, frame);
	pthread_cond_signal(&fake->received);
	pthread_mutex_unlock(&fake->lock);
}

static void fake_rx_cancel(struct port *port, struct port_space *space)
{
	struct fake_port *fake = fake_of(port);

	free(fake_frame_of(space));
	pthread_mutex_lock(&fake->lock);
	fake->space++;
	pthread_mutex_unlock(&fake->lock);
}

static void fake_nothing(struct port *port)
{
	(void)port;
}

static void fake_flush(struct port *port)
{
	struct fake_port *fake = fake_of(port);
	uint64_t one = 1;

	if (fake->bell < 0 || !fake->unheard)
		return;
	fake->unheard = false;
	if (write(fake->bell, &one, sizeof(one)) != sizeof(one))
		abort();
}

static bool fake_put_off(struct port *port)
{
	(void)port;
	return false;
}

static const struct port_ops fake_port_ops = {
	.features = fake_features,
	.kick_fd = fake_kick_fd,
	.disarm = fake_disarm,
	.arm = fake_arm,
	.has_work = fake_has_work,
	.tx_take = fake_tx_take,
	.tx_done = fake_tx_done,
	.rx_reserve = fake_rx_reserve,
	.rx_commit = fake_rx_commit,
	.rx_cancel = fake_rx_cancel,
	.flush = fake_flush,
	.put_off = fake_put_off,
	.settle = fake_nothing,
};

struct fake_port *fake_port_create(void)
{
	struct fake_port *fake = calloc(1, sizeof(*fake));

	fake->port.ops = &fake_port_ops;
	fake->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&fake->lock, NULL);
	pthread_cond_init(&fake->received, NULL);
	fake->bell = -1;
	fake->tx.last = &fake->tx.first;
	fake->rx.last = &fake->rx.first;
	fake->space = 1U << 20;
	return fake;
}

void fake_port_destroy(struct fake_port *fake)
{
	struct fake_frame *frame;

	while ((frame = fake_get(&fake->tx)) || (frame = fake_get(&fake->rx)))
		free(frame);
	close(fake->kick_fd);
	pthread_cond_destroy(&fake->received);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

struct port *fake_port_port(struct fake_port *fake)
{
	return &fake->port;
}

void fake_port_transmit(struct fake_port *fake, const void *frame,
			size_t length)
{
	struct fake_frame *copy = fake_frame_create(length);

	memcpy(copy->data, frame, length);
	__atomic_fetch_add(&fake->outstanding, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&fake->lock);
	fake_put(&fake->tx, copy);
	pthread_mutex_unlock(&fake->lock);
	fake_kick(fake);
}

/* Return: bytes; 0 for no frame */
static size_t fake_unpack(struct fake_frame *got, void *frame)
{
	size_t length = got ? got->length : 0;

	if (got)
		memcpy(frame, got->data, length);
	free(got);
	return length;
}

size_t fake_port_receive(struct fake_port *fake, void *frame, int timeout_ms)
{
	struct fake_frame *got;
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&fake->lock);
	while (!(got = fake_get(&fake->rx)) && ret == 0)
		ret = pthread_cond_timedwait(&fake->received, &fake->lock,
					     &until);
	pthread_mutex_unlock(&fake->lock);
	return fake_unpack(got, frame);
}

size_t fake_port_take(struct fake_port *fake, void *frame)
{
	struct fake_frame *got;

	pthread_mutex_lock(&fake->lock);
	got = fake_get(&fake->rx);
	pthread_mutex_unlock(&fake->lock);
	return fake_unpack(got, frame);
}

void fake_port_set_bell(struct fake_port *fake, int bell)
{
	fake->bell = bell;
}

void fake_port_set_space(struct fake_port *fake, unsigned int frames)
{
	pthread_mutex_lock(&fake->lock);
	fake->space = frames;
	pthread_mutex_unlock(&fake->lock);
	fake_kick(fake);
}

void fake_port_set_rx_steers_tx(struct fake_port *fake)
{
	fake->rx_steers_tx = true;
}

unsigned int fake_port_outstanding(struct fake_port *fake)
{
	return __atomic_load_n(&fake->outstanding, __ATOMIC_ACQUIRE);
}
