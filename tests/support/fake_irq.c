/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/fake_irq.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PINS          24
#define ROUTES        4096
#define LINE_DEVICES  8
#define DOORBELLS     4096
#define MESSAGES      4096
#define WAIT_LIMIT_MS 10000

/* A reserved MSI route; @eventfd is -1 while disconnected. */
struct route {
	bool reserved;
	bool routed;
	struct msi_message message;
	int eventfd;
};

struct line {
	bool asserted;
	uint64_t signals;
	unsigned int devices;
	int eventfd[LINE_DEVICES];
	int resamplefd[LINE_DEVICES];
};

struct doorbell {
	uint64_t address;
	unsigned int size;
	int eventfd;
};

/* What arrived, by message. */
struct delivery {
	struct msi_message message;
	uint64_t count;
};

struct fake_irq {
	struct irq_controller base;
	pthread_mutex_t lock;
	unsigned int route_limit;
	unsigned int reserved;
	struct route route[ROUTES];
	struct line line[PINS];
	unsigned int doorbell_count;
	struct doorbell doorbell[DOORBELLS];
	unsigned int delivery_count;
	struct delivery delivery[MESSAGES];
};

static struct fake_irq *lock(struct irq_controller *irq)
{
	struct fake_irq *fake = (struct fake_irq *)irq;

	pthread_mutex_lock(&fake->lock);
	return fake;
}

static void unlock(struct fake_irq *fake)
{
	pthread_mutex_unlock(&fake->lock);
}

