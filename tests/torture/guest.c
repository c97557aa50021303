/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include <net/ethernet.h>
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

static void guest_input(struct guest *guest, unsigned int queue, size_t length)
{
	const uint8_t *at = guest->frame;
	struct iphdr ip;

	if (length < 34 || at[12] != 8 || at[13] != 0)
		return; /* router advertisements */
	memcpy(&ip, at + 14, sizeof(ip));
	if (checksum_fold(checksum_add(&ip, sizeof(ip), 0)) != 0 ||
	    length < 14U + ntohs(ip.tot_len) || ip.ihl != 5)
		torture_fail(guest->torture, "an IP header is wrong");
	at += 34;
	length = ntohs(ip.tot_len) - 20U;
	if (ip.protocol == IPPROTO_TCP && length >= sizeof(struct tcphdr))
		stream_input(guest, &ip, at, length);
	else if (ip.protocol == IPPROTO_UDP)
		mapping_input(guest, queue, at, length);
	else
		torture_fail(guest->torture,
			     "the guest is sent protocol %u, type %u",
			     ip.protocol, at[0]);
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
	if (guest->told || guest->live_count || !mapping_are_quiet(guest))
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
	while (!torture_is(&torture->quit)) {
		guest->now_us = torture_now_us();
		any = guest_take_frames(guest);
		mapping_run_all(guest);
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
