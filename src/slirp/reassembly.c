/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "slirp/icmp_internal.h"
#include "slirp/protocols.h"
#include "slirp/reassembly_internal.h"
#include "slirp/siphash.h"

/*
 * Theory of operation
 *
 * Each datagram that comes in fragments has one of REASSEMBLY_DATAGRAMS places,
 * with room for the longest there is. A fragment's bytes are copied to where
 * they belong, and what is there is told by a sorted list of the fragments'
 * ends; the usual order of arrival only appends to it. When nothing is missing
 * an Ethernet and an IP header, made of the first fragment's, are put before
 * it, and the whole is processed as one frame.
 *
 * Places are on one of three lists: free; waiting, oldest first, so that
 * time-outs and evictions look at its head only; and done, until the turn ends,
 * since queued operations read from them.
 *
 * Limits: memory is REASSEMBLY_DATAGRAMS times 64 KiB for each shard, and pages
 * that no datagram ever used cost nothing. Options of IPv4 and headers before
 * IPv6's fragment header are not kept: nobody looks at them.
 */

#define IP4_DATA_MAX  (65535 - 20)
#define IP6_DATA_MAX  65535
#define FRAGMENT_UNIT 8 /* bytes; of all but the last a multiple */

struct reassembly {
	struct cds_list_head free;
	struct cds_list_head waiting;
	struct cds_list_head done;
	struct timer timer;
	struct port_frame frame;
	struct datagram *place;
};

#define DATAGRAMS_SIZE (REASSEMBLY_DATAGRAMS * sizeof(struct datagram))

struct reassembly *reassembly_create(void)
{
	struct reassembly *reassembly = calloc(1, sizeof(*reassembly));

	if (!reassembly)
		return NULL;
	reassembly->place =
		mmap(NULL, DATAGRAMS_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reassembly->place == MAP_FAILED) {
		free(reassembly);
		return NULL;
	}
	CDS_INIT_LIST_HEAD(&reassembly->free);
	CDS_INIT_LIST_HEAD(&reassembly->waiting);
	CDS_INIT_LIST_HEAD(&reassembly->done);
	for (int i = 0; i < REASSEMBLY_DATAGRAMS; i++)
		cds_list_add_tail(&reassembly->place[i].node,
				  &reassembly->free);
	return reassembly;
}

void reassembly_destroy(struct reassembly *reassembly)
{
	if (!reassembly)
		return;
	munmap(reassembly->place, DATAGRAMS_SIZE);
	free(reassembly);
}

unsigned int reassembly_shard(const uint64_t secret[2],
			      const struct packet *packet, unsigned int count)
{
	struct in6_addr pair[2] = { packet->source, packet->destination };

	return (unsigned int)(siphash13(secret, pair, sizeof(pair)) % count);
}

struct timer *reassembly_timer(struct reassembly *reassembly)
{
	return &reassembly->timer;
}

void reassembly_release(struct reassembly *reassembly)
{
	cds_list_splice(&reassembly->done, &reassembly->free);
	CDS_INIT_LIST_HEAD(&reassembly->done);
}

static struct datagram *reassembly_oldest(struct reassembly *reassembly)
{
	return cds_list_empty(&reassembly->waiting)
		       ? NULL
		       : cds_list_first_entry(&reassembly->waiting,
					      struct datagram, node);
}

static void datagram_move(struct datagram *datagram, struct cds_list_head *to)
{
	cds_list_del(&datagram->node);
	cds_list_add(&datagram->node, to);
}

/* One that waits will not be whole. */
static void datagram_drop(struct shard *shard, struct reassembly *reassembly,
			  struct datagram *datagram)
{
	SHARD_COUNT(shard, reassembly_failed, !datagram->abandoned);
	datagram_move(datagram, &reassembly->free);
}

/* Time-outs */

static void datagram_tell(struct shard *shard, struct datagram *datagram)
{
	bool is4 = datagram->first.is4;
	struct host_error error = {
		.type = is4 ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED,
		.code = ICMP_EXC_FRAGTIME, /* the same in ICMPv6 */
		.is4 = is4,
	};
	struct icmp_quote quote = {
		.error = &error,
		.source = datagram->first.source,
		.destination = datagram->first.destination,
		.protocol = datagram->first.protocol,
		.length = datagram->part[0].end,
		.data = datagram->data + DATAGRAM_ROOM,
		.size = datagram->part[0].end,
	};

	icmp_send_quote(shard, datagram->queue, &quote);
}

void reassembly_expire(struct shard *shard, struct reassembly *reassembly)
{
	struct datagram *datagram;

	while ((datagram = reassembly_oldest(reassembly)) != NULL) {
		if (datagram->deadline_ms > shard_now_ms(shard)) {
			timer_set(shard_timers(shard), &reassembly->timer,
				  datagram->deadline_ms);
			return;
		}
		if (!datagram->abandoned && datagram->part[0].start == 0)
			datagram_tell(shard, datagram);
		datagram_drop(shard, reassembly, datagram);
	}
}

