/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/udp_internal.h"

#define FRAGMENT_UNIT 8 /* bytes; all but the last are a multiple */

size_t udp_mtu(const struct shard *shard)
{
	const struct port_features *features = shard_features(shard);
	size_t most = features->rx_frame_max;

	most = most > HEADER_IP ? most - HEADER_IP : 0;
	return features->mtu < most ? features->mtu : most;
}

static bool udp_send_whole(struct shard *shard, unsigned int queue,
			   const struct slirp_endpoint *from,
			   const struct slirp_endpoint *to, const uint8_t *data,
			   size_t size)
{
	size_t headers = header_udp(&to->address);
	uint8_t header[HEADER_UDP_MAX];
	struct port_offload offload;
	struct outgoing out;

	if (outgoing_begin(shard, queue, headers + size, &out))
		return false;
	if (shard_features(shard)->rx_csum) {
		header_write_udp(shard_config(shard), from, to, size, 0,
				 &offload, header);
	} else {
		offload = (struct port_offload) { 0 };
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
	}
	iov_write(out.space.iov, out.space.iov_count, 0, header, headers);
	iov_write(out.space.iov, out.space.iov_count, headers, data, size);
	outgoing_commit(shard, &out, headers + size, &offload);
	return true;
}

static bool udp_send_fragment(struct shard *shard, unsigned int queue,
			      const struct header_ip *ip, const uint8_t *data)
{
	uint8_t header[HEADER_L4_MAX];
	size_t headers = header_write_ip(shard_config(shard), ip, header);
	struct outgoing out;

	if (outgoing_begin(shard, queue, headers + ip->length, &out))
		return false;
	iov_write(out.space.iov, out.space.iov_count, 0, header, headers);
	iov_write(out.space.iov, out.space.iov_count, headers, data,
		  ip->length);
	outgoing_commit(shard, &out, headers + ip->length, NULL);
	return true;
}

/* What a fragment carries of a datagram, bytes; 0 if nothing fits. */
static size_t udp_fragment_size(const struct shard *shard,
				const struct in6_addr *guest)
{
	size_t headers = header_ip_size(guest), mtu = udp_mtu(shard);

	if (!address_is4(guest))
		headers += HEADER_FRAGMENT6;
	if (mtu < headers)
		return 0;
	return (mtu - headers) - (mtu - headers) % FRAGMENT_UNIT;
}

/* @data: UDP header and payload, @size bytes */
static bool udp_send_fragments(struct shard *shard, unsigned int queue,
			       struct header_ip *ip, const uint8_t *data,
			       size_t size)
{
	size_t most = udp_fragment_size(shard, &ip->destination);

	if (!most)
		return false;
	for (size_t at = 0; at < size; at += ip->length) {
		ip->length = size - at < most ? size - at : most;
		ip->fragment = (uint16_t)(at / FRAGMENT_UNIT);
		if (at + ip->length < size)
			ip->fragment |= HEADER_MORE_FRAGMENTS;
		if (!udp_send_fragment(shard, queue, ip, data + at))
			return false;
	}
	return true;
}

void udp_deliver(struct shard *shard, unsigned int queue,
		 const struct slirp_endpoint *from,
		 const struct slirp_endpoint *to, uint8_t *data, size_t size,
		 uint16_t id)
{
	struct header_ip ip = {
		.source = from->address,
		.destination = to->address,
		.protocol = IPPROTO_UDP,
		.id = id,
	};
	uint8_t *start = data - sizeof(struct udphdr);
	size_t whole = sizeof(struct udphdr) + size;
	uint8_t header[HEADER_UDP_MAX];
	bool sent;

	if (header_ip_size(&to->address) + whole <= udp_mtu(shard)) {
		sent = udp_send_whole(shard, queue, from, to, data, size);
	} else {
		/* A checksum over several frames cannot be left to the guest's
		 * side. */
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
		memcpy(start, header + header_l4(&to->address),
		       sizeof(struct udphdr));
		sent = udp_send_fragments(shard, queue, &ip, start, whole);
	}
	if (!sent)
		SHARD_COUNT(shard, rx_dropped, 1);
}
