/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define ARGUMENTS_MAX 16

/* Parse "mqvmm run" with the arguments up to NULL. */
static int parse(struct vmm_config *config, struct fail *fail, ...)
{
	char *argv[ARGUMENTS_MAX] = { "run", "--kernel", "k" };
	int argc = 3;
	va_list args;

	memset(fail, 0, sizeof(*fail));
	va_start(args, fail);
	while (argc < ARGUMENTS_MAX - 1 && (argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	return options_parse_run(argc, argv, config, fail);
}

static void defaults_give_a_queue_pair_per_cpu(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, "--cpus", "4", NULL), 0);
	assert_int_equal(config.machine.topology.cpus, 4);
	assert_int_equal(config.slirp.shard_count, 4);
	assert_true(config.net);
	assert_true(config.reboot);
	assert_int_equal(config.place.policy, PLACEMENT_AUTO);
	assert_int_equal(config.machine.serial, MACHINE_SERIAL_STDIO);
	assert_string_equal(config.machine.command_line, "console=ttyS0");
	assert_int_equal(ntohl(config.slirp.gateway.s_addr), 0x0a000202);
}

static void kernel_is_required(void **state)
{
	char *argv[] = { "run", NULL };
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(options_parse_run(1, argv, &config, &fail), -EINVAL);
	assert_non_null(strstr(fail.text, "--kernel"));
}

static void help_is_told_apart_from_errors(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, "--help", NULL), 1);
	assert_non_null(strstr(options_run_help(), "--cpus"));
}

static void cpus_follow_their_shape(void **state)
{
	static const struct {
		const char *text;
		struct machine_topology want;
	} good[] = {
		{ "1", { 1, 1, 1, 1 } },
		{ "6", { 6, 1, 6, 1 } },
		{ "8,sockets=2,cores=2,threads=2", { 8, 2, 2, 2 } },
		{ "8,sockets=2", { 8, 2, 4, 1 } },
		{ "8,threads=2", { 8, 1, 4, 2 } },
		{ "8,cores=2", { 8, 4, 2, 1 } },
		{ "1024", { 1024, 1, 1024, 1 } },
	};
	struct machine_topology topology;
	struct fail fail = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(
			options_parse_cpus(good[i].text, &topology, &fail), 0);
		assert_memory_equal(&topology, &good[i].want, sizeof(topology));
	}
}

static void memory_has_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{ "64", 64ULL << 20 },     { "512M", 512ULL << 20 },
		{ "6G", 6ULL << 30 },      { "2T", 2ULL << 40 },
		{ "65536K", 64ULL << 20 },
	};
	struct machine_config machine;
	struct fail fail = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		memset(&machine, 0, sizeof(machine));
		assert_int_equal(
			options_parse_memory(good[i].text, &machine, &fail), 0);
		assert_int_equal(machine.memory_size, good[i].want);
	}
	assert_int_equal(options_parse_memory("2G,hugepages=1G,prefault=on",
					      &machine, &fail),
			 0);
	assert_int_equal(machine.pages, MACHINE_PAGES_1G);
	assert_true(machine.prefault);
}

static void network_options_are_taken(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(
		parse(&config, &fail, "--net",
		      "user,queues=3,engine=epoll,net=192.168.7.0/24,mtu=9000,"
		      "mac=52:54:00:00:00:01,hostname=box,loopback=off,"
		      "restrict=on,resolver=127.0.0.1:5353,resolver=9.9.9.9",
		      NULL),
		0);
	assert_int_equal(config.slirp.shard_count, 3);
	assert_int_equal(config.slirp.engine, SLIRP_ENGINE_EPOLL);
	assert_int_equal(ntohl(config.slirp.gateway.s_addr), 0xc0a80702);
	assert_int_equal(ntohl(config.slirp.dns.s_addr), 0xc0a80703);
	assert_int_equal(ntohl(config.slirp.guest.s_addr), 0xc0a8070f);
	assert_int_equal(config.slirp.mtu, 9000);
	assert_int_equal(config.slirp.guest_mac[5], 1);
	assert_string_equal(config.slirp.hostname, "box");
	assert_false(config.slirp.host_loopback);
	assert_true(config.slirp.restricted);
	assert_int_equal(config.slirp.resolver_count, 2);
	assert_int_equal(config.slirp.resolver[0].port, 5353);
	assert_int_equal(config.slirp.resolver[1].port, 53);
}

