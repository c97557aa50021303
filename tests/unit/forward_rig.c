/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/forward_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_port.h"

struct forward_rig *rig_make(enum slirp_engine engine)
{
	struct forward_rig *f = calloc(1, sizeof(*f));

	slirp_config_init(&f->config);
	f->config.shard_count = SHARDS;
	f->config.engine = engine;
	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		f->port[i] = fake_port_port(f->fake[i]);
	}
	return f;
}

static void do_nothing(void *context)
{
	(void)context;
}

void rig_pass_turn(struct forward_rig *f)
{
	slirp_call_shard(f->slirp, 0, do_nothing, NULL);
}

void rig_start(struct forward_rig *f)
{
	struct fail fail = { 0 };

	if (slirp_create(&f->config, f->port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail))
		fail_msg("%s", fail.text);
	slirp_set_queues(f->slirp, SHARDS);
	rig_pass_turn(f);
}

int rig_set_up(void **state)
{
	struct forward_rig *f = rig_make(SLIRP_ENGINE_AUTO);

	rig_start(f);
	*state = f;
	return 0;
}

int rig_set_up_epoll(void **state)
{
	struct forward_rig *f = rig_make(SLIRP_ENGINE_EPOLL);

	rig_start(f);
	*state = f;
	return 0;
}

int rig_tear_down(void **state)
{
	struct forward_rig *f = *state;

	while (f->sock_count)
		close(f->sock[--f->sock_count]);
	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	free(f);
	return 0;
}

struct in6_addr rig_address(const char *text)
{
	struct in6_addr in6 = in6addr_any;
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1)
		return address_from4(in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6), 1);
	return in6;
}

struct slirp_forward rig_rule(int protocol, const char *host, unsigned int port)
{
	return (struct slirp_forward) {
		.protocol = protocol,
		.host = { .address = rig_address(host),
			  .port = (uint16_t)port },
		.guest = { .port = GUEST_PORT },
		.count = 1,
	};
}

struct slirp_forward_entry rig_entry_of(struct forward_rig *f, unsigned int id)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(f->slirp, entry);

	for (unsigned int i = 0; i < count; i++)
		if (entry[i].id == id)
			return entry[i];
	fail_msg("no forward %u", id);
	return entry[0];
}

uint16_t rig_add(struct forward_rig *f, const struct slirp_forward *forward,
		 unsigned int *id)
{
	struct fail fail = { 0 };

	if (slirp_forward_add(f->slirp, forward, id, &fail))
		fail_msg("%s", fail.text);
	return rig_entry_of(f, *id).forward.host.port;
}

void rig_remove(struct forward_rig *f, unsigned int id)
{
	struct fail fail = { 0 };

	assert_int_equal(slirp_forward_remove(f->slirp, id, &fail), 0);
}

int rig_make_socket(const char *to, uint16_t port, int type,
		    struct sockaddr_storage *name, socklen_t *size)
{
	struct slirp_endpoint at = { .address = rig_address(to), .port = port };
	struct timeval timeout = { .tv_sec = WAIT_MS / 1000 };
	int sock = socket(endpoint_family(&at), type | SOCK_CLOEXEC, 0);
	int one = 1;

	assert_return_code(sock, errno);
	/* A client may use a port of its own twice. */
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	*size = endpoint_to_sockaddr(&at, AF_UNSPEC, name);
	return sock;
}

int rig_try_connect(struct forward_rig *f, const char *to, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock = rig_make_socket(to, port, SOCK_STREAM, &name, &size);
	int ret = connect(sock, (struct sockaddr *)&name, size) ? -errno : 0;

	assert_in_range(f->sock_count, 0, CONNECTIONS - 1);
	f->sock[f->sock_count++] = sock;
	return ret;
}

uint16_t rig_local_port(int sock)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);

	getsockname(sock, (struct sockaddr *)&name, &size);
	return endpoint_from_sockaddr(&name).port;
}

uint16_t rig_connect_from(struct forward_rig *f, uint16_t from, uint16_t to)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock =
		rig_make_socket("127.0.0.1", from, SOCK_STREAM, &name, &size);

	f->sock[f->sock_count++] = sock;
	assert_return_code(bind(sock, (struct sockaddr *)&name, size), errno);
	((struct sockaddr_in *)&name)->sin_port = htons(to);
	assert_return_code(connect(sock, (struct sockaddr *)&name, size),
			   errno);
	return rig_local_port(sock);
}

void rig_wait_for_flows(const struct forward_rig *f, uint64_t count)
{
	for (int i = 0; i < WAIT_MS; i++) {
		if (counts_stat(f->slirp, -1, "tcp_flows") == count)
			return;
		poll(NULL, 0, 1);
	}
	assert_int_equal(counts_stat(f->slirp, -1, "tcp_flows"), count);
}

uint16_t rig_free_ports(unsigned int count)
{
	uint16_t first = 20000 + (uint16_t)(getpid() % 5000);
	unsigned int found = 0;

	for (; found < count; first++) {
		struct slirp_endpoint at = { .address =
						     rig_address("127.0.0.1"),
					     .port = first };
		struct sockaddr_storage name;
		socklen_t size = endpoint_to_sockaddr(&at, AF_UNSPEC, &name);
		int sock = socket(AF_INET, SOCK_STREAM, 0);

		found = bind(sock, (struct sockaddr *)&name, size) ? 0
								   : found + 1;
		close(sock);
	}
	return (uint16_t)(first - count);
}
