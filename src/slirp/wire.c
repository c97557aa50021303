/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/wire.h"

#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

/* Extension headers in a row; nobody sends more than two or three. */
#define PACKET_EXTENSIONS_MAX 8

void cursor_init(struct cursor *cursor, const struct iovec *iov,
		 unsigned int count, size_t length)
{
	cursor->iov = iov;
	cursor->count = count;
	cursor->offset = 0;
	cursor->left = length;
}

/*
 * Pass over @size bytes, copying them to @to unless it is NULL. Segments that
 * hold less than cursor->left promises end the walk.
 */
static bool cursor_walk(struct cursor *cursor, uint8_t *to, size_t size)
{
	struct cursor at = *cursor;

	if (size > at.left)
		return false;
	at.left -= size;
	while (size) {
		size_t part;

		if (!at.count)
			return false;
		part = at.iov->iov_len - at.offset;
		if (part > size)
			part = size;
		if (to) {
			memcpy(to, (uint8_t *)at.iov->iov_base + at.offset,
			       part);
			to += part;
		}
		at.offset += part;
		size -= part;
		if (at.offset == at.iov->iov_len) {
			at.iov++;
			at.count--;
			at.offset = 0;
		}
	}
	*cursor = at;
	return true;
}

bool cursor_take(struct cursor *cursor, void *to, size_t size)
{
	return cursor_walk(cursor, to, size);
}

bool cursor_take_most(struct cursor *cursor, void *to, size_t max, size_t *size)
{
	*size = cursor->left < max ? cursor->left : max;
	return cursor_take(cursor, to, *size);
}

bool cursor_skip(struct cursor *cursor, size_t size)
{
	return cursor_walk(cursor, NULL, size);
}

unsigned int cursor_slice(const struct cursor *cursor, size_t size,
			  struct iovec *to, unsigned int max)
{
	unsigned int count = 0, n;
	size_t whole = 0;

	if (!size || size > cursor->left)
		return 0;
	count = iov_slice(cursor->iov, cursor->count, cursor->offset, size, to,
			  max);
	for (n = 0; n < count; n++)
		whole += to[n].iov_len;
	return whole == size ? count : 0;
}

size_t iov_write(const struct iovec *iov, unsigned int count, size_t offset,
		 const void *from, size_t size)
{
	const uint8_t *bytes = from;
	size_t done = 0;

	for (unsigned int i = 0; i < count && done < size; i++) {
		size_t part;

		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}
		part = iov[i].iov_len - offset;
		if (part > size - done)
			part = size - done;
		memcpy((uint8_t *)iov[i].iov_base + offset, bytes + done, part);
		done += part;
		offset = 0;
	}
	return done;
}

unsigned int iov_slice(const struct iovec *iov, unsigned int count,
		       size_t offset, size_t size, struct iovec *to,
		       unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < count && size && n < max; i++) {
		size_t part;

		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}
		part = iov[i].iov_len - offset;
		if (part > size)
			part = size;
		to[n].iov_base = (uint8_t *)iov[i].iov_base + offset;
		to[n].iov_len = part;
		n++;
		size -= part;
		offset = 0;
	}
	return n;
}

/* Add 16-bit words, in memory order, of bytes that begin at an even place. */
static uint64_t checksum_words(const uint8_t *data, size_t size, uint64_t sum)
{
	uint32_t word;
	uint16_t half;

	for (; size >= sizeof(word);
	     data += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	if (size >= sizeof(half)) {
		memcpy(&half, data, sizeof(half));
		sum += half;
		data += sizeof(half);
		size -= sizeof(half);
	}
	if (size) {
		half = 0;
		memcpy(&half, data, 1);
		sum += half;
	}
	return sum;
}

static uint32_t checksum_reduce(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint32_t)((sum >> 16) + (sum & 0xffff));
}

uint32_t checksum_add(const void *data, size_t size, uint32_t sum)
{
	return checksum_reduce(checksum_words(data, size, sum));
}

uint32_t iov_checksum(const struct iovec *iov, unsigned int count,
		      size_t offset, size_t size, uint32_t sum)
{
	struct iovec part[PORT_IOV_MAX];
	unsigned int parts =
		iov_slice(iov, count, offset, size, part, PORT_IOV_MAX);
	bool odd = false;

	for (unsigned int i = 0; i < parts; i++) {
		uint32_t one =
			checksum_add(part[i].iov_base, part[i].iov_len, 0);

		/* Bytes at odd places count in the other half (RFC 1071, 2 B)
		 */
		if (odd)
			one = (one & 0xff) << 8 | (one >> 8 & 0xff);
		sum = checksum_reduce((uint64_t)sum + one);
		odd ^= part[i].iov_len & 1;
	}
	return sum;
}

/* The ffff of a mapped address is a zero in this arithmetic. */
uint32_t checksum_pseudo(const struct in6_addr *src, const struct in6_addr *dst,
			 uint8_t protocol, size_t length)
{
	struct {
		struct in6_addr src, dst;
		uint32_t length;
		uint8_t zero[3], protocol;
	} pseudo = {
		.src = *src,
		.dst = *dst,
		.length = htonl((uint32_t)length),
		.protocol = protocol,
	};

	return checksum_add(&pseudo, sizeof(pseudo), 0);
}

