/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwards that come and go, and what they take of the host. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/forward_rig.h"

/* How many the process has; other threads open files that are none. */
static unsigned int open_sockets(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned int count = 0;
	char target[8];

	while ((entry = readdir(dir)))
		count += readlinkat(dirfd(dir), entry->d_name, target,
				    sizeof(target)) == sizeof(target) &&
			 memcmp(target, "socket:[", sizeof(target)) == 0;
	closedir(dir);
	return count;
}

/* Someone else who listens, as one could who shares the port as well. */
static int occupy(int type, uint16_t *port)
{
	struct sockaddr_storage name;
	socklen_t size;
	int one = 1;
	int sock = rig_make_socket("127.0.0.1", *port, type, &name, &size);

	setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	assert_return_code(bind(sock, (struct sockaddr *)&name, size), errno);
	if (type == SOCK_STREAM)
		assert_return_code(listen(sock, 1), errno);
	getsockname(sock, (struct sockaddr *)&name, &size);
	*port = endpoint_from_sockaddr(&name).port;
	return sock;
}

static void expect_in_use(struct forward_rig *f, int protocol)
{
	struct slirp_forward forward;
	unsigned int before, id;
	struct fail fail = { 0 };
	uint16_t port = 0;
	int sock = occupy(protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
			  &port);

	before = open_sockets();
	forward = rig_rule(protocol, "127.0.0.1", port);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
	assert_non_null(strstr(fail.text, "choose another host port"));
	assert_int_equal(open_sockets(), before);
	close(sock);
	rig_add(f, &forward, &id);
}

static void port_that_is_in_use_is_refused(void **state)
{
	expect_in_use(*state, IPPROTO_TCP);
	expect_in_use(*state, IPPROTO_UDP);
}

static void range_with_a_port_in_use_opens_nothing(void **state)
{
	struct forward_rig *f = *state;
	uint16_t first = rig_free_ports(8), taken = (uint16_t)(first + 5);
	struct slirp_forward forward =
		rig_rule(IPPROTO_TCP, "127.0.0.1", first);
	int sock = occupy(SOCK_STREAM, &taken);
	unsigned int before = open_sockets(), id;
	struct fail fail = { 0 };

	forward.count = 8;
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
	assert_int_equal(open_sockets(), before);
	assert_int_equal(rig_try_connect(f, "127.0.0.1", first), -ECONNREFUSED);
	close(sock);
}

static void two_forwards_do_not_share_a_port(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	struct fail fail = { 0 };
	unsigned int id;

	forward.host.port = rig_add(f, &forward, &id);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
}

static void removed_forward_refuses_and_frees_its_port(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "::", 0);
	unsigned int id;

	forward.host.port = rig_add(f, &forward, &id);
	for (int i = 0; i < 20; i++) {
		rig_remove(f, id);
		assert_int_equal(
			rig_try_connect(f, "127.0.0.1", forward.host.port),
			-ECONNREFUSED);
		rig_add(f, &forward, &id);
		assert_int_equal(
			rig_try_connect(f, "127.0.0.1", forward.host.port), 0);
	}
}

static void udp_forward_can_be_removed_and_added_again(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_UDP, "::", 0);
	unsigned int id;

	forward.host.port = rig_add(f, &forward, &id);
	for (int i = 0; i < 20; i++) {
		rig_remove(f, id);
		rig_add(f, &forward, &id);
	}
}

static void nothing_stays_open_of_what_was_removed(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward tcp =
		rig_rule(IPPROTO_TCP, "::", rig_free_ports(5));
	struct slirp_forward udp = rig_rule(IPPROTO_UDP, "::", 0);
	unsigned int before = open_sockets(), id[2];

	tcp.count = 5;
	rig_add(f, &tcp, &id[0]);
	rig_add(f, &udp, &id[1]);
	assert_int_equal(open_sockets(), before + 6 * SHARDS);
	rig_remove(f, id[0]);
	rig_remove(f, id[1]);
	for (int i = 0; i < WAIT_MS && open_sockets() != before; i++)
		poll(NULL, 0, 1);
	assert_int_equal(open_sockets(), before);
}

static void numbers_are_never_used_again(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int first, second;
	struct fail fail = { 0 };

	rig_add(f, &forward, &first);
	rig_remove(f, first);
	rig_add(f, &forward, &second);
	assert_int_not_equal(first, second);
	assert_int_equal(slirp_forward_remove(f->slirp, first, &fail), -ENOENT);
	assert_true(strlen(fail.text) > 20);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	struct fail fail = { 0 };
	unsigned int id;

	for (int i = 0; i < SLIRP_FORWARDS_MAX; i++)
		rig_add(f, &forward, &id);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -ENOSPC);
	assert_true(strlen(fail.text) > 20);
}

static void forwards_take_half_of_the_descriptors_at_most(void **state)
{
	struct forward_rig *f = *state;
	struct slirp_forward forward =
		rig_rule(IPPROTO_TCP, "127.0.0.1", rig_free_ports(100));
	struct rlimit before, low;
	struct fail fail = { 0 };
	unsigned int id;

	forward.count = 100;
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit) { .rlim_cur = 2 * 100 * SHARDS - 1,
				.rlim_max = before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &low);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EMFILE);
	assert_non_null(strstr(fail.text, "ulimit -n"));
	setrlimit(RLIMIT_NOFILE, &before);
}

static void waiting_connections_are_accepted_when_descriptors_are_back(
	void **state)
{
	enum { WAITING = 20 };
	struct forward_rig *f = *state;
	struct slirp_forward forward = rig_rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t port = rig_add(f, &forward, &id);
	struct sockaddr_storage name;
	struct rlimit limit, none;
	socklen_t size;
	uint64_t turns;

	for (int i = 0; i < WAITING; i++)
		f->sock[f->sock_count++] = rig_make_socket(
			"127.0.0.1", port, SOCK_STREAM, &name, &size);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit) { .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 0; i < WAITING; i++)
		assert_return_code(
			connect(f->sock[i], (struct sockaddr *)&name, size),
			errno);
	while (!counts_stat(f->slirp, -1, "accepts_delayed"))
		poll(NULL, 0, 1);
	/* It waits without spinning: a few tries in this time. */
	turns = counts_stat(f->slirp, -1, "turns");
	poll(NULL, 0, 300);
	assert_in_range(counts_stat(f->slirp, -1, "turns") - turns, 1,
			30 * SHARDS);
	assert_int_equal(counts_stat(f->slirp, -1, "tcp_flows"), 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	rig_wait_for_flows(f, WAITING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(port_that_is_in_use_is_refused),
		BOTH(range_with_a_port_in_use_opens_nothing),
		BOTH(two_forwards_do_not_share_a_port),
		BOTH(removed_forward_refuses_and_frees_its_port),
		BOTH(udp_forward_can_be_removed_and_added_again),
		BOTH(nothing_stays_open_of_what_was_removed),
		BOTH(numbers_are_never_used_again),
		BOTH(there_is_room_for_so_many_and_no_more),
		BOTH(forwards_take_half_of_the_descriptors_at_most),
		BOTH(waiting_connections_are_accepted_when_descriptors_are_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
