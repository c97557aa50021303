/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/datagram_guest.h"

#define ARP_SIZE (14 + sizeof(struct ether_arp))

static int setup(void **state)
{
	*state = fake_shard_create();
	return 0;
}

static int teardown(void **state)
{
	fake_shard_destroy(*state);
	return 0;
}

static const uint8_t guest_mac[6] = { 2, 1, 2, 3, 4, 5 };

static struct ether_arp arp_request(uint32_t from, uint32_t to)
{
	struct ether_arp arp = { 0 };

	from = htonl(from);
	to = htonl(to);
	arp.arp_hrd = htons(ARPHRD_ETHER);
	arp.arp_pro = htons(ETHERTYPE_IP);
	arp.arp_hln = 6;
	arp.arp_pln = 4;
	arp.arp_op = htons(ARPOP_REQUEST);
	memcpy(arp.arp_sha, guest_mac, 6);
	memcpy(arp.arp_spa, &from, 4);
	memcpy(arp.arp_tpa, &to, 4);
	return arp;
}

/* Transmit the first @size bytes of a request, in memory of that size. */
static void arp_send(struct shard *shard, const struct ether_arp *arp,
		     size_t size)
{
	struct port_frame frame = { .iov_count = 1, .length = size };
	uint8_t whole[ARP_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
				    1,    2,    3,    4,    5,    8,    6 };
	struct packet packet;

	memcpy(whole + 14, arp, sizeof(*arp));
	frame.iov[0].iov_base = malloc(size);
	frame.iov[0].iov_len = size;
	memcpy(frame.iov[0].iov_base, whole, size);
	assert_true(packet_parse_ether(&packet, &frame));
	arp_input(shard, &packet);
	free(frame.iov[0].iov_base);
}

static bool arp_answered(struct shard *shard, uint32_t from, uint32_t to)
{
	struct ether_arp arp = arp_request(from, to);
	bool answered;

	arp_send(shard, &arp, ARP_SIZE);
	answered = shard->sent_count;
	fake_drop_frames(shard);
	return answered;
}

static void reply_bears_our_mac(void **state)
{
	struct shard *shard = *state;
	struct ether_arp arp = arp_request(GUEST, GATEWAY), reply;
	const struct fake_frame *frame;

	arp_send(shard, &arp, ARP_SIZE);
	frame = fake_next(shard);
	assert_non_null(frame);
	assert_true(frame->length >= 60);
	assert_memory_equal(frame->data, guest_mac, 6);
	assert_memory_equal(frame->data + 6, shard->config.gateway_mac, 6);
	memcpy(&reply, frame->data + 14, sizeof(reply));
	assert_int_equal(ntohs(reply.arp_op), ARPOP_REPLY);
	assert_memory_equal(reply.arp_sha, shard->config.gateway_mac, 6);
	assert_memory_equal(reply.arp_spa, arp.arp_tpa, 4);
	assert_memory_equal(reply.arp_tha, guest_mac, 6);
	assert_memory_equal(reply.arp_tpa, arp.arp_spa, 4);
}

static void every_address_of_the_subnet_answers(void **state)
{
	for (uint32_t host = 1; host < 255; host++)
		assert_int_equal(arp_answered(*state, GUEST, 0x0a000200 + host),
				 host != 15);
}

static void edges_of_the_subnet_do_not_answer(void **state)
{
	assert_false(arp_answered(*state, GUEST, 0x0a000200));
	assert_false(arp_answered(*state, GUEST, 0x0a0002ff));
}

static void other_subnets_do_not_answer(void **state)
{
	assert_false(arp_answered(*state, GUEST, 0x0a000302));
	assert_false(arp_answered(*state, GUEST, 0x08080808));
}

static void guest_that_took_another_address_keeps_it(void **state)
{
	/* Address defence: an announcement, and a probe for its own. */
	assert_false(arp_answered(*state, 0x0a000220, 0x0a000220));
	/* A probe (RFC 5227) from nobody for the leased address. */
	assert_false(arp_answered(*state, 0, GUEST));
}

static void request_cut_anywhere_is_malformed(void **state)
{
	struct shard *shard = *state;
	struct ether_arp arp = arp_request(GUEST, GATEWAY);

	for (size_t size = 14; size < ARP_SIZE; size++)
		arp_send(shard, &arp, size);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, ARP_SIZE - 14);
}

static void request_with_a_wrong_field_is_not_answered(void **state)
{
	struct ether_arp arp = arp_request(GUEST, GATEWAY);
	uint8_t *bytes = (uint8_t *)&arp;

	/* Hardware, protocol, their lengths, operation: each byte matters. */
	for (size_t i = 0; i < 8; i++) {
		bytes[i] ^= 2;
		arp_send(*state, &arp, ARP_SIZE);
		bytes[i] ^= 2;
	}
	assert_null(fake_next(*state));
}

static void request_is_lost_without_receive_space(void **state)
{
	struct shard *shard = *state;

	shard->rx_frames_left = 0;
	assert_false(arp_answered(shard, GUEST, GATEWAY));
	shard->rx_frames_left = -1;
	assert_true(arp_answered(shard, GUEST, GATEWAY));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reply_bears_our_mac),
		TEST(every_address_of_the_subnet_answers),
		TEST(edges_of_the_subnet_do_not_answer),
		TEST(other_subnets_do_not_answer),
		TEST(guest_that_took_another_address_keeps_it),
		TEST(request_cut_anywhere_is_malformed),
		TEST(request_with_a_wrong_field_is_not_answered),
		TEST(request_is_lost_without_receive_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
