/* SPDX-License-Identifier: BSD-3-Clause */
/* Both engines must behave alike: every test runs on each. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/engine.h"

#define WAIT_US 2000000 /* long enough for any event, microseconds */

struct fixture {
	struct engine *engine;
	int listener;
	struct sockaddr_in address;
};

static int set_up(void **state, enum slirp_engine kind)
{
	struct fixture *f = calloc(1, sizeof(*f));
	socklen_t size = sizeof(f->address);
	struct fail fail = { 0 };

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	f->address.sin_family = AF_INET;
	f->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(f->listener, (struct sockaddr *)&f->address, size) ||
	    listen(f->listener, 16) ||
	    getsockname(f->listener, (struct sockaddr *)&f->address, &size))
		return -1;
	*state = f;
	if (engine_create(kind, &f->engine, &fail)) {
		fprintf(stderr, "skipped: %s\n", fail.text);
		f->engine = NULL;
	}
	return 0;
}

static int set_up_uring(void **state)
{
	return set_up(state, SLIRP_ENGINE_URING);
}

static int set_up_epoll(void **state)
{
	return set_up(state, SLIRP_ENGINE_EPOLL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	engine_destroy(f->engine);
	close(f->listener);
	free(f);
	return 0;
}

static struct fixture *begin(void **state)
{
	struct fixture *f = *state;

	if (!f->engine)
		skip();
	return f;
}

static void make_pair(struct fixture *f, int *client, int *server)
{
	*client = socket(AF_INET, SOCK_STREAM, 0);
	assert_return_code(connect(*client, (struct sockaddr *)&f->address,
				   sizeof(f->address)),
			   errno);
	*server = accept(f->listener, NULL, NULL);
	assert_return_code(*server, errno);
}

static void set_data(struct engine_op *op, enum engine_op_kind kind, int fd,
		     void *data, size_t size)
{
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->fd = fd;
	op->iov[0].iov_base = data;
	op->iov[0].iov_len = size;
	op->message.msg_iovlen = 1;
}

static void batch_runs_in_order(void **state)
{
	struct fixture *f = begin(state);
	struct engine_op op[3], *list[3] = { &op[0], &op[1], &op[2] };
	char got[16] = { 0 };
	int client, server;

	make_pair(f, &client, &server);
	set_data(&op[0], ENGINE_SEND, client, "first", 5);
	set_data(&op[1], ENGINE_SEND, client, "second", 6);
	set_data(&op[2], ENGINE_RECV, server, got, sizeof(got));
	engine_run(f->engine, list, 3);
	assert_int_equal(op[0].result, 5);
	assert_int_equal(op[1].result, 6);
	assert_int_equal(op[2].result, 11);
	assert_string_equal(got, "firstsecond");
	close(client);
	close(server);
}

static void receive_without_data_says_again(void **state)
{
	struct fixture *f = begin(state);
	struct engine_op op[2], *list[2] = { &op[0], &op[1] };
	char got[2][4];
	int client, server;

	make_pair(f, &client, &server);
	set_data(&op[0], ENGINE_RECV, client, got[0], sizeof(got[0]));
	set_data(&op[1], ENGINE_RECV, server, got[1], sizeof(got[1]));
	engine_run(f->engine, list, 2);
	assert_int_equal(op[0].result, -EAGAIN);
	assert_int_equal(op[1].result, -EAGAIN);
	close(client);
	close(server);
}

static void second_connect_tells_that_loopback_is_established(void **state)
{
	struct fixture *f = begin(state);
	struct engine_op op[2], *list[2] = { &op[0], &op[1] };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	for (int i = 0; i < 2; i++) {
		memset(&op[i], 0, sizeof(op[i]));
		op[i].kind = ENGINE_CONNECT;
		op[i].fd = sock;
		op[i].message.msg_name = &f->address;
		op[i].message.msg_namelen = sizeof(f->address);
	}
	engine_run(f->engine, list, 2);
	assert_int_equal(op[0].result, -EINPROGRESS);
	assert_true(op[1].result == 0 || op[1].result == -EISCONN);
	close(sock);
}

static void discard_consumes_what_was_peeked(void **state)
{
	struct fixture *f = begin(state);
	struct engine_op op[3], *list[3] = { &op[0], &op[1], &op[2] };
	char peeked[8], rest[8];
	int client, server;

	make_pair(f, &client, &server);
	assert_int_equal(send(client, "abcdef", 6, 0), 6);
	set_data(&op[0], ENGINE_RECV, server, peeked, sizeof(peeked));
	op[0].flags = MSG_PEEK;
	set_data(&op[1], ENGINE_DISCARD, server, NULL, 0);
	op[1].length = 4;
	set_data(&op[2], ENGINE_RECV, server, rest, sizeof(rest));
	engine_run(f->engine, list, 3);
	assert_int_equal(op[0].result, 6);
	assert_int_equal(op[1].result, 4);
	assert_int_equal(op[2].result, 2);
	assert_memory_equal(rest, "ef", 2);
	close(client);
	close(server);
}

static void readable_is_told_once_for_each_arrival(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 42);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	assert_int_equal(event.token, 42);
	assert_true(event.ready & ENGINE_READABLE);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	assert_int_equal(send(client, "y", 1, 0), 1);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	engine_close(f->engine, server, 42);
	close(client);
}

