/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/pcap.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "slirp/pcap_ring.h"
#include "slirp/shard_internal.h"

/*
 * Theory of operation
 *
 * A write to a file may sleep for seconds, whatever the file's flags say: so
 * shards do not write. Each copies its frames, as blocks of the file, into a
 * ring of its own, and a thread of the capture's carries them from there to the
 * file. A shard that finds its ring full drops and counts the frame. Without a
 * capture a frame costs the test of a pointer that is the shard's own.
 *
 * The thread looks at the rings every DRAIN_MS, and when one is half full. It
 * takes the oldest block of all rings next, as long as that was there before it
 * looked at any ring's end: what another frame led to is not before it in the
 * file.
 *
 * Frames are noted where a port takes them and gives them, on the queue that
 * they really use, before and behind all handing over. Checksums and segments
 * that are left to the other side are so in the file.
 */

#define DRAIN_MS     100
#define STAGING_SIZE (256U << 10) /* bytes of one write */

/**
 * struct pcap - A capture
 * @limit:	Of @bytes, with the blocks at the end that are still to come
 * @error:	Negative errno of the first write that failed
 * @stop:	Stored by slirp_pcap_stop(): the shards have let go
 * @ring:	One for each shard
 * @safe:	End of each before that of any was looked at for @end
 * @end:	End of each
 * @refused:	Frames of each that came out of the ring and were dropped
 * @staged:	Bytes of @staging that are to be written
 */
struct pcap {
	int fd;
	int wake_fd;
	uint64_t limit;
	uint64_t bytes;
	uint64_t frames;
	int error;
	bool stop;
	unsigned int count;
	struct pcap_ring *ring;
	uint64_t *safe;
	uint64_t *end;
	uint64_t *refused;
	pthread_t thread;
	size_t staged;
	uint8_t staging[STAGING_SIZE];
};

void pcap_note(struct shard *shard, const struct iovec *iov, unsigned int count,
	       size_t length, bool to_guest)
{
	pcap_ring_put(shard->pcap, iov, count, length,
		      to_guest ? PCAPNG_INBOUND : PCAPNG_OUTBOUND);
}

/* Writing */

static void pcap_flush(struct pcap *pcap)
{
	const uint8_t *at = pcap->staging;
	size_t left = pcap->staged;
	ssize_t ret;

	pcap->staged = 0;
	while (left && !pcap->error) {
		ret = write(pcap->fd, at, left);
		if (ret < 0 && errno != EINTR) {
			pcap->error = -errno;
		} else if (ret > 0) {
			at += ret;
			left -= (size_t)ret;
			pcap->bytes += (uint64_t)ret;
		}
	}
}

static void pcap_append(struct pcap *pcap, const void *block, size_t size)
{
	if (pcap->staged + size > sizeof(pcap->staging))
		pcap_flush(pcap);
	memcpy(pcap->staging + pcap->staged, block, size);
	pcap->staged += size;
}

static void pcap_append_packet(struct pcap *pcap, struct pcap_ring *ring,
			       const uint8_t *block, size_t size)
{
	if (pcap->error ||
	    (pcap->limit && pcap->bytes + pcap->staged + size > pcap->limit)) {
		pcap->refused[ring->interface]++;
	} else {
		pcap_append(pcap, block, size);
		pcap->frames++;
	}
	pcap_ring_take(ring, size);
}

/* Return: the ring with the oldest block before its end, NULL if none has one
 */
static struct pcap_ring *pcap_oldest(struct pcap *pcap, const uint8_t **block,
				     size_t *size)
{
	struct pcap_ring *oldest = NULL;

	for (unsigned int i = 0; i < pcap->count; i++) {
		size_t length;
		const uint8_t *at =
			pcap_ring_peek(&pcap->ring[i], pcap->end[i], &length);

		if (!at || (oldest && pcapng_packet_time_ns(at) >=
					      pcapng_packet_time_ns(*block)))
			continue;
		oldest = &pcap->ring[i];
		*block = at;
		*size = length;
	}
	return oldest;
}

