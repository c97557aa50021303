/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_SLIRP_H
#define MQVMM_SLIRP_SLIRP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fail.h"
#include "slirp/address.h"
#include "slirp/policy.h"
#include "slirp/port.h"

struct slirp;

enum slirp_engine {
	SLIRP_ENGINE_AUTO, /* io_uring where the host allows it, else epoll */
	SLIRP_ENGINE_URING,
	SLIRP_ENGINE_EPOLL,
};

#define SLIRP_FORWARDS_MAX       64
#define SLIRP_FORWARD_PORTS_MAX  1024 /* of one forward */
#define SLIRP_GUEST_FORWARDS_MAX 16
#define SLIRP_PATH_MAX           108 /* bytes, as in struct sockaddr_un */
#define SLIRP_UDP_IDLE_MIN_S     120 /* RFC 4787, REQ-5 */

/* Who may write to a guest's port that has written to others (RFC 4787, 5). */
enum slirp_udp_filter {
	SLIRP_UDP_FILTER_OFF,     /* anybody who knows the host's port */
	SLIRP_UDP_FILTER_ADDRESS, /* addresses that it has written to */
	SLIRP_UDP_FILTER_PORT, /* addresses and ports that it has written to */
};

#define SLIRP_RESOLVERS_MAX 3
#define SLIRP_DOMAIN_SIZE   256 /* bytes */
#define SLIRP_SEARCH_SIZE   512
#define SLIRP_PREFIX6_BITS  64

/**
 * struct slirp_forward - Ports of the host that lead into the guest
 * @protocol:	IPPROTO_TCP or IPPROTO_UDP
 * @host:	Where to listen: :: is every address of both families, 0.0.0.0
 *		every one of IPv4; port 0 lets the host choose
 * @guest:	Where it leads: :: and 0.0.0.0 stand for the guest's own address
 * @count:	Ports in a row, on both sides; 0 is taken for 1
 */
struct slirp_forward {
	int protocol;
	struct slirp_endpoint host;
	struct slirp_endpoint guest;
	unsigned int count;
};

/**
 * struct slirp_guest_forward - A TCP port, as the guest sees it, that leads to
 *		one place on the host, whatever the policy says
 * @server:	Where the guest connects to: an address of its subnet
 * @host:	Where it leads; its port is 0 with @path
 * @path:	Or the unix stream socket that it leads to; empty with @host
 */
struct slirp_guest_forward {
	struct slirp_endpoint server;
	struct slirp_endpoint host;
	char path[SLIRP_PATH_MAX];
};

/**
 * struct slirp_limits - How much a guest may have at a time, over all its
 *shards
 * @tcp_flows, @udp_flows, @icmp_flows: Flows of the protocol; 0: as many as
 *		slots and descriptors allow. What is above is refused.
 * @half_open:	TCP connections that one side has not answered yet; 0: half of
 *		the descriptors, which is the most. The oldest gives way.
 * @flow_rate:	New flows per second, 0 for no limit; a second's worth at once
 * @flow_memory: What the kernel may buffer for a flow, both ways together,
 *		bytes; 0: what the kernel thinks fit
 */
struct slirp_limits {
	uint32_t tcp_flows;
	uint32_t udp_flows;
	uint32_t icmp_flows;
	uint32_t half_open;
	uint32_t flow_rate;
	uint32_t flow_memory;
};

#define SLIRP_POLL_AUTO UINT32_MAX
#define SLIRP_FLOWS_MAX (1U << 24) /* slots of a shard */