static void looking_for_events_takes_none(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event = { 0 };
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 42);
	assert_false(engine_has_events(f->engine));
	assert_int_equal(write(client, "x", 1), 1);
	assert_true(engine_has_events(f->engine));
	assert_true(engine_has_events(f->engine));
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 1);
	assert_int_equal(event.token, 42);
	assert_false(engine_has_events(f->engine));
	close(client);
	close(server);
}

static void looking_in_vain_is_no_system_call(void **state)
{
	struct fixture *f = begin(state);
	uint64_t before;
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 42);
	assert_false(engine_has_events(f->engine));
	before = engine_syscalls(f->engine);
	for (int i = 0; i < 1000; i++)
		assert_false(engine_has_events(f->engine));
	assert_int_equal(engine_syscalls(f->engine), before);
	close(client);
	close(server);
}

static void rewatch_tells_what_is_ready_again(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 1);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	engine_rewatch(f->engine, server, ENGINE_READABLE | ENGINE_WRITABLE, 2);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	assert_int_equal(event.token, 2);
	assert_int_equal(event.ready, ENGINE_WRITABLE);
	engine_close(f->engine, server, 2);
	close(client);
}

static void readiness_during_a_batch_is_told_by_the_next_wait(void **state)
{
	struct fixture *f = begin(state);
	struct engine_op op[2], *list[2] = { &op[0], &op[1] };
	struct engine_event event;
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 7);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	set_data(&op[0], ENGINE_SEND, client, "a", 1);
	set_data(&op[1], ENGINE_SEND, client, "b", 1);
	engine_run(f->engine, list, 2);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	assert_int_equal(event.token, 7);
	engine_close(f->engine, server, 7);
	close(client);
}

static void end_of_file_is_readable(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 3);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	close(client);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	assert_true(event.ready & ENGINE_READABLE);
	engine_close(f->engine, server, 3);
}

static void close_sends_fin_by_the_next_wait(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server;
	char byte;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 3);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	engine_close(f->engine, server, 3);
	engine_wait(f->engine, &event, 1, 0);
	assert_int_equal(recv(client, &byte, 1, 0), 0);
	close(client);
}

static void close_with_an_event_under_way_sends_fin(void **state)
{
	struct timeval limit = { .tv_sec = WAIT_US / 1000000 };
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server;
	char byte = 'x';

	make_pair(f, &client, &server);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	engine_watch(f->engine, server, ENGINE_READABLE, 3);
	assert_int_equal(engine_wait(f->engine, &event, 1, 0), 0);
	assert_int_equal(send(client, &byte, 1, 0), 1);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	engine_close(f->engine, server, 3);
	engine_wait(f->engine, &event, 1, 0);
	assert_int_equal(recv(client, &byte, 1, 0), 0);
	close(client);
}

