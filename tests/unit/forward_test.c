/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwards of running shards, seen from the host's sockets. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/slirp.h"
#include "support/datagram.h"
#include "support/fake_port.h"

#define SHARDS      4
#define WAIT_MS     5000 /* longest wait for anything that must come */
#define CONNECTIONS 200
#define GUEST_PORT  80

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct port *port[SHARDS];
	struct slirp *slirp;
	int sock[CONNECTIONS];
	unsigned int sock_count;
};

static struct fixture *fixture_make(enum slirp_engine engine)
{
	struct fixture *f = calloc(1, sizeof(*f));

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

/* The first shard follows the number of queues at the end of its turn. */
static void pass_turn(struct fixture *f)
{
	slirp_call_shard(f->slirp, 0, do_nothing, NULL);
}

static void fixture_start(struct fixture *f)
{
	struct fail fail = { 0 };

	if (slirp_create(&f->config, f->port, &f->slirp, &fail) ||
	    slirp_start(f->slirp, NULL, NULL, &fail))
		fail_msg("%s", fail.text);
	slirp_set_queues(f->slirp, SHARDS);
	pass_turn(f);
}

static int set_up(void **state)
{
	struct fixture *f = fixture_make(SLIRP_ENGINE_AUTO);

	fixture_start(f);
	*state = f;
	return 0;
}

static int set_up_epoll(void **state)
{
	struct fixture *f = fixture_make(SLIRP_ENGINE_EPOLL);

	fixture_start(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	while (f->sock_count)
		close(f->sock[--f->sock_count]);
	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		fake_port_destroy(f->fake[i]);
	free(f);
	return 0;
}

static struct in6_addr address(const char *text)
{
	struct in6_addr in6 = in6addr_any;
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1)
		return address_from4(in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6), 1);
	return in6;
}

static struct slirp_forward rule(int protocol, const char *host,
				 unsigned int port)
{
	return (struct slirp_forward) {
		.protocol = protocol,
		.host = { .address = address(host), .port = (uint16_t)port },
		.guest = { .port = GUEST_PORT },
		.count = 1,
	};
}

static struct slirp_forward_entry entry_of(struct fixture *f, unsigned int id)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(f->slirp, entry);

	for (unsigned int i = 0; i < count; i++)
		if (entry[i].id == id)
			return entry[i];
	fail_msg("no forward %u", id);
	return entry[0];
}

/* Open one at run time. Return: its host port */
static uint16_t add(struct fixture *f, const struct slirp_forward *forward,
		    unsigned int *id)
{
	struct fail fail = { 0 };

	if (slirp_forward_add(f->slirp, forward, id, &fail))
		fail_msg("%s", fail.text);
	return entry_of(f, *id).forward.host.port;
}

static void remove_forward(struct fixture *f, unsigned int id)
{
	struct fail fail = { 0 };

	assert_int_equal(slirp_forward_remove(f->slirp, id, &fail), 0);
}

static int make_socket(const char *to, uint16_t port, int type,
		       struct sockaddr_storage *name, socklen_t *size)
{
	struct slirp_endpoint at = { .address = address(to), .port = port };
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

/* Return: 0, or -errno; a connection stays open until the test ends */
static int try_connect(struct fixture *f, const char *to, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock = make_socket(to, port, SOCK_STREAM, &name, &size);
	int ret = connect(sock, (struct sockaddr *)&name, size) ? -errno : 0;

	assert_in_range(f->sock_count, 0, CONNECTIONS - 1);
	f->sock[f->sock_count++] = sock;
	return ret;
}

static uint16_t local_port(int sock)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);

	getsockname(sock, (struct sockaddr *)&name, &size);
	return endpoint_from_sockaddr(&name).port;
}

/* From a port that may have a connection already, or 0. Return: the port */
static uint16_t connect_from(struct fixture *f, uint16_t from, uint16_t to)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock = make_socket("127.0.0.1", from, SOCK_STREAM, &name, &size);

	f->sock[f->sock_count++] = sock;
	assert_return_code(bind(sock, (struct sockaddr *)&name, size), errno);
	((struct sockaddr_in *)&name)->sin_port = htons(to);
	assert_return_code(connect(sock, (struct sockaddr *)&name, size),
			   errno);
	return local_port(sock);
}

