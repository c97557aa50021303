/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/datagram_guest.h"

#define SPREAD_MAX 8
#define IP_BIT     112 /* of the IPv4 header in a frame */

/* Bytes in segments, each in an allocation of its own size, some empty. */
struct spread {
	struct iovec iov[SPREAD_MAX];
	unsigned int count;
	size_t length;
};

static void spread_add(struct spread *spread, const void *data, size_t size)
{
	struct iovec *iov = &spread->iov[spread->count++];

	iov->iov_base = malloc(size + !size);
	iov->iov_len = size;
	memcpy(iov->iov_base, data, size);
	spread->length += size;
}

/* Cut in three, with empty segments before, between and behind. */
static void spread_make(struct spread *spread, const uint8_t *data, size_t size,
			size_t first, size_t second)
{
	memset(spread, 0, sizeof(*spread));
	spread_add(spread, data, 0);
	spread_add(spread, data, first);
	spread_add(spread, data, 0);
	spread_add(spread, data + first, second);
	spread_add(spread, data + first + second, size - first - second);
	spread_add(spread, data, 0);
}

static void spread_free(struct spread *spread)
{
	while (spread->count)
		free(spread->iov[--spread->count].iov_base);
}

static void fill(uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 37 + 11);
}

static void cursor_reads_over_any_cut(void **state)
{
	uint8_t data[12], got[12];
	struct spread spread;
	struct cursor cursor;

	(void)state;
	fill(data, sizeof(data));
	for (size_t first = 0; first <= 12; first++) {
		for (size_t second = 0; first + second <= 12; second++) {
			spread_make(&spread, data, 12, first, second);
			cursor_init(&cursor, spread.iov, spread.count, 12);
			assert_true(cursor_take(&cursor, got, 5));
			assert_true(cursor_skip(&cursor, 1));
			assert_true(cursor_take(&cursor, got + 6, 6));
			assert_memory_equal(got, data, 5);
			assert_memory_equal(got + 6, data + 6, 6);
			assert_int_equal(cursor.left, 0);
			assert_false(cursor_take(&cursor, got, 1));
			spread_free(&spread);
		}
	}
}

static void cursor_takes_nothing_where_too_little_is_left(void **state)
{
	uint8_t data[8], got[8] = { 0 };
	struct spread spread;
	struct cursor cursor;

	(void)state;
	fill(data, sizeof(data));
	spread_make(&spread, data, 8, 3, 3);
	cursor_init(&cursor, spread.iov, spread.count, 6);
	assert_false(cursor_take(&cursor, got, 7));
	assert_false(cursor_skip(&cursor, 7));
	assert_int_equal(cursor.left, 6);
	assert_true(cursor_take(&cursor, got, 6));
	assert_memory_equal(got, data, 6);
	spread_free(&spread);
}

static void cursor_stops_where_segments_end_early(void **state)
{
	uint8_t data[4], got[8];
	struct spread spread;
	struct cursor cursor;

	(void)state;
	fill(data, sizeof(data));
	spread_make(&spread, data, 4, 1, 1);
	cursor_init(&cursor, spread.iov, spread.count, 8); /* a lie */
	assert_false(cursor_take(&cursor, got, 8));
	assert_true(cursor_take(&cursor, got, 4));
	spread_free(&spread);
}

static void slice_points_at_the_bytes(void **state)
{
	uint8_t data[10];
	struct spread spread;
	struct cursor cursor;
	struct iovec part[4];
	unsigned int count;
	size_t at = 2;

	(void)state;
	fill(data, sizeof(data));
	spread_make(&spread, data, 10, 4, 3);
	cursor_init(&cursor, spread.iov, spread.count, 10);
	assert_true(cursor_skip(&cursor, 2));
	count = cursor_slice(&cursor, 7, part, 4);
	assert_int_equal(count, 3);
	for (unsigned int i = 0; i < count; i++) {
		assert_memory_equal(part[i].iov_base, data + at,
				    part[i].iov_len);
		at += part[i].iov_len;
	}
	assert_int_equal(at, 9);
	assert_int_equal(cursor_slice(&cursor, 9, part, 4), 0);
	assert_int_equal(cursor_slice(&cursor, 7, part, 2), 0);
	assert_int_equal(cursor_slice(&cursor, 0, part, 4), 0);
	spread_free(&spread);
}

