/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/reassembly_internal.h"

enum datagram_fit {
	DATAGRAM_FITS,
	DATAGRAM_DUPLICATE,
	DATAGRAM_CONFLICT,
};

/* Does a fragment agree with where the datagram ends? */
static bool datagram_end_fits(const struct datagram *datagram,
			      const struct datagram_part *part, bool more)
{
	unsigned int parts = datagram->parts;

	if (datagram->size && part->end > datagram->size)
		return false;
	if (more)
		return true;
	return (!datagram->size || part->end == datagram->size) &&
	       (!parts || datagram->part[parts - 1].end <= part->end);
}

/* Where a fragment belongs in the list is *@at. */
static enum datagram_fit datagram_fit(const struct datagram *datagram,
				      const struct datagram_part *part,
				      bool more, unsigned int *at)
{
	const struct datagram_part *before = NULL, *after = NULL;
	unsigned int i = datagram->parts;

	while (i && datagram->part[i - 1].start > part->start)
		i--;
	*at = i;
	if (i)
		before = &datagram->part[i - 1];
	if (i < datagram->parts)
		after = &datagram->part[i];
	if (!datagram_end_fits(datagram, part, more))
		return DATAGRAM_CONFLICT;
	if (before && before->start == part->start && before->end == part->end)
		return DATAGRAM_DUPLICATE;
	if ((before && before->end > part->start) ||
	    (after && after->start < part->end) ||
	    datagram->parts == REASSEMBLY_FRAGMENTS_MAX)
		return DATAGRAM_CONFLICT;
	return DATAGRAM_FITS;
}

static void datagram_put(struct datagram *datagram,
			 const struct datagram_part *part, unsigned int at,
			 const struct packet *packet)
{
	struct cursor from = packet->l4;

	memmove(&datagram->part[at + 1], &datagram->part[at],
		(datagram->parts - at) * sizeof(*part));
	datagram->part[at] = *part;
	datagram->parts++;
	datagram->filled += (size_t)part->end - part->start;
	cursor_take(&from, datagram->data + DATAGRAM_ROOM + part->start,
		    (size_t)part->end - part->start);
	if (part->start == 0)
		datagram->first = *packet;
	if (!(packet->fragment & HEADER_MORE_FRAGMENTS))
		datagram->size = part->end;
}

/* Drop the rest of it, too, and say nothing (RFC 5722, 4). */
static void datagram_abandon(struct shard *shard, struct datagram *datagram)
{
	SHARD_COUNT(shard, reassembly_failed, 1);
	datagram->abandoned = true;
}

bool datagram_add(struct shard *shard, struct datagram *datagram,
		  const struct datagram_part *part, const struct packet *packet)
{
	bool more = packet->fragment & HEADER_MORE_FRAGMENTS;
	unsigned int at;

	if (datagram->abandoned)
		return false;
	switch (datagram_fit(datagram, part, more, &at)) {
	case DATAGRAM_CONFLICT:
		datagram_abandon(shard, datagram);
		return false;
	case DATAGRAM_DUPLICATE:
		return false;
	case DATAGRAM_FITS:
		datagram_put(datagram, part, at, packet);
	}
	return datagram->size && datagram->filled == datagram->size;
}

/* Its header is judged like any other's, so the checksum is made, too. */
static size_t datagram_write_header4(struct datagram *datagram)
{
	struct iphdr *ip = &datagram->first.ip;

	ip->ihl = sizeof(*ip) / sizeof(uint32_t);
	ip->tot_len = htons((uint16_t)(sizeof(*ip) + datagram->size));
	ip->frag_off = 0;
	ip->check = 0;
	ip->check = checksum_fold(checksum_add(ip, sizeof(*ip), 0));
	memcpy(datagram->data + DATAGRAM_ROOM - sizeof(*ip), ip, sizeof(*ip));
	return sizeof(*ip);
}

static size_t datagram_write_header6(struct datagram *datagram)
{
	struct ip6_hdr *ip = &datagram->first.ip6;

	ip->ip6_plen = htons((uint16_t)datagram->size);
	ip->ip6_nxt = datagram->first.protocol;
	memcpy(datagram->data + DATAGRAM_ROOM - sizeof(*ip), ip, sizeof(*ip));
	return sizeof(*ip);
}

uint8_t *datagram_write_headers(struct datagram *datagram)
{
	const struct packet *first = &datagram->first;
	size_t size = sizeof(first->ether);
	uint8_t *start;

	size += first->is4 ? datagram_write_header4(datagram)
			   : datagram_write_header6(datagram);
	start = datagram->data + DATAGRAM_ROOM - size;
	memcpy(start, &first->ether, sizeof(first->ether));
	return start;
}
