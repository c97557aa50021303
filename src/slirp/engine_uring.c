/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/engine_internal.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Theory of operation
 *
 * One ring per shard, DEFER_TASKRUN and SINGLE_ISSUER: completions are only
 * worked on when the shard asks. Socket operations carry MSG_DONTWAIT, so they
 * complete while they are submitted; a batch of n is one io_uring_enter().
 *
 * Readiness comes from multishot polls, which are edge-triggered. A completion
 * carries the descriptor and a sequence number of its watch, so that one of a
 * closed descriptor is told from one of its number's next user. What became
 * ready during a batch is kept on a list through the descriptor table (each
 * descriptor at most once) until the next wait, which then need not enter the
 * kernel.
 *
 * Whoever spins sees from the ring's flags whether it is worth entering.
 *
 * Limits: descriptors up to RLIMIT_NOFILE at creation (URING_FDS_MAX at most).
 */

#define URING_ENTRIES 256
#define URING_CQES    4096
#define URING_FDS_MAX (1u << 20)

/* user_data: type in the top bits, then a sequence number, then a descriptor */
#define URING_OP     0ULL
#define URING_POLL   1ULL
#define URING_IGNORE 2ULL

#define URING_TYPE_SHIFT 62
#define URING_SEQ_SHIFT  32
#define URING_SEQ_MASK   0x3fffffffU

struct uring_fd {
	uint64_t token;
	uint32_t seq;     /* of the watch, 0 when none */
	int32_t next;     /* on the ready list, by descriptor */
	uint16_t watched; /* ENGINE_* */
	uint16_t ready;   /* ENGINE_*, reported by the next wait */
	bool listed;
};

struct engine_uring {
	struct engine engine;
	struct io_uring ring;
	struct uring_fd *fd;
	uint32_t fd_count;
	uint32_t seq;
	int32_t ready_first;
	int32_t ready_last;
};

static struct engine_uring *uring_of(struct engine *engine)
{
	return (struct engine_uring *)engine;
}

static uint64_t uring_poll_data(int fd, uint32_t seq)
{
	return URING_POLL << URING_TYPE_SHIFT |
	       (uint64_t)seq << URING_SEQ_SHIFT | (uint32_t)fd;
}

static struct io_uring_sqe *uring_sqe(struct engine_uring *self)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

	if (sqe)
		return sqe;
	self->engine.syscalls++;
	io_uring_submit(&self->ring);
	return io_uring_get_sqe(&self->ring);
}

static void uring_mark_ready(struct engine_uring *self, int fd,
			     unsigned int ready)
{
	struct uring_fd *state = &self->fd[fd];

	state->ready |= ready;
	if (state->listed)
		return;
	state->listed = true;
	state->next = -1;
	if (self->ready_first < 0)
		self->ready_first = fd;
	else
		self->fd[self->ready_last].next = fd;
	self->ready_last = fd;
}

static void uring_arm(struct engine_uring *self, int fd)
{
	struct uring_fd *state = &self->fd[fd];
	struct io_uring_sqe *sqe = uring_sqe(self);
	unsigned int mask = 0;

	if (state->watched & ENGINE_READABLE)
		mask |= POLLIN | POLLRDHUP | POLLPRI;
	if (state->watched & ENGINE_WRITABLE)
		mask |= POLLOUT;
	if (!sqe) {
		uring_mark_ready(self, fd, ENGINE_ERROR);
		return;
	}
	self->seq = self->seq % URING_SEQ_MASK + 1;
	state->seq = self->seq;
	io_uring_prep_poll_multishot(sqe, fd, mask);
	sqe->user_data = uring_poll_data(fd, state->seq);
}

/* POLL_REMOVE would fail (EALREADY) while an event of the poll is under way,
 * and the poll would keep a closed socket open for ever. */
static void uring_disarm(struct engine_uring *self, int fd)
{
	struct uring_fd *state = &self->fd[fd];
	struct io_uring_sqe *sqe;

	if (!state->seq)
		return;
	sqe = uring_sqe(self);
	if (sqe) {
		io_uring_prep_cancel64(sqe, uring_poll_data(fd, state->seq), 0);
		sqe->user_data = URING_IGNORE << URING_TYPE_SHIFT;
	}
	state->seq = 0;
}

static void uring_forget(struct engine_uring *self, int fd)
{
	if ((uint32_t)fd >= self->fd_count)
		return;
	uring_disarm(self, fd);
	self->fd[fd].ready = 0;
}