/**
 * struct slirp_config - The guest's network
 * @shard_count:	Shards, 1 for each queue pair
 * @engine:		How a shard reaches the host's sockets
 * @ipv4, @ipv6:	Families that the guest has; one at least
 * @route4, @route6:	Families in which the guest is told of a default route
 * @network, @netmask:	The guest's IPv4 subnet
 * @gateway:		Stands for the host's loopback
 * @dns:		Resolver that the guest is given
 * @guest:		First address that DHCP leases
 * @prefix6:		The guest's IPv6 subnet, of SLIRP_PREFIX6_BITS
 * @gateway6, @dns6:	As with IPv4
 * @guest6:		Address that a namespace is given, and that forwards
 *lead to; a guest of a VM chooses its own
 * @guest_mac:		The device's MAC address
 * @gateway_mac:	Ours
 * @mtu:		Of the guest's interface, bytes of IP packet
 * @resolver:		Host resolvers that @dns stands for; none: those of
 *			@resolv_conf, whatever it says while the NAT runs
 * @resolver_count:	Entries of @resolver in use
 * @resolv_conf:	Path of the host's resolv.conf(5)
 * @hostname:		Given by DHCP, may be empty
 * @search:		Search domains, with a space between them; empty: those
 *			of @resolv_conf
 * @domain:		The guest's; empty: the first of the search domains
 * @dns_cache:		Remember the resolvers' answers while they live
 * @forward:		Host ports that lead into the guest
 * @forward_count:	Entries of @forward in use
 * @guest_forward:	Ports of the guest's subnet that lead to the host
 * @guest_forward_count: Entries of @guest_forward in use
 * @keep_source:	The guest sees who connects to a forward by his own
 *			address where it can be; otherwise as the gateway
 * @host_loopback:	@gateway leads to the host's loopback
 * @restricted:		No flow may leave, only forwards work
 * @policy:		What may be reached, to begin with
 * @flows_max:		Slots for flows, per shard, 1 to SLIRP_FLOWS_MAX
 * @files_max:		Descriptors that all flows together may take; 0: what
 *			this process may open when the NAT is made
 * @limits:		Of the guest, to begin with
 * @tcp_idle_s:		Established TCP flow without traffic, seconds; then the
 *			guest is asked whether it still has it
 * @udp_idle_s:		UDP flow to which the guest gives no traffic, seconds
 * @udp_filter:		Who may write to the guest unasked
 * @poll_us:		Longest time that a shard spins for work before it
 *			sleeps, microseconds (sched/poll.h); 0: none;
 *			SLIRP_POLL_AUTO: as long as its place allows
 * @batch:		Shards are SCHED_BATCH: woken, they do not interrupt who
 *			runs on their CPU (decision 0010)
 * @near:		Called before each shard is made, so that its memory is
 *			near its CPU, and with @shard_count behind the last; may
 *			be NULL
 * @near_context:	For @near
 */
struct slirp_config {
	unsigned int shard_count;
	enum slirp_engine engine;
	bool ipv4;
	bool ipv6;
	bool route4;
	bool route6;
	struct in_addr network;
	struct in_addr netmask;
	struct in_addr gateway;
	struct in_addr dns;
	struct in_addr guest;
	struct in6_addr prefix6;
	struct in6_addr gateway6;
	struct in6_addr dns6;
	struct in6_addr guest6;
	uint8_t guest_mac[6];
	uint8_t gateway_mac[6];
	unsigned int mtu;
	struct slirp_endpoint resolver[SLIRP_RESOLVERS_MAX];
	unsigned int resolver_count;
	const char *resolv_conf;
	char hostname[64];
	char domain[SLIRP_DOMAIN_SIZE];
	char search[SLIRP_SEARCH_SIZE];
	bool dns_cache;
	struct slirp_forward forward[SLIRP_FORWARDS_MAX];
	unsigned int forward_count;
	struct slirp_guest_forward guest_forward[SLIRP_GUEST_FORWARDS_MAX];
	unsigned int guest_forward_count;
	bool keep_source;
	bool host_loopback;
	bool restricted;
	struct slirp_policy policy;
	unsigned int flows_max;
	unsigned int files_max;
	struct slirp_limits limits;
	unsigned int tcp_idle_s;
	unsigned int udp_idle_s;
	enum slirp_udp_filter udp_filter;
	uint32_t poll_us;
	bool batch;
	void (*near)(void *context, unsigned int shard);
	void *near_context;
};

/**
 * slirp_config_init() - QEMU's addresses: 10.0.2.0/24, .2, .3 and .15, and
 *		fec0::/64, ::2, ::3 and ::15
 * @config:	To fill; one shard, engine auto, MTU 1500, both families
 */
void slirp_config_init(struct slirp_config *config);

/**
 * slirp_config_probe() - Take back what the host cannot do
 * @config:	ipv6 is cleared where the host's kernel has no IPv6, or the MTU
 *is too small for it (RFC 8200, 5); route4 or route6 where the host has a route
 *into the world in the other family only
 *
 * Context: any thread; reads /proc.
 */
void slirp_config_probe(struct slirp_config *config);