/* Carry what the rings hold at this moment to the file. */
static void pcap_drain(struct pcap *pcap)
{
	struct pcap_ring *ring;
	const uint8_t *block;
	size_t size;

	for (unsigned int i = 0; i < pcap->count; i++)
		pcap->safe[i] = pcap_ring_end(&pcap->ring[i]);
	for (unsigned int i = 0; i < pcap->count; i++)
		pcap->end[i] = pcap_ring_end(&pcap->ring[i]);
	while ((ring = pcap_oldest(pcap, &block, &size)) &&
	       ring->tail < pcap->safe[ring->interface])
		pcap_append_packet(pcap, ring, block, size);
	pcap_flush(pcap);
}

static void *pcap_main(void *context)
{
	struct pcap *pcap = context;
	struct pollfd wake = { .fd = pcap->wake_fd, .events = POLLIN };
	uint64_t value;
	ssize_t ret;
	bool stop;

	pthread_setname_np(pthread_self(), "pcap");
	do {
		poll(&wake, 1, DRAIN_MS);
		ret = read(pcap->wake_fd, &value, sizeof(value));
		(void)ret;
		/* Pairs with the release in slirp_pcap_stop(). */
		stop = __atomic_load_n(&pcap->stop, __ATOMIC_ACQUIRE);
		pcap_drain(pcap);
	} while (!stop);
	return NULL;
}

/* Both ends of a file */

static void pcap_begin_file(struct pcap *pcap, uint32_t snap)
{
	uint8_t block[PCAPNG_BLOCK_MAX];
	char name[32];

	pcap_append(pcap, block, pcapng_write_section(block));
	for (unsigned int i = 0; i < pcap->count; i++) {
		snprintf(name, sizeof(name), "queue%u", i);
		pcap_append(pcap, block,
			    pcapng_write_interface(block, name, snap));
	}
}

static void pcap_end_file(struct pcap *pcap)
{
	uint8_t block[PCAPNG_BLOCK_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned int i = 0; i < pcap->count; i++) {
		const struct pcap_ring *ring = &pcap->ring[i];

		pcap_append(pcap, block,
			    pcapng_write_statistics(
				    block, i,
				    (uint64_t)now.tv_sec * 1000000000 +
					    (uint64_t)now.tv_nsec,
				    ring->seen,
				    ring->dropped + pcap->refused[i]));
	}
	pcap_flush(pcap);
}

/* Beginning and end */

static void pcap_destroy(struct pcap *pcap)
{
	for (unsigned int i = 0; pcap->ring && i < pcap->count; i++)
		pcap_ring_teardown(&pcap->ring[i]);
	free(pcap->ring);
	free(pcap->safe);
	free(pcap->end);
	free(pcap->refused);
	if (pcap->wake_fd >= 0)
		close(pcap->wake_fd);
	if (pcap->fd >= 0)
		close(pcap->fd);
	free(pcap);
}

static int pcap_setup_rings(struct pcap *pcap, uint32_t snap)
{
	size_t size = pcap->count * sizeof(*pcap->ring);

	pcap->safe = calloc(pcap->count, sizeof(*pcap->safe));
	pcap->end = calloc(pcap->count, sizeof(*pcap->end));
	pcap->refused = calloc(pcap->count, sizeof(*pcap->refused));
	if (!pcap->safe || !pcap->end || !pcap->refused ||
	    posix_memalign((void **)&pcap->ring, CACHE_LINE, size))
		return -ENOMEM;
	memset(pcap->ring, 0, size);
	for (unsigned int i = 0; i < pcap->count; i++) {
		pcap->ring[i].interface = i;
		pcap->ring[i].snap = snap ? snap : UINT32_MAX;
		pcap->ring[i].wake_fd = pcap->wake_fd;
		if (pcap_ring_setup(&pcap->ring[i]))
			return -ENOMEM;
	}
	return 0;
}

static int pcap_start_thread(struct pcap *pcap)
{
	sigset_t all, before;
	int ret;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&pcap->thread, NULL, pcap_main, pcap);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

