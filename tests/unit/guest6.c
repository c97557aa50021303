/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/guest6.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct in6_addr in6(const char *text)
{
	struct in6_addr address;

	assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
	return address;
}

static uint16_t guest6_checksum(const struct in6_addr *from,
				const struct in6_addr *to, uint8_t protocol,
				const uint8_t *l4, size_t size)
{
	uint32_t sum = checksum_pseudo(from, to, protocol, size);

	return checksum_fold(checksum_add(l4, size, sum));
}

size_t guest6_make(uint8_t *frame, const char *from, const char *to,
		   uint8_t protocol, const void *data, size_t size,
		   size_t checksum_at)
{
	static const uint8_t ether[14] = { 0x52, 0x55, 10,   0,   2,
					   2,    0x52, 0x54, 0,   0x12,
					   0x34, 0x56, 0x86, 0xdd };
	struct ip6_hdr ip = { .ip6_src = in6(from), .ip6_dst = in6(to) };
	uint16_t sum;

	ip.ip6_flow = htonl(6U << 28);
	ip.ip6_plen = htons((uint16_t)size);
	ip.ip6_nxt = protocol;
	ip.ip6_hlim = 255;
	memcpy(frame, ether, sizeof(ether));
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + GUEST6_L4, data, size);
	memset(frame + GUEST6_L4 + checksum_at, 0, 2);
	sum = guest6_checksum(&ip.ip6_src, &ip.ip6_dst, protocol,
			      frame + GUEST6_L4, size);
	memcpy(frame + GUEST6_L4 + checksum_at, &sum, 2);
	return GUEST6_L4 + size;
}

void guest6_send(struct shard *shard, const uint8_t *frame, size_t length,
		 void (*input)(struct shard *shard, struct packet *packet))
{
	struct packet packet;

	fake_parse(shard, frame, length, 20, NULL, &packet);
	input(shard, &packet);
	fake_turn(shard);
}

const uint8_t *guest6_take(struct shard *shard, const char *from,
			   const char *to, uint8_t protocol, size_t *size)
{
	const struct fake_frame *frame = fake_next(shard);
	struct in6_addr source = in6(from), destination = in6(to);
	struct ip6_hdr ip;

	assert_non_null(frame);
	assert_true(frame->length >= GUEST6_L4);
	memcpy(&ip, frame->data + 14, sizeof(ip));
	assert_memory_equal(frame->data + 12, "\x86\xdd", 2);
	assert_int_equal(ip.ip6_vfc >> 4, 6);
	assert_int_equal(ip.ip6_nxt, protocol);
	*size = ntohs(ip.ip6_plen);
	assert_int_equal(GUEST6_L4 + *size, frame->length);
	assert_memory_equal(&ip.ip6_src, &source, sizeof(source));
	assert_memory_equal(&ip.ip6_dst, &destination, sizeof(destination));
	if (frame->offload.flags & PORT_NEEDS_CSUM)
		assert_int_equal(frame->offload.csum_start, GUEST6_L4);
	else
		assert_int_equal(
			guest6_checksum(&source, &destination, protocol,
					frame->data + GUEST6_L4, *size),
			0);
	return frame->data + GUEST6_L4;
}
