/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/engine_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/*
 * The engine for hosts that forbid io_uring: a system call per operation, or
 * for several of one kind in a row on one socket, and edge-triggered epoll.
 */

#define EPOLL_BATCH    64 /* events taken by one epoll_pwait2() */
#define EPOLL_MESSAGES 64 /* by one sendmmsg() or recvmmsg() */

struct engine_epoll {
	struct engine engine;
	int epoll_fd;
};

static uint32_t epoll_events(unsigned int ready)
{
	uint32_t events = EPOLLET;

	if (ready & ENGINE_READABLE)
		events |= EPOLLIN | EPOLLRDHUP | EPOLLPRI;
	if (ready & ENGINE_WRITABLE)
		events |= EPOLLOUT;
	return events;
}

static unsigned int epoll_ready(uint32_t events)
{
	unsigned int ready = 0;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI))
		ready |= ENGINE_READABLE;
	if (events & (EPOLLRDHUP | EPOLLPRI))
		ready |= ENGINE_DRAIN;
	if (events & EPOLLOUT)
		ready |= ENGINE_WRITABLE;
	if (events & (EPOLLERR | EPOLLHUP))
		ready |= ENGINE_ERROR;
	return ready;
}

/* Of those that are not closes. */
static const int epoll_change[] = {
	[ENGINE_WATCH] = EPOLL_CTL_ADD,
	[ENGINE_REWATCH] = EPOLL_CTL_MOD,
	[ENGINE_FORGET] = EPOLL_CTL_DEL,
};

static void epoll_apply(struct engine *engine,
			const struct engine_change *change, unsigned int count)
{
	struct engine_epoll *self = (struct engine_epoll *)engine;

	for (unsigned int i = 0; i < count; i++, change++) {
		struct epoll_event event = {
			.events = epoll_events(change->ready),
			.data.u64 = change->token,
		};

		engine->syscalls++;
		if (change->kind == ENGINE_CLOSE)
			close(change->fd);
		else
			epoll_ctl(self->epoll_fd, epoll_change[change->kind],
				  change->fd, &event);
	}
}

/* How many operations from the first on differ in their messages only. */
static unsigned int epoll_alike(struct engine_op *const *op, unsigned int count)
{
	unsigned int n = 1;

	if (op[0]->kind != ENGINE_SEND && op[0]->kind != ENGINE_RECV)
		return 1;
	while (n < count && n < EPOLL_MESSAGES && op[n]->kind == op[0]->kind &&
	       op[n]->fd == op[0]->fd && op[n]->flags == op[0]->flags)
		n++;
	return n;
}

/*
 * Run operations that are alike. Return: how many have their result, at least
 * one. A socket that has no more to give says so to all that ask; the kernel
 * keeps any other reason to stop for the socket's next operation.
 */
static unsigned int epoll_run_alike(struct engine_op *const *op,
				    unsigned int count)
{
	struct mmsghdr message[EPOLL_MESSAGES];
	bool receive = op[0]->kind == ENGINE_RECV;
	unsigned int done = 0;
	int n;

	for (unsigned int i = 0; i < count; i++)
		message[i].msg_hdr = op[i]->message;
	n = receive ? recvmmsg(op[0]->fd, message, count, op[0]->flags, NULL)
		    : sendmmsg(op[0]->fd, message, count, op[0]->flags);
	if (n < 0 && (!receive || errno != EAGAIN)) {
		op[0]->result = -errno;
		return 1;
	}
	for (; (int)done < n; done++) {
		op[done]->message = message[done].msg_hdr;
		op[done]->result = (int)message[done].msg_len;
	}
	for (; receive && done < count; done++)
		op[done]->result = -EAGAIN;
	return done;
}

static void epoll_run(struct engine *engine, struct engine_op *const *op,
		      unsigned int count)
{
	unsigned int alike, done;

	for (unsigned int i = 0; i < count; i += done) {
		alike = epoll_alike(op + i, count - i);
		done = alike;
		if (alike == 1)
			engine_run_plain(op[i]);
		else
			done = epoll_run_alike(op + i, alike);
		engine->syscalls++;
	}
}

static unsigned int epoll_wait_us(struct engine *engine,
				  struct engine_event *event, unsigned int max,
				  int64_t timeout_us)
{
	struct engine_epoll *self = (struct engine_epoll *)engine;
	struct epoll_event got[EPOLL_BATCH];
	struct timespec timeout = {
		.tv_sec = timeout_us / 1000000,
		.tv_nsec = timeout_us % 1000000 * 1000,
	};
	int n;

	if (max > EPOLL_BATCH)
		max = EPOLL_BATCH;
	engine->syscalls++;
	n = epoll_pwait2(self->epoll_fd, got, (int)max,
			 timeout_us < 0 ? NULL : &timeout, NULL);
	for (int i = 0; i < n; i++) {
		event[i].token = got[i].data.u64;
		event[i].ready = epoll_ready(got[i].events);
	}
	return n < 0 ? 0 : (unsigned int)n;
}

/* Asked of its descriptor, which takes no event away. */
static bool epoll_has_events(struct engine *engine)
{
	struct pollfd self = {
		.fd = ((struct engine_epoll *)engine)->epoll_fd,
		.events = POLLIN,
	};

	engine->syscalls++;
	return poll(&self, 1, 0) > 0;
}

static void epoll_destroy(struct engine *engine)
{
	struct engine_epoll *self = (struct engine_epoll *)engine;

	close(self->epoll_fd);
	free(self);
}

static const struct engine_backend epoll_backend = {
	.name = "epoll",
	.apply = epoll_apply,
	.run = epoll_run,
	.wait = epoll_wait_us,
	.has_events = epoll_has_events,
	.destroy = epoll_destroy,
};

int engine_epoll_create(struct engine **out, struct fail *fail)
{
	struct engine_epoll *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fail_set(fail, -ENOMEM,
				"no memory for the network's event loop");
	self->engine.backend = &epoll_backend;
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (self->epoll_fd < 0) {
		err = -errno;
		free(self);
		return fail_set(fail, err,
				"cannot create an epoll descriptor (%s): "
				"raise the limit with ulimit -n",
				strerror(-err));
	}
	*out = &self->engine;
	return 0;
}
