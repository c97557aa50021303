/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_ENGINE_H
#define MQVMM_SLIRP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fail.h"
#include "slirp/port.h"
#include "slirp/slirp.h"

/*
 * Theory of operation
 *
 * An engine is how one shard reaches host sockets: it runs batches of
 * non-blocking socket operations and waits for readiness. Two exist, io_uring
 * and epoll, and behave alike: every operation of a batch has its result when
 * engine_run() returns, operations run in the order given, and readiness is
 * edge-triggered. With io_uring a batch is one system call.
 *
 * Context: all on the shard's thread, engine_create() included.
 */

enum engine_op_kind {
	ENGINE_SEND,    /* sendmsg(fd, message, flags | MSG_DONTWAIT |
			   MSG_NOSIGNAL) */
	ENGINE_RECV,    /* recvmsg(fd, message, flags | MSG_DONTWAIT) */
	ENGINE_DISCARD, /* recv(fd, NULL, length, MSG_TRUNC | MSG_DONTWAIT), TCP
			 */
	ENGINE_CONNECT, /* connect(fd, message.msg_name, msg_namelen) */
};

/**
 * struct engine_op - One socket operation of a batch
 * @kind:	What to do
 * @fd:		Non-blocking socket
 * @flags:	MSG_*
 * @length:	For ENGINE_DISCARD, bytes
 * @result:	Set by engine_run(): bytes, 0, or negative errno
 * @message:	msg_iov points to @iov, msg_name to @address where they are used
 * @iov:	Segments
 * @address:	Peer
 * @control:	Ancillary data
 */
struct engine_op {
	enum engine_op_kind kind;
	int fd;
	int flags;
	unsigned int length;
	int result;
	struct msghdr message;
	struct iovec iov[PORT_IOV_MAX];
	struct sockaddr_storage address;
	uint8_t control[128] __attribute__((aligned(8)));
};

#define ENGINE_READABLE 1 /* data, end of file, or a connection to accept */
#define ENGINE_WRITABLE 2
#define ENGINE_ERROR    4 /* error or hang-up */
#define ENGINE_DRAIN    8 /* end of file or urgent data is in the queue */

/**
 * struct engine_event - A descriptor became ready
 * @token:	As given to engine_watch()
 * @ready:	ENGINE_* bits; spurious ones happen. With ENGINE_DRAIN a short
 *		read does not mean that nothing more is to be read.
 */
struct engine_event {
	uint64_t token;
	unsigned int ready;
};

struct engine;

/**
 * engine_create() - Make an engine for the calling thread
 * @kind:	SLIRP_ENGINE_AUTO tries io_uring first
 * @fail:	The cause, as a sentence
 *
 * Return: 0 or negative errno (-ENOSYS, -EPERM where io_uring is forbidden)
 */
int engine_create(enum slirp_engine kind, struct engine **out,
		  struct fail *fail);
void engine_destroy(struct engine *engine);

/* Return: "io_uring" or "epoll" */
const char *engine_name(const struct engine *engine);

/**
 * engine_watch() - Report readiness of a descriptor from now on, edge-triggered
 * @ready:	ENGINE_READABLE and/or ENGINE_WRITABLE; errors are always told
 * @token:	Comes back in events
 *
 * May take effect only at the next engine_run() or engine_wait(). What is
 * ready already is reported once.
 */
int engine_watch(struct engine *engine, int fd, unsigned int ready,
		 uint64_t token);

/* Change what is watched for; what is ready already is reported once more. */
int engine_rewatch(struct engine *engine, int fd, unsigned int ready,
		   uint64_t token);

/**
 * engine_close() - Stop watching a descriptor and close it
 *
 * May take effect only at the next engine_run() or engine_wait(). Events for
 * @token may still come once; the caller tells them by its token's generation.
 */
void engine_close(struct engine *engine, int fd, uint64_t token);

/**
 * engine_forget() - Stop watching a descriptor, which stays open
 *
 * Another engine may watch it, or close it, as soon as this returns. Events for
 * @token may still come once.
 */
void engine_forget(struct engine *engine, int fd, uint64_t token);

/**
 * engine_run() - Run a batch
 * @op:		@count pointers; operations on one socket run in this order
 */
void engine_run(struct engine *engine, struct engine_op *const *op,
		unsigned int count);

/**
 * engine_discard() - Take bytes out of a TCP socket, to nowhere (tcp(7),
 *		MSG_TRUNC), at once
 * @length:	At most so many, bytes
 *
 * Return: bytes taken, 0 at the end of the stream, -1 with errno set
 */
ssize_t engine_discard(int sock, size_t length);

/**
 * engine_wait() - Wait until something is ready
 * @event:	At most @max are filled in
 * @timeout_us:	0 polls, -1 waits for ever
 *
 * Return: events, 0 at the time-out or when interrupted
 */
unsigned int engine_wait(struct engine *engine, struct engine_event *event,
			 unsigned int max, int64_t timeout_us);

/**
 * engine_has_events() - Would engine_wait() find something at once?
 *
 * Applies what was changed. Without a system call where the engine can tell.
 */
bool engine_has_events(struct engine *engine);

/* Return: system calls made so far */
uint64_t engine_syscalls(const struct engine *engine);

#endif
