/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "slirp/header.h"
#include "slirp/udp_internal.h"

#define FRAGMENT_UNIT 8 /* bytes; all but the last are a multiple (RFC 791) */

size_t udp_mtu(const struct shard *shard)
{
	const struct port_features *features = shard_features(shard);
	size_t most = features->rx_frame_max;

	most = most > HEADER_IP ? most - HEADER_IP : 0;
	return features->mtu < most ? features->mtu : most;
}

static bool udp_send_whole(struct shard *shard, unsigned int queue,
			   const struct sockaddr_in *from,
			   const struct sockaddr_in *to, const uint8_t *data,
			   size_t size)
{
	struct port_offload offload;
	uint8_t header[HEADER_UDP];
	struct outgoing out;

	if (outgoing_begin(shard, queue, HEADER_UDP + size, &out))
		return false;
	if (shard_features(shard)->rx_csum) {
		header_write_udp(shard_config(shard), from, to, size, 0,
				 &offload, header);
	} else {
		offload = (struct port_offload) { 0 };
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
	}
	iov_write(out.space.iov, out.space.iov_count, 0, header, HEADER_UDP);
	iov_write(out.space.iov, out.space.iov_count, HEADER_UDP, data, size);
	outgoing_commit(shard, &out, HEADER_UDP + size, &offload);
	return true;
}

static bool udp_send_fragment(struct shard *shard, unsigned int queue,
			      const struct header_ip4 *ip, const uint8_t *data)
{
	uint8_t header[HEADER_L4];
	struct outgoing out;

	if (outgoing_begin(shard, queue, HEADER_L4 + ip->length, &out))
		return false;
	header_write_ip4(shard_config(shard), ip, header);
	iov_write(out.space.iov, out.space.iov_count, 0, header, HEADER_L4);
	iov_write(out.space.iov, out.space.iov_count, HEADER_L4, data,
		  ip->length);
	outgoing_commit(shard, &out, HEADER_L4 + ip->length, NULL);
	return true;
}

/* @data: UDP header and payload, @size bytes */
static bool udp_send_fragments(struct shard *shard, unsigned int queue,
			       struct header_ip4 *ip, const uint8_t *data,
			       size_t size)
{
	size_t most = udp_mtu(shard) - sizeof(struct iphdr);

	most -= most % FRAGMENT_UNIT;
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
		 const struct sockaddr_in *from, const struct sockaddr_in *to,
		 uint8_t *data, size_t size, uint16_t id)
{
	struct header_ip4 ip = {
		.source = from->sin_addr,
		.destination = to->sin_addr,
		.protocol = IPPROTO_UDP,
		.id = id,
	};
	uint8_t *start = data - sizeof(struct udphdr);
	size_t whole = sizeof(struct udphdr) + size;
	uint8_t header[HEADER_UDP];
	bool sent;

	if (sizeof(struct iphdr) + whole <= udp_mtu(shard)) {
		sent = udp_send_whole(shard, queue, from, to, data, size);
	} else if (udp_mtu(shard) < sizeof(struct iphdr) + FRAGMENT_UNIT) {
		sent = false;
	} else {
		/* A checksum over several frames cannot be left to the guest's
		 * side. */
		header_write_udp(shard_config(shard), from, to, size,
				 checksum_add(data, size, 0), NULL, header);
		memcpy(start, header + HEADER_L4, sizeof(struct udphdr));
		sent = udp_send_fragments(shard, queue, &ip, start, whole);
	}
	if (!sent)
		SHARD_COUNT(shard, rx_dropped, 1);
}
