/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pseudo4.h"
#include "unit/datagram_guest.h"

#define OPTIONS_AT  240 /* in a message */
#define MESSAGE_MAX 600

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

/* A client's message being made. */
struct message {
	uint8_t data[MESSAGE_MAX];
	size_t size;
};

static const uint8_t client_mac[6] = { 2, 9, 8, 7, 6, 5 };

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

static void add(struct message *message, uint8_t option, const void *value,
		uint8_t size)
{
	message->data[message->size++] = option;
	message->data[message->size++] = size;
	memcpy(message->data + message->size, value, size);
	message->size += size;
}

static void add_address(struct message *message, uint8_t option,
			uint32_t address)
{
	address = htonl(address);
	add(message, option, &address, 4);
}

static void put_address(struct message *message, size_t at, uint32_t address)
{
	address = htonl(address);
	memcpy(message->data + at, &address, 4);
}

static struct message begin(uint8_t type)
{
	static const uint8_t start[] = { 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef };
	static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };
	struct message message = { .size = OPTIONS_AT };

	memcpy(message.data, start, sizeof(start));
	memcpy(message.data + 28, client_mac, 6);
	memcpy(message.data + 236, cookie, sizeof(cookie));
	add(&message, 53, &type, 1);
	return message;
}

static void transmit(struct shard *shard, const struct message *message,
		     size_t size)
{
	static uint8_t frame[GUEST_FRAME_MAX];
	size_t length =
		guest_make_udp(frame, 68, 0xffffffff, 67, message->data, size);
	struct packet packet;

	fake_parse(shard, frame, length, 100, NULL, &packet);
	dhcp_input(shard, &packet);
	fake_turn(shard);
}

/* What came back; its bytes are the shard's until it is destroyed. */
struct reply {
	uint32_t from;
	uint32_t to;
	uint16_t to_port;
	const uint8_t *frame;
	const uint8_t *data;
	size_t size;
};

static struct reply take(struct shard *shard)
{
	struct reply reply;
	struct iphdr ip;
	struct in_addr src, dst;
	const uint8_t *l4 = guest_take_ip4(shard, &ip, &reply.size);

	src.s_addr = ip.saddr;
	dst.s_addr = ip.daddr;
	assert_int_equal(ip.protocol, IPPROTO_UDP);
	assert_int_equal(
		checksum_fold(checksum_add(
			l4, reply.size,
			checksum_pseudo4(src, dst, IPPROTO_UDP, reply.size))),
		0);
	assert_int_equal(l4[0] << 8 | l4[1], 67);
	reply.to_port = (uint16_t)(l4[2] << 8 | l4[3]);
	reply.from = ntohl(ip.saddr);
	reply.to = ntohl(ip.daddr);
	reply.frame = l4 - 34;
	reply.data = l4 + 8;
	reply.size -= 8;
	assert_true(reply.size >= 300);
	assert_int_equal(reply.data[0], 2);
	assert_memory_equal(reply.data + 4, "\xde\xad\xbe\xef", 4);
	assert_memory_equal(reply.data + 28, client_mac, 6);
	return reply;
}

/* An option's value, NULL if it is not there; options must be well-formed. */
static const uint8_t *option(const struct reply *reply, uint8_t wanted,
			     uint8_t *size)
{
	size_t at = OPTIONS_AT;

	while (reply->data[at] != 255) {
		assert_true(at + 2 + reply->data[at + 1] < reply->size);
		*size = reply->data[at + 1];
		if (reply->data[at] == wanted)
			return reply->data + at + 2;
		at += 2U + *size;
	}
	return NULL;
}

/* Zero where the option is not there. */
static uint32_t address_at(const uint8_t *at)
{
	uint32_t address;

	if (!at)
		return 0;
	memcpy(&address, at, 4);
	return ntohl(address);
}

static uint8_t type_of(const struct reply *reply)
{
	uint8_t size = 0;
	const uint8_t *value = option(reply, 53, &size);

	assert_non_null(value);
	assert_int_equal(size, 1);
	return *value;
}

static struct reply ask(struct shard *shard, const struct message *message)
{
	transmit(shard, message, message->size);
	return take(shard);
}