/* A counter of one shard's, or with -1 of all. */
static uint64_t counter(const struct slirp *slirp, int shard, const char *name)
{
	char *text = NULL, *at, key[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t sum = 0;

	slirp_print_stats(slirp, out);
	fclose(out);
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(text, key);
	for (int i = 0; at; at = strstr(at, key), i++) {
		at += strlen(key);
		if (shard < 0 || i == shard)
			sum += strtoull(at, &at, 10);
	}
	free(text);
	return sum;
}

static void wait_for_flows(const struct fixture *f, uint64_t count)
{
	for (int i = 0; i < WAIT_MS; i++) {
		if (counter(f->slirp, -1, "tcp_flows") == count)
			return;
		poll(NULL, 0, 1);
	}
	assert_int_equal(counter(f->slirp, -1, "tcp_flows"), count);
}

/* The next SYN of a queue; its destination port and its sender's. */
static void take_syn(struct fixture *f, unsigned int queue, uint16_t *port)
{
	uint8_t frame[PORT_FRAME_MAX];
	struct tcphdr tcp;
	size_t size;

	do
		size = fake_port_receive(f->fake[queue], frame, WAIT_MS);
	while (size && frame[12] == 0x86); /* the router's advertisements */
	assert_true(size >= 54);
	memcpy(&tcp, frame + 34, sizeof(tcp));
	assert_int_equal(tcp.th_flags, TH_SYN);
	*port = ntohs(tcp.th_dport);
}

static void connections_are_spread_over_the_queues(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t port = add(f, &forward, &id);

	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(try_connect(f, "127.0.0.1", port), 0);
	wait_for_flows(f, CONNECTIONS);
	for (int i = 0; i < SHARDS; i++)
		assert_in_range(counter(f->slirp, i, "tcp_flows"),
				CONNECTIONS / SHARDS / 3, CONNECTIONS / 2);
}

static void queues_out_of_use_get_no_connections(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "::", 0);
	unsigned int id;
	uint16_t port = add(f, &forward, &id);

	slirp_set_queues(f->slirp, 2);
	pass_turn(f);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(
			try_connect(f, i % 2 ? "::1" : "127.0.0.1", port), 0);
	wait_for_flows(f, CONNECTIONS);
	assert_in_range(counter(f->slirp, 0, "tcp_flows"), CONNECTIONS / 5,
			CONNECTIONS);
	assert_in_range(counter(f->slirp, 1, "tcp_flows"), CONNECTIONS / 5,
			CONNECTIONS);
	assert_int_equal(counter(f->slirp, 2, "tcp_flows"), 0);
	assert_int_equal(counter(f->slirp, 3, "tcp_flows"), 0);
}

/* One client, from one port, to two forwards; of two shards, mostly. */
static void one_client_port_of_two_forwards_makes_two_flows(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t first = add(f, &forward, &id), second = add(f, &forward, &id);
	uint16_t from;

	for (unsigned int i = 0; i < 20; i++) {
		slirp_set_queues(f->slirp, SHARDS);
		pass_turn(f);
		from = connect_from(f, 0, first);
		wait_for_flows(f, 2 * i + 1);
		slirp_set_queues(f->slirp, 1 + i % 3);
		pass_turn(f);
		connect_from(f, from, second);
		wait_for_flows(f, 2 * i + 2);
	}
}

static void no_host_address_is_all_of_both_families(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "::", 0);
	unsigned int id;
	uint16_t port = add(f, &forward, &id);

	assert_int_equal(try_connect(f, "127.0.0.1", port), 0);
	assert_int_equal(try_connect(f, "127.9.9.9", port), 0);
	assert_int_equal(try_connect(f, "::1", port), 0);
	wait_for_flows(f, 3);
}

static void host_address_is_the_only_one(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.2", 0);
	unsigned int id;
	uint16_t port = add(f, &forward, &id);

	assert_int_equal(try_connect(f, "127.0.0.2", port), 0);
	assert_int_equal(try_connect(f, "127.0.0.1", port), -ECONNREFUSED);
	assert_int_equal(try_connect(f, "::1", port), -ECONNREFUSED);
}

