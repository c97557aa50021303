/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_TCP_GUEST_H
#define MQVMM_TESTS_TCP_GUEST_H

#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/fake_shard.h"

/*
 * A guest's TCP end for tests, told segment by segment what to say, and the
 * host's end: a listener on loopback, which the guest reaches as the gateway.
 */

/**
 * struct guest - One connection of the guest's
 * @listener:	Host listener on 127.0.0.1
 * @host:	The host's end once guest_connect() accepted it, -1 before
 * @seq:	Next sequence number of the guest's
 * @ack:	Next sequence number that the guest expects
 * @to:		Where it connects, the gateway at first
 * @window:	In the guest's segments, as in the header
 * @mss, @scale: Options of its SYN; 0, -1 for none
 * @split:	Cut each frame in two pieces there, bytes; 0 does not
 */
struct guest {
	struct shard *shard;
	int listener;
	int host;
	struct in_addr to;
	uint16_t port;
	uint16_t peer_port;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint16_t mss;
	int scale;
	size_t split;
};

/* A segment that the guest was sent; checksums have been verified. */
struct heard {
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint16_t mss;
	int scale;
	const uint8_t *data;
	size_t length;
	struct port_offload offload;
};

/* cmocka set-up and tear-down: *state is a struct guest with a listener. */
int guest_set_up(void **state);
int guest_tear_down(void **state);

/* Transmit a segment at @guest->seq, which then moves past it. */
void guest_send(struct guest *guest, uint8_t flags, const void *data,
		size_t length);

/* The same at another place; @guest->seq stays. */
void guest_send_at(struct guest *guest, uint32_t seq, uint8_t flags,
		   const void *data, size_t length);

/* Next segment that the guest was sent. Return: false if there is none */
bool guest_hear(struct guest *guest, struct heard *heard);

/* It must be there; and no other one. In-order data and FIN move @guest->ack.
 */
void guest_expect(struct guest *guest, uint8_t flags, struct heard *heard);
void guest_expect_silence(struct guest *guest);

/* Wait, in turns, until a segment was sent; fails the test after 2 s. */
void guest_wait(struct guest *guest);

/* Handshake, up to the guest's ACK, and accept() on the host. */
void guest_connect(struct guest *guest);

/* Take in, in order, all that the guest was sent. Return: bytes of new data */
size_t guest_listen(struct guest *guest, uint8_t *got);

/* Bytes of which each place has its own. */
void guest_fill(uint8_t *data, size_t size);

/* The host's end sends @size bytes, the guest acknowledges in every turn; they
 * must arrive unchanged. */
void guest_transfer(struct guest *guest, size_t size);

/* The host's end sends. */
void host_send(struct guest *guest, const void *data, size_t length);

/* The host's end will send no more, and the guest is told by a FIN. */
void host_half_close(struct guest *guest);

/* The host's end receives exactly this, and fails the test otherwise. */
void host_expect(struct guest *guest, const void *data, size_t length);
void host_expect_silence(struct guest *guest);
void host_expect_eof(struct guest *guest);
void host_expect_reset(struct guest *guest);

/* No flow has a host socket. */
void guest_expect_over(struct guest *guest);

/* The one flow that lives. */
struct flow *guest_flow(struct guest *guest);

#endif
