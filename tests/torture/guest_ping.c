/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "guest.h"
#include "slirp/wire.h"

#define PAUSE_US  20000      /* longest between two requests */
#define BYTES_MAX 1000       /* bytes behind the header */
#define STREAM    (1U << 31) /* numbers that no stream has */

void ping_set_up(struct guest *guest)
{
	for (unsigned int i = 0; i < TORTURE_PINGS; i++) {
		guest->ping[i].hops.kind =
			random_below(&guest->random, HOPS_KINDS);
		guest->ping[i].alive_us = torture_now_us();
	}
}

/* Return: bytes behind the header of a request, and of its reply */
static size_t ping_size(unsigned int index, uint32_t number)
{
	return (index * 7919 + number * 31) % BYTES_MAX;
}

static void ping_send(struct guest *guest, unsigned int index)
{
	struct ping *ping = &guest->ping[index];
	bool is6 = torture_is6(guest->torture, index);
	uint8_t frame[GUEST_HEADERS_MAX + sizeof(struct icmphdr) + BYTES_MAX];
	size_t size = ping_size(index, ping->next);
	struct icmphdr icmp = {
		.type = is6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.un.echo = { .id = htons(
				     (uint16_t)(TORTURE_PING_FIRST + index)),
			     .sequence = htons((uint16_t)ping->next) },
	};
	size_t at = frame_begin(guest, frame, is6,
				is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				sizeof(icmp) + size);

	stream_fill(guest->torture, STREAM + index, true, ping->next,
		    frame + at + sizeof(icmp), size);
	memcpy(frame + at, &icmp, sizeof(icmp));
	/* The port vouches for ICMPv6's, which is like TCP's. */
	icmp.checksum =
		checksum_fold(checksum_add(frame + at, sizeof(icmp) + size, 0));
	memcpy(frame + at, &icmp, sizeof(icmp));
	if (ping->next == ping->first)
		ping->alive_us = guest->now_us;
	ping->next++;
	guest_transmit(guest, guest_hop(guest, &ping->hops), frame,
		       at + sizeof(icmp) + size);
}

void ping_run_all(struct guest *guest)
{
	const struct torture *torture = guest->torture;

	for (unsigned int i = 0; i < TORTURE_PINGS; i++) {
		struct ping *ping = &guest->ping[i];

		if (ping->next != ping->first &&
		    guest->now_us - ping->alive_us >
			    TORTURE_QUIET_S * 1000000ULL)
			torture_fail(torture,
				     "ping %u hangs: reply %u is missing", i,
				     ping->first);
		if (torture_is(&torture->stopping) ||
		    ping->rest_us > guest->now_us ||
		    ping->next - ping->first == GUEST_PINGS_AHEAD)
			continue;
		ping_send(guest, i);
		ping->rest_us =
			guest->now_us + random_below(&guest->random, PAUSE_US);
	}
}

/* Return: the number of the request that is answered */
static uint32_t ping_note(struct guest *guest, unsigned int index,
			  uint16_t sequence)
{
	struct ping *ping = &guest->ping[index];
	uint32_t number = ping->first + (uint16_t)(sequence - ping->first);
	bool *got = ping->got;

	if (number >= ping->next || got[number % GUEST_PINGS_AHEAD])
		torture_fail(guest->torture,
			     "ping %u: reply %u came, %u is missing", index,
			     sequence, ping->first);
	got[number % GUEST_PINGS_AHEAD] = true;
	for (; got[ping->first % GUEST_PINGS_AHEAD]; ping->first++)
		got[ping->first % GUEST_PINGS_AHEAD] = false;
	ping->alive_us = guest->now_us;
	return number;
}

void ping_input(struct guest *guest, bool is6, const uint8_t *message,
		size_t size)
{
	struct torture *torture = guest->torture;
	struct icmphdr icmp = { 0 };
	unsigned int index;
	uint32_t number;

	if (size >= sizeof(icmp))
		memcpy(&icmp, message, sizeof(icmp));
	index = ntohs(icmp.un.echo.id) - TORTURE_PING_FIRST;
	if (icmp.type != (is6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ||
	    size < sizeof(icmp) || index >= TORTURE_PINGS ||
	    is6 != torture_is6(torture, index))
		torture_fail(torture, "the guest is sent ICMP of type %u",
			     icmp.type);
	if (!is6 && checksum_fold(checksum_add(message, size, 0)) != 0)
		torture_fail(torture, "ping %u: a checksum is wrong", index);
	number = ping_note(guest, index, ntohs(icmp.un.echo.sequence));
	size -= sizeof(icmp);
	if (size != ping_size(index, number))
		torture_fail(torture, "ping %u: a reply has %zu bytes", index,
			     size);
	stream_check(torture, STREAM + index, true, number,
		     message + sizeof(icmp), size);
	torture->pings++;
}

bool ping_are_quiet(const struct guest *guest)
{
	for (unsigned int i = 0; i < TORTURE_PINGS; i++)
		if (guest->ping[i].next != guest->ping[i].first)
			return false;
	return true;
}