static void uring_close(struct engine_uring *self, int fd)
{
	struct io_uring_sqe *sqe;

	uring_forget(self, fd);
	sqe = uring_sqe(self);
	if (!sqe) {
		close(fd);
		return;
	}
	io_uring_prep_close(sqe, fd);
	sqe->user_data = URING_IGNORE << URING_TYPE_SHIFT;
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void uring_apply(struct engine *engine,
			const struct engine_change *change, unsigned int count)
{
	struct engine_uring *self = uring_of(engine);

	for (unsigned int i = 0; i < count; i++, change++) {
		if (change->kind == ENGINE_CLOSE) {
			uring_close(self, change->fd);
			continue;
		}
		if ((uint32_t)change->fd >= self->fd_count)
			continue;
		uring_forget(self, change->fd);
		if (change->kind == ENGINE_FORGET)
			continue;
		self->fd[change->fd].token = change->token;
		self->fd[change->fd].watched = change->ready;
		uring_arm(self, change->fd);
	}
}

static void uring_polled(struct engine_uring *self,
			 const struct io_uring_cqe *cqe)
{
	int fd = (int)(uint32_t)cqe->user_data;
	uint32_t seq = cqe->user_data >> URING_SEQ_SHIFT & URING_SEQ_MASK;
	struct uring_fd *state = &self->fd[fd];
	unsigned int ready = 0;

	if (seq != state->seq)
		return;
	if (cqe->res < 0)
		ready = ENGINE_ERROR;
	else if (cqe->res & (POLLIN | POLLRDHUP | POLLPRI))
		ready |= ENGINE_READABLE;
	if (cqe->res > 0 && cqe->res & (POLLRDHUP | POLLPRI))
		ready |= ENGINE_DRAIN;
	if (cqe->res > 0 && cqe->res & POLLOUT)
		ready |= ENGINE_WRITABLE;
	if (cqe->res > 0 && cqe->res & (POLLERR | POLLHUP))
		ready |= ENGINE_ERROR;
	uring_mark_ready(self, fd, ready);
	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		state->seq = 0;
		if (cqe->res >= 0)
			uring_arm(self, fd);
	}
}

/* Take in all completions. Return: how many were operations of a batch. */
static unsigned int uring_reap(struct engine_uring *self,
			       struct engine_op *const *op)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0, ops = 0;

	io_uring_for_each_cqe(&self->ring, head, cqe)
	{
		uint64_t type = cqe->user_data >> URING_TYPE_SHIFT;

		seen++;
		if (type == URING_POLL) {
			uring_polled(self, cqe);
		} else if (type == URING_OP) {
			assert(op); /* none is left from an earlier batch */
			op[cqe->user_data]->result = cqe->res;
			ops++;
		}
	}
	io_uring_cq_advance(&self->ring, seen);
	return ops;
}

static void uring_prepare(struct io_uring_sqe *sqe, struct engine_op *op)
{
	switch (op->kind) {
	case ENGINE_SEND:
		io_uring_prep_sendmsg(sqe, op->fd, &op->message, op->flags);
		break;
	case ENGINE_RECV:
		io_uring_prep_recvmsg(sqe, op->fd, &op->message, op->flags);
		break;
	case ENGINE_DISCARD:
		io_uring_prep_recv(sqe, op->fd, NULL, op->length, op->flags);
		break;
	case ENGINE_CONNECT: /* never comes here: uring_is_plain() */
		break;
	}
}

/*
 * io_uring waits for a connect to end, even on a non-blocking socket, and would
 * hold the batch up.
 */
static bool uring_is_plain(const struct engine_op *op)
{
	return op->kind == ENGINE_CONNECT;
}

static void uring_run_plain(struct engine_uring *self, struct engine_op *op)
{
	self->engine.syscalls++;
	engine_run_plain(op);
}

static void uring_run(struct engine *engine, struct engine_op *const *op,
		      unsigned int count)
{
	struct engine_uring *self = uring_of(engine);
	unsigned int queued = 0, done = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct io_uring_sqe *sqe = NULL;

		/* The ring gains nothing for one: a plain call is shorter. */
		if (count > 1 && !uring_is_plain(op[i]))
			sqe = uring_sqe(self);
		if (!sqe) {
			uring_run_plain(self, op[i]);
			continue;
		}
		uring_prepare(sqe, op[i]);
		sqe->user_data = URING_OP << URING_TYPE_SHIFT | i;
		queued++;
	}
	while (done < queued) {
		engine->syscalls++;
		io_uring_submit_and_wait(&self->ring, queued - done);
		done += uring_reap(self, op);
	}
}

