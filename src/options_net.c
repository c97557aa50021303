/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "options_forward.h"
#include "options_policy.h"
#include "options_text.h"
#include "sched/poll.h"
#include "slirp/dns_name.h"
#include "virtio/net.h"

/* The values of --net: a table of keys, each with its parser and its remedy. */

#define MTU_MIN  576   /* bytes; RFC 791 */
#define MTU_MAX  65535 /* bytes */
#define DNS_PORT 53

#define UDP_IDLE_MAX_S 86400

static const char net_help[] =
	"\n"
	"Options of --net, separated by commas:\n"
	"  queues=N          queue pairs and shards (one for each CPU)\n"
	"  engine=auto|io_uring|epoll\n"
	"  poll=auto|off|MICROSECONDS\n"
	"                    how long a shard looks for work before it sleeps:\n"
	"                    auto does where CPUs are to spare (auto)\n"
	"  sched=other|batch batch: a shard that is woken lets who runs on its CPU\n"
	"                    go on: more in all where CPUs are short (other)\n"
	"  net=10.0.2.0/24   the guest's subnet\n"
	"  host=ADDRESS      gateway, stands for the host's loopback (.2)\n"
	"  dns=ADDRESS       resolver (.3)\n"
	"  dhcpstart=ADDRESS the guest's address (.15)\n"
	"  ipv4=on|off, ipv6=on|off\n"
	"                    families that the guest has (on where possible)\n"
	"  ipv6-net=fec0::/64, ipv6-host=ADDRESS (::2), ipv6-dns=ADDRESS (::3)\n"
	"  mac=ADDRESS       of the guest's interface (52:54:00:12:34:56)\n"
	"  mtu=BYTES         of the guest's interface (run 1500, netns 65520)\n"
	"  hostname=NAME     given by DHCP\n"
	"  domainname=NAME   the same (the first search domain)\n"
	"  dnssearch=NAME    search domain, repeatable (/etc/resolv.conf's)\n"
	"  resolver=ADDRESS[:PORT]\n"
	"                    host resolver to ask (those of /etc/resolv.conf)\n"
	"  dnscache=on|off   remember answers while their records live (on)\n"
	"  udp-filter=off|address|port\n"
	"                    who may write to a port that the guest wrote from:\n"
	"                    anybody, or whom it wrote to (off)\n"
	"  udp-idle=SECONDS  life of such a port without a word of the guest's\n"
	"                    (300)\n"
	"  loopback=on|off   may the guest reach the host's loopback (on)\n"
	"  restrict=on|off   may nothing leave but answers to forwards (off)\n"
	"  deny=RULE, allow=RULE\n"
	"                    what the guest may reach: the first match counts\n"
	"                    RULE: [tcp:|udp:|icmp:]ADDRESS[/BITS][:PORT[-PORT]]\n"
	"                    ADDRESS: a.b.c.d, [IPv6] or any\n"
	"  default=allow|deny\n"
	"                    what no rule matches (allow)\n"
	"  tcp-flows=N, udp-flows=N, icmp-flows=N\n"
	"                    flows at a time; 0: what descriptors allow (0)\n"
	"  queue-flows=N     slots for flows of each queue (65536)\n"
	"  half-open=N       TCP connections not yet answered (16384)\n"
	"  flow-rate=N       new flows per second; 0: no limit (0)\n"
	"  flow-memory=N     bytes that the kernel may buffer for a flow; 0: what\n"
	"                    it thinks fit (0)\n"
	"  hostfwd=[tcp|udp]:[hostaddr]:hostport[-last]-[guestaddr]:guestport\n"
	"                    host ports that lead into the guest; port 0 is chosen\n"
	"  guestfwd=[tcp]:server:port-tcp:host:port|unix:/path\n"
	"                    an address that the guest sees leads to the host\n"
	"  source=gateway|keep\n"
	"                    who the guest sees behind a forward (gateway)\n";

const char *options_net_help(void)
{
	return net_help;
}

struct net_key {
	const char *name;
	int (*parse)(const char *value, struct slirp_config *slirp);
	const char *remedy;
};

static int parse_queues(const char *value, struct slirp_config *slirp)
{
	uint64_t count;

	if (options_number(value, 1, VIRTIO_NET_PAIRS_MAX, &count))
		return -EINVAL;
	slirp->shard_count = (unsigned int)count;
	return 0;
}