/* The lowest of @count ports that are free at this moment. */
static uint16_t free_ports(unsigned int count)
{
	uint16_t first = 20000 + (uint16_t)(getpid() % 5000);
	unsigned int found = 0;

	for (; found < count; first++) {
		struct slirp_endpoint at = { .address = address("127.0.0.1"),
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

static void range_leads_to_the_guests_ports_in_order(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward =
		rule(IPPROTO_TCP, "127.0.0.1", free_ports(10));
	uint16_t port;
	unsigned int id;

	slirp_set_queues(f->slirp, 1);
	forward.count = 10;
	add(f, &forward, &id);
	for (unsigned int i = 0; i < 10; i++) {
		port = (uint16_t)(forward.host.port + i);
		assert_int_equal(try_connect(f, "127.0.0.1", port), 0);
		take_syn(f, 0, &port);
		assert_int_equal(port, GUEST_PORT + i);
	}
	assert_int_equal(
		slirp_forward_list(f->slirp,
				   (struct slirp_forward_entry[64]) { 0 }),
		1);
}

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
	int sock = make_socket("127.0.0.1", *port, type, &name, &size);

	setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	assert_return_code(bind(sock, (struct sockaddr *)&name, size), errno);
	if (type == SOCK_STREAM)
		assert_return_code(listen(sock, 1), errno);
	getsockname(sock, (struct sockaddr *)&name, &size);
	*port = endpoint_from_sockaddr(&name).port;
	return sock;
}

static void expect_in_use(struct fixture *f, int protocol)
{
	struct slirp_forward forward;
	unsigned int before, id;
	struct fail fail = { 0 };
	uint16_t port = 0;
	int sock = occupy(protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM,
			  &port);

	before = open_sockets();
	forward = rule(protocol, "127.0.0.1", port);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
	assert_non_null(strstr(fail.text, "choose another host port"));
	assert_int_equal(open_sockets(), before);
	close(sock);
	add(f, &forward, &id);
}

static void port_that_is_in_use_is_refused(void **state)
{
	expect_in_use(*state, IPPROTO_TCP);
	expect_in_use(*state, IPPROTO_UDP);
}

static void range_with_a_port_in_use_opens_nothing(void **state)
{
	struct fixture *f = *state;
	uint16_t first = free_ports(8), taken = (uint16_t)(first + 5);
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", first);
	int sock = occupy(SOCK_STREAM, &taken);
	unsigned int before = open_sockets(), id;
	struct fail fail = { 0 };

	forward.count = 8;
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
	assert_int_equal(open_sockets(), before);
	assert_int_equal(try_connect(f, "127.0.0.1", first), -ECONNREFUSED);
	close(sock);
}

static void two_forwards_do_not_share_a_port(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	struct fail fail = { 0 };
	unsigned int id;

	forward.host.port = add(f, &forward, &id);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -EADDRINUSE);
}

static void removed_forward_refuses_and_frees_its_port(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "::", 0);
	unsigned int id;

	forward.host.port = add(f, &forward, &id);
	for (int i = 0; i < 20; i++) {
		remove_forward(f, id);
		assert_int_equal(try_connect(f, "127.0.0.1", forward.host.port),
				 -ECONNREFUSED);
		add(f, &forward, &id);
		assert_int_equal(try_connect(f, "127.0.0.1", forward.host.port),
				 0);
	}
}

static void udp_forward_can_be_removed_and_added_again(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_UDP, "::", 0);
	unsigned int id;

	forward.host.port = add(f, &forward, &id);
	for (int i = 0; i < 20; i++) {
		remove_forward(f, id);
		add(f, &forward, &id);
	}
}

static void nothing_stays_open_of_what_was_removed(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward tcp = rule(IPPROTO_TCP, "::", free_ports(5));
	struct slirp_forward udp = rule(IPPROTO_UDP, "::", 0);
	unsigned int before = open_sockets(), id[2];

	tcp.count = 5;
	add(f, &tcp, &id[0]);
	add(f, &udp, &id[1]);
	assert_int_equal(open_sockets(), before + 6 * SHARDS);
	remove_forward(f, id[0]);
	remove_forward(f, id[1]);
	for (int i = 0; i < WAIT_MS && open_sockets() != before; i++)
		poll(NULL, 0, 1);
	assert_int_equal(open_sockets(), before);
}

static void numbers_are_never_used_again(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int first, second;
	struct fail fail = { 0 };

	add(f, &forward, &first);
	remove_forward(f, first);
	add(f, &forward, &second);
	assert_int_not_equal(first, second);
	assert_int_equal(slirp_forward_remove(f->slirp, first, &fail), -ENOENT);
	assert_true(strlen(fail.text) > 20);
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	struct fail fail = { 0 };
	unsigned int id;

	for (int i = 0; i < SLIRP_FORWARDS_MAX; i++)
		add(f, &forward, &id);
	assert_int_equal(slirp_forward_add(f->slirp, &forward, &id, &fail),
			 -ENOSPC);
	assert_true(strlen(fail.text) > 20);
}

