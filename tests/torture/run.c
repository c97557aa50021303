/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "slirp/shard_internal.h"
#include "support/counts.h"
#include "torture.h"

#define UDP_IDLE_S 5
#define LOOK_NS    20000000L

struct slirp_endpoint run_loopback(bool is6, uint16_t port)
{
	struct slirp_endpoint at = { .address = in6addr_loopback,
				     .port = port };

	if (!is6)
		at.address = address_from4(
			(struct in_addr) { htonl(INADDR_LOOPBACK) });
	return at;
}

/* A socket on loopback. */
static int run_bind(const struct torture *torture, int type, bool is6,
		    uint16_t *port)
{
	struct slirp_endpoint to = run_loopback(is6, 0);
	struct sockaddr_storage at;
	socklen_t size = endpoint_to_sockaddr(&to, AF_UNSPEC, &at);
	int sock = socket(at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&at, size) ||
	    getsockname(sock, (struct sockaddr *)&at, &size) ||
	    (type == SOCK_STREAM && listen(sock, 4096)))
		torture_fail(torture, "a socket on loopback: %s",
			     strerror(errno));
	*port = endpoint_from_sockaddr(&at).port;
	return sock;
}

static bool run_has_ip6(void)
{
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6,
					 .sin6_addr = in6addr_loopback };
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = sock >= 0 &&
		   !bind(sock, (const struct sockaddr *)&at, sizeof(at));

	if (sock >= 0)
		close(sock);
	return has;
}

static void run_open_host(struct torture *torture)
{
	torture->is6 = run_has_ip6();
	torture->udp_flows = torture->options.flows / 4;
	if (torture->udp_flows > TORTURE_UDP_MAX)
		torture->udp_flows = TORTURE_UDP_MAX;
	for (unsigned int i = 0; i < TORTURE_LISTENERS; i++)
		torture->listener[i] =
			run_bind(torture, SOCK_STREAM, torture_is6(torture, i),
				 &torture->listener_port[i]);
	for (unsigned int i = 0; i * TORTURE_UDP_SHARE < torture->udp_flows;
	     i++)
		torture->echo[i] =
			run_bind(torture, SOCK_DGRAM, torture_is6(torture, i),
				 &torture->echo_port[i]);
}

static void run_close_host(struct torture *torture)
{
	for (int i = 0; i < TORTURE_LISTENERS; i++)
		close(torture->listener[i]);
	for (unsigned int i = 0; i * TORTURE_UDP_SHARE < torture->udp_flows;
	     i++)
		close(torture->echo[i]);
}

static void run_configure(struct torture *torture)
{
	struct slirp_config *config = &torture->config;

	slirp_config_init(config);
	config->shard_count = torture->options.shards;
	config->engine = torture->options.engine;
	config->ipv6 = torture->is6;
	config->udp_idle_s = UDP_IDLE_S;
	/* Whom a mapping has permitted must go along. */
	config->udp_filter = SLIRP_UDP_FILTER_PORT;
	config->forward_count = 1U + torture->is6;
	for (unsigned int i = 0; i < config->forward_count; i++)
		config->forward[i] = (struct slirp_forward) {
			.protocol = IPPROTO_TCP,
			.host = run_loopback(i, 0),
			.guest = { .address = i ? config->guest6
						: address_from4(config->guest),
				   .port = TORTURE_SERVER_PORT },
			.count = 1,
		};
}

static void run_start_slirp(struct torture *torture)
{
	struct port *port[TORTURE_SHARDS_MAX];
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	struct fail fail = { 0 };

	run_configure(torture);
	torture->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (unsigned int i = 0; i < torture->options.shards; i++) {
		torture->fake[i] = fake_port_create();
		fake_port_set_bell(torture->fake[i], torture->bell);
		port[i] = fake_port_port(torture->fake[i]);
	}
	if (slirp_create(&torture->config, port, &torture->slirp, &fail) ||
	    slirp_start(torture->slirp, NULL, NULL, &fail))
		torture_fail(torture, "%s", fail.text);
	torture->queues = torture->options.shards;
	slirp_set_queues(torture->slirp, torture->queues);
	slirp_forward_list(torture->slirp, entry);
	for (unsigned int i = 0; i < torture->config.forward_count; i++)
		torture->forward_port[i] = entry[i].forward.host.port;
}

static void run_stop_slirp(struct torture *torture)
{
	slirp_destroy(torture->slirp);
	torture->slirp = NULL;
	for (unsigned int i = 0; i < torture->options.shards; i++)
		fake_port_destroy(torture->fake[i]);
	close(torture->bell);
}

/* What is left of flows: in shards between two turns, and as listed. */
struct account {
	struct shard *shard;
	uint32_t live;
	uint32_t limbo;
	uint32_t tcp;
	uint32_t udp;
	uint32_t ping;
};

static void account_add(void *context)
{
	struct account *account = context;
	struct shard *shard = account->shard;

	limits_settle(&shard->slirp->limits, &shard->share);
	account->live += shard->live;
	account->limbo += shard->limbo;
}

static struct account run_account(const struct torture *torture)
{
	struct account account = { 0 };
	struct slirp_flow_cursor at = { 0 };
	struct slirp_flow flow;

