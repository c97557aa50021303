/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/datagram_guest.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pseudo4.h"

#define L4_AT        34
#define HOST_WAIT_MS 2000

size_t guest_make_ip4(uint8_t *frame, uint32_t to, uint8_t protocol,
		      const void *data, size_t size)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + size)),
		.ttl = 64,
		.protocol = protocol,
		.saddr = htonl(GUEST),
		.daddr = htonl(to),
	};
	static const uint8_t ether[14] = { 0x52, 0x55, 10,   0, 2,
					   2,    0x52, 0x54, 0, 0x12,
					   0x34, 0x56, 8,    0 };

	ip.check = checksum_fold(checksum_add(&ip, sizeof(ip), 0));
	memcpy(frame, ether, sizeof(ether));
	memcpy(frame + 14, &ip, sizeof(ip));
	memcpy(frame + L4_AT, data, size);
	return L4_AT + size;
}

static uint16_t guest_udp_sum(uint32_t from, uint32_t to, const uint8_t *l4,
			      size_t size)
{
	struct in_addr src = { htonl(from) }, dst = { htonl(to) };

	return checksum_fold(checksum_add(
		l4, size, checksum_pseudo4(src, dst, IPPROTO_UDP, size)));
}

size_t guest_make_udp(uint8_t *frame, uint16_t from_port, uint32_t to,
		      uint16_t port, const void *data, size_t size)
{
	static uint8_t l4[GUEST_FRAME_MAX];
	struct udphdr udp = {
		.uh_sport = htons(from_port),
		.uh_dport = htons(port),
		.uh_ulen = htons((uint16_t)(sizeof(udp) + size)),
	};

	memcpy(l4, &udp, sizeof(udp));
	if (size)
		memcpy(l4 + sizeof(udp), data, size);
	udp.uh_sum = guest_udp_sum(GUEST, to, l4, sizeof(udp) + size);
	memcpy(l4, &udp, sizeof(udp));
	return guest_make_ip4(frame, to, IPPROTO_UDP, l4, sizeof(udp) + size);
}

size_t guest_make_echo(uint8_t *frame, uint32_t to, uint16_t id, uint16_t seq,
		       const void *data, size_t size)
{
	static uint8_t l4[GUEST_FRAME_MAX];
	struct icmphdr icmp = { .type = ICMP_ECHO };

	icmp.un.echo.id = htons(id);
	icmp.un.echo.sequence = htons(seq);
	memcpy(l4, &icmp, sizeof(icmp));
	if (size)
		memcpy(l4 + sizeof(icmp), data, size);
	icmp.checksum = checksum_fold(checksum_add(l4, sizeof(icmp) + size, 0));
	memcpy(l4, &icmp, sizeof(icmp));
	return guest_make_ip4(frame, to, IPPROTO_ICMP, l4, sizeof(icmp) + size);
}

int guest_send_udp(struct shard *shard, uint16_t from_port, uint32_t to,
		   uint16_t port, const void *data, size_t size)
{
	static uint8_t frame[GUEST_FRAME_MAX];
	size_t length = guest_make_udp(frame, from_port, to, port, data, size);
	bool dns = to == DNS && port == 53;

	return fake_input(shard, frame, length, L4_AT + 3, NULL,
			  dns ? dns_open : udp_open);
}

const uint8_t *guest_take_ip4(struct shard *shard, struct iphdr *ip,
			      size_t *size)
{
	const struct fake_frame *frame = fake_next(shard);

	assert_non_null(frame);
	assert_true(frame->length >= L4_AT);
	assert_memory_equal(frame->data + 6, shard->config.gateway_mac, 6);
	assert_int_equal(frame->data[12] << 8 | frame->data[13], 0x0800);
	memcpy(ip, frame->data + 14, sizeof(*ip));
	assert_int_equal(ip->version, 4);
	assert_int_equal(ip->ihl, 5);
	assert_int_equal(
		checksum_fold(checksum_add(frame->data + 14, sizeof(*ip), 0)),
		0);
	assert_int_equal(ntohs(ip->tot_len), frame->length - 14);
	*size = frame->length - L4_AT;
	return frame->data + L4_AT;
}