static int parse_engine(const char *value, struct slirp_config *slirp)
{
	static const char *const names[] = {
		[SLIRP_ENGINE_AUTO] = "auto",
		[SLIRP_ENGINE_URING] = "io_uring",
		[SLIRP_ENGINE_EPOLL] = "epoll",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(value, names[i]) != 0)
			continue;
		slirp->engine = (enum slirp_engine)i;
		return 0;
	}
	return -EINVAL;
}

static int parse_poll(const char *value, struct slirp_config *slirp)
{
	uint64_t budget_us = 0;

	if (strcmp(value, "auto") == 0)
		budget_us = SLIRP_POLL_AUTO;
	else if (strcmp(value, "off") != 0 &&
		 options_number(value, 1, POLL_BUDGET_MAX_US, &budget_us))
		return -EINVAL;
	slirp->poll_us = (uint32_t)budget_us;
	return 0;
}

static int parse_sched(const char *value, struct slirp_config *slirp)
{
	if (strcmp(value, "other") != 0 && strcmp(value, "batch") != 0)
		return -EINVAL;
	slirp->batch = strcmp(value, "batch") == 0;
	return 0;
}

static bool net_has(const struct slirp_config *slirp, struct in_addr address)
{
	uint32_t host = address.s_addr & ~slirp->netmask.s_addr;

	return (address.s_addr & slirp->netmask.s_addr) ==
		       slirp->network.s_addr &&
	       host && host != ~slirp->netmask.s_addr;
}

/* A smaller subnet moves the well-known addresses along with it. */
static int parse_net(const char *value, struct slirp_config *slirp)
{
	uint32_t network;

	if (options_network(value, &slirp->network, &slirp->netmask))
		return -EINVAL;
	network = ntohl(slirp->network.s_addr);
	slirp->gateway.s_addr = htonl(network + 2);
	slirp->dns.s_addr = htonl(network + 3);
	slirp->guest.s_addr = htonl(network + 15);
	if (!net_has(slirp, slirp->guest))
		slirp->guest.s_addr = htonl(network + 1);
	return 0;
}

static int parse_host(const char *value, struct slirp_config *slirp)
{
	return options_address(value, &slirp->gateway);
}

static int parse_dns(const char *value, struct slirp_config *slirp)
{
	return options_address(value, &slirp->dns);
}

static int parse_guest(const char *value, struct slirp_config *slirp)
{
	return options_address(value, &slirp->guest);
}

static int parse_ipv4(const char *value, struct slirp_config *slirp)
{
	return options_switch(value, &slirp->ipv4);
}

static int parse_ipv6(const char *value, struct slirp_config *slirp)
{
	return options_switch(value, &slirp->ipv6);
}

/* As with IPv4: ::2 the gateway, ::3 the resolver, ::15 the guest. */
static int parse_net6(const char *value, struct slirp_config *slirp)
{
	struct in6_addr prefix;

	if (options_network6(value, &prefix))
		return -EINVAL;
	slirp->prefix6 = prefix;
	slirp->gateway6 = prefix;
	slirp->gateway6.s6_addr[15] = 2;
	slirp->dns6 = prefix;
	slirp->dns6.s6_addr[15] = 3;
	slirp->guest6 = prefix;
	slirp->guest6.s6_addr[15] = 0x15;
	return 0;
}

static int parse_host6(const char *value, struct slirp_config *slirp)
{
	return options_address6(value, &slirp->gateway6);
}

static int parse_dns6(const char *value, struct slirp_config *slirp)
{
	return options_address6(value, &slirp->dns6);
}

static int parse_mac(const char *value, struct slirp_config *slirp)
{
	uint8_t mac[6];

	if (options_mac(value, mac) ||
	    memcmp(mac, slirp->gateway_mac, sizeof(mac)) == 0)
		return -EINVAL;
	memcpy(slirp->guest_mac, mac, sizeof(mac));
	return 0;
}

static int parse_mtu(const char *value, struct slirp_config *slirp)
{
	uint64_t mtu;

	if (options_number(value, MTU_MIN, MTU_MAX, &mtu))
		return -EINVAL;
	slirp->mtu = (unsigned int)mtu;
	return 0;
}