	while (slirp_list_flows(torture->slirp, &at, &flow, 1)) {
		account.tcp += flow.protocol == IPPROTO_TCP;
		account.udp += flow.protocol == IPPROTO_UDP;
		account.ping += flow.protocol == IPPROTO_ICMP ||
				flow.protocol == IPPROTO_ICMPV6;
	}
	for (unsigned int i = 0; i < torture->options.shards; i++) {
		account.shard = torture->slirp->shard[i];
		slirp_call_shard(torture->slirp, i, account_add, &account);
	}
	return account;
}

static int64_t run_taken(const struct torture *torture, enum limits_kind kind)
{
	const struct limits_pool *pool = &torture->slirp->limits.pool[kind];

	return __atomic_load_n(&pool->most, __ATOMIC_RELAXED) -
	       __atomic_load_n(&pool->left, __ATOMIC_RELAXED);
}

/* Mappings and pings live for a while yet; nothing else does, and they have
 * just what is theirs. */
static bool run_is_clean(const struct torture *torture,
			 const struct account *account, int64_t files)
{
	uint32_t live = account->udp + account->ping;

	return !account->tcp && !account->limbo && account->live == live &&
	       account->udp <= torture->udp_flows &&
	       account->ping <= TORTURE_PINGS &&
	       run_taken(torture, LIMITS_TCP) == 0 &&
	       run_taken(torture, LIMITS_UDP) == account->udp &&
	       run_taken(torture, LIMITS_ICMP) == account->ping &&
	       run_taken(torture, LIMITS_FILES) == files + live;
}

static void run_check_end(const struct torture *torture, int64_t files)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	uint64_t end_us = torture_now_us() + TORTURE_QUIET_S * 1000000ULL;
	struct account account = run_account(torture);

	while (!run_is_clean(torture, &account, files)) {
		if (torture_now_us() > end_us)
			torture_fail(torture,
				     "%u flows (%u TCP, %u UDP, %u pings) and "
				     "%u slots are left, %ld TCP, %ld UDP, %ld "
				     "pings, %ld descriptors are counted",
				     account.live, account.tcp, account.udp,
				     account.ping, account.limbo,
				     run_taken(torture, LIMITS_TCP),
				     run_taken(torture, LIMITS_UDP),
				     run_taken(torture, LIMITS_ICMP),
				     run_taken(torture, LIMITS_FILES) - files);
		nanosleep(&pause, NULL);
		account = run_account(torture);
	}
}

/* A counter's sum over all shards; 0 for one that there is not. */
static uint64_t run_counter(const struct torture *torture, const char *name)
{
	char *text = NULL, *at, key[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t sum = 0;

	slirp_print_stats(torture->slirp, out);
	fclose(out);
	snprintf(key, sizeof(key), "\"%s\":", name);
	for (at = strstr(text, key); at; at = strstr(at, key)) {
		at += strlen(key);
		sum += strtoull(at, &at, 10);
	}
	free(text);
	return sum;
}

enum run_thread { RUN_WATCHER, RUN_GUEST, RUN_HOST, RUN_THREADS };

static void *(*const run_main[RUN_THREADS])(void *) = {
	[RUN_WATCHER] = watcher_main,
	[RUN_GUEST] = guest_main,
	[RUN_HOST] = host_main,
};

/* Wait for guest and host, which fail the run if a flow hangs. They still
 * answer while what is left is looked at. */
static void run_threads(struct torture *torture)
{
	struct timespec length = { .tv_sec = torture->options.seconds };
	int64_t files = run_taken(torture, LIMITS_FILES);
	pthread_t thread[RUN_THREADS];

	for (int i = 0; i < RUN_THREADS; i++)
		if (pthread_create(&thread[i], NULL, run_main[i], torture))
			torture_fail(torture, "cannot start a thread");
	nanosleep(&length, NULL);
	torture_set(&torture->stopping);
	while (sem_wait(&torture->over) || sem_wait(&torture->over))
		;
	torture_set(&torture->unwatched);
	pthread_join(thread[RUN_WATCHER], NULL);
	run_check_end(torture, files);
	torture_set(&torture->quit);
	pthread_join(thread[RUN_GUEST], NULL);
	pthread_join(thread[RUN_HOST], NULL);
}

static void run_checked(struct torture *torture)
{
	run_threads(torture);
	torture->engine_name = slirp_engine_name(torture->slirp);
	torture->handed = run_counter(torture, "handoffs_in");
	torture->moved = run_counter(torture, "flows_moved_in");
	if (torture->options.shards > 1 && !torture->moved)
		torture_fail(torture, "no flow has moved");
	if (torture->moved != run_counter(torture, "flows_moved_out"))
		torture_fail(torture, "flows got lost on the way");
}

void torture_run(struct torture *torture)
{
	unsigned int descriptors = counts_descriptors();

	sem_init(&torture->over, 0, 0);
	run_open_host(torture);
	run_start_slirp(torture);
	run_checked(torture);
	run_stop_slirp(torture);
	run_close_host(torture);
	sem_destroy(&torture->over);
	if (counts_descriptors() != descriptors)
		torture_fail(torture, "%u descriptors are open, %u were",
			     counts_descriptors(), descriptors);
}
