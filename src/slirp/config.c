/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "slirp/slirp.h"

#define ADDRESS(a, b, c, d)                                             \
	{                                                               \
		htonl((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)) \
	}

#define FLOWS_MAX     65536
#define HALF_OPEN_MAX 16384
#define TCP_IDLE_S    7440 /* 2 h 4 min: RFC 5382, REQ-5 */
#define MTU6_MIN      1280 /* bytes: RFC 8200, 5 */
#define UDP_IDLE_S    300  /* RFC 4787, REQ-5 */

void slirp_config_init(struct slirp_config *config)
{
	static const uint8_t guest_mac[] = {
		0x52, 0x54, 0x00, 0x12, 0x34, 0x56
	};
	static const uint8_t gateway_mac[] = { 0x52, 0x55, 0x0a,
					       0x00, 0x02, 0x02 };

	memset(config, 0, sizeof(*config));
	config->shard_count = 1;
	config->ipv4 = true;
	config->ipv6 = true;
	config->route4 = true;
	config->route6 = true;
	config->network = (struct in_addr)ADDRESS(10, 0, 2, 0);
	config->netmask = (struct in_addr)ADDRESS(255, 255, 255, 0);
	config->gateway = (struct in_addr)ADDRESS(10, 0, 2, 2);
	config->dns = (struct in_addr)ADDRESS(10, 0, 2, 3);
	config->guest = (struct in_addr)ADDRESS(10, 0, 2, 15);
	inet_pton(AF_INET6, "fec0::", &config->prefix6);
	inet_pton(AF_INET6, "fec0::2", &config->gateway6);
	inet_pton(AF_INET6, "fec0::3", &config->dns6);
	inet_pton(AF_INET6, "fec0::15", &config->guest6);
	memcpy(config->guest_mac, guest_mac, sizeof(guest_mac));
	memcpy(config->gateway_mac, gateway_mac, sizeof(gateway_mac));
	config->mtu = 1500;
	config->resolv_conf = "/etc/resolv.conf";
	config->dns_cache = true;
	config->host_loopback = true;
	config->flows_max = FLOWS_MAX;
	config->limits.half_open = HALF_OPEN_MAX;
	config->tcp_idle_s = TCP_IDLE_S;
	config->udp_idle_s = UDP_IDLE_S;
	config->poll_us = SLIRP_POLL_AUTO;
}

/* A kernel that has routes in a file of /proc, but none that @leads away. */
static bool config_has_route(const char *path, bool (*leads)(const char *line))
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = leads(line);
	fclose(file);
	return found;
}

/* "eth0 00000000 0102000A ...": proc(5), /proc/net/route */
static bool config_leads4(const char *line)
{
	char interface[32];
	unsigned int destination;

	return sscanf(line, "%31s %x", interface, &destination) == 2 &&
	       destination == 0;
}

/* 32 digits of destination, its prefix, ..., flags, interface */
static bool config_leads6(const char *line)
{
	char destination[33], interface[32];
	unsigned int bits;

	return sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %*x %31s",
		      destination, &bits, interface) == 3 &&
	       bits == 0 && strcmp(interface, "lo") != 0;
}

void slirp_config_probe(struct slirp_config *config)
{
	bool leads4, leads6;

	if (access("/proc/net/if_inet6", F_OK) || config->mtu < MTU6_MIN)
		config->ipv6 = false;
	leads4 = config_has_route("/proc/net/route", config_leads4);
	leads6 = config->ipv6 &&
		 config_has_route("/proc/net/ipv6_route", config_leads6);
	config->route4 &= leads4 || !leads6;
	config->route6 &= leads6 || (config->ipv6 && !leads4);
}