/* Take an eventfd's count without waiting, whether it is blocking or not. */
static uint64_t take(int eventfd)
{
	struct pollfd readable = { .fd = eventfd, .events = POLLIN };
	uint64_t count;

	if (poll(&readable, 1, 0) != 1 ||
	    read(eventfd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static bool same(const struct msi_message *a, const struct msi_message *b)
{
	return a->address == b->address && a->data == b->data;
}

static void deliver(struct fake_irq *fake, const struct msi_message *message,
		    uint64_t count)
{
	unsigned int i = 0;

	if (count == 0)
		return;
	while (i < fake->delivery_count &&
	       !same(&fake->delivery[i].message, message))
		i++;
	if (i == fake->delivery_count) {
		assert_in_range(i, 0, MESSAGES - 1);
		fake->delivery_count++;
		fake->delivery[i] = (struct delivery) { .message = *message };
	}
	fake->delivery[i].count += count;
}

/* KVM injects nothing for a GSI without a route, and the signal is gone. */
static void take_route(struct fake_irq *fake, const struct route *route)
{
	uint64_t count;

	if (route->eventfd < 0)
		return;
	count = take(route->eventfd);
	if (route->routed)
		deliver(fake, &route->message, count);
}

static void take_line(struct line *line)
{
	for (unsigned int i = 0; i < line->devices; i++) {
		uint64_t count = take(line->eventfd[i]);

		line->signals += count;
		line->asserted |= count > 0;
	}
}

static void take_everything(struct fake_irq *fake)
{
	for (unsigned int i = 0; i < ROUTES; i++)
		if (fake->route[i].reserved)
			take_route(fake, &fake->route[i]);
	for (unsigned int i = 0; i < PINS; i++)
		take_line(&fake->line[i]);
}

static int route_alloc(struct irq_controller *irq)
{
	struct fake_irq *fake = lock(irq);
	int gsi = -ENOSPC;

	for (int i = PINS; i < ROUTES && gsi < 0; i++)
		if (fake->reserved < fake->route_limit &&
		    !fake->route[i].reserved)
			gsi = i;
	if (gsi >= 0) {
		fake->route[gsi].reserved = true;
		fake->route[gsi].eventfd = -1;
		fake->reserved++;
	}
	unlock(fake);
	return gsi;
}

static void route_free(struct irq_controller *irq, int gsi)
{
	struct fake_irq *fake = lock(irq);

	assert_true(fake->route[gsi].reserved);
	assert_int_equal(fake->route[gsi].eventfd, -1);
	fake->route[gsi] = (struct route) { .reserved = false };
	fake->reserved--;
	unlock(fake);
}

static int route_set(struct irq_controller *irq, int gsi,
		     const struct msi_message *message)
{
	struct fake_irq *fake = lock(irq);
	struct route *route = &fake->route[gsi];

	assert_true(route->reserved);
	take_route(fake, route);
	route->message = *message;
	route->routed = true;
	unlock(fake);
	return 0;
}

static int msi_connect(struct irq_controller *irq, int gsi, int eventfd)
{
	struct fake_irq *fake = lock(irq);
	struct route *route = &fake->route[gsi];

	assert_true(route->reserved);
	assert_int_equal(route->eventfd, -1);
	route->eventfd = eventfd;
	take_route(fake, route);
	unlock(fake);
	return 0;
}

static void msi_disconnect(struct irq_controller *irq, int gsi, int eventfd)
{
	struct fake_irq *fake = lock(irq);
	struct route *route = &fake->route[gsi];

	assert_int_equal(route->eventfd, eventfd);
	take_route(fake, route);
	route->eventfd = -1;
	unlock(fake);
}

static int intx_connect(struct irq_controller *irq, int gsi, int eventfd,
			int resamplefd)
{
	struct fake_irq *fake = lock(irq);
	struct line *line = &fake->line[gsi];

	assert_in_range(line->devices, 0, LINE_DEVICES - 1);
	line->eventfd[line->devices] = eventfd;
	line->resamplefd[line->devices] = resamplefd;
	line->devices++;
	unlock(fake);
	return 0;
}

static void intx_disconnect(struct irq_controller *irq, int gsi, int eventfd,
			    int resamplefd)
{
	struct fake_irq *fake = lock(irq);
	struct line *line = &fake->line[gsi];
	unsigned int i = 0;

	take_line(line);
	while (i < line->devices && line->eventfd[i] != eventfd)
		i++;
	assert_in_range(i, 0, line->devices - 1);
	assert_int_equal(line->resamplefd[i], resamplefd);
	line->devices--;
	line->eventfd[i] = line->eventfd[line->devices];
	line->resamplefd[i] = line->resamplefd[line->devices];
	line->asserted &= line->devices > 0;
	unlock(fake);
}

static struct doorbell *find_doorbell(struct fake_irq *fake, uint64_t address)
{
	for (unsigned int i = 0; i < fake->doorbell_count; i++)
		if (fake->doorbell[i].address == address)
			return &fake->doorbell[i];
	return NULL;
}

static int doorbell_add(struct irq_controller *irq, uint64_t address,
			unsigned int size, int eventfd)
{
	struct fake_irq *fake = lock(irq);
	int rc = 0;

	if (find_doorbell(fake, address))
		rc = -EEXIST;
	else if (fake->doorbell_count == DOORBELLS)
		rc = -ENOSPC;
	else
		fake->doorbell[fake->doorbell_count++] = (struct doorbell) {
			.address = address, .size = size, .eventfd = eventfd
		};
	unlock(fake);
	return rc;
}

static void doorbell_remove(struct irq_controller *irq, uint64_t address,
			    unsigned int size, int eventfd)
{
	struct fake_irq *fake = lock(irq);
	struct doorbell *doorbell = find_doorbell(fake, address);

	assert_non_null(doorbell);
	assert_int_equal(doorbell->size, size);
	assert_int_equal(doorbell->eventfd, eventfd);
	*doorbell = fake->doorbell[--fake->doorbell_count];
	unlock(fake);
}

static const struct irq_controller_ops fake_ops = {
	.route_alloc = route_alloc,
	.route_free = route_free,
	.route_set = route_set,
	.msi_connect = msi_connect,
	.msi_disconnect = msi_disconnect,
	.intx_connect = intx_connect,
	.intx_disconnect = intx_disconnect,
	.doorbell_add = doorbell_add,
	.doorbell_remove = doorbell_remove,
};

struct fake_irq *fake_irq_create(void)
{
	struct fake_irq *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->base.ops = &fake_ops;
	fake->route_limit = ROUTES;
	assert_int_equal(pthread_mutex_init(&fake->lock, NULL), 0);
	return fake;
}

void fake_irq_destroy(struct fake_irq *fake)
{
	assert_int_equal(fake->reserved, 0);
	assert_int_equal(fake->doorbell_count, 0);
	for (unsigned int i = 0; i < PINS; i++)
		assert_int_equal(fake->line[i].devices, 0);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

struct irq_controller *fake_irq_controller(struct fake_irq *fake)
{
	return &fake->base;
}

void fake_irq_limit_routes(struct fake_irq *fake, unsigned int count)
{
	lock(&fake->base);
	fake->route_limit = count;
	unlock(fake);
}

unsigned int fake_irq_routes(struct fake_irq *fake)
{
	unsigned int count;

	lock(&fake->base);
	count = fake->reserved;
	unlock(fake);
	return count;
}

unsigned int fake_irq_connected(struct fake_irq *fake)
{
	unsigned int count = 0;

	lock(&fake->base);
	for (unsigned int i = 0; i < ROUTES; i++)
		count += fake->route[i].reserved && fake->route[i].eventfd >= 0;
	unlock(fake);
	return count;
}

uint64_t fake_irq_take(struct fake_irq *fake, uint64_t address, uint32_t data)
{
	struct msi_message message = { .address = address, .data = data };
	uint64_t count = 0;

	lock(&fake->base);
	take_everything(fake);
	for (unsigned int i = 0; i < fake->delivery_count; i++) {
		if (!same(&fake->delivery[i].message, &message))
			continue;
		count = fake->delivery[i].count;
		fake->delivery[i].count = 0;
	}
	unlock(fake);
	return count;
}

uint64_t fake_irq_take_all(struct fake_irq *fake)
{
	uint64_t count = 0;

	lock(&fake->base);
	take_everything(fake);
	for (unsigned int i = 0; i < fake->delivery_count; i++)
		count += fake->delivery[i].count;
	fake->delivery_count = 0;
	unlock(fake);
	return count;
}

bool fake_irq_line(struct fake_irq *fake, int gsi)
{
	bool asserted;

	lock(&fake->base);
	take_line(&fake->line[gsi]);
	asserted = fake->line[gsi].asserted;
	unlock(fake);
	return asserted;
}

bool fake_irq_line_wait(struct fake_irq *fake, int gsi)
{
	struct pollfd signal[LINE_DEVICES];
	struct line *line = &fake->line[gsi];
	nfds_t count = 0;

	if (fake_irq_line(fake, gsi))
		return true;
	lock(&fake->base);
	for (; count < line->devices; count++)
		signal[count] = (struct pollfd) { .fd = line->eventfd[count],
						  .events = POLLIN };
	unlock(fake);
	poll(signal, count, WAIT_LIMIT_MS);
	return fake_irq_line(fake, gsi);
}

void fake_irq_eoi(struct fake_irq *fake, int gsi)
{
	struct line *line = &fake->line[gsi];
	const uint64_t one = 1;

	lock(&fake->base);
	take_line(line);
	line->asserted = false;
	for (unsigned int i = 0; i < line->devices; i++)
		assert_int_equal(write(line->resamplefd[i], &one, sizeof(one)),
				 sizeof(one));
	unlock(fake);
}

uint64_t fake_irq_line_signals(struct fake_irq *fake, int gsi)
{
	uint64_t signals;

	lock(&fake->base);
	take_line(&fake->line[gsi]);
	signals = fake->line[gsi].signals;
	unlock(fake);
	return signals;
}

unsigned int fake_irq_line_devices(struct fake_irq *fake, int gsi)
{
	unsigned int devices;

	lock(&fake->base);
	devices = fake->line[gsi].devices;
	unlock(fake);
	return devices;
}

bool fake_irq_doorbell(struct fake_irq *fake, uint64_t address,
		       unsigned int size)
{
	const uint64_t one = 1;
	struct doorbell *doorbell;
	bool found;

	lock(&fake->base);
	doorbell = find_doorbell(fake, address);
	found = doorbell && (doorbell->size == 0 || doorbell->size == size);
	if (found)
		assert_int_equal(write(doorbell->eventfd, &one, sizeof(one)),
				 sizeof(one));
	unlock(fake);
	return found;
}

unsigned int fake_irq_doorbells(struct fake_irq *fake)
{
	unsigned int count;

	lock(&fake->base);
	count = fake->doorbell_count;
	unlock(fake);
	return count;
}