static void names_for_the_guest_are_taken(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, "--net",
			       "domainname=a.example,dnssearch=b.example.,"
			       "dnssearch=c.example,dnscache=off",
			       NULL),
			 0);
	assert_string_equal(config.slirp.domain, "a.example");
	assert_string_equal(config.slirp.search, "b.example. c.example");
	assert_false(config.slirp.dns_cache);
}

static void udp_behaviour_is_taken(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, NULL), 0);
	assert_int_equal(config.slirp.udp_filter, SLIRP_UDP_FILTER_OFF);
	assert_int_equal(config.slirp.udp_idle_s, 300);
	assert_int_equal(parse(&config, &fail, "--net",
			       "udp-filter=port,udp-idle=120", NULL),
			 0);
	assert_int_equal(config.slirp.udp_filter, SLIRP_UDP_FILTER_PORT);
	assert_int_equal(config.slirp.udp_idle_s, 120);
}

static void polling_is_left_to_the_plan_unless_asked_for(void **state)
{
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(parse(&config, &fail, NULL), 0);
	assert_int_equal(config.slirp.poll_us, SLIRP_POLL_AUTO);
	assert_int_equal(parse(&config, &fail, "--net", "poll=off", NULL), 0);
	assert_int_equal(config.slirp.poll_us, 0);
	assert_int_equal(parse(&config, &fail, "--net", "poll=50", NULL), 0);
	assert_int_equal(config.slirp.poll_us, 50);
	assert_int_equal(
		parse(&config, &fail, "--net", "poll=50,poll=auto", NULL), 0);
	assert_int_equal(config.slirp.poll_us, SLIRP_POLL_AUTO);
}

static void shards_are_scheduled_as_the_rest_unless_asked_for(void **state)
{
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(parse(&config, &fail, NULL), 0);
	assert_false(config.slirp.batch);
	assert_int_equal(parse(&config, &fail, "--net", "sched=batch", NULL),
			 0);
	assert_true(config.slirp.batch);
	assert_int_equal(
		parse(&config, &fail, "--net", "sched=batch,sched=other", NULL),
		0);
	assert_false(config.slirp.batch);
}

static void rules_are_taken_in_order(void **state)
{
	struct vmm_config config;
	struct fail fail = { 0 };
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	(void)state;
	assert_int_equal(
		parse(&config, &fail, "--net",
		      "deny=10.0.0.0/8,allow=tcp:[2001:db8::]/32:80-90,"
		      "default=deny,deny=any:25",
		      NULL),
		0);
	policy_print(&config.slirp.policy, out);
	fclose(out);
	assert_string_equal(printed, "deny=10.0.0.0/8,"
				     "allow=tcp:[2001:db8::]/32:80-90,"
				     "deny=any:25,default=deny");
	free(printed);
}

static void limits_are_taken(void **state)
{
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(parse(&config, &fail, "--net",
			       "tcp-flows=1,udp-flows=2,icmp-flows=3,"
			       "half-open=4,flow-rate=5,"
			       "flow-memory=65536",
			       NULL),
			 0);
	assert_int_equal(config.slirp.limits.tcp_flows, 1);
	assert_int_equal(config.slirp.limits.udp_flows, 2);
	assert_int_equal(config.slirp.limits.icmp_flows, 3);
	assert_int_equal(config.slirp.limits.half_open, 4);
	assert_int_equal(config.slirp.limits.flow_rate, 5);
	assert_int_equal(config.slirp.limits.flow_memory, 65536);
}

static void slots_for_flows_are_taken(void **state)
{
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	assert_int_equal(parse(&config, &fail, NULL), 0);
	assert_int_equal(config.slirp.flows_max, 65536);
	assert_int_equal(
		parse(&config, &fail, "--net", "queue-flows=1000000", NULL), 0);
	assert_int_equal(config.slirp.flows_max, 1000000);
}

static void small_subnets_move_the_addresses(void **state)
{
	static const struct {
		const char *text;
		uint32_t guest; /* host byte order */
	} good[] = {
		{ "net=10.0.2.0/24", 0x0a00020f },
		{ "net=10.1.2.3/8", 0x0a00000f },
		{ "net=192.168.7.0/27", 0xc0a8070f },
		{ "net=192.168.7.16/28", 0xc0a80711 },
		{ "net=192.168.7.8/29", 0xc0a80709 },
	};
	struct vmm_config config;
	struct fail fail;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(
			parse(&config, &fail, "--net", good[i].text, NULL), 0);
		assert_int_equal(ntohl(config.slirp.guest.s_addr),
				 good[i].guest);
	}
}

