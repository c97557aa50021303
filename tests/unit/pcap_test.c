/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures of running shards, read back from their files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp/pcap.h"
#include "slirp/pcap_ring.h"
#include "support/datagram.h"
#include "unit/control_rig.h"

#define BLOCKS_MAX 64

/* What a block of pcapng says (draft-ietf-opsawg-pcapng). */
enum block_type {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

struct block {
	uint32_t type;
	uint32_t length;
	const uint8_t *body; /* behind type and length */
};

struct capture {
	uint8_t *file;
	size_t size;
	struct block block[BLOCKS_MAX];
	unsigned int count;
};

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static int open_file(void)
{
	return memfd_create("capture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static void read_blocks(struct capture *capture)
{
	size_t at = 0;

	while (at < capture->size) {
		struct block *block = &capture->block[capture->count++];

		assert_true(capture->count <= BLOCKS_MAX);
		assert_true(capture->size - at >= 12);
		block->type = word(capture->file + at);
		block->length = word(capture->file + at + 4);
		block->body = capture->file + at + 8;
		assert_int_equal(block->length % 4, 0);
		assert_in_range(block->length, 12, capture->size - at);
		at += block->length;
		assert_int_equal(word(capture->file + at - 4), block->length);
	}
}

static struct capture *read_file(int fd)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	struct stat stat;

	assert_return_code(fstat(fd, &stat), errno);
	capture->size = (size_t)stat.st_size;
	capture->file = malloc(capture->size);
	assert_int_equal(pread(fd, capture->file, capture->size, 0),
			 stat.st_size);
	read_blocks(capture);
	return capture;
}

static void drop_file(struct capture *capture, int fd)
{
	free(capture->file);
	free(capture);
	close(fd);
}

/* The n-th block of a type. */
static const struct block *find(const struct capture *capture, uint32_t type,
				unsigned int n)
{
	for (unsigned int i = 0; i < capture->count; i++)
		if (capture->block[i].type == type && n-- == 0)
			return &capture->block[i];
	return NULL;
}

static unsigned int count_of(const struct capture *capture, uint32_t type)
{
	unsigned int count = 0;

	while (find(capture, type, count))
		count++;
	return count;
}

static const uint8_t *option(const struct block *block, size_t at,
			     uint16_t code, uint16_t *size)
{
	uint16_t header[2];

	for (; at < block->length - 12; at += 4 + (header[1] + 3U) / 4 * 4) {
		memcpy(header, block->body + at, sizeof(header));
		*size = header[1];
		if (header[0] == code)
			return block->body + at + 4;
	}
	return NULL;
}

/* Capture to a file of ours, which stays open here. */
static int start(struct rig *rig, uint32_t snap, uint64_t limit)
{
	int fd = open_file();
	struct pcap_config config = { dup(fd), snap, limit };
	struct fail fail = { 0 };

	if (slirp_pcap_start(rig->slirp, &config, &fail))
		fail_msg("%s", fail.text);
	return fd;
}

static struct capture *stop(struct rig *rig, int fd, struct pcap_result *result)
{
	struct fail fail = { 0 };

	if (slirp_pcap_stop(rig->slirp, result, &fail))
		fail_msg("%s", fail.text);
	return read_file(fd);
}

static void queues_are_interfaces_by_name(void **state)
{
	int fd = start(*state, 0, 0);
	struct pcap_result result;
	struct capture *capture = stop(*state, fd, &result);
	const struct block *block = find(capture, BLOCK_SECTION, 0);
	const uint8_t *name;
	uint16_t size;

	assert_int_equal(capture->block[0].type, BLOCK_SECTION);
	assert_int_equal(word(block->body), 0x1a2b3c4d);
	for (unsigned int i = 0; i < RIG_SHARDS; i++) {
		block = find(capture, BLOCK_INTERFACE, i);
		assert_non_null(block);
		assert_int_equal(word(block->body), 1); /* Ethernet */
		name = option(block, 8, 2, &size);
		assert_int_equal(size, 6);
		assert_memory_equal(name, i ? "queue1" : "queue0", 6);
	}
	assert_null(find(capture, BLOCK_INTERFACE, RIG_SHARDS));
	assert_int_equal(count_of(capture, BLOCK_STATISTICS), RIG_SHARDS);
	assert_int_equal(result.frames, 0);
	assert_int_equal(result.bytes, capture->size);
	drop_file(capture, fd);
}

static void check_packet(const struct block *block, uint32_t queue,
			 uint32_t length, uint32_t direction)
{
	const uint8_t *flags;
	uint16_t size;

	assert_int_equal(word(block->body), queue);
	assert_int_equal(word(block->body + 12), length);
	assert_int_equal(word(block->body + 16), length);
	flags = option(block, 20 + (length + 3) / 4 * 4, 2, &size);
	assert_non_null(flags);
	assert_int_equal(word(flags) & 3, direction);
}

static void frames_of_both_ways_are_there(void **state)
{
	int fd = start(*state, 0, 0);
	uint8_t expected[200], zeros[101] = { 0 };
	struct rig *rig = *state;
	struct pcap_result result;
	struct capture *capture;
	const struct block *out, *in;

	rig_datagram(rig, 1, 4000, 101);
	rig_answer(rig, 1, 33);
	capture = stop(rig, fd, &result);
	assert_int_equal(result.frames, 2);
	assert_int_equal(result.dropped, 0);
	out = find(capture, BLOCK_PACKET, 0);
	in = find(capture, BLOCK_PACKET, 1);
	check_packet(out, 1, DATAGRAM_HEADERS + 101, 2);
	check_packet(in, 1, DATAGRAM_HEADERS + 33, 1);
	datagram_make(&rig->config, expected, 4000, rig->host_port, zeros, 101);
	assert_memory_equal(out->body + 20, expected, DATAGRAM_HEADERS + 101);
	drop_file(capture, fd);
}

static void times_do_not_go_back(void **state)
{
	int fd = start(*state, 0, 0);
	struct pcap_result result;
	struct capture *capture;
	uint64_t last = 0, at;
	time_t now = time(NULL);

	for (unsigned int i = 0; i < 20; i++)
		rig_datagram(*state, i % RIG_SHARDS, (uint16_t)(4000 + i), 1);
	capture = stop(*state, fd, &result);
	assert_int_equal(count_of(capture, BLOCK_PACKET), 20);
	for (unsigned int i = 0; i < 20; i++) {
		const uint8_t *body = find(capture, BLOCK_PACKET, i)->body;

		at = (uint64_t)word(body + 4) << 32 | word(body + 8);
		assert_true(at >= last);
		last = at;
	}
	/* Nanoseconds since 1970. */
	assert_in_range(last / 1000000000, (uint64_t)now - 60,
			(uint64_t)now + 60);
	drop_file(capture, fd);
}

static void frames_of_another_shards_flow_are_on_their_queue(void **state)
{
	int fd = start(*state, 0, 0);
	struct pcap_result result;
	struct capture *capture;

	rig_datagram(*state, 0, 4000, 1);
	rig_datagram(*state, 1, 4000, 2);
	rig_answer(*state, 1, 3);
	capture = stop(*state, fd, &result);
	assert_int_equal(count_of(capture, BLOCK_PACKET), 3);
	check_packet(find(capture, BLOCK_PACKET, 0), 0, DATAGRAM_HEADERS + 1,
		     2);
	check_packet(find(capture, BLOCK_PACKET, 1), 1, DATAGRAM_HEADERS + 2,
		     2);
	check_packet(find(capture, BLOCK_PACKET, 2), 1, DATAGRAM_HEADERS + 3,
		     1);
	drop_file(capture, fd);
}

static void only_the_beginning_is_kept_if_so_asked(void **state)
{
	int fd = start(*state, 50, 0);
	struct pcap_result result;
	struct capture *capture;
	const struct block *block;

	rig_datagram(*state, 0, 4000, 1000);
	capture = stop(*state, fd, &result);
	block = find(capture, BLOCK_PACKET, 0);
	assert_int_equal(word(block->body + 12), 50);
	assert_int_equal(word(block->body + 16), DATAGRAM_HEADERS + 1000);
	assert_int_equal(word(find(capture, BLOCK_INTERFACE, 0)->body + 4), 50);
	drop_file(capture, fd);
}

static void nothing_is_captured_before_and_afterwards(void **state)
{
	struct pcap_result result;
	struct capture *capture;
	int fd;

	rig_datagram(*state, 0, 4000, 1);
	fd = start(*state, 0, 0);
	drop_file(stop(*state, fd, &result), fd);
	assert_int_equal(result.frames, 0);
	rig_datagram(*state, 0, 4000, 1);
	fd = start(*state, 0, 0);
	rig_datagram(*state, 0, 4000, 1);
	capture = stop(*state, fd, &result);
	assert_int_equal(result.frames, 1);
	drop_file(capture, fd);
}

static void the_file_grows_to_its_limit_only(void **state)
{
	int fd = start(*state, 0, PCAP_LIMIT_MIN);
	struct pcap_result result;
	struct fail fail = { 0 };
	struct stat stat;

	for (unsigned int i = 0; i < 1000; i++)
		rig_datagram(*state, 0, 4000, 1400);
	assert_int_equal(
		slirp_pcap_stop(((struct rig *)*state)->slirp, &result, &fail),
		0);
	assert_return_code(fstat(fd, &stat), errno);
	assert_in_range(stat.st_size, PCAP_LIMIT_MIN / 2, PCAP_LIMIT_MIN);
	assert_int_equal(result.bytes, stat.st_size);
	assert_int_equal(result.frames + result.dropped, 1000);
	assert_true(result.dropped > 0);
	close(fd);
}

static void there_is_one_at_a_time(void **state)
{
	struct rig *rig = *state;
	int fd = start(rig, 0, 0);
	struct pcap_config config = { open_file(), 0, 0 };
	struct pcap_result result;
	struct fail fail = { 0 };

	assert_int_equal(slirp_pcap_start(rig->slirp, &config, &fail), -EBUSY);
	drop_file(stop(rig, fd, &result), fd);
	assert_int_equal(slirp_pcap_stop(rig->slirp, &result, NULL), -ENOENT);
}

static void a_full_disk_is_told(void **state)
{
	struct pcap_config config = { open("/dev/full", O_WRONLY | O_CLOEXEC),
				      0, 0 };
	struct rig *rig = *state;
	struct fail fail = { 0 };

	assert_int_equal(slirp_pcap_start(rig->slirp, &config, &fail), -ENOSPC);
	assert_non_null(strstr(fail.text, "No space"));
	rig_datagram(rig, 0, 4000, 1);
}

static void a_file_that_fails_later_is_told_at_the_end(void **state)
{
	struct rig *rig = *state;
	struct pcap_result result;
	struct fail fail = { 0 };
	int fd = start(rig, 0, 0);

	/* From here on no byte can be added. */
	assert_return_code(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW),
			   errno);
	rig_datagram(rig, 0, 4000, 1);
	rig_answer(rig, 0, 1);
	assert_int_equal(slirp_pcap_stop(rig->slirp, &result, &fail), -EPERM);
	assert_non_null(strstr(fail.text, "could not be written"));
	assert_int_equal(result.frames + result.dropped, 2);
	close(fd);
}

static void the_end_of_the_nat_completes_the_file(void **state)
{
	struct rig *rig = *state;
	int fd = start(rig, 0, 0);
	struct capture *capture;

	rig_datagram(rig, 0, 4000, 1);
	control_stop(rig->control);
	rig->control = NULL;
	slirp_destroy(rig->slirp);
	rig->slirp = NULL;
	capture = read_file(fd);
	assert_int_equal(count_of(capture, BLOCK_PACKET), 1);
	assert_int_equal(count_of(capture, BLOCK_STATISTICS), RIG_SHARDS);
	drop_file(capture, fd);
}

/* The ring, without the thread that empties it */

static int ring_set_up(void **state)
{
	struct pcap_ring *ring = NULL;

	if (posix_memalign((void **)&ring, 64, sizeof(*ring)))
		return -1;
	memset(ring, 0, sizeof(*ring));
	ring->snap = UINT32_MAX;
	ring->wake_fd = -1;
	*state = ring;
	return pcap_ring_setup(ring);
}

static int ring_tear_down(void **state)
{
	pcap_ring_teardown(*state);
	free(*state);
	return 0;
}

static void put(struct pcap_ring *ring, size_t length)
{
	static uint8_t frame[65536];
	struct iovec iov = { frame, length };

	memset(frame, (int)length & 0xff, length);
	pcap_ring_put(ring, &iov, 1, length, PCAPNG_INBOUND);
}

static void a_full_ring_drops_and_counts(void **state)
{
	struct pcap_ring *ring = *state;
	uint64_t end;
	size_t size, kept = 0;

	for (unsigned int i = 0; i < 100; i++)
		put(ring, 60000);
	assert_int_equal(ring->seen, 100);
	end = pcap_ring_end(ring);
	for (; pcap_ring_peek(ring, end, &size); kept++)
		pcap_ring_take(ring, size);
	assert_int_equal(kept, PCAP_RING_SIZE / pcapng_packet_size(60000));
	assert_int_equal(ring->dropped, 100 - kept);
	put(ring, 60000);
	assert_int_equal(ring->dropped, 100 - kept);
}

static void blocks_come_out_as_they_went_in(void **state)
{
	struct pcap_ring *ring = *state;
	const uint8_t *block;
	size_t size;

	/* Many times round, with lengths of all sorts. */
	for (size_t i = 1; i < 2000; i++) {
		size_t length = i * 7919 % 65500 + 1;

		put(ring, length);
		block = pcap_ring_peek(ring, pcap_ring_end(ring), &size);
		assert_non_null(block);
		assert_int_equal(size, pcapng_packet_size(length));
		assert_int_equal(word(block + 20), length);
		assert_int_equal(block[28], length & 0xff);
		assert_int_equal(block[28 + length - 1], length & 0xff);
		pcap_ring_take(ring, size);
	}
	assert_null(pcap_ring_peek(ring, pcap_ring_end(ring), &size));
	assert_int_equal(ring->dropped, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
#define RING_TEST(name) \
	cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queues_are_interfaces_by_name),
		TEST(frames_of_both_ways_are_there),
		TEST(times_do_not_go_back),
		TEST(frames_of_another_shards_flow_are_on_their_queue),
		TEST(only_the_beginning_is_kept_if_so_asked),
		TEST(nothing_is_captured_before_and_afterwards),
		TEST(the_file_grows_to_its_limit_only),
		TEST(there_is_one_at_a_time),
		TEST(a_full_disk_is_told),
		TEST(a_file_that_fails_later_is_told_at_the_end),
		TEST(the_end_of_the_nat_completes_the_file),
		RING_TEST(a_full_ring_drops_and_counts),
		RING_TEST(blocks_come_out_as_they_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