static void discover_is_offered_the_guests_address(void **state)
{
	struct message discover = begin(DISCOVER);
	struct reply offer = ask(*state, &discover);

	assert_int_equal(type_of(&offer), OFFER);
	assert_int_equal(address_at(offer.data + 16), GUEST);
	assert_int_equal(offer.from, GATEWAY);
}

static void offer_bears_what_a_client_needs(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	uint8_t size;

	strcpy(shard->config.hostname, "box");
	strcpy(shard->config.domain, "example.org");
	offer = ask(shard, &discover);
	assert_int_equal(address_at(option(&offer, 1, &size)), 0xffffff00);
	assert_int_equal(address_at(option(&offer, 3, &size)), GATEWAY);
	assert_int_equal(address_at(option(&offer, 6, &size)), DNS);
	assert_int_equal(address_at(option(&offer, 54, &size)), GATEWAY);
	assert_in_range(address_at(option(&offer, 51, &size)), 3600, 604800);
	assert_memory_equal(option(&offer, 26, &size), "\x05\xdc", 2);
	assert_memory_equal(option(&offer, 12, &size), "box", 3);
	assert_int_equal(size, 3);
	assert_memory_equal(option(&offer, 15, &size), "example.org", 11);
	assert_int_equal(size, 11);
}

static void names_are_left_out_where_there_are_none(void **state)
{
	struct message discover = begin(DISCOVER);
	struct reply offer = ask(*state, &discover);
	uint8_t size;

	assert_null(option(&offer, 12, &size));
	assert_null(option(&offer, 15, &size));
}

static void longest_names_do_not_break_the_reply(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	uint8_t size;

	memset(shard->config.hostname, 'h', sizeof(shard->config.hostname));
	memset(shard->config.domain, 'd', sizeof(shard->config.domain) - 1);
	offer = ask(shard, &discover);
	assert_non_null(option(&offer, 12, &size));
	assert_int_equal(size, sizeof(shard->config.hostname));
	assert_int_equal(type_of(&offer), OFFER);
}

static void restricted_guest_gets_no_router(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	uint8_t size;

	shard->config.restricted = true;
	offer = ask(shard, &discover);
	assert_null(option(&offer, 3, &size));
}

static void request_of_the_offer_is_acknowledged(void **state)
{
	struct message request = begin(REQUEST);
	struct reply ack;

	add_address(&request, 50, GUEST);
	add_address(&request, 54, GATEWAY);
	ack = ask(*state, &request);
	assert_int_equal(type_of(&ack), ACK);
	assert_int_equal(address_at(ack.data + 16), GUEST);
}

static void request_for_another_address_is_refused_to_all(void **state)
{
	struct message request = begin(REQUEST);
	struct reply nak;
	uint8_t size;

	add_address(&request, 50, 0x0a000220);
	nak = ask(*state, &request);
	assert_int_equal(type_of(&nak), NAK);
	assert_int_equal(address_at(nak.data + 16), 0);
	assert_int_equal(nak.to, 0xffffffff);
	assert_null(option(&nak, 51, &size));
	assert_int_equal(address_at(option(&nak, 54, &size)), GATEWAY);
}

static void request_to_another_server_is_none_of_ours(void **state)
{
	struct shard *shard = *state;
	struct message request = begin(REQUEST);

	add_address(&request, 50, GUEST);
	add_address(&request, 54, 0x0a000204);
	transmit(shard, &request, request.size);
	assert_null(fake_next(shard));
}

static void renewal_is_answered_to_the_address(void **state)
{
	struct shard *shard = *state;
	struct message request = begin(REQUEST);
	struct reply ack;

	put_address(&request, 12, GUEST);
	ack = ask(shard, &request);
	assert_int_equal(type_of(&ack), ACK);
	assert_int_equal(ack.to, GUEST);
	assert_memory_equal(ack.frame, client_mac, 6);
}

static void renewal_of_a_foreign_address_is_refused(void **state)
{
	struct message request = begin(REQUEST);
	struct reply nak;

	put_address(&request, 12, 0xc0a80005);
	nak = ask(*state, &request);
	assert_int_equal(type_of(&nak), NAK);
	assert_int_equal(nak.to, 0xffffffff);
}

