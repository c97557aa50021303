/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/lossy_port.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * A late frame is a copy in memory of ours, with the time at which it is due.
 * The shard is woken for it by a timer, which lies with the inner port's
 * descriptor in an epoll set: the set's own descriptor is the kick.
 */

#define LOSSY_HELD_MAX 256 /* late frames each way; more are not delayed */
#define LOSSY_TOKEN    0x80000000U
#define US_PER_S       1000000ULL

/* One late frame; a slot is free where @data is NULL. */
struct lossy_frame {
	uint8_t *data;
	size_t length;
	struct port_offload offload;
	uint64_t due_us;
	bool taken;
};

struct lossy_port {
	struct port port;
	struct port *inner;
	struct lossy_config config;
	uint64_t state; /* of the choice */
	int kick_fd;
	int timer_fd;
	struct lossy_frame tx[LOSSY_HELD_MAX];
	struct lossy_frame rx[LOSSY_HELD_MAX];
};

static struct lossy_port *lossy_of(struct port *port)
{
	return (struct lossy_port *)port;
}

struct port *lossy_port_inner(struct port *port)
{
	return lossy_of(port)->inner;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t lossy_random(struct lossy_port *lossy)
{
	uint64_t z = lossy->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static bool lossy_happens(struct lossy_port *lossy, unsigned int per_mille)
{
	return lossy_random(lossy) % 1000 < per_mille;
}

static void lossy_set_timer(struct lossy_port *lossy)
{
	struct itimerspec at = { 0 };
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < LOSSY_HELD_MAX; i++) {
		const struct lossy_frame *tx = &lossy->tx[i];
		const struct lossy_frame *rx = &lossy->rx[i];

		if (tx->data && !tx->taken && tx->due_us < first)
			first = tx->due_us;
		if (rx->data && rx->due_us < first)
			first = rx->due_us;
	}
	if (first == UINT64_MAX)
		return;
	at.it_value.tv_sec = (time_t)(first / US_PER_S);
	at.it_value.tv_nsec = (long)(first % US_PER_S) * 1000;
	timerfd_settime(lossy->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void put_together(const struct iovec *iov, unsigned int count,
			 size_t length, uint8_t *to)
{
	for (unsigned int i = 0; i < count && length; i++) {
		size_t part = iov[i].iov_len < length ? iov[i].iov_len : length;

		memcpy(to, iov[i].iov_base, part);
		to += part;
		length -= part;
	}
}

/* Return: false if no slot is free */
static bool lossy_hold(struct lossy_port *lossy, struct lossy_frame *held,
		       const struct iovec *iov, unsigned int count,
		       size_t length, const struct port_offload *offload)
{
	uint64_t late_us = lossy->config.late_ms * 1000ULL + 1;

	for (unsigned int i = 0; i < LOSSY_HELD_MAX; i++, held++) {
		if (held->data)
			continue;
		held->data = malloc(length);
		if (!held->data)
			return false;
		put_together(iov, count, length, held->data);
		held->length = length;
		held->offload =
			offload ? *offload : (struct port_offload) { 0 };
		held->due_us = now_us() + lossy_random(lossy) % late_us;
		held->taken = false;
		return true;
	}
	return false;
}

static void lossy_forget(struct lossy_frame *held)
{
	free(held->data);
	held->data = NULL;
}

/* Transmitted by the guest */

static bool lossy_take_late(struct lossy_port *lossy, struct port_frame *frame)
{
	uint64_t now = now_us();

	for (uint32_t i = 0; i < LOSSY_HELD_MAX; i++) {
		struct lossy_frame *held = &lossy->tx[i];

		if (!held->data || held->taken || held->due_us > now)
			continue;
		held->taken = true;
		frame->iov[0].iov_base = held->data;
		frame->iov[0].iov_len = held->length;
		frame->iov_count = 1;
		frame->length = held->length;
		frame->offload = held->offload;
		frame->token = LOSSY_TOKEN | i;
		return true;
	}
	return false;
}

static bool lossy_hold_tx(struct lossy_port *lossy,
			  const struct port_frame *frame)
{
	return lossy_hold(lossy, lossy->tx, frame->iov, frame->iov_count,
			  frame->length, &frame->offload);
}

static int lossy_tx_take(struct port *port, struct port_frame *frame)
{
	struct lossy_port *lossy = lossy_of(port);
	struct port *inner = lossy->inner;

	if (lossy_take_late(lossy, frame))
		return 1;
	while (inner->ops->tx_take(inner, frame)) {
		if (!lossy_happens(lossy, lossy->config.loss) &&
		    !(lossy_happens(lossy, lossy->config.delay) &&
		      lossy_hold_tx(lossy, frame))) {
			if (lossy_happens(lossy, lossy->config.copy))
				lossy_hold_tx(lossy, frame);
			return 1;
		}
		inner->ops->tx_done(inner, frame->token);
	}
	return 0;
}

static void lossy_tx_done(struct port *port, uint32_t token)
{
	struct lossy_port *lossy = lossy_of(port);

	if (token & LOSSY_TOKEN)
		lossy_forget(&lossy->tx[token & ~LOSSY_TOKEN]);
	else
		lossy->inner->ops->tx_done(lossy->inner, token);
}

/* For the guest */

static int lossy_rx_reserve(struct port *port, size_t length,
			    struct port_space *space)
{
	struct port *inner = lossy_of(port)->inner;

	return inner->ops->rx_reserve(inner, length, space);
}

static void lossy_rx_commit(struct port *port, struct port_space *space,
			    size_t length, const struct port_offload *offload)
{
	struct lossy_port *lossy = lossy_of(port);
	struct port *inner = lossy->inner;

	if (lossy_happens(lossy, lossy->config.loss) ||
	    (lossy_happens(lossy, lossy->config.delay) &&
	     lossy_hold(lossy, lossy->rx, space->iov, space->iov_count, length,
			offload))) {
		inner->ops->rx_cancel(inner, space);
		return;
	}
	if (lossy_happens(lossy, lossy->config.copy))
		lossy_hold(lossy, lossy->rx, space->iov, space->iov_count,
			   length, offload);
	inner->ops->rx_commit(inner, space, length, offload);
}

static void lossy_rx_cancel(struct port *port, struct port_space *space)
{
	struct port *inner = lossy_of(port)->inner;

	inner->ops->rx_cancel(inner, space);
}

static void lossy_deliver(struct port *inner, struct lossy_frame *held)
{
	struct port_space space;
	const uint8_t *from = held->data;
	size_t left = held->length;

	if (inner->ops->rx_reserve(inner, held->length, &space))
		return;
	for (unsigned int i = 0; left; i++) {
		size_t part = space.iov[i].iov_len;

		if (part > left)
			part = left;
		memcpy(space.iov[i].iov_base, from, part);
		from += part;
		left -= part;
	}
	inner->ops->rx_commit(inner, &space, held->length, &held->offload);
	lossy_forget(held);
}

static void lossy_flush(struct port *port)
{
	struct lossy_port *lossy = lossy_of(port);
	uint64_t now = now_us();

	for (unsigned int i = 0; i < LOSSY_HELD_MAX; i++)
		if (lossy->rx[i].data && lossy->rx[i].due_us <= now)
			lossy_deliver(lossy->inner, &lossy->rx[i]);
	lossy->inner->ops->flush(lossy->inner);
	lossy_set_timer(lossy);
}

/* The rest is the inner port's. */

static void lossy_features(struct port *port, struct port_features *features)
{
	struct port *inner = lossy_of(port)->inner;

	inner->ops->features(inner, features);
}

static int lossy_kick_fd(struct port *port)
{
	return lossy_of(port)->kick_fd;
}

static void lossy_disarm(struct port *port)
{
	struct port *inner = lossy_of(port)->inner;

	inner->ops->disarm(inner);
}

static bool lossy_arm(struct port *port)
{
	struct port *inner = lossy_of(port)->inner;

	return inner->ops->arm(inner);
}

static bool lossy_has_work(struct port *port)
{
	struct port *inner = lossy_of(port)->inner;

	return inner->ops->has_work(inner);
}

static bool lossy_put_off(struct port *port)
{
	struct port *inner = lossy_of(port)->inner;

	return inner->ops->put_off(inner);
}

static void lossy_settle(struct port *port)
{
	struct port *inner = lossy_of(port)->inner;

	inner->ops->settle(inner);
}

static const struct port_ops lossy_ops = {
	.features = lossy_features,
	.kick_fd = lossy_kick_fd,
	.disarm = lossy_disarm,
	.arm = lossy_arm,
	.has_work = lossy_has_work,
	.tx_take = lossy_tx_take,
	.tx_done = lossy_tx_done,
	.rx_reserve = lossy_rx_reserve,
	.rx_commit = lossy_rx_commit,
	.rx_cancel = lossy_rx_cancel,
	.flush = lossy_flush,
	.put_off = lossy_put_off,
	.settle = lossy_settle,
};

static void lossy_watch(const struct lossy_port *lossy, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(lossy->kick_fd, EPOLL_CTL_ADD, fd, &event))
		abort();
}

struct port *lossy_port_create(struct port *inner,
			       const struct lossy_config *config)
{
	struct lossy_port *lossy = calloc(1, sizeof(*lossy));

	if (!lossy)
		abort();
	lossy->port.ops = &lossy_ops;
	lossy->inner = inner;
	lossy->config = *config;
	lossy->state = config->seed;
	lossy->kick_fd = epoll_create1(EPOLL_CLOEXEC);
	lossy->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	lossy_watch(lossy, inner->ops->kick_fd(inner));
	lossy_watch(lossy, lossy->timer_fd);
	return &lossy->port;
}

void lossy_port_destroy(struct port *port)
{
	struct lossy_port *lossy = lossy_of(port);

	for (unsigned int i = 0; i < LOSSY_HELD_MAX; i++) {
		lossy_forget(&lossy->tx[i]);
		lossy_forget(&lossy->rx[i]);
	}
	close(lossy->kick_fd);
	close(lossy->timer_fd);
	free(lossy);
}
