/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/engine_internal.h"

#include <errno.h>

#include "slirp/tsan.h"

/*
 * Theory of operation
 *
 * Changes of what is watched, and closes, are only noted and applied by the
 * next wait: they cost a system call each with epoll, and by then the guest
 * has been served. They are applied in order, so that a descriptor that is
 * watched and closed within a turn never outlives its number.
 */

int engine_create(enum slirp_engine kind, struct engine **out,
		  struct fail *fail)
{
	int ret;

	if (kind == SLIRP_ENGINE_EPOLL)
		return engine_epoll_create(out, fail);
	if (kind == SLIRP_ENGINE_URING)
		return engine_uring_create(out, fail);
	ret = engine_uring_create(out, NULL);
	return ret ? engine_epoll_create(out, fail) : 0;
}

static void engine_apply(struct engine *engine)
{
	unsigned int count = engine->change_count;

	engine->change_count = 0;
	if (count)
		engine->backend->apply(engine, engine->change, count);
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	engine_apply(engine);
	engine->backend->destroy(engine);
}

const char *engine_name(const struct engine *engine)
{
	return engine->backend->name;
}

uint64_t engine_syscalls(const struct engine *engine)
{
	return engine->syscalls;
}

static void engine_note(struct engine *engine, enum engine_change_kind kind,
			int fd, unsigned int ready, uint64_t token)
{
	if (engine->change_count == ENGINE_CHANGES_MAX)
		engine_apply(engine);
	engine->change[engine->change_count++] = (struct engine_change) {
		.kind = kind, .fd = fd, .ready = ready, .token = token
	};
}

int engine_watch(struct engine *engine, int fd, unsigned int ready,
		 uint64_t token)
{
	engine_note(engine, ENGINE_WATCH, fd, ready, token);
	return 0;
}

int engine_rewatch(struct engine *engine, int fd, unsigned int ready,
		   uint64_t token)
{
	engine_note(engine, ENGINE_REWATCH, fd, ready, token);
	return 0;
}

void engine_close(struct engine *engine, int fd, uint64_t token)
{
	engine_note(engine, ENGINE_CLOSE, fd, 0, token);
}

void engine_forget(struct engine *engine, int fd, uint64_t token)
{
	engine_note(engine, ENGINE_FORGET, fd, 0, token);
	engine_apply(engine);
}

void engine_prepare(struct engine_op *op)
{
	op->flags |= MSG_DONTWAIT;
	if (op->kind == ENGINE_SEND)
		op->flags |= MSG_NOSIGNAL;
	if (op->kind == ENGINE_DISCARD)
		op->flags |= MSG_TRUNC;
	op->message.msg_iov = op->iov;
}

ssize_t engine_discard(int sock, size_t length)
{
	ssize_t ret;

	tsan_discard_begin();
	ret = recv(sock, NULL, length, MSG_TRUNC | MSG_DONTWAIT);
	tsan_discard_end();
	return ret;
}

void engine_run_plain(struct engine_op *op)
{
	ssize_t ret = -1;

	switch (op->kind) {
	case ENGINE_SEND:
		ret = sendmsg(op->fd, &op->message, op->flags);
		break;
	case ENGINE_RECV:
		ret = recvmsg(op->fd, &op->message, op->flags);
		break;
	case ENGINE_DISCARD:
		ret = engine_discard(op->fd, op->length);
		break;
	case ENGINE_CONNECT:
		ret = connect(op->fd, op->message.msg_name,
			      op->message.msg_namelen);
		break;
	}
	op->result = ret < 0 ? -errno : (int)ret;
}

void engine_run(struct engine *engine, struct engine_op *const *op,
		unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		engine_prepare(op[i]);
	engine->backend->run(engine, op, count);
}

unsigned int engine_wait(struct engine *engine, struct engine_event *event,
			 unsigned int max, int64_t timeout_us)
{
	engine_apply(engine);
	return engine->backend->wait(engine, event, max, timeout_us);
}

bool engine_has_events(struct engine *engine)
{
	engine_apply(engine);
	return engine->backend->has_events(engine);
}
