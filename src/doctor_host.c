/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doctor.h"
#include "netns/netns.h"
#include "sched/topology.h"

#define FILES_WANTED 4096 /* descriptors; a flow takes one */

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static void look_at_io_uring(struct doctor_finding *finding)
{
	struct io_uring_params params = {
		.flags =
			IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct io_uring ring;
	int ret = io_uring_queue_init_params(8, &ring, &params);

	if (ret) {
		doctor_report(finding, false, "false",
			      "not allowed or too old (%s): epoll is used",
			      strerror(-ret));
		return;
	}
	io_uring_queue_exit(&ring);
	doctor_report(finding, true, "true",
		      "works with SINGLE_ISSUER and DEFER_TASKRUN");
}

/* A connected pair of TCP sockets on loopback. Return: 0 or -errno */
static int make_tcp_pair(int *client, int *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*server = -1;
	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(*client, (struct sockaddr *)&address, size))
		err = -errno;
	else
		*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return err;
}

/* Two peeks in a row: with a peek offset the second one sees what follows. */
static bool try_peek_off(int client, int server)
{
	struct pollfd readable = { .fd = server, .events = POLLIN };
	int offset = 0;
	char byte = 0;

	return send(client, "ab", 2, MSG_NOSIGNAL) == 2 &&
	       poll(&readable, 1, 1000) == 1 &&
	       !setsockopt(server, SOL_SOCKET, SO_PEEK_OFF, &offset,
			   sizeof(offset)) &&
	       recv(server, &byte, 1, MSG_PEEK) == 1 &&
	       recv(server, &byte, 1, MSG_PEEK) == 1 && byte == 'b';
}

static void look_at_peek_off(struct doctor_finding *finding)
{
	int client, server;
	bool good = !make_tcp_pair(&client, &server) &&
		    try_peek_off(client, server);

	close(client);
	if (server >= 0)
		close(server);
	if (good)
		doctor_report(finding, true, "true", "works for TCP");
	else
		doctor_report(finding, false, "false",
			      "not for TCP (Linux 6.9): what is in flight is "
			      "read again, which costs throughput");
}

static void look_at_port_range(struct doctor_finding *finding)
{
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint32_t range = 40000 | 40063u << 16;
	bool good = !setsockopt(sock, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range,
				sizeof(range));

	close(sock);
	if (good)
		doctor_report(finding, true, "true",
			      "each shard chooses its own source ports");
	else
		doctor_report(finding, false, "false",
			      "missing (Linux 6.3): the kernel chooses source "
			      "ports, slower at high rates");
}

static void look_at_ping(struct doctor_finding *finding)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (sock < 0) {
		doctor_report(finding, false, "false",
			      "forbidden: for ping from guests set "
			      "net.ipv4.ping_group_range to 0 2147483647");
		return;
	}
	close(sock);
	doctor_report(finding, true, "true", "allowed");
}

static void look_at_files(struct doctor_finding *finding)
{
	struct rlimit limit = { 0 };
	char json[32];
	bool good;

	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(json, sizeof(json), "%llu",
		 (unsigned long long)limit.rlim_max);
	good = limit.rlim_max >= FILES_WANTED;
	doctor_report(finding, good, json, "%s can be open%s", json,
		      good ? "" : ": raise the hard limit with ulimit -Hn");
}

static void look_at_cpus(struct doctor_finding *finding)
{
	struct topology *topology;
	struct fail fail = { 0 };
	char json[128], quota[48] = "";

	if (topology_read("", &topology, &fail)) {
		doctor_report(finding, false, "null", "%s", fail.text);
		return;
	}
	snprintf(json, sizeof(json),
		 "{\"cpus\":%u,\"cores\":%u,\"nodes\":%u,"
		 "\"quota_millicpus\":%" PRIu32 "}",
		 topology->usable_count, topology->core_count,
		 topology->node_count, topology->quota_millicpus);
	if (topology->quota_millicpus)
		snprintf(quota, sizeof(quota), ", for %.3g CPUs' time",
			 topology->quota_millicpus / 1000.0);
	doctor_report(finding, true, json,
		      "%u of %u usable, on %u NUMA node%s%s",
		      topology->usable_count, topology->cpu_count,
		      topology->node_count,
		      topology->node_count == 1 ? "" : "s", quota);
	topology_free(topology);
}

static void look_at_netns(struct doctor_finding *finding)
{
	struct fail fail = { 0 };

	if (netns_try(&fail))
		doctor_report(finding, false, "false", "%s", fail.text);
	else
		doctor_report(finding, true, "true",
			      "mqvmm netns works for this user");
}

const struct doctor_check doctor_host_checks[] = {
	{ "io_uring", false, look_at_io_uring },
	{ "peek_off", false, look_at_peek_off },
	{ "port_range", false, look_at_port_range },
	{ "ping_sockets", false, look_at_ping },
	{ "open_files", false, look_at_files },
	{ "host_cpus", true, look_at_cpus },
	{ "netns", false, look_at_netns },
	{ NULL, false, NULL },
};