static void write_stops_at_the_end(void **state)
{
	uint8_t data[10] = { 0 }, from[6], got[10];
	struct spread spread;
	struct cursor cursor;

	(void)state;
	fill(from, sizeof(from));
	spread_make(&spread, data, 10, 4, 3);
	assert_int_equal(iov_write(spread.iov, spread.count, 2, from, 6), 6);
	assert_int_equal(iov_write(spread.iov, spread.count, 8, from, 6), 2);
	assert_int_equal(iov_write(spread.iov, spread.count, 10, from, 6), 0);
	cursor_init(&cursor, spread.iov, spread.count, 10);
	assert_true(cursor_take(&cursor, got, 10));
	assert_memory_equal(got + 2, from, 6);
	assert_memory_equal(got + 8, from, 2);
	spread_free(&spread);
}

/* RFC 1071, byte by byte. */
static uint16_t slow_checksum(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (uint64_t)data[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t)~sum);
}

static void checksum_is_that_of_rfc_1071(void **state)
{
	uint8_t data[300];

	(void)state;
	fill(data, sizeof(data));
	for (size_t from = 0; from < 9; from++)
		for (size_t size = 0; size < 280; size++)
			assert_int_equal(checksum_fold(checksum_add(data + from,
								    size, 0)),
					 slow_checksum(data + from, size));
}

static void checksum_of_all_ones_does_not_overflow(void **state)
{
	static uint8_t data[65535];

	(void)state;
	memset(data, 0xff, sizeof(data));
	assert_int_equal(
		checksum_fold(checksum_add(data, sizeof(data), 0xffffffff)),
		slow_checksum(data, sizeof(data)));
}

static void checksum_of_segments_is_that_of_the_whole(void **state)
{
	uint8_t data[40];
	struct spread spread;

	(void)state;
	fill(data, sizeof(data));
	for (size_t first = 0; first < 20; first++) {
		for (size_t second = 0; second < 20; second++) {
			spread_make(&spread, data, 40, first, second);
			for (size_t at = 0; at < 5; at++)
				assert_int_equal(
					checksum_fold(iov_checksum(spread.iov,
								   spread.count,
								   at, 33, 0)),
					slow_checksum(data + at, 33));
			spread_free(&spread);
		}
	}
}

static bool parse(const uint8_t *data, size_t size, struct packet *packet,
		  struct port_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	frame->iov[0].iov_base = malloc(size + !size);
	frame->iov[0].iov_len = size;
	memcpy(frame->iov[0].iov_base, data, size);
	frame->iov_count = 1;
	frame->length = size;
	return packet_parse_ether(packet, frame) && packet_parse_ip4(packet);
}

static bool parses(const uint8_t *data, size_t size)
{
	struct port_frame frame;
	struct packet packet;
	bool ok = parse(data, size, &packet, &frame);

	free(frame.iov[0].iov_base);
	return ok;
}

static void packet_cut_anywhere_is_malformed(void **state)
{
	uint8_t data[64];
	size_t length = guest_make_udp(data, 1, GATEWAY, 2, "abc", 3);

	(void)state;
	for (size_t size = 0; size < length; size++)
		assert_false(parses(data, size));
	assert_true(parses(data, length));
	/* Ethernet padding is no part of the packet. */
	assert_true(parses(data, sizeof(data)));
}

static void packet_ends_where_its_header_says(void **state)
{
	uint8_t data[64] = { 0 };
	size_t length = guest_make_udp(data, 1, GATEWAY, 2, "abc", 3);
	struct port_frame frame;
	struct packet packet;

	(void)state;
	assert_true(parse(data, sizeof(data), &packet, &frame));
	assert_int_equal(packet.l4.left, length - 34);
	assert_int_equal(packet.l4_offset, 34);
	assert_true(packet_checksum_ok(&packet));
	free(frame.iov[0].iov_base);
}