/**
 * slirp_forward_check() - Can there be such a forward? Fill in what it leaves
 * out
 * @forward:	Its guest address and count are completed
 * @fail:	The cause, as a sentence
 *
 * Return: 0, or -EINVAL
 *
 * Context: pure.
 */
int slirp_forward_check(const struct slirp_config *config,
			struct slirp_forward *forward, struct fail *fail);

/* The same for the other direction; changes nothing. */
int slirp_guest_forward_check(const struct slirp_config *config,
			      const struct slirp_guest_forward *forward,
			      struct fail *fail);

#define SLIRP_FORWARD_TEXT_MAX 160

/**
 * slirp_forward_format() - Write a forward as hostfwd= takes it
 * @text:	SLIRP_FORWARD_TEXT_MAX bytes
 *
 * Return: @text, like "tcp:[::]:8000-8009-10.0.2.15:80"
 */
const char *slirp_forward_format(const struct slirp_forward *forward,
				 char *text);

/**
 * slirp_create() - Make the NAT: shards, flow table, listeners; no thread yet
 * @config:	Copied
 * @port:	config->shard_count ports, one per shard; they outlive the NAT
 * @out:	The NAT
 * @fail:	The cause, as a sentence
 *
 * Return: 0 or negative errno
 */
int slirp_create(const struct slirp_config *config, struct port *const *port,
		 struct slirp **out, struct fail *fail);

/**
 * slirp_start() - Start one thread per shard
 * @place:	Called on each new shard thread first, may be NULL: sets its
 *		affinity and name. Return: how long it may poll there with
 *		SLIRP_POLL_AUTO, microseconds
 * @context:	Passed to @place
 *
 * Return: 0 or negative errno, then no thread runs
 */
int slirp_start(struct slirp *slirp,
		uint32_t (*place)(void *context, unsigned int shard),
		void *context, struct fail *fail);

/**
 * slirp_destroy() - Stop the threads, close all sockets, free everything
 * @slirp:	May be NULL
 */
void slirp_destroy(struct slirp *slirp);

/**
 * slirp_call_shard() - Run a function on a shard's thread, between two turns
 * @shard:	Index
 * @call:	Runs when the shard holds no buffer of its port
 * @context:	Passed to @call
 *
 * Returns when @call has run. Before slirp_start() it runs on the caller's
 * thread. The shard's loop runs at once afterwards, as after a kick.
 *
 * Context: any thread but a shard's; sleeps. Calls from several threads at once
 * are served one after the other. @call must not wait for the caller's locks.
 */
void slirp_call_shard(struct slirp *slirp, unsigned int shard,
		      void (*call)(void *context), void *context);

/**
 * slirp_set_queues() - How many queue pairs the guest uses now
 * @count:	1 to shard_count: flows are steered to receive queues below it
 *
 * Context: any thread, lock-free.
 */
void slirp_set_queues(struct slirp *slirp, unsigned int count);

/**
 * slirp_set_policy() - Change what the guest may reach
 * @policy:	Copied
 *
 * It holds for new flows and for each datagram and echo request, as soon as
 * this returns. TCP connections that exist go on, as with other stateful
 * filters: taking a rule back must not break what was begun under it. Forwards
 * are not subject to a policy, nor are answers to those who used them.
 *
 * Return: 0 or -ENOMEM
 *
 * Context: any thread but a shard's; sleeps.
 */
int slirp_set_policy(struct slirp *slirp, const struct slirp_policy *policy);

/* The policy in force. Context: as slirp_set_policy(). */
void slirp_get_policy(struct slirp *slirp, struct slirp_policy *policy);

/**
 * slirp_set_limits() - Change how much the guest may have
 *
 * Flows that exist stay, also those above a limit that was lowered, and keep
 * their buffers.
 *
 * Context: any thread but a shard's; sleeps.
 */
void slirp_set_limits(struct slirp *slirp, const struct slirp_limits *limits);

/* The limits in force. Context: as slirp_set_limits(). */
void slirp_get_limits(struct slirp *slirp, struct slirp_limits *limits);

/**
 * slirp_engine_name() - Which engine the shards use
 *
 * Return: "io_uring" or "epoll"; valid after slirp_start()
 */
const char *slirp_engine_name(const struct slirp *slirp);