uint16_t checksum_fold(uint32_t sum)
{
	return (uint16_t)~checksum_reduce(sum);
}

bool packet_parse_ether(struct packet *packet, const struct port_frame *frame)
{
	packet->frame = frame;
	cursor_init(&packet->l4, frame->iov, frame->iov_count, frame->length);
	packet->l4_offset = sizeof(packet->ether);
	return cursor_take(&packet->l4, &packet->ether, sizeof(packet->ether));
}

bool packet_parse_ip4(struct packet *packet)
{
	uint8_t header[60];
	struct cursor at = packet->l4;
	size_t size, total;

	if (!cursor_take(&at, &packet->ip, sizeof(packet->ip)))
		return false;
	size = packet->ip.ihl * sizeof(uint32_t);
	total = ntohs(packet->ip.tot_len);
	if (packet->ip.version != 4 || size < sizeof(packet->ip) ||
	    total < size || total > packet->l4.left)
		return false;
	/* From here on the copy: the guest's own bytes may change. */
	memcpy(header, &packet->ip, sizeof(packet->ip));
	if (!cursor_take(&at, header + sizeof(packet->ip),
			 size - sizeof(packet->ip)) ||
	    checksum_fold(checksum_add(header, size, 0)) != 0)
		return false;
	at.left = total - size;
	packet->l4 = at;
	packet->l4_offset += size;
	packet->is4 = true;
	packet->source = address_from4((struct in_addr) { packet->ip.saddr });
	packet->destination =
		address_from4((struct in_addr) { packet->ip.daddr });
	packet->protocol = packet->ip.protocol;
	packet->ip_length = total;
	packet->fragment = ntohs(packet->ip.frag_off);
	packet->fragment_id = ntohs(packet->ip.id);
	return true;
}

/* One extension header. Return: false if it is not whole */
static bool packet_skip_extension(struct packet *packet)
{
	struct ip6_ext extension;
	struct cursor at = packet->l4;
	size_t size;

	if (!cursor_take(&at, &extension, sizeof(extension)))
		return false;
	size = ((size_t)extension.ip6e_len + 1) * 8;
	if (!cursor_skip(&packet->l4, size))
		return false;
	packet->protocol = extension.ip6e_nxt;
	packet->l4_offset += size;
	return true;
}

static bool packet_take_fragment(struct packet *packet)
{
	struct ip6_frag fragment;
	uint16_t offset;

	if (!cursor_take(&packet->l4, &fragment, sizeof(fragment)))
		return false;
	offset = ntohs(fragment.ip6f_offlg);
	packet->protocol = fragment.ip6f_nxt;
	packet->l4_offset += sizeof(fragment);
	packet->fragment_id = ntohl(fragment.ip6f_ident);
	packet->fragment = (uint16_t)(offset >> 3);
	if (fragment.ip6f_offlg & IP6F_MORE_FRAG)
		packet->fragment |= IP_MF;
	return true;
}

static bool packet_skip_extensions(struct packet *packet)
{
	for (int i = 0; i < PACKET_EXTENSIONS_MAX; i++) {
		switch (packet->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			if (!packet_skip_extension(packet))
				return false;
			break;
		case IPPROTO_FRAGMENT:
			if (!packet_take_fragment(packet))
				return false;
			/* An atomic fragment is whole (RFC 6946). */
			if (packet->fragment)
				return true;
			break;
		default:
			return true;
		}
	}
	return false;
}

bool packet_parse_ip6(struct packet *packet)
{
	struct cursor at = packet->l4;
	size_t length;

	if (!cursor_take(&at, &packet->ip6, sizeof(packet->ip6)))
		return false;
	length = ntohs(packet->ip6.ip6_plen);
	if (packet->ip6.ip6_vfc >> 4 != 6 || length > at.left)
		return false;
	at.left = length;
	packet->l4 = at;
	packet->l4_offset += sizeof(packet->ip6);
	packet->is4 = false;
	packet->source = packet->ip6.ip6_src;
	packet->destination = packet->ip6.ip6_dst;
	packet->protocol = packet->ip6.ip6_nxt;
	packet->ip_length = sizeof(packet->ip6) + length;
	packet->fragment = 0;
	packet->fragment_id = 0;
	if (!packet_skip_extensions(packet))
		return false;
	if (!packet->fragment)
		packet->fragment = IP_DF; /* nobody on the way may cut it */
	return true;
}

bool packet_checksum_ok(const struct packet *packet)
{
	const struct port_frame *frame = packet->frame;
	size_t size = packet->l4.left;
	uint32_t sum;

	if (frame->offload.flags & (PORT_NEEDS_CSUM | PORT_DATA_VALID))
		return true;
	sum = checksum_pseudo(&packet->source, &packet->destination,
			      packet->protocol, size);
	return checksum_fold(iov_checksum(frame->iov, frame->iov_count,
					  packet->l4_offset, size, sum)) == 0;
}