const uint8_t *guest_take_udp(struct shard *shard, uint32_t *from,
			      uint16_t *from_port, uint16_t *to_port,
			      size_t *size)
{
	struct iphdr ip;
	const uint8_t *l4 = guest_take_ip4(shard, &ip, size);
	const struct port_offload *offload =
		&shard->sent[shard->sent_read - 1].offload;
	struct udphdr udp;
	struct in_addr src = { ip.saddr }, dst = { ip.daddr };

	assert_int_equal(ip.protocol, IPPROTO_UDP);
	assert_int_equal(ip.frag_off, 0);
	assert_int_equal(ntohl(ip.daddr), GUEST);
	memcpy(&udp, l4, sizeof(udp));
	assert_int_equal(ntohs(udp.uh_ulen), *size);
	if (offload->flags & PORT_NEEDS_CSUM) {
		assert_int_equal(offload->csum_start, L4_AT);
		assert_int_equal(offload->csum_offset, 6);
		assert_int_equal(udp.uh_sum,
				 (uint16_t)~checksum_fold(checksum_pseudo4(
					 src, dst, IPPROTO_UDP, *size)));
	} else {
		assert_int_not_equal(udp.uh_sum, 0);
		assert_int_equal(
			guest_udp_sum(ntohl(ip.saddr), GUEST, l4, *size), 0);
	}
	*from = ntohl(ip.saddr);
	*from_port = ntohs(udp.uh_sport);
	*to_port = ntohs(udp.uh_dport);
	*size -= sizeof(udp);
	return l4 + sizeof(udp);
}

const uint8_t *guest_take_error(struct shard *shard, uint8_t type, uint8_t code,
				uint32_t about)
{
	struct iphdr ip, quoted;
	struct icmphdr icmp;
	size_t size;
	const uint8_t *l4 = guest_take_ip4(shard, &ip, &size);

	assert_int_equal(ip.protocol, IPPROTO_ICMP);
	assert_int_equal(ntohl(ip.daddr), GUEST);
	assert_true(size >= sizeof(icmp) + sizeof(quoted) + 8);
	assert_true(size <= 576 - sizeof(ip));
	assert_int_equal(checksum_fold(checksum_add(l4, size, 0)), 0);
	memcpy(&icmp, l4, sizeof(icmp));
	assert_int_equal(icmp.type, type);
	assert_int_equal(icmp.code, code);
	memcpy(&quoted, l4 + sizeof(icmp), sizeof(quoted));
	assert_int_equal(ntohl(quoted.saddr), GUEST);
	assert_int_equal(ntohl(quoted.daddr), about);
	return l4 + sizeof(icmp) + sizeof(quoted);
}

struct in6_addr guest_address(uint32_t address)
{
	return address_from4((struct in_addr) { htonl(address) });
}

int host_bind(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(sock >= 0);
	assert_int_equal(
		bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&address, &size),
			 0);
	*port = ntohs(address.sin_port);
	return sock;
}

size_t host_take(int sock, void *data, size_t max, struct sockaddr_in *from)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	socklen_t size = sizeof(*from);
	ssize_t got;

	assert_int_equal(poll(&ready, 1, HOST_WAIT_MS), 1);
	got = recvfrom(sock, data, max, MSG_DONTWAIT, (struct sockaddr *)from,
		       &size);
	assert_true(got >= 0);
	return (size_t)got;
}

void host_send(int sock, const struct sockaddr_in *to, const void *data,
	       size_t size)
{
	assert_int_equal(sendto(sock, data, size, 0,
				(const struct sockaddr *)to, sizeof(*to)),
			 size);
}