static void broadcast_flag_is_obeyed(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer = ask(shard, &discover);

	assert_int_equal(offer.to, GUEST);
	assert_memory_equal(offer.frame, client_mac, 6);
	discover.data[10] = 0x80;
	offer = ask(shard, &discover);
	assert_int_equal(offer.to, 0xffffffff);
	assert_memory_equal(offer.frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_int_equal(offer.data[10], 0x80);
}

static void inform_gets_parameters_and_no_lease(void **state)
{
	struct message inform = begin(INFORM);
	struct reply ack;
	uint8_t size;

	put_address(&inform, 12, 0x0a000220);
	ack = ask(*state, &inform);
	assert_int_equal(type_of(&ack), ACK);
	assert_int_equal(ack.to, 0x0a000220);
	assert_int_equal(address_at(ack.data + 16), 0);
	assert_null(option(&ack, 51, &size));
	assert_int_equal(address_at(option(&ack, 6, &size)), DNS);
}

static void release_and_decline_are_not_answered(void **state)
{
	struct shard *shard = *state;
	struct message message = begin(RELEASE);

	transmit(shard, &message, message.size);
	message = begin(DECLINE);
	transmit(shard, &message, message.size);
	message = begin(OFFER);
	transmit(shard, &message, message.size);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, 0);
}

static void request_after_a_reboot_is_acknowledged(void **state)
{
	struct message request = begin(REQUEST);
	struct reply ack;

	add_address(&request, 50, GUEST);
	ack = ask(*state, &request);
	assert_int_equal(type_of(&ack), ACK);
	assert_int_equal(ack.to_port, 68);
}

static void rebinding_is_acknowledged(void **state)
{
	struct message request = begin(REQUEST);
	struct reply ack;

	put_address(&request, 12, GUEST);
	request.data[10] = 0x80;
	ack = ask(*state, &request);
	assert_int_equal(type_of(&ack), ACK);
	assert_int_equal(address_at(ack.data + 12), GUEST);
	assert_int_equal(ack.to, GUEST);
}

static void request_without_an_address_is_malformed(void **state)
{
	struct shard *shard = *state;
	struct message request = begin(REQUEST);

	transmit(shard, &request, request.size);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, 1);
}

/* RFC 2131, table 3 */
static void offer_has_no_client_address(void **state)
{
	struct message discover = begin(DISCOVER);
	struct reply offer;

	put_address(&discover, 12, GUEST);
	offer = ask(*state, &discover);
	assert_int_equal(address_at(offer.data + 12), 0);
}

static void lease_is_renewed_at_half_and_rebound_at_seven_eighths(void **state)
{
	struct message discover = begin(DISCOVER);
	struct reply offer = ask(*state, &discover);
	uint32_t lease;
	uint8_t size;

	lease = address_at(option(&offer, 51, &size));
	assert_int_equal(address_at(option(&offer, 58, &size)), lease / 2);
	assert_int_equal(address_at(option(&offer, 59, &size)), lease / 8 * 7);
}

static void host_without_a_route_gives_no_router(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	uint8_t size;

	shard->config.route4 = false;
	offer = ask(shard, &discover);
	assert_null(option(&offer, 3, &size));
	assert_int_equal(address_at(option(&offer, 6, &size)), DNS);
}

static void search_domains_are_told(void **state)
{
	static const uint8_t names[] = "\1a\7example\0\1b\7example";
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	const uint8_t *value;
	uint8_t size;

	strcpy(shard->config.search, "a.example b.example");
	offer = ask(shard, &discover);
	value = option(&offer, 119, &size);
	assert_non_null(value);
	assert_int_equal(size, sizeof(names));
	assert_memory_equal(value, names, sizeof(names));
	assert_memory_equal(option(&offer, 15, &size), "a.example", 9);
}

/* 7 names of 66 bytes, in two options (RFC 3396), for a client that takes so
 * much */
