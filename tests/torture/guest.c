/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include <net/ethernet.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "slirp/wire.h"

#define STAY_MAX    300 /* frames on one queue */
#define TAKE_MAX    32  /* frames of a queue at a time */
#define OPEN_MAX    16  /* streams begun at a time */
#define PATIENCE_MS 1

void guest_transmit(struct guest *guest, unsigned int queue, const void *frame,
		    size_t length)
{
	fake_port_transmit(guest->torture->fake[queue], frame, length);
}

unsigned int guest_hop(struct guest *guest, struct hops *hops)
{
	unsigned int queues =
		__atomic_load_n(&guest->torture->queues, __ATOMIC_RELAXED);

	if (hops->stay && hops->queue < queues) {
		hops->stay--;
		return hops->queue;
	}
	hops->queue = random_below(&guest->random, queues);
	hops->stay = UINT32_MAX;
	if (hops->kind == HOPS_ALWAYS)
		hops->stay = 0;
	if (hops->kind == HOPS_SOMETIMES)
		hops->stay = random_below(&guest->random, STAY_MAX);
	return hops->queue;
}

/* Where the transport header of a packet for the guest is. Return: 0 if it is
 * for all on the link */
static size_t guest_parse_ip4(struct guest *guest, size_t *length,
			      uint8_t *protocol)
{
	const struct slirp_config *config = &guest->torture->config;
	struct iphdr ip;

	memcpy(&ip, guest->frame + ETH_HLEN, sizeof(ip));
	if (checksum_fold(checksum_add(&ip, sizeof(ip), 0)) != 0 ||
	    *length < ETH_HLEN + (size_t)ntohs(ip.tot_len) || ip.ihl != 5)
		torture_fail(guest->torture, "an IP header is wrong");
	if (ip.saddr != config->gateway.s_addr ||
	    ip.daddr != config->guest.s_addr)
		torture_fail(guest->torture, "the guest is sent others' data");
	*length = ntohs(ip.tot_len) - sizeof(ip);
	*protocol = ip.protocol;
	return ETH_HLEN + sizeof(ip);
}

static size_t guest_parse_ip6(struct guest *guest, size_t *length,
			      uint8_t *protocol)
{
	const struct slirp_config *config = &guest->torture->config;
	struct ip6_hdr ip;

	memcpy(&ip, guest->frame + ETH_HLEN, sizeof(ip));
	if (IN6_IS_ADDR_MULTICAST(&ip.ip6_dst))
		return 0; /* router advertisements */
	if (*length < ETH_HLEN + sizeof(ip) + ntohs(ip.ip6_plen))
		torture_fail(guest->torture, "an IPv6 header is wrong");
	if (!address_equal(&ip.ip6_src, &config->gateway6) ||
	    !address_equal(&ip.ip6_dst, &config->guest6))
		torture_fail(guest->torture, "the guest is sent others' data");
	*length = ntohs(ip.ip6_plen);
	*protocol = ip.ip6_nxt;
	return ETH_HLEN + sizeof(ip);
}

static void guest_input(struct guest *guest, unsigned int queue, size_t length)
{
	bool is6 = guest->frame[12] == 0x86;
	uint8_t protocol = 0;
	const uint8_t *data;
	size_t at;

	if (length <
	    ETH_HLEN + (is6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr)))
		torture_fail(guest->torture, "a frame of %zu bytes came",
			     length);
	at = is6 ? guest_parse_ip6(guest, &length, &protocol)
		 : guest_parse_ip4(guest, &length, &protocol);
	data = guest->frame + at;
	if (!at)
		return;
	if (protocol == IPPROTO_TCP && length >= sizeof(struct tcphdr))
		stream_input(guest, is6, data, length);
	else if (protocol == IPPROTO_UDP)
		mapping_input(guest, queue, data, length);
	else if (protocol == (is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		ping_input(guest, is6, data, length);
	else
		torture_fail(guest->torture, "the guest is sent protocol %u",
			     protocol);
}

/* Return: false if there was none */
static bool guest_take_round(struct guest *guest)
{
	unsigned int shards = guest->torture->options.shards;
	unsigned int first = random_below(&guest->random, shards);
	bool any = false;

	for (unsigned int i = 0; i < shards; i++) {
		unsigned int queue = (first + i) % shards;
		size_t length;

		for (int n = 0; n < TAKE_MAX; n++) {
			length = fake_port_take(guest->torture->fake[queue],
						guest->frame);
			if (!length)
				break;
			any = true;
			guest_input(guest, queue, length);
		}
	}
	return any;
}

/* All that is there: what waits here is not lost, and a guest that sends again
 * what has long been acknowledged is answered by RST in the end. */
static bool guest_take_frames(struct guest *guest)
{
	bool any = guest_take_round(guest);

	while (any && guest_take_round(guest))
		;
	return any;
}

static void guest_open(struct guest *guest)
{
	unsigned int most = guest->torture->options.flows * 3 / 4;

	for (int i = 0; i < OPEN_MAX && guest->opened < most &&
			guest->half_open < TORTURE_HALF_OPEN;
	     i++)
		stream_open(guest);
}

static void guest_tell_when_over(struct guest *guest)
{
	if (guest->told || guest->live_count || !mapping_are_quiet(guest) ||
	    !ping_are_quiet(guest))
		return;
	guest->told = true;
	sem_post(&guest->torture->over);
}

static void guest_wait(const struct guest *guest)
{
	struct pollfd bell = { .fd = guest->torture->bell, .events = POLLIN };
	uint64_t count;

	if (poll(&bell, 1, PATIENCE_MS) == 1 &&
	    read(bell.fd, &count, sizeof(count)) < 0)
		torture_fail(guest->torture, "the bell is broken");
}

void *guest_main(void *context)
{
	struct torture *torture = context;
	struct guest *guest = calloc(1, sizeof(*guest));
	bool any;

	guest->torture = torture;
	guest->random.state = torture->options.seed ^ 1;
	guest->next_port = GUEST_PORT_LOW;
	mapping_set_up(guest);
	ping_set_up(guest);
	while (!torture_is(&torture->quit)) {
		guest->now_us = torture_now_us();
		any = guest_take_frames(guest);
		mapping_run_all(guest);
		ping_run_all(guest);
		if (!torture_is(&torture->stopping))
			guest_open(guest);
		stream_run_all(guest);
		if (torture_is(&torture->stopping))
			guest_tell_when_over(guest);
		if (!any)
			guest_wait(guest);
	}
	for (unsigned int i = 0; i < guest->live_count; i++)
		free(guest->live[i]);
	free(guest->live);
	free(guest->mapping);
	free(guest);
	return NULL;
}