static int parse_hostname(const char *value, struct slirp_config *slirp)
{
	size_t size = strlen(value);

	if (!size || size >= sizeof(slirp->hostname))
		return -EINVAL;
	memcpy(slirp->hostname, value, size + 1);
	return 0;
}

static bool is_domain(const char *value)
{
	uint8_t name[DNS_NAME_ROOM];

	return dns_write_name(value, name) && !strpbrk(value, " \t\r\n");
}

static int parse_domain(const char *value, struct slirp_config *slirp)
{
	if (!is_domain(value) || strlen(value) >= sizeof(slirp->domain))
		return -EINVAL;
	memcpy(slirp->domain, value, strlen(value) + 1);
	return 0;
}

static int parse_search(const char *value, struct slirp_config *slirp)
{
	size_t used = strlen(slirp->search);

	if (!is_domain(value) ||
	    used + 1 + strlen(value) >= sizeof(slirp->search))
		return -EINVAL;
	if (used)
		slirp->search[used++] = ' ';
	memcpy(slirp->search + used, value, strlen(value) + 1);
	return 0;
}

static int parse_resolver(const char *value, struct slirp_config *slirp)
{
	if (slirp->resolver_count == SLIRP_RESOLVERS_MAX ||
	    options_endpoint(value, DNS_PORT,
			     &slirp->resolver[slirp->resolver_count]))
		return -EINVAL;
	slirp->resolver_count++;
	return 0;
}

static int parse_dns_cache(const char *value, struct slirp_config *slirp)
{
	return options_switch(value, &slirp->dns_cache);
}

static int parse_restrict(const char *value, struct slirp_config *slirp)
{
	return options_switch(value, &slirp->restricted);
}

static int parse_loopback(const char *value, struct slirp_config *slirp)
{
	return options_switch(value, &slirp->host_loopback);
}

static int parse_udp_filter(const char *value, struct slirp_config *slirp)
{
	static const char *const names[] = {
		[SLIRP_UDP_FILTER_OFF] = "off",
		[SLIRP_UDP_FILTER_ADDRESS] = "address",
		[SLIRP_UDP_FILTER_PORT] = "port",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(value, names[i]) != 0)
			continue;
		slirp->udp_filter = (enum slirp_udp_filter)i;
		return 0;
	}
	return -EINVAL;
}

static int parse_udp_idle(const char *value, struct slirp_config *slirp)
{
	uint64_t seconds;

	if (options_number(value, SLIRP_UDP_IDLE_MIN_S, UDP_IDLE_MAX_S,
			   &seconds))
		return -EINVAL;
	slirp->udp_idle_s = (unsigned int)seconds;
	return 0;
}

static int parse_source(const char *value, struct slirp_config *slirp)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "gateway") != 0)
		return -EINVAL;
	slirp->keep_source = strcmp(value, "keep") == 0;
	return 0;
}

#define NET_LIMIT "a number up to 100000000, 0 for no limit"

static const struct net_key net_keys[] = {
	{ "queues", parse_queues, "a number of queue pairs from 1 to 1024" },
	{ "engine", parse_engine, "auto, io_uring or epoll" },
	{ "poll", parse_poll, "auto, off or 1 to 1000 microseconds" },
	{ "sched", parse_sched, "other or batch" },
	{ "net", parse_net, "a subnet from /8 to /29, like 10.0.2.0/24" },
	{ "host", parse_host, "the gateway's address in the subnet" },
	{ "dns", parse_dns, "the resolver's address in the subnet" },
	{ "dhcpstart", parse_guest, "the guest's address in the subnet" },
	{ "ipv4", parse_ipv4, "on or off" },
	{ "ipv6", parse_ipv6, "on or off" },
	{ "ipv6-net", parse_net6, "a subnet of 64 bits, like fec0::/64" },
	{ "ipv6-host", parse_host6, "the gateway's address in the subnet" },
	{ "ipv6-dns", parse_dns6, "the resolver's address in the subnet" },
	{ "mac", parse_mac,
	  "an address like 52:54:00:12:34:56, not the gateway's" },
	{ "mtu", parse_mtu, "576 to 65535 bytes" },
	{ "hostname", parse_hostname, "a name of 1 to 63 characters" },
	{ "domainname", parse_domain, "a name like example.org" },
	{ "dnssearch", parse_search,
	  "a name like example.org; all together 511 characters at most" },
	{ "resolver", parse_resolver,
	  "an address of the host's, with :PORT if it is not 53, three at most" },
	{ "dnscache", parse_dns_cache, "on or off" },
	{ "restrict", parse_restrict, "on or off" },
	{ "allow", options_parse_allow, POLICY_SYNTAX },
	{ "deny", options_parse_deny, POLICY_SYNTAX },
	{ "default", options_parse_default, "allow or deny" },
	{ "tcp-flows", options_parse_tcp_flows, NET_LIMIT },
	{ "udp-flows", options_parse_udp_flows, NET_LIMIT },
	{ "icmp-flows", options_parse_icmp_flows, NET_LIMIT },
	{ "queue-flows", options_parse_queue_flows, "1024 to 16777216 flows" },
	{ "half-open", options_parse_half_open, NET_LIMIT },
	{ "flow-rate", options_parse_flow_rate, NET_LIMIT },
	{ "flow-memory", options_parse_flow_memory, NET_LIMIT },
	{ "udp-filter", parse_udp_filter, "off, address or port" },
	{ "udp-idle", parse_udp_idle, "120 to 86400 seconds" },
	{ "loopback", parse_loopback, "on or off" },
	{ "source", parse_source, "keep or gateway" },
};