/**
 * slirp_forward_add() - Open a forward while shards run
 * @forward:	As slirp_forward_check() takes it
 * @id:		Set to its number, which is never used again. Those of the
 *		configuration have 1 and up, in its order.
 * @fail:	The cause, as a sentence
 *
 * It takes a descriptor for each port and shard: at most half of the process's
 * limit is given to forwards. Only as many shards get connections as queues are
 * in use.
 *
 * Return: 0, or negative errno (-EINVAL, -EADDRINUSE, -EACCES, -EMFILE,
 * -ENOSPC), then nothing is open
 *
 * Context: any thread but a shard's; sleeps.
 */
int slirp_forward_add(struct slirp *slirp, const struct slirp_forward *forward,
		      unsigned int *id, struct fail *fail);

/**
 * slirp_forward_remove() - Close a forward
 *
 * Its TCP connections run on, those that were not accepted yet are reset; what
 * came by UDP ends with it. The port is free afterwards.
 *
 * Return: 0, or -ENOENT
 *
 * Context: any thread but a shard's; sleeps.
 */
int slirp_forward_remove(struct slirp *slirp, unsigned int id,
			 struct fail *fail);

/**
 * struct slirp_forward_entry - A forward that is open
 * @id:		For slirp_forward_remove()
 * @forward:	Complete: with the host port that was chosen
 */
struct slirp_forward_entry {
	unsigned int id;
	struct slirp_forward forward;
};

/**
 * slirp_forward_list() - What forwards are there?
 * @entry:	SLIRP_FORWARDS_MAX of them
 *
 * Return: how many are filled in
 *
 * Context: any thread but a shard's; sleeps.
 */
unsigned int slirp_forward_list(const struct slirp *slirp,
				struct slirp_forward_entry *entry);

/**
 * struct slirp_flow - A flow as it was at one moment
 * @protocol:	IPPROTO_*
 * @guest, @peer: Its ends as the guest sees them; @peer is zero for a UDP
 *		mapping, which any peer may use; @guest.port is the identifier
 *		of an ICMP echo
 * @shard:	Its owner
 * @state:	For people; a constant string
 * @tx_bytes, @rx_bytes: Payload from the guest and to it, each byte once
 * @rtt_us:	Smoothed round trip time of TCP to the guest, microseconds; 0
 *		while it is not known
 * @age_ms:	Since it began, milliseconds
 * @idle_ms:	Since it carried payload, either way, milliseconds
 */
struct slirp_flow {
	uint8_t protocol;
	struct slirp_endpoint guest;
	struct slirp_endpoint peer;
	unsigned int shard;
	const char *state;
	uint64_t tx_bytes;
	uint64_t rx_bytes;
	uint32_t rtt_us;
	uint64_t age_ms;
	uint64_t idle_ms;
};

/* Where slirp_list_flows() goes on; zero at the beginning. */
struct slirp_flow_cursor {
	unsigned int shard;
	uint32_t slot;
	bool begun;
};

/* Slots of a shard that slirp_list_flows() looks at between two turns. */
#define SLIRP_FLOWS_SLICE 256

#define SLIRP_FLOWS_PATIENCE_US 1000000 /* between two calls */

/**
 * slirp_list_flows() - The next flows that are live
 * @at:		Where to go on, moved
 * @flow:	Room for @count flows, at least 1
 *
 * A flow that lives throughout the listing is in it once; one that begins or
 * ends meanwhile may be. A shard is asked between two turns, for at most
 * SLIRP_FLOWS_SLICE slots at a time. Flows stay with their shards meanwhile;
 * if the next call comes later than SLIRP_FLOWS_PATIENCE_US, one that moves
 * may be in it twice, or not at all.
 *
 * Return: flows written; 0 at the end
 *
 * Context: any thread but a shard's; sleeps.
 */
unsigned int slirp_list_flows(struct slirp *slirp, struct slirp_flow_cursor *at,
			      struct slirp_flow *flow, unsigned int count);

/**
 * slirp_print_stats() - Write every shard's counters, and the forwards, as JSON
 * @out:	Where to: {"shards":[...],"forwards":[...]}
 *
 * Context: any thread but a shard's; the running shards' counters are read
 * lock-free, forwards as by slirp_forward_list().
 */
void slirp_print_stats(const struct slirp *slirp, FILE *out);

#endif