static void long_search_list_is_spread_over_options(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	char *search = shard->config.search;
	struct reply offer;
	const uint8_t *first;
	uint8_t size;

	for (int i = 0; i < 7; i++) {
		memset(search + 66 * i, 'a' + i, 65);
		search[66 * i + 32] = '.';
		search[66 * i + 65] = i < 6 ? ' ' : '\0';
	}
	strcpy(shard->config.domain, "example");
	offer = ask(shard, &discover);
	assert_null(option(&offer, 119, &size));
	assert_true(offer.size <= 548);
	add(&discover, 57, "\x05\xdc", 2);
	offer = ask(shard, &discover);
	first = option(&offer, 119, &size);
	assert_non_null(first);
	assert_int_equal(size, 255);
	assert_int_equal(first[255], 119);
	assert_int_equal(first[256], 7 * 67 - 255);
	assert_int_equal(first[257 + 7 * 67 - 255 - 1], 0);
}

static void only_what_is_asked_for_is_given(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);
	struct reply offer;
	uint8_t size;

	strcpy(shard->config.hostname, "box");
	strcpy(shard->config.domain, "example");
	add(&discover, 55, "\x0f\x06\x1c\x06\xfe\x33", 6);
	offer = ask(shard, &discover);
	assert_null(option(&offer, 3, &size));
	assert_null(option(&offer, 12, &size));
	assert_null(option(&offer, 26, &size));
	assert_null(option(&offer, 119, &size));
	assert_non_null(option(&offer, 51, &size));
	assert_int_equal(address_at(option(&offer, 1, &size)), 0xffffff00);
	assert_int_equal(address_at(option(&offer, 28, &size)), 0x0a0002ff);
	/* In the order that it likes, each once */
	assert_true(option(&offer, 15, &size) < option(&offer, 6, &size));
	assert_int_equal(option(&offer, 6, &size)[4], 28);
}

static void longest_parameter_list_is_survived(void **state)
{
	struct message discover = begin(DISCOVER);
	uint8_t wanted[255];
	struct reply offer;
	uint8_t size;

	for (unsigned int i = 0; i < sizeof(wanted); i++)
		wanted[i] = (uint8_t)i;
	add(&discover, 55, wanted, sizeof(wanted));
	offer = ask(*state, &discover);
	assert_int_equal(type_of(&offer), OFFER);
	assert_int_equal(address_at(option(&offer, 6, &size)), DNS);
}

static void reply_is_not_longer_than_the_client_takes(void **state)
{
	struct shard *shard = *state;
	static const uint8_t sizes[][2] = { { 0, 0 }, { 2, 64 }, { 255, 255 } };
	struct reply offer;

	memset(shard->config.hostname, 'h', sizeof(shard->config.hostname));
	memset(shard->config.domain, 'd', 255);
	for (int i = 0; i < 3; i++) {
		struct message discover = begin(DISCOVER);

		add(&discover, 57, sizes[i], 2);
		add(&discover, 61, shard->config.domain, 200);
		offer = ask(shard, &discover);
		assert_true(offer.size <= (i < 2 ? 576 - 28 : 1500 - 28));
		assert_int_equal(type_of(&offer), OFFER);
	}
}

/* RFC 6842 */
static void client_identifier_is_repeated(void **state)
{
	struct message request = begin(REQUEST);
	struct reply reply;
	const uint8_t *value;
	uint8_t size;

	add(&request, 61, "\xff identifier", 12);
	add_address(&request, 50, GUEST);
	reply = ask(*state, &request);
	value = option(&reply, 61, &size);
	assert_non_null(value);
	assert_int_equal(size, 12);
	assert_memory_equal(value, "\xff identifier", 12);
}

static void relay_gets_the_answer(void **state)
{
	struct message discover = begin(DISCOVER);
	struct reply offer;
	const uint8_t *value;
	uint8_t size;

	put_address(&discover, 24, 0x0a000230);
	add(&discover, 82, "\1\2ab", 4);
	offer = ask(*state, &discover);
	assert_int_equal(offer.to, 0x0a000230);
	assert_int_equal(offer.to_port, 67);
	assert_int_equal(address_at(offer.data + 24), 0x0a000230);
	assert_memory_equal(offer.frame, "\x52\x54\0\x12\x34\x56", 6);
	value = option(&offer, 82, &size);
	assert_non_null(value);
	assert_int_equal(size, 4);
	assert_memory_equal(value, "\1\2ab", 4);
	assert_int_equal(value[4], 255);
}