static unsigned int uring_take_ready(struct engine_uring *self,
				     struct engine_event *event,
				     unsigned int max)
{
	unsigned int n = 0;

	while (self->ready_first >= 0 && n < max) {
		struct uring_fd *state = &self->fd[self->ready_first];

		self->ready_first = state->next;
		state->listed = false;
		if (state->ready) {
			event[n].token = state->token;
			event[n].ready = state->ready;
			n++;
		}
		state->ready = 0;
	}
	return n;
}

/* The kernel flags completions that it holds back until the ring is entered
 * (IORING_SETUP_TASKRUN_FLAG). */
static bool uring_holds_back(const struct engine_uring *self)
{
	return __atomic_load_n(self->ring.sq.kflags, __ATOMIC_RELAXED) &
	       (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

static bool uring_has_events(struct engine *engine)
{
	struct engine_uring *self = uring_of(engine);

	if (io_uring_sq_ready(&self->ring) || uring_holds_back(self)) {
		engine->syscalls++;
		io_uring_submit_and_get_events(&self->ring);
	}
	uring_reap(self, NULL);
	return self->ready_first >= 0;
}

/*
 * Completions of removed polls and of closes end a wait, too, but are nothing
 * to the caller, who takes "no event" for the time-out: wait on.
 */
static unsigned int uring_wait(struct engine *engine,
			       struct engine_event *event, unsigned int max,
			       int64_t timeout_us)
{
	struct engine_uring *self = uring_of(engine);
	struct __kernel_timespec timeout = {
		.tv_sec = timeout_us / 1000000,
		.tv_nsec = timeout_us % 1000000 * 1000,
	};
	struct io_uring_cqe *cqe;
	int ret = 0;

	uring_reap(self, NULL);
	if (self->ready_first >= 0 || timeout_us == 0)
		uring_has_events(engine);
	while (self->ready_first < 0 && timeout_us && ret >= 0) {
		engine->syscalls++;
		ret = io_uring_submit_and_wait_timeout(
			&self->ring, &cqe, 1, timeout_us < 0 ? NULL : &timeout,
			NULL);
		uring_reap(self, NULL);
	}
	return uring_take_ready(self, event, max);
}

static void uring_destroy(struct engine *engine)
{
	struct engine_uring *self = uring_of(engine);

	io_uring_submit(&self->ring);
	io_uring_queue_exit(&self->ring);
	munmap(self->fd, self->fd_count * sizeof(*self->fd));
	free(self);
}

static const struct engine_backend uring_backend = {
	.name = "io_uring",
	.apply = uring_apply,
	.run = uring_run,
	.wait = uring_wait,
	.has_events = uring_has_events,
	.destroy = uring_destroy,
};

static int uring_init_ring(struct engine_uring *self)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		.cq_entries = URING_CQES,
	};
	int ret =
		io_uring_queue_init_params(URING_ENTRIES, &self->ring, &params);

	if (ret)
		return ret;
	/* Without it each enter looks the ring's descriptor up; not fatal. */
	io_uring_register_ring_fd(&self->ring);
	return 0;
}

static int uring_init_fds(struct engine_uring *self)
{
	struct rlimit limit;
	void *map;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	self->fd_count = limit.rlim_cur < URING_FDS_MAX
				 ? (uint32_t)limit.rlim_cur
				 : URING_FDS_MAX;
	map = mmap(NULL, self->fd_count * sizeof(*self->fd),
		   PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	self->fd = map;
	return 0;
}

int engine_uring_create(struct engine **out, struct fail *fail)
{
	struct engine_uring *self = calloc(1, sizeof(*self));
	int ret;

	if (!self)
		return fail_set(fail, -ENOMEM,
				"no memory for the network's event loop");
	self->engine.backend = &uring_backend;
	self->ready_first = -1;
	ret = uring_init_fds(self);
	if (ret)
		goto out_free;
	ret = uring_init_ring(self);
	if (ret)
		goto out_fds;
	*out = &self->engine;
	return 0;

out_fds:
	munmap(self->fd, self->fd_count * sizeof(*self->fd));
out_free:
	free(self);
	return fail_set(fail, ret,
			"the host does not allow io_uring as it is needed "
			"(%s): use --net engine=epoll",
			strerror(-ret));
}