/* Places */

static struct datagram_key datagram_key_of(const struct packet *packet)
{
	return (struct datagram_key) {
		.source = packet->source,
		.destination = packet->destination,
		.id = packet->fragment_id,
		.protocol = packet->is4 ? packet->protocol : 0,
	};
}

static struct datagram *reassembly_find(struct reassembly *reassembly,
					const struct datagram_key *key)
{
	struct datagram *datagram;

	/* The latest is the likeliest. */
	cds_list_for_each_entry_reverse(
		datagram, &reassembly->waiting,
		node) if (!memcmp(&datagram->key, key,
				  sizeof(*key))) return datagram;
	return NULL;
}

static void reassembly_make_room(struct shard *shard,
				 struct reassembly *reassembly)
{
	struct datagram *oldest;

	if (!cds_list_empty(&reassembly->free))
		return;
	if (!cds_list_empty(&reassembly->done)) {
		/* Whoever reads from them has done so then. */
		shard_run_batch(shard);
		reassembly_release(reassembly);
		return;
	}
	oldest = reassembly_oldest(reassembly);
	datagram_drop(shard, reassembly, oldest);
}

static struct datagram *reassembly_take(struct shard *shard,
					struct reassembly *reassembly,
					const struct datagram_key *key)
{
	struct datagram *datagram;

	reassembly_make_room(shard, reassembly);
	datagram =
		cds_list_first_entry(&reassembly->free, struct datagram, node);
	cds_list_del(&datagram->node);
	cds_list_add_tail(&datagram->node, &reassembly->waiting);
	datagram->key = *key;
	datagram->deadline_ms = shard_now_ms(shard) + REASSEMBLY_TIMEOUT_MS;
	datagram->abandoned = false;
	datagram->size = 0;
	datagram->filled = 0;
	datagram->parts = 0;
	if (reassembly_oldest(reassembly) == datagram)
		timer_set(shard_timers(shard), &reassembly->timer,
			  datagram->deadline_ms);
	return datagram;
}

/* Fragments */

static const struct port_frame *reassembly_finish(struct shard *shard,
						  struct reassembly *reassembly,
						  struct datagram *datagram)
{
	struct port_frame *frame = &reassembly->frame;
	uint8_t *start = datagram_write_headers(datagram);
	uint8_t *end = datagram->data + DATAGRAM_ROOM + datagram->size;

	frame->length = (size_t)(end - start);
	frame->iov[0] =
		(struct iovec) { .iov_base = start, .iov_len = frame->length };
	frame->iov_count = 1;
	frame->reassembled = true;
	datagram_move(datagram, &reassembly->done);
	SHARD_COUNT(shard, reassembled, 1);
	return frame;
}

/* RFC 8200, 4.5: the guest is told what is wrong with a fragment of IPv6. */
static void reassembly_refuse(struct shard *shard, const struct packet *packet,
			      size_t pointer)
{
	struct host_error error = {
		.type = ICMP6_PARAM_PROB,
		.code = ICMP6_PARAMPROB_HEADER,
		.pointer = (uint32_t)pointer,
	};

	SHARD_COUNT(shard, tx_malformed, 1);
	if (!packet->is4)
		icmp_send_error(shard, packet, &error);
}

/* Where a fragment's bytes belong. Return: false for one that cannot be */
static bool reassembly_place(struct shard *shard, const struct packet *packet,
			     struct datagram_part *part)
{
	bool more = packet->fragment & HEADER_MORE_FRAGMENTS;
	size_t size = packet->l4.left;
	size_t start =
		(packet->fragment & (HEADER_FRAGMENT ^ HEADER_MORE_FRAGMENTS)) *
		(size_t)FRAGMENT_UNIT;

	if (!size || (more && size % FRAGMENT_UNIT)) {
		reassembly_refuse(shard, packet,
				  offsetof(struct ip6_hdr, ip6_plen));
		return false;
	}
	if (start + size > (packet->is4 ? IP4_DATA_MAX : IP6_DATA_MAX)) {
		reassembly_refuse(
			shard, packet,
			packet->l4_offset - HEADER_IP -
				sizeof(struct ip6_frag) +
				offsetof(struct ip6_frag, ip6f_offlg));
		return false;
	}
	part->start = (uint16_t)start;
	part->end = (uint16_t)(start + size);
	return true;
}

const struct port_frame *reassembly_add(struct shard *shard,
					struct reassembly *reassembly,
					const struct packet *packet)
{
	struct datagram_key key = datagram_key_of(packet);
	struct datagram_part part;
	struct datagram *datagram;

	SHARD_COUNT(shard, tx_fragments, 1);
	if (!reassembly_place(shard, packet, &part))
		return NULL;
	datagram = reassembly_find(reassembly, &key);
	if (!datagram)
		datagram = reassembly_take(shard, reassembly, &key);
	datagram->queue = shard_input_queue(shard);
	if (!datagram_add(shard, datagram, &part, packet))
		return NULL;
	return reassembly_finish(shard, reassembly, datagram);
}