static void no_network_is_possible(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, "--net", "none", NULL), 0);
	assert_false(config.net);
}

static void forwards_are_qemus(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, "--net",
			       "hostfwd=tcp:127.0.0.1:2222-:22,"
			       "hostfwd=udp::53-10.0.2.20:5353,hostfwd=::0-:80",
			       NULL),
			 0);
	assert_int_equal(config.slirp.forward_count, 3);
	assert_int_equal(config.slirp.forward[0].protocol, IPPROTO_TCP);
	assert_int_equal(
		ntohl(address_to4(&config.slirp.forward[0].host.address)
			      .s_addr),
		INADDR_LOOPBACK);
	assert_int_equal(config.slirp.forward[0].host.port, 2222);
	assert_int_equal(
		address_to4(&config.slirp.forward[0].guest.address).s_addr,
		config.slirp.guest.s_addr);
	assert_int_equal(config.slirp.forward[1].protocol, IPPROTO_UDP);
	assert_int_equal(
		ntohl(address_to4(&config.slirp.forward[1].guest.address)
			      .s_addr),
		0x0a000214);
	assert_int_equal(config.slirp.forward[2].host.port, 0);
}

static void files_are_where_they_are_asked_for(void **state)
{
	struct vmm_config config;
	struct fail fail;

	(void)state;
	assert_int_equal(parse(&config, &fail, NULL), 0);
	assert_null(config.stats);
	assert_null(config.control);
	assert_int_equal(
		parse(&config, &fail, "--stats", "f", "--control", "s", NULL),
		0);
	assert_string_equal(config.stats, "f");
	assert_string_equal(config.control, "s");
}

static void an_unknown_option_is_named(void **state)
{
	/* The last one's value is missing. */
	static const char *const bad[] = { "--bogus", "-x", "-xy", "stray",
					   "--stats" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *argv[] = { "run", "--cpus", "2", (char *)bad[i], NULL };
		struct vmm_config config;
		struct fail fail = { 0 };

		assert_int_equal(options_parse_run(4, argv, &config, &fail),
				 -EINVAL);
		assert_non_null(strstr(fail.text, bad[i]));
	}
}

/* What does not fit is refused, not cut off at a place where it looks good. */
static void endless_values_are_refused(void **state)
{
	static char text[1 << 16];
	struct machine_topology topology;
	struct machine_config machine = { 0 };
	struct vmm_config config;
	struct fail fail = { 0 };

	(void)state;
	memset(text, '0', sizeof(text) - 1);
	text[4094] = '4';
	assert_int_equal(options_parse_cpus(text, &topology, &fail), -EINVAL);
	memcpy(text + 4092, "64M", 3);
	assert_int_equal(options_parse_memory(text, &machine, &fail), -EINVAL);
	assert_int_equal(parse(&config, &fail, "--net", text, NULL), -EINVAL);
}