static void reused_descriptor_has_its_own_events_only(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;
	int client, server, again, other;

	make_pair(f, &client, &server);
	engine_watch(f->engine, server, ENGINE_READABLE, 1);
	engine_wait(f->engine, &event, 1, 0);
	engine_close(f->engine, server, 1);
	engine_wait(f->engine, &event, 1, 0);
	make_pair(f, &other, &again);
	engine_watch(f->engine, again, ENGINE_READABLE, 2);
	assert_int_equal(send(other, "x", 1, 0), 1);
	assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
	assert_int_equal(event.token, 2);
	engine_close(f->engine, again, 2);
	close(other);
	close(client);
}

static void eventfd_need_not_be_read(void **state)
{
	struct fixture *f = begin(state);
	int kick = eventfd(0, EFD_NONBLOCK);
	struct engine_event event;
	uint64_t one = 1;

	engine_watch(f->engine, kick, ENGINE_READABLE, 9);
	engine_wait(f->engine, &event, 1, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(kick, &one, sizeof(one)), sizeof(one));
		assert_int_equal(engine_wait(f->engine, &event, 1, WAIT_US), 1);
		assert_int_equal(event.token, 9);
	}
	engine_close(f->engine, kick, 9);
}

static void wait_ends_at_its_timeout(void **state)
{
	struct fixture *f = begin(state);
	struct engine_event event;

	assert_int_equal(engine_wait(f->engine, &event, 1, 1000), 0);
}

static void large_batches_run_whole(void **state)
{
	enum { COUNT = 300 };
	struct fixture *f = begin(state);
	struct engine_op *op = calloc(COUNT, sizeof(*op)), *list[COUNT];
	char got[COUNT];
	int client, server;

	make_pair(f, &client, &server);
	for (int i = 0; i < COUNT; i++) {
		list[i] = &op[i];
		set_data(&op[i], ENGINE_SEND, client, "z", 1);
	}
	engine_run(f->engine, list, COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(op[i].result, 1);
	assert_int_equal(recv(server, got, COUNT, MSG_WAITALL), COUNT);
	free(op);
	close(client);
	close(server);
}

/* Datagrams, several on one socket in a batch */

static int make_datagram_socket(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in) { .sin_family = AF_INET };
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(sock, (struct sockaddr *)address, size), errno);
	assert_return_code(getsockname(sock, (struct sockaddr *)address, &size),
			   errno);
	return sock;
}

static void set_datagram(struct engine_op *op, enum engine_op_kind kind, int fd,
			 void *data, size_t size, const struct sockaddr_in *to)
{
	set_data(op, kind, fd, data, size);
	op->message.msg_name = &op->address;
	op->message.msg_namelen = sizeof(op->address);
	if (!to)
		return;
	memcpy(&op->address, to, sizeof(*to));
	op->message.msg_namelen = sizeof(*to);
}

/* The second of four has nowhere to go. */
static void failed_datagram_does_not_stop_others(void **state)
{
	struct fixture *f = begin(state);
	struct sockaddr_in to, from, nowhere = { .sin_family = AF_INET };
	struct engine_op op[4], *list[4] = { &op[0], &op[1], &op[2], &op[3] };
	int sock = make_datagram_socket(&from);
	int peer = make_datagram_socket(&to);
	char text[] = "0123", got[2];

	for (int i = 0; i < 4; i++)
		set_datagram(&op[i], ENGINE_SEND, sock, &text[i], 1,
			     i == 1 ? &nowhere : &to);
	engine_run(f->engine, list, 4);
	assert_int_equal(op[0].result, 1);
	assert_int_equal(op[1].result, -EINVAL); /* there is no port 0 */
	assert_int_equal(op[2].result, 1);
	assert_int_equal(op[3].result, 1);
	for (const char *next = "023"; *next; next++) {
		assert_int_equal(recv(peer, got, sizeof(got), 0), 1);
		assert_int_equal(got[0], *next);
	}
	close(sock);
	close(peer);
}

