/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_DATAGRAM_GUEST_H
#define MQVMM_TESTS_DATAGRAM_GUEST_H

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "support/fake_shard.h"

/*
 * The guest's and the host's side of tests of datagram protocols: frames with
 * right checksums, and checks of what comes back. All checks fail the test.
 */

#define GUEST   0x0a00020fU /* 10.0.2.15, host byte order as all here */
#define GATEWAY 0x0a000202U
#define DNS     0x0a000203U

#define GUEST_FRAME_MAX 65600 /* bytes */

/* Make a frame of the guest's around an IPv4 payload. Return: its length */
size_t guest_make_ip4(uint8_t *frame, uint32_t to, uint8_t protocol,
		      const void *data, size_t size);

/* Make a UDP datagram. Return: the frame's length */
size_t guest_make_udp(uint8_t *frame, uint16_t from_port, uint32_t to,
		      uint16_t port, const void *data, size_t size);

/* Make an echo request. Return: the frame's length */
size_t guest_make_echo(uint8_t *frame, uint32_t to, uint16_t id, uint16_t seq,
		       const void *data, size_t size);

/* Transmit a datagram, to be processed in the next turn. Return: open's */
int guest_send_udp(struct shard *shard, uint16_t from_port, uint32_t to,
		   uint16_t port, const void *data, size_t size);

/* The next frame for the guest, which must be there, and its IPv4 header
 * right; @ip gets a copy. Return: the IPv4 payload */
const uint8_t *guest_take_ip4(struct shard *shard, struct iphdr *ip,
			      size_t *size);

/* The same for UDP: checks the transport checksum, or that it is left to the
 * guest in the right way. Return: the UDP payload */
const uint8_t *guest_take_udp(struct shard *shard, uint32_t *from,
			      uint16_t *from_port, uint16_t *to_port,
			      size_t *size);

/* The next frame is this ICMP error, about something to @about. Return: the
 * quoted transport header */
const uint8_t *guest_take_error(struct shard *shard, uint8_t type, uint8_t code,
				uint32_t about);

/* An IPv4 address from host byte order. */
struct in6_addr guest_address(uint32_t address);

/* A UDP socket on the host's loopback; @port is the one it got. */
int host_bind(uint16_t *port);

/* A datagram that must be there. Return: its size */
size_t host_take(int sock, void *data, size_t max, struct sockaddr_in *from);

void host_send(int sock, const struct sockaddr_in *to, const void *data,
	       size_t size);

#endif