static void forwards_take_half_of_the_descriptors_at_most(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward =
		rule(IPPROTO_TCP, "127.0.0.1", free_ports(100));
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
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_TCP, "127.0.0.1", 0);
	unsigned int id;
	uint16_t port = add(f, &forward, &id);
	struct sockaddr_storage name;
	struct rlimit limit, none;
	socklen_t size;
	uint64_t turns;

	for (int i = 0; i < WAITING; i++)
		f->sock[f->sock_count++] = make_socket(
			"127.0.0.1", port, SOCK_STREAM, &name, &size);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit) { .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 0; i < WAITING; i++)
		assert_return_code(
			connect(f->sock[i], (struct sockaddr *)&name, size),
			errno);
	while (!counter(f->slirp, -1, "accepts_delayed"))
		poll(NULL, 0, 1);
	/* It waits without spinning: a few tries in this time. */
	turns = counter(f->slirp, -1, "turns");
	poll(NULL, 0, 300);
	assert_in_range(counter(f->slirp, -1, "turns") - turns, 1, 30 * SHARDS);
	assert_int_equal(counter(f->slirp, -1, "tcp_flows"), 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	wait_for_flows(f, WAITING);
}

/* UDP */

/* The guest answers, from GUEST_PORT to a port of the gateway's. */
static void guest_answer(struct fixture *f, unsigned int queue, uint16_t port,
			 uint32_t number)
{
	uint8_t frame[DATAGRAM_HEADERS + sizeof(number)];
	size_t size = datagram_make(&f->config, frame, GUEST_PORT, port,
				    &number, sizeof(number));

	fake_port_transmit(f->fake[queue], frame, size);
}

/* A datagram on any of the queues. Return: the number in it */
static uint32_t guest_take(struct fixture *f, unsigned int *queue,
			   uint16_t *port)
{
	uint8_t frame[PORT_FRAME_MAX];
	uint32_t number = UINT32_MAX;
	struct udphdr udp;

	for (int tries = 0; tries < WAIT_MS; tries++) {
		*queue = (unsigned int)tries % SHARDS;
		if (fake_port_receive(f->fake[*queue], frame, 1) !=
		    DATAGRAM_HEADERS + sizeof(number))
			continue;
		memcpy(&udp, frame + 34, sizeof(udp));
		*port = ntohs(udp.uh_sport);
		memcpy(&number, frame + DATAGRAM_HEADERS, sizeof(number));
		break;
	}
	return number;
}

static int udp_client(const char *to, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size;
	int sock = make_socket(to, port, SOCK_DGRAM, &name, &size);

	assert_return_code(connect(sock, (struct sockaddr *)&name, size),
			   errno);
	return sock;
}

static void ask(struct fixture *f, int sock, uint32_t number,
		unsigned int *queue, uint16_t *port)
{
	assert_int_equal(send(sock, &number, sizeof(number), 0),
			 sizeof(number));
	assert_int_equal(guest_take(f, queue, port), number);
}

static void hear(int sock, uint32_t number)
{
	uint32_t got = UINT32_MAX;

	assert_int_equal(recv(sock, &got, sizeof(got), 0), sizeof(got));
	assert_int_equal(got, number);
}

static void udp_answers_find_their_client_from_any_queue(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_UDP, "::", 0);
	unsigned int id, queue;
	uint16_t port = add(f, &forward, &id), seen;
	uint32_t used = 0;

	for (uint32_t i = 0; i < 40; i++) {
		int sock = udp_client(i % 2 ? "::1" : "127.0.0.1", port);

		ask(f, sock, i, &queue, &seen);
		used |= 1U << queue;
		guest_answer(f, (queue + i) % SHARDS, seen, i + 1000);
		hear(sock, i + 1000);
		close(sock);
	}
	assert_int_equal(used, (1U << SHARDS) - 1);
}

/* A connected client takes answers from the address alone that it wrote to. */
static void udp_answers_come_from_the_address_that_was_written_to(void **state)
{
	static const char *const listen[] = { "::", "0.0.0.0" };
	static const char *const to[] = { "127.9.9.9", "127.0.0.1" };
	struct fixture *f = *state;
	unsigned int id, queue;
	uint16_t seen;

	for (uint32_t i = 0; i < 8; i++) {
		struct slirp_forward forward =
			rule(IPPROTO_UDP, listen[i / 4], 0);
		uint16_t port = add(f, &forward, &id);
		int sock = udp_client(to[i % 2], port);

		ask(f, sock, i, &queue, &seen);
		guest_answer(f, queue, seen, i + 1000);
		hear(sock, i + 1000);
		close(sock);
	}
}

