/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest's connection that leads to a unix socket of the host's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/tcp_guest.h"

#define BULK    3000000 /* bytes, more than the socket's buffers */
#define CHUNK   16000   /* bytes of the guest's segments */
#define SCALE   8       /* of the windows that the guest is told */
#define BACKLOG 1

/* The guest's peer is a unix socket now, in a folder of this test's. */
static int set_up(void **state)
{
	struct slirp_guest_forward *forward;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/tcp-local-XXXXXX";
	struct guest *guest;

	if (guest_set_up(state) || !mkdtemp(folder))
		return -1;
	guest = *state;
	close(guest->listener);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/s", folder);
	guest->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		bind(guest->listener, (struct sockaddr *)&name, sizeof(name)),
		0);
	assert_int_equal(listen(guest->listener, BACKLOG), 0);
	forward = &guest->shard->config.guest_forward[0];
	forward->server.address = address_from4(guest->shard->config.gateway);
	forward->server.port = guest->peer_port;
	memcpy(forward->path, name.sun_path, sizeof(forward->path));
	guest->shard->config.guest_forward_count = 1;
	return 0;
}

static int tear_down(void **state)
{
	struct guest *guest = *state;
	char *path = guest->shard->config.guest_forward[0].path;

	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	return guest_tear_down(state);
}

static void bytes_pass_both_ways(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_PUSH, "hello", 5);
	fake_turn(guest->shard);
	host_expect(guest, "hello", 5);
	host_send(guest, "world", 5);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_int_equal(heard.length, 5);
	assert_memory_equal(heard.data, "world", 5);
}

static void policy_does_not_hold_for_it(void **state)
{
	struct guest *guest = *state;

	guest->shard->config.restricted = true;
	guest_connect(guest);
}

static void download_arrives_bit_for_bit(void **state)
{
	struct guest *guest = *state;

	guest_connect(guest);
	guest_transfer(guest, BULK);
}

static void download_with_a_small_window_arrives_bit_for_bit(void **state)
{
	struct guest *guest = *state;

	guest->scale = 0;
	guest->window = 5000;
	guest_connect(guest);
	guest_transfer(guest, BULK / 10);
}

/* What the guest knows of its way to the host. */
struct upload {
	uint32_t base;
	uint32_t acked;
	uint32_t edge;
	uint32_t next;
};

static void upload_hear(struct guest *guest, struct upload *upload)
{
	struct heard heard;
	uint32_t duplicates = 0;

	while (guest_hear(guest, &heard)) {
		duplicates += heard.ack == upload->acked;
		upload->acked = heard.ack;
		upload->edge = heard.ack + ((uint32_t)heard.window << SCALE);
	}
	fake_drop_frames(guest->shard);
	if (duplicates >= 3)
		upload->next = upload->acked;
}

static void upload_send(struct guest *guest, struct upload *upload,
			const uint8_t *data, size_t size)
{
	for (int i = 0; i < 8; i++) {
		uint32_t at = upload->next - upload->base;
		uint32_t left = (uint32_t)size - at;
		int32_t room = (int32_t)(upload->edge - upload->next);

		if (left > CHUNK)
			left = CHUNK;
		if (!left || room < (int32_t)left)
			return;
		guest_send_at(guest, upload->next, TH_ACK, data + at, left);
		upload->next += left;
	}
}

static void upload_arrives_bit_for_bit(void **state)
{
	struct guest *guest = *state;
	uint8_t *data = malloc(BULK), *got = malloc(BULK);
	struct upload upload;
	size_t taken = 0;

	guest_connect(guest);
	guest_fill(data, BULK);
	fcntl(guest->host, F_SETFL, O_NONBLOCK);
	upload = (struct upload) { .base = guest->seq,
				   .acked = guest->seq,
				   .next = guest->seq,
				   .edge = guest->seq + 65535 };
	for (int turn = 0; taken < BULK; turn++) {
		ssize_t n = 0;

		assert_in_range(turn, 0, 100000);
		upload_send(guest, &upload, data, BULK);
		fake_turn(guest->shard);
		upload_hear(guest, &upload);
		/* The reader is slow, so the buffer runs full. */
		if (turn % 4 == 0)
			n = recv(guest->host, got + taken, 100000, 0);
		taken += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(got, data, BULK);
	free(data);
	free(got);
}

static void each_side_ends_on_its_own(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	guest_connect(guest);
	guest_send(guest, TH_ACK | TH_FIN, "bye", 3);
	fake_turn(guest->shard);
	host_expect(guest, "bye", 3);
	host_expect_eof(guest);
	fake_drop_frames(guest->shard);
	host_send(guest, "late", 4);
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_PUSH, &heard);
	assert_int_equal(heard.length, 4);
	close(guest->host);
	guest->host = -1;
	guest_wait(guest);
	guest_expect(guest, TH_ACK | TH_FIN, &heard);
}

static void close_by_the_host_ends_after_its_last_byte(void **state)
{
	struct guest *guest = *state;
	static uint8_t data[100000], got[sizeof(data)];
	size_t taken = 0;

	guest_connect(guest);
	guest_fill(data, sizeof(data));
	host_send(guest, data, sizeof(data));
	close(guest->host);
	guest->host = -1;
	for (int turn = 0; taken < sizeof(data); turn++) {
		assert_in_range(turn, 0, 1000);
		fake_turn(guest->shard);
		taken += guest_listen(guest, got + taken);
		fake_drop_frames(guest->shard);
		guest_send(guest, TH_ACK, NULL, 0);
	}
	assert_memory_equal(got, data, sizeof(data));
}

static void nobody_who_listens_resets(void **state)
{
	struct guest *guest = *state;
	struct heard heard;

	close(guest->listener);
	guest->listener = -1;
	guest_send(guest, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_RST | TH_ACK, &heard);
	assert_int_equal(fake_flows_live(guest->shard), 0);
}

static void full_listener_is_asked_again_by_the_next_syn(void **state)
{
	struct guest *guest = *state;
	uint32_t isn = guest->seq;
	struct heard heard;
	int sock;

	for (int i = 0; i <= BACKLOG; i++) {
		guest_send_at(guest, isn, TH_SYN, NULL, 0);
		fake_turn(guest->shard);
		guest_expect(guest, TH_SYN | TH_ACK, &heard);
		guest->port++;
	}
	guest_send_at(guest, isn, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect_silence(guest);
	sock = accept(guest->listener, NULL, NULL);
	assert_true(sock >= 0);
	guest_send_at(guest, isn, TH_SYN, NULL, 0);
	fake_turn(guest->shard);
	guest_expect(guest, TH_SYN | TH_ACK, &heard);
	close(sock);
}

#define LOCAL_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCAL_TEST(bytes_pass_both_ways),
		LOCAL_TEST(policy_does_not_hold_for_it),
		LOCAL_TEST(download_arrives_bit_for_bit),
		LOCAL_TEST(download_with_a_small_window_arrives_bit_for_bit),
		LOCAL_TEST(upload_arrives_bit_for_bit),
		LOCAL_TEST(each_side_ends_on_its_own),
		LOCAL_TEST(close_by_the_host_ends_after_its_last_byte),
		LOCAL_TEST(nobody_who_listens_resets),
		LOCAL_TEST(full_listener_is_asked_again_by_the_next_syn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