static void any_flipped_bit_of_the_header_is_malformed(void **state)
{
	uint8_t data[64];
	size_t length = guest_make_udp(data, 1, GATEWAY, 2, "abc", 3);

	(void)state;
	for (size_t bit = IP_BIT; bit < IP_BIT + 160; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(parses(data, length));
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void header_lengths_out_of_bounds_are_malformed(void **state)
{
	uint8_t data[64] = { 0 };
	struct iphdr ip;

	(void)state;
	guest_make_udp(data, 1, GATEWAY, 2, "abc", 3);
	for (unsigned int ihl = 0; ihl < 16; ihl++) {
		for (unsigned int total = 0; total < 80; total++) {
			bool fits = ihl >= 5 && total >= ihl * 4 &&
				    total <= sizeof(data) - 14;

			memcpy(&ip, data + 14, sizeof(ip));
			ip.ihl = ihl & 0xf;
			ip.tot_len = htons((uint16_t)total);
			ip.check = 0;
			memcpy(data + 14, &ip, sizeof(ip));
			if (ihl * 4 + 14 <= sizeof(data))
				ip.check = slow_checksum(data + 14,
							 (size_t)ihl * 4);
			memcpy(data + 14, &ip, sizeof(ip));
			assert_int_equal(parses(data, sizeof(data)), fits);
		}
	}
}

static void options_are_passed_over(void **state)
{
	uint8_t data[64] = { 0 };
	struct port_frame frame;
	struct packet packet;
	struct iphdr ip;

	(void)state;
	guest_make_ip4(data, GATEWAY, IPPROTO_UDP, "0123payload!", 12);
	memcpy(&ip, data + 14, sizeof(ip));
	ip.ihl = 6;
	ip.check = 0;
	memcpy(data + 14, &ip, sizeof(ip));
	ip.check = slow_checksum(data + 14, 24);
	memcpy(data + 14, &ip, sizeof(ip));
	assert_true(parse(data, 46, &packet, &frame));
	assert_int_equal(packet.l4_offset, 38);
	assert_int_equal(packet.l4.left, 8);
	free(frame.iov[0].iov_base);
}

static void wrong_checksum_is_seen_unless_left_to_us(void **state)
{
	uint8_t data[64];
	size_t length = guest_make_udp(data, 1, GATEWAY, 2, "abc", 3);
	struct port_frame frame;
	struct packet packet;

	(void)state;
	data[length - 1] ^= 1;
	assert_true(parse(data, length, &packet, &frame));
	assert_false(packet_checksum_ok(&packet));
	frame.offload.flags = PORT_NEEDS_CSUM;
	assert_true(packet_checksum_ok(&packet));
	frame.offload.flags = PORT_DATA_VALID;
	assert_true(packet_checksum_ok(&packet));
	free(frame.iov[0].iov_base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursor_reads_over_any_cut),
		cmocka_unit_test(cursor_takes_nothing_where_too_little_is_left),
		cmocka_unit_test(cursor_stops_where_segments_end_early),
		cmocka_unit_test(slice_points_at_the_bytes),
		cmocka_unit_test(write_stops_at_the_end),
		cmocka_unit_test(checksum_is_that_of_rfc_1071),
		cmocka_unit_test(checksum_of_all_ones_does_not_overflow),
		cmocka_unit_test(checksum_of_segments_is_that_of_the_whole),
		cmocka_unit_test(packet_cut_anywhere_is_malformed),
		cmocka_unit_test(packet_ends_where_its_header_says),
		cmocka_unit_test(any_flipped_bit_of_the_header_is_malformed),
		cmocka_unit_test(header_lengths_out_of_bounds_are_malformed),
		cmocka_unit_test(options_are_passed_over),
		cmocka_unit_test(wrong_checksum_is_seen_unless_left_to_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