static void udp_clients_stay_who_they_are_when_queues_change(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_UDP, "127.0.0.1", 0);
	unsigned int id, queue;
	uint16_t port = add(f, &forward, &id), before, after;

	for (uint32_t i = 0; i < 16; i++) {
		int sock = udp_client("127.0.0.1", port);

		slirp_set_queues(f->slirp, SHARDS);
		pass_turn(f);
		ask(f, sock, 1, &queue, &before);
		slirp_set_queues(f->slirp, 1 + i % 3);
		pass_turn(f);
		ask(f, sock, 2, &queue, &after);
		assert_int_equal(before, after);
		guest_answer(f, 0, after, 3);
		hear(sock, 3);
		close(sock);
	}
}

static void one_client_of_two_udp_forwards_gets_both_answers(void **state)
{
	struct fixture *f = *state;
	struct slirp_forward forward = rule(IPPROTO_UDP, "127.0.0.1", 0);
	unsigned int id, queue;
	uint16_t port[2], seen[2];
	struct sockaddr_storage name;
	socklen_t size;
	int sock = make_socket("127.0.0.1", 0, SOCK_DGRAM, &name, &size);
	uint32_t number;

	for (int i = 0; i < 2; i++) {
		struct slirp_endpoint at = { .address = address("127.0.0.1") };

		at.port = port[i] = add(f, &forward, &id);
		size = endpoint_to_sockaddr(&at, AF_UNSPEC, &name);
		number = (uint32_t)i;
		sendto(sock, &number, sizeof(number), 0,
		       (struct sockaddr *)&name, size);
		assert_int_equal(guest_take(f, &queue, &seen[i]), i);
	}
	assert_int_not_equal(seen[0], seen[1]);
	for (int i = 1; i >= 0; i--) {
		guest_answer(f, 0, seen[i], 7);
		assert_int_equal(recvfrom(sock, &number, sizeof(number), 0,
					  (struct sockaddr *)&name, &size),
				 sizeof(number));
		assert_int_equal(endpoint_from_sockaddr(&name).port, port[i]);
	}
	close(sock);
}

/* Configuration */

static void wanted_ports_come_before_chosen_ones(void **state)
{
	struct fixture *f = fixture_make(SLIRP_ENGINE_AUTO);
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];

	*state = f;
	f->config.forward[0] = rule(IPPROTO_TCP, "127.0.0.1", 0);
	f->config.forward[1] = rule(IPPROTO_TCP, "127.0.0.1", free_ports(1));
	f->config.forward_count = 2;
	fixture_start(f);
	assert_int_equal(slirp_forward_list(f->slirp, entry), 2);
	assert_int_equal(entry[0].id, 1);
	assert_int_not_equal(entry[0].forward.host.port, 0);
	assert_int_equal(entry[1].forward.host.port,
			 f->config.forward[1].host.port);
	assert_int_equal(
		try_connect(f, "127.0.0.1", entry[0].forward.host.port), 0);
	assert_int_equal(
		try_connect(f, "127.0.0.1", entry[1].forward.host.port), 0);
	wait_for_flows(f, 2);
	tear_down(state);
}

#define TEST(name)                                                    \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down),     \
	{                                                             \
#name " (epoll)", name, set_up_epoll, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connections_are_spread_over_the_queues),
		TEST(queues_out_of_use_get_no_connections),
		TEST(one_client_port_of_two_forwards_makes_two_flows),
		TEST(no_host_address_is_all_of_both_families),
		TEST(host_address_is_the_only_one),
		TEST(range_leads_to_the_guests_ports_in_order),
		TEST(port_that_is_in_use_is_refused),
		TEST(range_with_a_port_in_use_opens_nothing),
		TEST(two_forwards_do_not_share_a_port),
		TEST(removed_forward_refuses_and_frees_its_port),
		TEST(udp_forward_can_be_removed_and_added_again),
		TEST(nothing_stays_open_of_what_was_removed),
		TEST(numbers_are_never_used_again),
		TEST(there_is_room_for_so_many_and_no_more),
		TEST(forwards_take_half_of_the_descriptors_at_most),
		TEST(waiting_connections_are_accepted_when_descriptors_are_back),
		TEST(udp_answers_find_their_client_from_any_queue),
		TEST(udp_answers_come_from_the_address_that_was_written_to),
		TEST(udp_clients_stay_who_they_are_when_queues_change),
		TEST(one_client_of_two_udp_forwards_gets_both_answers),
		cmocka_unit_test(wanted_ports_come_before_chosen_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
