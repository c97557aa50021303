/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define MISSING_MAX 6       /* answers; more than one datagram asks for */
#define ANSWERS_MAX 3       /* to a datagram */
#define PAUSE_US    40000   /* longest between two datagrams */
#define REST_US     6000000 /* longer than the NAT keeps a mapping */
#define REST_PART   2000    /* of the pauses, one is a rest */

void mapping_set_up(struct guest *guest)
{
	unsigned int flows = guest->torture->udp_flows;

	guest->mapping = calloc(flows + 1, sizeof(*guest->mapping));
	for (unsigned int i = 0; i < flows; i++) {
		guest->mapping[i].hops.kind =
			random_below(&guest->random, HOPS_KINDS);
		guest->mapping[i].alive_us = torture_now_us();
	}
}

static void mapping_send(struct guest *guest, uint32_t flow)
{
	struct torture *torture = guest->torture;
	struct mapping *mapping = &guest->mapping[flow];
	unsigned int echo = flow / TORTURE_UDP_SHARE;
	uint8_t frame[GUEST_HEADERS_MAX + sizeof(struct udphdr) +
		      DATAGRAM_MAX] = { 0 };
	struct datagram datagram = {
		.flow = flow,
		.queue = guest_hop(guest, &mapping->hops),
		.answers = 1 + random_below(&guest->random, ANSWERS_MAX),
	};
	size_t size =
		sizeof(struct udphdr) + sizeof(datagram) +
		random_below(&guest->random, DATAGRAM_MAX - sizeof(datagram));
	struct udphdr udp = {
		.uh_sport = htons((uint16_t)(TORTURE_UDP_FIRST + flow)),
		.uh_dport = htons(torture->echo_port[echo]),
		.uh_ulen = htons((uint16_t)size),
		.uh_sum = 1, /* the port vouches for it */
	};
	size_t at = frame_begin(guest, frame, torture_is6(torture, echo),
				IPPROTO_UDP, size);

	datagram.place = mapping->place[datagram.queue]++;
	memcpy(frame + at, &udp, sizeof(udp));
	memcpy(frame + at + sizeof(udp), &datagram, sizeof(datagram));
	if (!mapping->missing)
		mapping->alive_us = guest->now_us;
	mapping->missing += datagram.answers;
	guest_transmit(guest, datagram.queue, frame, at + size);
}

/* Every fourth never rests, so that listings must have it. */
static void mapping_pause(struct guest *guest, uint32_t flow)
{
	struct mapping *mapping = &guest->mapping[flow];
	bool rest = flow % TORTURE_UDP_RESIDENT &&
		    random_below(&guest->random, REST_PART) == 0;

	mapping->rest_us =
		guest->now_us +
		(rest ? REST_US : random_below(&guest->random, PAUSE_US));
}

void mapping_run_all(struct guest *guest)
{
	const struct torture *torture = guest->torture;

	for (uint32_t i = 0; i < torture->udp_flows; i++) {
		struct mapping *mapping = &guest->mapping[i];

		if (mapping->missing && guest->now_us - mapping->alive_us >
						TORTURE_QUIET_S * 1000000ULL)
			torture_fail(torture,
				     "datagram flow %u hangs: %u answers are "
				     "missing from number %u on",
				     i, mapping->missing, mapping->first);
		if (torture_is(&torture->stopping) ||
		    mapping->rest_us > guest->now_us ||
		    mapping->missing + ANSWERS_MAX > MISSING_MAX)
			continue;
		mapping_send(guest, i);
		mapping_pause(guest, i);
	}
}

/* It is new; and later than all that came on its queue before. */
static void mapping_note(struct guest *guest, uint32_t flow, unsigned int queue,
			 uint32_t number)
{
	struct mapping *mapping = &guest->mapping[flow];
	uint32_t ahead = number - mapping->first;
	bool *got = mapping->got;

	if (ahead >= GUEST_ANSWERS || got[number % GUEST_ANSWERS])
		torture_fail(guest->torture,
			     "datagram flow %u: answer %u came, %u is missing",
			     flow, number, mapping->first);
	if (number < mapping->seen[queue])
		torture_fail(guest->torture,
			     "datagram flow %u: answer %u came on queue %u "
			     "after %u",
			     flow, number, queue, mapping->seen[queue] - 1);
	mapping->seen[queue] = number + 1;
	got[number % GUEST_ANSWERS] = true;
	for (; got[mapping->first % GUEST_ANSWERS]; mapping->first++)
		got[mapping->first % GUEST_ANSWERS] = false;
}

void mapping_input(struct guest *guest, unsigned int queue,
		   const uint8_t *segment, size_t size)
{
	struct torture *torture = guest->torture;
	struct datagram datagram;
	struct udphdr udp;
	uint32_t flow;

	if (size < sizeof(udp) + sizeof(datagram))
		torture_fail(torture, "a datagram of %zu bytes came", size);
	memcpy(&udp, segment, sizeof(udp));
	memcpy(&datagram, segment + sizeof(udp), sizeof(datagram));
	flow = datagram.flow;
	if (flow >= torture->udp_flows ||
	    ntohs(udp.uh_dport) != TORTURE_UDP_FIRST + flow ||
	    !guest->mapping[flow].missing)
		torture_fail(torture, "a datagram of flow %u came to port %u",
			     flow, ntohs(udp.uh_dport));
	mapping_note(guest, flow, queue, datagram.number);
	guest->mapping[flow].missing--;
	guest->mapping[flow].alive_us = guest->now_us;
	if (datagram.number == 0)
		__atomic_fetch_add(&torture->udp_begun, 1, __ATOMIC_RELEASE);
	torture->datagrams++;
}

bool mapping_are_quiet(const struct guest *guest)
{
	for (uint32_t i = 0; i < guest->torture->udp_flows; i++)
		if (guest->mapping[i].missing)
			return false;
	return true;
}
