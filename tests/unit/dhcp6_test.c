/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "slirp/protocols.h"
#include "unit/guest6.h"

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

#define SLIRP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#define DHCP6_AT sizeof(struct udphdr)

/* A message of @size bytes from the client port, to all servers. */
static void ask(struct shard *shard, const char *from, const void *message,
		size_t size)
{
	struct udphdr udp = {
		.uh_sport = htons(546),
		.uh_dport = htons(547),
		.uh_ulen = htons((uint16_t)(sizeof(udp) + size)),
	};
	uint8_t l4[512], frame[600];
	size_t length;

	memcpy(l4, &udp, sizeof(udp));
	memcpy(l4 + sizeof(udp), message, size);
	length = guest6_make(frame, from, "ff02::1:2", IPPROTO_UDP, l4,
			     sizeof(udp) + size,
			     offsetof(struct udphdr, uh_sum));
	guest6_send(shard, frame, length, dhcp6_input);
}

static const uint8_t *take(struct shard *shard, uint8_t type, size_t *size)
{
	const uint8_t *l4 =
		guest6_take(shard, ROUTER6, GUEST6_LL, IPPROTO_UDP, size);

	assert_memory_equal(l4, "\x02\x23\x02\x22", 4); /* 547, 546 */
	assert_true(*size > DHCP6_AT + 4);
	assert_int_equal(l4[DHCP6_AT], type);
	assert_memory_equal(l4 + DHCP6_AT + 1, "abc", 3);
	*size -= DHCP6_AT;
	return l4 + DHCP6_AT;
}

/* Return: an option's value, NULL if there is none */
static const uint8_t *find(const uint8_t *message, size_t size, uint16_t option,
			   size_t *length)
{
	for (size_t at = 4; at + 4 <= size; at += 4 + *length) {
		*length = (size_t)(message[at + 2] << 8 | message[at + 3]);
		assert_true(at + 4 + *length <= size);
		if ((message[at] << 8 | message[at + 1]) == option)
			return message + at + 4;
	}
	return NULL;
}

/* INFORMATION-REQUEST, transaction abc, client identifier "id" */
static const uint8_t information[] = {
	11, 'a', 'b', 'c', 0, 1, 0, 2, 'i', 'd'
};

static void information_is_given(void **state)
{
	struct shard *shard = *state;
	struct in6_addr dns = in6(DNS6);
	const uint8_t *reply;
	size_t size, length;

	strcpy(shard->config.domain, "example.org");
	ask(shard, GUEST6_LL, information, sizeof(information));
	reply = take(shard, 7, &size);
	assert_memory_equal(find(reply, size, 1, &length), "id", 2);
	assert_int_equal(length, 2);
	assert_non_null(find(reply, size, 2, &length));
	assert_memory_equal(find(reply, size, 23, &length), &dns, sizeof(dns));
	assert_int_equal(length, sizeof(dns));
	assert_memory_equal(find(reply, size, 24, &length), "\7example\3org",
			    13);
	assert_int_equal(length, 13);
}

static void addresses_are_not_to_be_had(void **state)
{
	uint8_t message[sizeof(information)];
	const uint8_t *reply;
	size_t size, length;

	memcpy(message, information, sizeof(message));
	message[0] = 1; /* SOLICIT */
	ask(*state, GUEST6_LL, message, sizeof(message));
	reply = take(*state, 2, &size);
	assert_memory_equal(find(reply, size, 13, &length), "\0\2", 2);
}

static void other_servers_business_is_left_alone(void **state)
{
	static const uint8_t message[] = { 11, 'a', 'b', 'c', 0,
					   2,  0,   2,   'x', 'y' };

	ask(*state, GUEST6_LL, message, sizeof(message));
	assert_null(fake_next(*state));
}

static void malformed_messages_get_no_answer(void **state)
{
	struct shard *shard = *state;

	ask(shard, GUEST6_LL, information, 3);
	ask(shard, "::", information, sizeof(information));
	assert_int_equal(shard->counters.tx_malformed, 2);
	assert_null(fake_next(shard));
}

static void options_that_run_out_end_the_message(void **state)
{
	static const uint8_t message[] = { 11, 'a', 'b', 'c', 0, 1, 255, 255 };
	size_t size, length;
	const uint8_t *reply;

	ask(*state, GUEST6_LL, message, sizeof(message));
	reply = take(*state, 7, &size);
	assert_null(find(reply, size, 1, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLIRP_TEST(information_is_given),
		SLIRP_TEST(addresses_are_not_to_be_had),
		SLIRP_TEST(other_servers_business_is_left_alone),
		SLIRP_TEST(malformed_messages_get_no_answer),
		SLIRP_TEST(options_that_run_out_end_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