static int pcap_create(const struct pcap_config *config, unsigned int shards,
		       struct pcap **out)
{
	struct pcap *pcap = calloc(1, sizeof(*pcap));
	int ret = -ENOMEM, emptied;

	if (!pcap) {
		close(config->fd);
		return ret;
	}
	pcap->fd = config->fd;
	pcap->count = shards;
	if (config->limit)
		pcap->limit =
			config->limit - (uint64_t)shards * PCAPNG_BLOCK_MAX;
	pcap->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pcap->wake_fd < 0)
		ret = -errno;
	else
		ret = pcap_setup_rings(pcap, config->snap);
	if (!ret) {
		/* Fails on what is no file, and has nothing to lose. */
		emptied = ftruncate(pcap->fd, 0);
		(void)emptied;
		pcap_begin_file(pcap, config->snap);
		pcap_flush(pcap);
		ret = pcap->error;
	}
	if (!ret)
		ret = pcap_start_thread(pcap);
	if (ret)
		pcap_destroy(pcap);
	else
		*out = pcap;
	return ret;
}

/* What a shard is told, on its own thread. */
struct pcap_switch {
	struct shard *shard;
	struct pcap_ring *ring;
};

static void pcap_switch_shard(void *context)
{
	struct pcap_switch *order = context;

	order->shard->pcap = order->ring;
}

static void pcap_switch(struct slirp *slirp, const struct pcap *pcap)
{
	for (unsigned int i = 0; i < slirp->config.shard_count; i++) {
		struct pcap_switch order = {
			.shard = slirp->shard[i],
			.ring = pcap ? &pcap->ring[i] : NULL,
		};

		slirp_call_shard(slirp, i, pcap_switch_shard, &order);
	}
}

static int pcap_check(const struct pcap_config *config, struct fail *fail)
{
	if (config->snap && config->snap < PCAP_SNAP_MIN)
		return fail_set(fail, -EINVAL,
				"a capture keeps %d bytes of a frame at least",
				PCAP_SNAP_MIN);
	if (config->limit && config->limit < PCAP_LIMIT_MIN)
		return fail_set(fail, -EINVAL,
				"a capture's limit is %u bytes at least",
				PCAP_LIMIT_MIN);
	return 0;
}

int slirp_pcap_start(struct slirp *slirp, const struct pcap_config *config,
		     struct fail *fail)
{
	int ret = pcap_check(config, fail);

	if (!ret && slirp->pcap)
		ret = fail_set(fail, -EBUSY,
			       "a capture runs already: stop it first");
	if (ret) {
		close(config->fd);
		return ret;
	}
	ret = pcap_create(config, slirp->config.shard_count, &slirp->pcap);
	if (ret)
		return fail_set(fail, ret, "cannot begin the capture (%s)",
				strerror(-ret));
	pcap_switch(slirp, slirp->pcap);
	return 0;
}

int slirp_pcap_stop(struct slirp *slirp, struct pcap_result *result,
		    struct fail *fail)
{
	struct pcap *pcap = slirp->pcap;
	uint64_t one = 1;
	ssize_t wake;
	int ret;

	memset(result, 0, sizeof(*result));
	if (!pcap)
		return fail_set(fail, -ENOENT, "no capture runs");
	pcap_switch(slirp, NULL);
	/* Pairs with the acquire in pcap_main(). */
	__atomic_store_n(&pcap->stop, true, __ATOMIC_RELEASE);
	wake = write(pcap->wake_fd, &one, sizeof(one));
	(void)wake;
	pthread_join(pcap->thread, NULL);
	pcap_end_file(pcap);
	if (close(pcap->fd) && !pcap->error)
		pcap->error = -errno;
	pcap->fd = -1;
	result->frames = pcap->frames;
	result->bytes = pcap->bytes;
	for (unsigned int i = 0; i < pcap->count; i++)
		result->dropped += pcap->ring[i].dropped + pcap->refused[i];
	ret = pcap->error;
	pcap_destroy(pcap);
	slirp->pcap = NULL;
	if (ret)
		fail_set(fail, ret, "the capture could not be written (%s)",
			 strerror(-ret));
	return ret;
}