static void receives_take_what_is_there_and_whose_it_is(void **state)
{
	struct fixture *f = begin(state);
	struct sockaddr_in to, from;
	struct engine_op op[4], *list[4] = { &op[0], &op[1], &op[2], &op[3] };
	int sock = make_datagram_socket(&from);
	int peer = make_datagram_socket(&to);
	char got[4][8];

	sendto(peer, "one", 3, 0, (struct sockaddr *)&from, sizeof(from));
	sendto(peer, "twotwotwo", 9, 0, (struct sockaddr *)&from, sizeof(from));
	for (int i = 0; i < 4; i++)
		set_datagram(&op[i], ENGINE_RECV, sock, got[i], sizeof(got[i]),
			     NULL);
	engine_run(f->engine, list, 4);
	assert_int_equal(op[0].result, 3);
	assert_int_equal(op[0].message.msg_flags & MSG_TRUNC, 0);
	assert_int_equal(op[1].result, 8);
	assert_int_equal(op[1].message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	assert_int_equal(op[1].message.msg_namelen, sizeof(to));
	assert_memory_equal(&op[1].address, &to, sizeof(to));
	assert_memory_equal(got[1], "twotwotw", 8);
	assert_int_equal(op[2].result, -EAGAIN);
	assert_int_equal(op[3].result, -EAGAIN);
	close(sock);
	close(peer);
}

static void datagrams_of_one_socket_are_one_system_call(void **state)
{
	enum { COUNT = 32 };
	struct fixture *f = begin(state);
	struct engine_op *op = calloc(COUNT, sizeof(*op)), *list[COUNT];
	struct sockaddr_in to, from;
	int sock = make_datagram_socket(&from);
	int peer = make_datagram_socket(&to);
	uint64_t before = engine_syscalls(f->engine);
	char got[COUNT][4];

	for (int i = 0; i < COUNT; i++) {
		list[i] = &op[i];
		set_datagram(&op[i], ENGINE_SEND, sock, "x", 1, &to);
	}
	engine_run(f->engine, list, COUNT);
	assert_int_equal(engine_syscalls(f->engine) - before, 1);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(op[i].result, 1);
		set_datagram(&op[i], ENGINE_RECV, peer, got[i], 4, NULL);
	}
	engine_run(f->engine, list, COUNT);
	assert_int_equal(engine_syscalls(f->engine) - before, 2);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(op[i].result, 1);
	free(op);
	close(sock);
	close(peer);
}

#define BOTH(test)                                                  \
	{ #test "/io_uring", test, set_up_uring, tear_down, NULL }, \
	{                                                           \
#test "/epoll", test, set_up_epoll, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(batch_runs_in_order),
		BOTH(failed_datagram_does_not_stop_others),
		BOTH(receives_take_what_is_there_and_whose_it_is),
		BOTH(datagrams_of_one_socket_are_one_system_call),
		BOTH(receive_without_data_says_again),
		BOTH(second_connect_tells_that_loopback_is_established),
		BOTH(discard_consumes_what_was_peeked),
		BOTH(readable_is_told_once_for_each_arrival),
		BOTH(rewatch_tells_what_is_ready_again),
		BOTH(readiness_during_a_batch_is_told_by_the_next_wait),
		BOTH(end_of_file_is_readable),
		BOTH(close_sends_fin_by_the_next_wait),
		BOTH(close_with_an_event_under_way_sends_fin),
		BOTH(reused_descriptor_has_its_own_events_only),
		BOTH(eventfd_need_not_be_read),
		BOTH(wait_ends_at_its_timeout),
		BOTH(looking_for_events_takes_none),
		{ "looking_in_vain_is_no_system_call/io_uring",
		  looking_in_vain_is_no_system_call, set_up_uring, tear_down,
		  NULL },
		BOTH(large_batches_run_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