/* RFC 2131, 4.3.2 */
static void refusal_by_a_relay_is_broadcast_there(void **state)
{
	struct message request = begin(REQUEST);
	struct reply nak;

	put_address(&request, 24, 0x0a000230);
	add_address(&request, 50, 0xc0a80005);
	nak = ask(*state, &request);
	assert_int_equal(type_of(&nak), NAK);
	assert_int_equal(nak.to, 0x0a000230);
	assert_int_equal(nak.data[10], 0x80);
}

static void message_cut_in_its_header_is_malformed(void **state)
{
	struct shard *shard = *state;
	struct message discover = begin(DISCOVER);

	for (size_t size = 0; size < OPTIONS_AT; size++)
		transmit(shard, &discover, size);
	assert_null(fake_next(shard));
	assert_int_equal(shard->counters.tx_malformed, OPTIONS_AT);
}

static void message_cut_in_its_options_is_not_overread(void **state)
{
	struct shard *shard = *state;
	struct message request = begin(REQUEST);
	size_t whole;

	add_address(&request, 54, 0x0a000204);
	whole = request.size;
	add_address(&request, 50, GUEST);
	/* The server's id is there: none of ours whatever else is cut. */
	for (size_t size = whole; size <= request.size; size++)
		transmit(shard, &request, size);
	assert_null(fake_next(shard));
	/* Without a type there is nothing to answer. */
	for (size_t size = OPTIONS_AT; size < OPTIONS_AT + 3; size++)
		transmit(shard, &request, size);
	assert_null(fake_next(shard));
}

static void message_that_is_no_request_is_malformed(void **state)
{
	static const size_t places[] = { 0, 1, 2, 236, 239 };
	struct shard *shard = *state;

	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct message discover = begin(DISCOVER);

		discover.data[places[i]] ^= 8;
		transmit(shard, &discover, discover.size);
		assert_int_equal(shard->counters.tx_malformed, i + 1);
	}
	assert_null(fake_next(shard));
}

static void padding_and_the_end_option_are_understood(void **state)
{
	struct message request = begin(REQUEST);
	struct reply ack;

	for (int i = 0; i < 5; i++)
		request.data[request.size++] = 0;
	add_address(&request, 50, GUEST);
	request.data[request.size++] = 255;
	add_address(&request, 54, 0x0a000204); /* behind the end: not read */
	ack = ask(*state, &request);
	assert_int_equal(type_of(&ack), ACK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(discover_is_offered_the_guests_address),
		TEST(offer_bears_what_a_client_needs),
		TEST(names_are_left_out_where_there_are_none),
		TEST(longest_names_do_not_break_the_reply),
		TEST(restricted_guest_gets_no_router),
		TEST(request_of_the_offer_is_acknowledged),
		TEST(request_for_another_address_is_refused_to_all),
		TEST(request_to_another_server_is_none_of_ours),
		TEST(renewal_is_answered_to_the_address),
		TEST(renewal_of_a_foreign_address_is_refused),
		TEST(broadcast_flag_is_obeyed),
		TEST(inform_gets_parameters_and_no_lease),
		TEST(release_and_decline_are_not_answered),
		TEST(request_after_a_reboot_is_acknowledged),
		TEST(rebinding_is_acknowledged),
		TEST(request_without_an_address_is_malformed),
		TEST(offer_has_no_client_address),
		TEST(lease_is_renewed_at_half_and_rebound_at_seven_eighths),
		TEST(host_without_a_route_gives_no_router),
		TEST(search_domains_are_told),
		TEST(long_search_list_is_spread_over_options),
		TEST(only_what_is_asked_for_is_given),
		TEST(longest_parameter_list_is_survived),
		TEST(reply_is_not_longer_than_the_client_takes),
		TEST(client_identifier_is_repeated),
		TEST(relay_gets_the_answer),
		TEST(refusal_by_a_relay_is_broadcast_there),
		TEST(message_cut_in_its_header_is_malformed),
		TEST(message_cut_in_its_options_is_not_overread),
		TEST(message_that_is_no_request_is_malformed),
		TEST(padding_and_the_end_option_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