static int net_set(struct slirp_config *slirp, const struct options_pair *pair,
		   struct fail *fail)
{
	int ret = options_set_forward(pair, slirp, fail);

	if (ret != -ENOENT)
		return ret;
	for (unsigned int i = 0; i < sizeof(net_keys) / sizeof(*net_keys);
	     i++) {
		if (strcmp(pair->key, net_keys[i].name) != 0)
			continue;
		if (pair->value && !net_keys[i].parse(pair->value, slirp))
			return 0;
		return fail_set(fail, -EINVAL,
				"--net %s=%s is not possible: give %s",
				pair->key, pair->value ? pair->value : "",
				net_keys[i].remedy);
	}
	return fail_set(fail, -EINVAL, "--net has no option '%s': see --help",
			pair->key);
}

static int net_check(const struct slirp_config *slirp, struct fail *fail)
{
	bool apart = slirp->gateway.s_addr != slirp->dns.s_addr &&
		     slirp->gateway.s_addr != slirp->guest.s_addr &&
		     slirp->dns.s_addr != slirp->guest.s_addr;

	if (apart && net_has(slirp, slirp->gateway) &&
	    net_has(slirp, slirp->dns) && net_has(slirp, slirp->guest))
		return 0;
	return fail_set(fail, -EINVAL,
			"--net host=, dns= and dhcpstart= must be different "
			"addresses in the subnet of net=");
}

static bool net_has6(const struct slirp_config *slirp,
		     const struct in6_addr *address)
{
	return address_in(address, &slirp->prefix6, SLIRP_PREFIX6_BITS) &&
	       !address_equal(address, &slirp->prefix6);
}

static int net_check6(const struct slirp_config *slirp, struct fail *fail)
{
	if (!slirp->ipv4 && !slirp->ipv6)
		return fail_set(fail, -EINVAL,
				"--net ipv4=off and ipv6=off leave nothing: "
				"give --net none");
	if (!address_equal(&slirp->gateway6, &slirp->dns6) &&
	    net_has6(slirp, &slirp->gateway6) && net_has6(slirp, &slirp->dns6))
		return 0;
	return fail_set(fail, -EINVAL,
			"--net ipv6-host= and ipv6-dns= must be different "
			"addresses in the subnet of ipv6-net=");
}

int options_parse_net(const char *text, struct slirp_config *slirp,
		      struct fail *fail)
{
	char copy[OPTIONS_TEXT_MAX], *rest = copy;
	struct options_pair pair;
	int ret;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return fail_set(fail, -EINVAL,
				"--net is longer than %d characters",
				OPTIONS_TEXT_MAX);
	while (options_next_pair(&rest, &pair)) {
		/* "user" is what QEMU's users write in front. */
		if (!pair.value &&
		    (strcmp(pair.key, "user") == 0 || !*pair.key))
			continue;
		ret = net_set(slirp, &pair, fail);
		if (ret)
			return ret;
	}
	ret = net_check(slirp, fail);
	if (!ret)
		ret = net_check6(slirp, fail);
	return ret ? ret : options_check_forwards(slirp, fail);
}