static void malformed_options_get_one_sentence(void **state)
{
	static const char *const bad[][2] = {
		{ "--cpus", "0" },
		{ "--cpus", "1025" },
		{ "--cpus", "-1" },
		{ "--cpus", "4,sockets=3" },
		{ "--cpus", "4,dies=2" },
		{ "--cpus", "" },
		{ "--cpus", "2,sockets" },
		{ "--cpus", "2,sockets=" },
		{ "--cpus", "2,cores=0" },
		{ "--cpus", "2 " },
		{ "--cpus", "0x2" },
		{ "--cpus", "sockets=2" },
		{ "--cpus", "8,sockets=1024,cores=1024,threads=1024" },
		{ "--memory", "0" },
		{ "--memory", "3M" },
		{ "--memory", "1G,hugepages=4K" },
		{ "--memory", "99999999999999T" },
		{ "--memory", "1G,prefault" },
		{ "--memory", "3G,speed=1" },
		{ "--memory", "" },
		{ "--memory", "-1G" },
		{ "--memory", "1Gi" },
		{ "--memory", "1P" },
		{ "--memory", "16M" },
		{ "--memory", "1536M,hugepages=1G" },
		{ "--memory", "hugepages=on" },
		{ "--net", "queues=0" },
		{ "--net", "queues=1025" },
		{ "--net", "engine=poll" },
		{ "--net", "net=10.0.2.0" },
		{ "--net", "net=10.0.2.0/33" },
		{ "--net", "net=10.0.2.0/30" },
		{ "--net", "net=10.0.2.0/7" },
		{ "--net", "net=10.0.2/24" },
		{ "--net", "queues" },
		{ "--net", "queues=" },
		{ "--net", "host=10.9.9.9" },
		{ "--net", "dns=10.0.2.2" },
		{ "--net", "mac=01:00:00:00:00:01" },
		{ "--net", "mac=52:54" },
		{ "--net", "mac=52: 4:00:12:34:56" },
		{ "--net", "mac=52:-1:00:12:34:56" },
		{ "--net", "mac=52:54:00:12:34:5g" },
		{ "--net", "mac=52-54-00-12-34-56" },
		{ "--net", "mac=52:54:00:12:34:56:78" },
		{ "--net", "mac=00:00:00:00:00:00" },
		{ "--net", "mac=52:55:0a:00:02:02" },
		{ "--net", "mtu=100" },
		{ "--net", "tcp-flows=-1" },
		{ "--net", "flow-rate=100000001" },
		{ "--net", "queue-flows=1023" },
		{ "--net", "queue-flows=16777217" },
		{ "--net", "deny=" },
		{ "--net", "deny" },
		{ "--net", "deny=10.0.0.1/8" },
		{ "--net", "allow=fd00::/8" },
		{ "--net", "default=on" },
		{ "--net", "hostname=" },
		{ "--net", "domainname=" },
		{ "--net", "domainname=a..b" },
		{ "--net", "dnssearch=a b" },
		{ "--net", "dnssearch=.a" },
		{ "--net", "dnscache=yes" },
		{ "--net", "udp-filter=on" },
		{ "--net", "poll=0" },
		{ "--net", "poll=1001" },
		{ "--net", "poll=on" },
		{ "--net", "sched=fifo" },
		{ "--net", "udp-idle=119" },
		{ "--net", "resolver=[::1" },
		{ "--net", "resolver=[::1]53" },
		{ "--net", "resolver=[1.2.3.4]:53" },
		{ "--net", "resolver=1.2.3.4:0" },
		{ "--net", "resolver=1.2.3.4:" },
		{ "--net", "resolver=1.1.1.1,resolver=1.1.1.2,resolver=1.1.1.3,"
			   "resolver=1.1.1.4" },
		{ "--net", "restrict=maybe" },
		{ "--net", "hostfwd=tcp::22" },
		{ "--net", "hostfwd=" },
		{ "--net", "hostfwd" },
		{ "--net", "hostfwd=tcp::22-192.168.1.1:22" },
		{ "--net", "hostfwd=tcp::22-10.0.2.15:22,dhcpstart=10.0.2.16,"
			   "net=10.0.2.16/29" },
		{ "--net", "guestfwd=tcp:10.0.2.100:80" },
		{ "--net", "guestfwd=" },
		{ "--net", "guestfwd=:10.0.2.15:80-tcp:127.0.0.1:80" },
		{ "--net", "source=mine" },
		{ "--net", "bogus=1" },
		{ "--place", "everywhere" },
		{ "--bogus", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct vmm_config config;
		struct fail fail;

		if (parse(&config, &fail, bad[i][0], bad[i][1], NULL) !=
		    -EINVAL)
			fail_msg("%s %s was taken", bad[i][0], bad[i][1]);
		assert_true(strlen(fail.text) > 20);
		assert_null(strchr(fail.text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_give_a_queue_pair_per_cpu),
		cmocka_unit_test(kernel_is_required),
		cmocka_unit_test(help_is_told_apart_from_errors),
		cmocka_unit_test(cpus_follow_their_shape),
		cmocka_unit_test(memory_has_units),
		cmocka_unit_test(network_options_are_taken),
		cmocka_unit_test(names_for_the_guest_are_taken),
		cmocka_unit_test(udp_behaviour_is_taken),
		cmocka_unit_test(polling_is_left_to_the_plan_unless_asked_for),
		cmocka_unit_test(
			shards_are_scheduled_as_the_rest_unless_asked_for),
		cmocka_unit_test(rules_are_taken_in_order),
		cmocka_unit_test(limits_are_taken),
		cmocka_unit_test(slots_for_flows_are_taken),
		cmocka_unit_test(small_subnets_move_the_addresses),
		cmocka_unit_test(no_network_is_possible),
		cmocka_unit_test(forwards_are_qemus),
		cmocka_unit_test(files_are_where_they_are_asked_for),
		cmocka_unit_test(an_unknown_option_is_named),
		cmocka_unit_test(endless_values_are_refused),
		cmocka_unit_test(malformed_options_get_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
