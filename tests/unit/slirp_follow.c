/* SPDX-License-Identifier: BSD-3-Clause */
/* Running shards whose host changes its resolv.conf: what a guest is told. */
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/slirp.h"
#include "slirp/wire.h"
#include "support/fake_port.h"

#define SHARDS     2
#define WAIT_MS    10000 /* longest wait for anything that must come */
#define HEADERS    (14 + 20 + 8)
#define OPTIONS_AT (HEADERS + 240)
#define DOMAIN     15 /* RFC 2132, 3.17 */

struct fixture {
	struct slirp_config config;
	struct fake_port *fake[SHARDS];
	struct slirp *slirp;
	char home[32];
	char path[64];
};

static void write_conf(const struct fixture *f, const char *text)
{
	char next[80];
	FILE *out;

	snprintf(next, sizeof(next), "%s.new", f->path);
	out = fopen(next, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_return_code(rename(next, f->path), errno);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->home, "/tmp/mqvmm-resolv.XXXXXX");
	if (!mkdtemp(f->home))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/resolv.conf", f->home);
	slirp_config_init(&f->config);
	f->config.shard_count = SHARDS;
	f->config.resolv_conf = f->path;
	write_conf(f, "search before.example\n");
	*state = f;
	return 0;
}

static void create(struct fixture *f)
{
	struct port *port[SHARDS];
	struct fail fail = { 0 };

	for (int i = 0; i < SHARDS; i++) {
		f->fake[i] = fake_port_create();
		port[i] = fake_port_port(f->fake[i]);
	}
	assert_int_equal(slirp_create(&f->config, port, &f->slirp, &fail), 0);
}

static void start(struct fixture *f)
{
	struct fail fail = { 0 };

	assert_int_equal(slirp_start(f->slirp, NULL, NULL, &fail), 0);
	slirp_set_queues(f->slirp, SHARDS);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	slirp_destroy(f->slirp);
	for (int i = 0; i < SHARDS; i++)
		if (f->fake[i])
			fake_port_destroy(f->fake[i]);
	unlink(f->path);
	rmdir(f->home);
	free(f);
	return 0;
}

static void transmit_discover(struct fixture *f, unsigned int queue)
{
	static const uint8_t start[] = { 1, 1, 6, 0, 1, 2, 3, 4 };
	static const uint8_t rest[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255 };
	uint8_t frame[HEADERS + 236 + sizeof(rest)] = { 0 };
	struct ether_header ether = { .ether_type = htons(ETHERTYPE_IP) };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons(sizeof(frame) - 14),
		.daddr = INADDR_BROADCAST,
	};
	struct udphdr udp = {
		.uh_sport = htons(68),
		.uh_dport = htons(67),
		.uh_ulen = htons(sizeof(frame) - 34),
	};

	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame, &ether, 14);
	memcpy(frame + 14, &ip, 20);
	memcpy(frame + 34, &udp, 8);
	memcpy(frame + HEADERS, start, sizeof(start));
	memcpy(frame + HEADERS + 236, rest, sizeof(rest));
	fake_port_transmit(f->fake[queue], frame, sizeof(frame));
}

/* The domain that an offer tells; "" for none. */
static void offered_domain(struct fixture *f, unsigned int queue,
			   char domain[256])
{
	static uint8_t frame[PORT_FRAME_MAX];
	size_t size, at = OPTIONS_AT;

	domain[0] = '\0';
	transmit_discover(f, queue);
	do {
		size = fake_port_receive(f->fake[queue], frame, WAIT_MS);
		assert_int_not_equal(size, 0);
		/* There may be advertisements of IPv6 in between. */
	} while (size < OPTIONS_AT || frame[12] != 8 || frame[23] != 17);
	while (at + 1 < size && frame[at] != 255 && frame[at] != DOMAIN)
		at += 2U + frame[at + 1];
	if (at + 1 >= size || frame[at] == 255)
		return;
	memcpy(domain, frame + at + 2, frame[at + 1]);
	domain[frame[at + 1]] = '\0';
}

/* The guest asks on each queue until it is told this. */
static void expect_domain(struct fixture *f, const char *wanted)
{
	time_t end = time(NULL) + WAIT_MS / 1000;
	char domain[256];

	for (unsigned int queue = 0; queue < SHARDS; queue++) {
		do {
			offered_domain(f, queue, domain);
		} while (strcmp(domain, wanted) != 0 && time(NULL) < end);
		assert_string_equal(domain, wanted);
	}
}

static void change_of_the_host_reaches_every_shard(void **state)
{
	struct fixture *f = *state;

	create(f);
	start(f);
	expect_domain(f, "before.example");
	write_conf(f, "search after.example\n");
	expect_domain(f, "after.example");
	assert_return_code(unlink(f->path), errno);
	expect_domain(f, "");
	write_conf(f, "domain again.example\n");
	expect_domain(f, "again.example");
}

static void change_before_the_start_is_not_missed(void **state)
{
	struct fixture *f = *state;

	create(f);
	write_conf(f, "search after.example\n");
	start(f);
	expect_domain(f, "after.example");
}

static void configured_domain_stays(void **state)
{
	struct fixture *f = *state;

	strcpy(f->config.domain, "mine.example");
	create(f);
	start(f);
	expect_domain(f, "mine.example");
	write_conf(f, "search after.example\n");
	for (int i = 0; i < 100; i++)
		expect_domain(f, "mine.example");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(change_of_the_host_reaches_every_shard),
		TEST(change_before_the_start_is_not_missed),
		TEST(configured_domain_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
